"""Moving everything encrypted to the first key, while others read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, and_, select, update

from singer_store.errors import CorruptRowError
from singer_store.schema import documents, meta, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Table

    from singer_store.database import Database
    from singer_store.keys import Keyring


def rotate(database: Database, keyring: Keyring) -> int:
    """Re-encrypt under the first key whatever is not, each row in a transaction of its own.

    A row that somebody wrote meanwhile is left as they wrote it, and looked at again.

    Returns:
        How many values were re-encrypted.

    Raises:
        CorruptRowError: When one cannot be decrypted; those before it stay re-encrypted.
    """
    count = 0
    while old := [value for value in _values(database) if not keyring.under_first_key(value[2])]:
        for table, here, cipher, what in old:
            try:
                fresh = keyring.encrypt(keyring.decrypt(cipher))
            except InvalidToken:
                raise CorruptRowError(
                    f"{what} in the store {database.name} cannot be decrypted with any of the keys: the row is "
                    "damaged. Restore the store from a backup, or connect again."
                ) from None
            with database.write() as connection:
                column = _cipher_column(table)
                changed = connection.execute(update(table).where(here, column == cipher).values({column.name: fresh}))
                count += changed.rowcount
    return count


def _cipher_column(table: Table) -> Column[Any]:
    return meta.c.value if table is meta else table.c.secret


def _values(database: Database) -> Iterator[tuple[Table, ColumnElement[bool], str, str]]:
    with database.read() as connection:
        checks = connection.execute(select(meta).where(meta.c.name == "key_check")).all()
        rows = connection.execute(select(tokens)).all()
        papers = connection.execute(select(documents)).all()
    for row in checks:
        yield meta, meta.c.name == row.name, row.value, "The key check"
    for row in rows:
        here = and_(tokens.c.service == row.service, tokens.c.client_id == row.client_id, tokens.c.seed == row.seed)
        yield tokens, here, row.secret, f"The row with the tokens of {row.service}"
    for row in papers:
        here = and_(documents.c.kind == row.kind, documents.c.name == row.name)
        yield documents, here, row.secret, f"The {row.kind} {row.name}"
