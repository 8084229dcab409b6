"""What clients, invoices and payments of an account have in common: reading, writing in phases, soft deletion."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sandbox.freshbooks import errors
from sandbox.freshbooks.records import DELETED, Record

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Mapping

    from sandbox.freshbooks.books import Books

R = TypeVar("R", bound=Record)


class Collection(ABC, Generic[R]):
    """The records of one kind in one account.

    `rows` is in the order of creation, which is the order of ids.
    """

    kind: str
    """As in the list's key: clients, invoices, payments."""
    single: str
    includes: frozenset[str] = frozenset()

    def __init__(self, books: Books) -> None:
        self.books = books
        self.world = books.world
        self.rows: dict[int, R] = {}
        self.refused: dict[int, errors.ApiError] = {}
        """What a GET by id answers for records that are not given; lists go on showing them."""
        self.hidden: dict[int, bool] = {}
        """Records that lists do not show, and whether they are counted nevertheless."""

    def get(self, record_id: int) -> R:
        """Give a record, deleted or not.

        Raises:
            ApiError: 404 if there is none.
        """
        record = self.rows.get(record_id)
        if record is None:
            raise errors.not_found(self.single, "userid" if self.single == "client" else "id", record_id)
        return record

    def read(self, record_id: int) -> R:
        """Return a record as a GET by id does.

        Raises:
            ApiError: if there is none, or this one is not given.
        """
        if record_id in self.refused:
            raise self.refused[record_id]
        return self.get(record_id)

    def counted(self, ids: list[int]) -> list[int]:
        """Return those of the ids that a list counts: not the records that are hidden so well that nobody sees it."""
        return [number for number in ids if self.hidden.get(number, True)] if self.hidden else ids

    @abstractmethod
    def create(self, data: Mapping[str, Any]) -> R:
        """Make a record from what was posted.

        Raises:
            ApiError: if FreshBooks would refuse it.
        """

    def update(self, record_id: int, data: Mapping[str, Any]) -> R:
        """Change a record.

        A change is one of ``ext_vis_state``, ``vis_state``, actions or data, in this order: the first that is present
        is done, and the rest of the body is dropped silently (https://www.freshbooks.com/api/active_deleted).

        Raises:
            ApiError: if FreshBooks would refuse it.
        """
        record = self.get(record_id)
        if "ext_vis_state" in data:
            record.fields = {**record.fields, "ext_archive": int(data["ext_vis_state"])}
            self.bump(record)
        elif "vis_state" in data:
            self._change_vis_state(record, data["vis_state"])
        elif actions := {name for name, value in data.items() if name.startswith("action_") and value}:
            self.act(record, actions)
        else:
            if record.vis_state == DELETED:
                raise errors.ApiError(
                    422, errors.DELETED, f"{self.single.capitalize()} is deleted.", object=self.single, value=record_id
                )
            self.edit(record, data)
        self.announce(record, "delete" if record.vis_state == DELETED else "update")
        return record

    def _change_vis_state(self, record: R, value: Any) -> None:
        if value not in (0, 1, 2) or isinstance(value, bool):
            raise errors.invalid(self.single, "vis_state", value)
        former, record.vis_state = record.vis_state, int(value)
        self.bump(record)
        if former != record.vis_state:
            self.vis_state_changed(record, former)

    def vis_state_changed(self, record: R, former: int) -> None:
        """Do what else follows from deleting, archiving or restoring a record."""

    def act(self, record: R, actions: set[str]) -> None:  # noqa: ARG002 - only invoices have any
        """Do the actions of a PUT (``action_mark_as_sent``)."""
        self.bump(record)

    @abstractmethod
    def edit(self, record: R, data: Mapping[str, Any]) -> None:
        """Write the data of a PUT, and bump the record."""

    def bump(self, record: Record, moment: datetime | None = None) -> None:
        """Note that a record has changed."""
        moment = moment or self.world.now()
        if moment <= record.updated and moment.replace(microsecond=999_999) > record.updated:
            moment = record.updated.replace(microsecond=record.updated.microsecond + 1)  # versions differ
        record.updated = moment
        self.changed(record)

    def changed(self, record: Record) -> None:
        """Note that a record looks different now, though it may not count as updated."""
        record.cache = None
        self.books.revision += 1

    def announce(self, record: Record, action: str) -> None:
        """Send the event of a change."""
        self.world.announce(self.books.account_id, f"{self.single}.{action}", record.id)

    @abstractmethod
    def write(self, record: R, includes: Names[str], today: date) -> str:
        """Write a record as JSON, as the API does on a day."""

    def cache_key(self, record: R, includes: Names[str], today: date) -> Any:  # noqa: ARG002 - see invoices
        """Give what the record's text depends on besides itself; None if it cannot be kept."""
        return None if includes else ""

    def row(self, record: R, includes: Names[str] = ()) -> dict[str, Any]:
        """Give a record as the API writes it."""
        row: dict[str, Any] = json.loads(self.text(record, includes))
        return row

    def text(self, record: R, includes: Names[str] = (), today: date | None = None) -> bytes:
        """Give a record's text, written anew only if something has changed."""
        today = today or self.books.today()
        key = self.cache_key(record, includes, today)
        if key is not None and record.cache is not None and key in record.cache:
            return record.cache[key]
        text = self.write(record, includes, today).encode()
        if key is not None:
            record.cache = {**(record.cache or {}), key: text}
        return text

    def day(self, value: object, field: str) -> date:
        """Read a plain date.

        Raises:
            ApiError: 422 if it is none.
        """
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError as error:
            raise errors.invalid(self.single, field, value) from error
