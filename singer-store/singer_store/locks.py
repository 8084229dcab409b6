"""Locks that hold across processes (and machines, on PostgreSQL) and die with their holder.

SQLite: a transaction on a small database file beside the store, so that the store itself stays free while a POST is
under way; the operating system drops the lock when the process dies. PostgreSQL: a session-level advisory lock on a
connection of its own; the server drops it when the connection ends.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from singer_store.errors import StoreUnavailableError
from singer_store.files import check_private, make_private_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

_LOCK_NOT_AVAILABLE = "55P03"


class LockTimeoutError(StoreUnavailableError):
    """Somebody else held the lock all the time."""

    def __init__(self, timeout: float) -> None:
        super().__init__(f"Another process has been at work on this part of the store for {timeout:.0f} s. Try again.")


@contextmanager
def file_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock that the file `path` stands for, waiting at most `timeout` seconds.

    Raises:
        LockTimeoutError: When another holder did not let go in time.
    """
    make_private_file(path)
    check_private(path, "The lock file")
    with closing(sqlite3.connect(path, timeout=timeout, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise LockTimeoutError(timeout) from None
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@contextmanager
def advisory_lock(engine: Engine, name: str, timeout: float) -> Iterator[None]:
    """Hold PostgreSQL's advisory lock of that name, waiting at most `timeout` seconds.

    Args:
        engine: One without a pool: closing the connection is what releases the lock in every case.
        name: Any text; its hash is the lock's number.
        timeout: Seconds.

    Raises:
        LockTimeoutError: When another holder did not let go in time.
    """
    number = int.from_bytes(hashlib.sha256(f"singer-store {name}".encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # A machine that vanishes without a word is noticed after half a minute instead of two hours.
        for setting, value in (("idle", 15), ("interval", 5), ("count", 3)):
            connection.execute(text(f"SET tcp_keepalives_{setting} = {value}"))
        connection.execute(text(f"SET lock_timeout = {max(1, int(timeout * 1000))}"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise LockTimeoutError(timeout) from None
        yield
