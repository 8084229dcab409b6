"""Locks that hold across processes (and machines, on PostgreSQL) and die with their holder.

SQLite: a transaction on a small database file beside the store, so that the store itself stays free while a POST is
under way; the operating system drops the lock when the process dies. PostgreSQL: an advisory lock of a transaction, on
a connection of its own; the server drops it when the transaction ends. Nothing is kept in the session: behind a pooler
in transaction mode the next statement may be another session's.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from singer_store.errors import StoreUnavailableError
from singer_store.files import check_private, make_private_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_LOCK_NOT_AVAILABLE = "55P03"
# Whoever waits takes up one of the pooler's connections, and the holder needs one to get on: all let go often.
_SLICE_SECONDS = 0.2
# What is done under a lock takes a minute or two; a holder that hangs does not keep it for ever.
_LONGEST_HOLD_SECONDS = 600
# For one transaction only. A machine that vanishes without a word is noticed after half a minute instead of two hours,
# and limits that the server may have set for all do not take the lock away in the middle of the work.
_SETTINGS = text(
    """
    SELECT set_config('lock_timeout', :wait, true),
           set_config('statement_timeout', '0', true),
           set_config('idle_in_transaction_session_timeout', :hold, true),
           set_config('tcp_keepalives_idle', '15', true),
           set_config('tcp_keepalives_interval', '5', true),
           set_config('tcp_keepalives_count', '3', true)
    """
)
_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


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

    Should the server end the connection meanwhile, the lock is lost, and nobody is told: what is done under it has to
    be right even then.

    Args:
        engine: One without a pool: closing the connection is what releases the lock in every case.
        name: Any text; its hash is the lock's number.
        timeout: Seconds.

    Raises:
        LockTimeoutError: When another holder did not let go in time.
    """
    number = int.from_bytes(hashlib.sha256(f"singer-store {name}".encode()).digest()[:8], "big", signed=True)
    end = time.monotonic() + timeout
    with closing(engine.connect()) as connection:
        while not _locked(connection, number, min(_SLICE_SECONDS, end - time.monotonic())):
            connection.rollback()
            if time.monotonic() >= end:
                raise LockTimeoutError(timeout)
        try:
            yield
        finally:
            with suppress(DBAPIError):
                connection.rollback()


def _locked(connection: Connection, number: int, seconds: float) -> bool:
    """Return whether the lock could be had within some seconds; it lasts as long as the transaction begun here."""
    values = {"wait": str(max(1, int(seconds * 1000))), "hold": str(_LONGEST_HOLD_SECONDS * 1000)}
    connection.execute(_SETTINGS, values)
    try:
        connection.execute(_LOCK, {"number": number})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True
