"""The store's database as another program has it open, whichever database it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from singer_store.database import POSTGRES_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Give a connection of its own."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET search_path TO {POSTGRES_SCHEMA}")
        yield connection


def rows(url: str, *tables: str) -> list[tuple[Any, ...]]:
    """Give what is committed in these tables, or in all."""
    with connected(url) as connection:
        schema = POSTGRES_SCHEMA if connection.dialect.name == "postgresql" else None
        names = tables or inspect(connection).get_table_names(schema)
        return [tuple(row) for name in names for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Keep everybody else from writing to the objects still to sync."""
    with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            # The driver begins a transaction by itself, but only at the first change.
            connection.exec_driver_sql("DELETE FROM pending WHERE 1 = 0")
        else:
            connection.exec_driver_sql("LOCK TABLE pending IN EXCLUSIVE MODE")
        yield
        connection.rollback()
