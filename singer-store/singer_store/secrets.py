"""Small encrypted documents: webhook callbacks with their verifiers, notification channels with their tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken
from sqlalchemy import and_, delete, select

from singer_store.errors import CorruptRowError
from singer_store.schema import documents, dump_json

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from singer_store.database import Database
    from singer_store.keys import Keyring


class Secrets:
    """The table `documents`: JSON objects by kind and name, encrypted."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Give one document; None if there is none.

        Raises:
            CorruptRowError: When it cannot be decrypted or read.
        """
        with self._database.read() as connection:
            secret = connection.execute(select(documents.c.secret).where(_identity(kind, name))).scalar_one_or_none()
        return None if secret is None else self._open(kind, name, secret)

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Write one document, in place of the one there was."""
        # The row's own name is inside, so that a value moved from another row does not pass.
        secret = self._keyring.encrypt(dump_json({"row": [kind, name], "document": dict(document)}))
        statement = self._database.insert(documents).values(kind=kind, name=name, secret=secret)
        with self._database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=documents.primary_key.columns, set_={"secret": statement.excluded.secret}
                )
            )

    def delete(self, kind: str, name: str) -> None:
        """Remove one document, if there is one."""
        with self._database.write() as connection:
            connection.execute(delete(documents).where(_identity(kind, name)))

    def all(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Give all documents of a kind, by name.

        Raises:
            CorruptRowError: When one cannot be decrypted or read.
        """
        query = select(documents).where(documents.c.kind == kind).order_by(documents.c.name)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {row.name: self._open(kind, row.name, row.secret) for row in rows}

    def _open(self, kind: str, name: str, secret: str) -> Mapping[str, Any]:
        try:
            opened = json.loads(self._keyring.decrypt(secret))
            if opened["row"] != [kind, name] or not isinstance(opened["document"], Mapping):
                raise ValueError  # noqa: TRY301
        except (InvalidToken, ValueError, KeyError, TypeError):
            raise CorruptRowError(
                f"The {kind} {name} in the store {self._database.name} cannot be read although the key is right: the "
                "row is damaged. Restore the store from a backup, or delete the row: it is made anew."
            ) from None
        return opened["document"]


def _identity(kind: str, name: str) -> ColumnElement[bool]:
    return and_(documents.c.kind == kind, documents.c.name == name)
