"""What was written last into each record of the destination: enough to tell one's own writes from other people's.

For each object synced: which record it is in the destination, which fields were written, and a digest of their values.
The digest is keyed with the store's salt, so that nobody can find the values by trying.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, or_, select

from singer_store.schema import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Row

    from singer_store.database import Database

_CHUNK = 500


@dataclass(frozen=True)
class WrittenRecord:
    """One object, and the record it became.

    Attributes:
        account: The FreshBooks account id.
        stream: The stream's name.
        object_id: The object's id in its stream.
        record_id: The record's id in the destination.
        fields: API names of the fields that were written, or compared and found equal.
        digest: Of their values, made with `WrittenRecords.digest`.
        parent: Id of the object that this one belongs to, such as an invoice's client; None where it belongs to none.
    """

    account: str
    stream: str
    object_id: str
    record_id: str
    fields: tuple[str, ...]
    digest: str
    parent: str | None = None


class WrittenRecords:
    """The table `written`."""

    def __init__(self, database: Database, salt: bytes) -> None:
        self._database = database
        self._salt = salt

    def digest(self, values: bytes) -> str:
        """Give the digest of values in a form that the caller keeps to."""
        return hmac.digest(self._salt, values, "sha256").hex()[:32]

    def note(self, records: Iterable[WrittenRecord]) -> None:
        """Remember what was written, in one transaction; a row that says the same already is left alone."""
        rows = [{**vars(record), "fields": " ".join(record.fields)} for record in records]
        statement = self._database.insert(written)
        new = statement.excluded
        names = ("record_id", "fields", "digest", "parent")
        statement = statement.on_conflict_do_update(
            index_elements=written.primary_key.columns,
            set_={name: new[name] for name in names},
            where=or_(*(new[name].is_distinct_from(written.c[name]) for name in names)),
        )
        if rows:
            with self._database.write() as connection:
                connection.execute(statement, rows)

    def forget(self, account: str, stream: str, object_ids: Iterable[str]) -> None:
        """Remove objects whose records are no longer ours."""
        statement = delete(written).where(
            and_(
                written.c.account == account,
                written.c.stream == stream,
                written.c.object_id == bindparam("of_object"),
            )
        )
        rows = [{"of_object": object_id} for object_id in object_ids]
        if rows:
            with self._database.write() as connection:
                connection.execute(statement, rows)

    def forget_all(self, account: str) -> None:
        """Remove all objects of an account."""
        with self._database.write() as connection:
            connection.execute(delete(written).where(written.c.account == account))

    def objects(self, account: str, stream: str | None = None) -> list[tuple[str, str]]:
        """Return stream and id of all of an account's objects that were written, or of those of one stream."""
        query = select(written.c.stream, written.c.object_id).where(written.c.account == account)
        if stream is not None:
            query = query.where(written.c.stream == stream)
        with self._database.read() as connection:
            return [(row.stream, row.object_id) for row in connection.execute(query)]

    def record_ids(self, account: str, stream: str, object_ids: Iterable[str]) -> dict[str, str]:
        """Give the ids of the records that were written for an account's objects, by object id."""
        found: dict[str, str] = {}
        columns = (written.c.object_id, written.c.record_id)
        with self._database.read() as connection:
            for chunk in _chunks(object_ids):
                query = select(*columns).where(
                    written.c.account == account, written.c.stream == stream, written.c.object_id.in_(chunk)
                )
                found.update((row.object_id, row.record_id) for row in connection.execute(query))
        return found

    def children(self, account: str, stream: str, parent: str) -> dict[str, str]:
        """Return the ids of the records that were written for a stream's objects of one parent, by object id."""
        query = select(written.c.object_id, written.c.record_id).where(
            written.c.account == account, written.c.stream == stream, written.c.parent == parent
        )
        with self._database.read() as connection:
            return {row.object_id: row.record_id for row in connection.execute(query)}

    def of_records(self, record_ids: Iterable[str]) -> dict[str, WrittenRecord]:
        """Give those of the destination's records that are ours, by record id."""
        found: dict[str, WrittenRecord] = {}
        with self._database.read() as connection:
            for chunk in _chunks(record_ids):
                query = select(written).where(written.c.record_id.in_(chunk))
                found.update((row.record_id, _record(row)) for row in connection.execute(query))
        return found


def _record(row: Row[Any]) -> WrittenRecord:
    return WrittenRecord(
        row.account, row.stream, row.object_id, row.record_id, tuple(str(row.fields).split()), row.digest, row.parent
    )


def _chunks(items: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
