"""The connection to SQLite or PostgreSQL: transactions, locks between processes, and errors without secrets in them."""

from __future__ import annotations

import hashlib
import importlib
import os
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool

from singer_store.advice import what_to_do
from singer_store.errors import StoreUnavailableError
from singer_store.files import check_folder, check_private, make_private_file, make_private_folder
from singer_store.locks import LockTimeoutError, advisory_lock, file_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Table

POSTGRES_SCHEMA = "singer_store"
_BUSY_SECONDS = 60
# On disk means on disk, also on a server that is set to answer before it is. For one transaction only, so that a pool
# between here and there may be shared; a stronger setting stays.
_DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"


def parse_url(store_url: str) -> URL:
    """Read the setting `store_url`.

    Raises:
        StoreUnavailableError: When it is no usable URL; the message holds neither the URL nor its password.
    """
    try:
        url = make_url(store_url)
    except (ArgumentError, ValueError):
        raise StoreUnavailableError(
            'The setting "store_url" is not a database URL. Examples: sqlite:////var/lib/singer/store.db, '
            "postgresql+psycopg://user:password@host/database."
        ) from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise StoreUnavailableError(
            'The setting "store_url" must begin with sqlite:/// or postgresql+psycopg://; other databases are not '
            "supported."
        )
    if "@" in (url.host or ""):
        raise StoreUnavailableError(
            'The user name or password in "store_url" holds an "@". Percent-encode special characters there (@ is %40).'
        )
    if url.drivername.startswith("sqlite") and (url.database or ":memory:").startswith((":memory:", "file:")):
        raise StoreUnavailableError(
            'The setting "store_url" must name a file (sqlite:////folder/store.db): what is kept in memory is lost, '
            "and no other process sees it."
        )
    return url


class Database:
    """One store's database. Thread-safe; close it when done."""

    _driver_error: type[Exception] = sqlite3.Error

    def __init__(self, url: URL) -> None:
        self.url = url
        given = Path(url.database or "").absolute() if url.drivername.startswith("sqlite") else None
        self.name = str(given or f"{url.host or 'localhost'}/{url.database or ''}")
        # SQLite follows links, and puts its other files beside what they lead to: so do the locks.
        self.file = given and Path(os.path.realpath(given))
        self._queue_lock = threading.Lock()
        self._queues: dict[str, threading.Lock] = {}
        if given is not None and self.file is not None:
            with self._errors():
                check_private(given, "The store")
                make_private_folder(self.file.parent)
                check_folder(self.file.parent, "The store's folder")
                make_private_file(self.file)
            for suffix in ("", "-wal", "-shm"):
                check_private(self.file.with_name(self.file.name + suffix), "The store")
        self._engine = self._create_engine()
        self._lock_engine = self._create_engine(poolclass=NullPool)
        self._driver_error = self._engine.dialect.loaded_dbapi.Error

    def _create_engine(self, **options: Any) -> Engine:
        if self.file is not None:
            # Parameters are hidden from logs and errors, for among them is what nobody else should read.
            engine = create_engine(
                URL.create("sqlite", database=str(self.file)),
                hide_parameters=True,
                connect_args={"timeout": _BUSY_SECONDS},
                **options,
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        try:
            engine = create_engine(
                self.url,
                hide_parameters=True,
                pool_pre_ping=True,
                # Statements prepared in a session are not there, or another's, behind a pooler in transaction mode.
                connect_args={"connect_timeout": 15, "application_name": "singer-store", "prepare_threshold": None},
                **options,
            )
        except (ImportError, NoSuchModuleError):
            raise StoreUnavailableError(
                "PostgreSQL's driver is missing in this plugin's environment. In a Meltano project, ask for "
                "singer-store[postgres] in the pip_url of each plugin that uses the store, and run: meltano install. "
                "Elsewhere: pip install 'singer-store[postgres]'"
            ) from None
        # A schema of its own: the store may share a database, Meltano's for one, which has a table "runs" too.
        return engine.execution_options(schema_translate_map={None: POSTGRES_SCHEMA})

    def insert(self, table: Table) -> Any:
        """Give an insert that may say what becomes of a row that is there already, as each database has its own."""
        # Imported here, where the engine has loaded its dialect already: the other one takes a tenth of the start.
        return importlib.import_module(f"sqlalchemy.dialects.{self._engine.dialect.name}").insert(table)

    def use_wal(self) -> None:
        """Put SQLite into WAL mode, kept in the file: readers and the writer do not wait for each other."""
        if self.file is not None:
            with self._errors(), closing(sqlite3.connect(self.file, timeout=_BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; it is on disk when the block ends without an error.

        On SQLite it is the only one at its time from its beginning, so that it never fails half way for another
        writer's sake.
        """
        with (
            self._errors(),
            self._engine.connect().execution_options(singer_store_write=True) as connection,
            connection.begin(),
        ):
            if self.file is None:
                connection.exec_driver_sql(_DURABLE)
            yield connection

    @contextmanager
    def write_directly(self) -> Iterator[Any]:
        """A transaction as `write` gives it, by the driver's own cursor.

        For what is written many times a second: SQLAlchemy's way there takes longer than SQLite's own work.
        """
        with self._errors(), closing(self._engine.raw_connection()) as connection:
            try:
                cursor = connection.cursor()
                cursor.execute("BEGIN IMMEDIATE" if self.file is not None else _DURABLE)
                yield cursor
                connection.commit()
            except BaseException:
                # What state it is in nobody knows; the next one is a new one.
                connection.invalidate()
                raise

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Hold a lock across threads, processes and (on PostgreSQL) machines; it dies with its holder.

        Raises:
            LockTimeoutError: When it is held by another for `timeout` seconds.
        """
        with self._queue_lock:
            queue = self._queues.setdefault(name, threading.Lock())
        # One thread of this process at a time asks the database, so that many threads cost one connection.
        if not queue.acquire(timeout=timeout):
            raise LockTimeoutError(timeout)
        try:
            if self.file is not None:
                label = hashlib.sha256(name.encode()).hexdigest()[:12]
                held = file_lock(self.file.with_name(f"{self.file.name}-{label}.lock"), timeout)
            else:
                held = advisory_lock(self._lock_engine, name, timeout)
            with ExitStack() as stack:
                with self._errors():
                    stack.enter_context(held)
                yield
        finally:
            queue.release()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        self._lock_engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError, sqlite3.Error, self._driver_error) as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        except OSError as error:
            reason = error.strerror or type(error).__name__
        else:
            return
        said = without_password(reason, self.url).rstrip(".")
        advice = what_to_do(said, server=self.file is None)
        raise StoreUnavailableError(f"The store {self.name} cannot be used: {said}. {advice}") from None


def without_password(text: str, url: URL) -> str:
    """Take the URL's password, in any form it may have, out of what a driver says."""
    for password in (url.password, *url.normalized_query.get("password", ())):
        for form in {str(password or ""), quote(str(password), safe=""), quote_plus(str(password))} - {""}:
            text = text.replace(form, "***")
    return text


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy's documented way to take transactions out of the driver's hands (its SQLite dialect page).
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("singer_store_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
