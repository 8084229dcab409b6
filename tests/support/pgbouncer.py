"""A real PgBouncer in transaction mode before the tests' PostgreSQL.

In a folder's conftest.py, beside PostgreSQL's: ``from support.pgbouncer import pooled_url, pooler  # noqa: F401``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL_SIZE = 3
"""Connections to the server: fewer than the processes that a test starts."""

_SETTINGS = """
[databases]
{database} = host={host} user={user} pool_size={pool_size}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
"""


@dataclass(frozen=True)
class Pooler:
    """A pooler that runs: the SQLAlchemy URL of an empty database as it is reached through it, and its process."""

    url: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it, so that there is no server any more."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def pooler(postgres_url: str) -> Iterator[Pooler]:
    """Start it."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    assert program, "pgbouncer is needed; as root, make programs installs it"
    direct = make_url(postgres_url)
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        server = {"database": direct.database, "user": direct.username, "host": str(direct.query["host"])}
        (folder / "pgbouncer.ini").write_text(_SETTINGS.format(**server, folder=folder, pool_size=POOL_SIZE))
        # It does not run as root, and only the server's own user reaches the server's socket.
        user = [f"--user={Path(server['host']).owner()}"] if os.geteuid() == 0 else []
        command = [program, *user, str(folder / "pgbouncer.ini")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            assert process.stderr is not None
            said: list[str] = []
            while not any("process up" in line for line in said):
                said.append(process.stderr.readline())
                assert said[-1], "".join(said)
            yield Pooler(str(direct.set(host=None, port=None, query={"host": str(folder), "port": "6432"})), process)
            process.terminate()


@pytest.fixture
def pooled_url(pooler: Pooler) -> str:
    """Return the SQLAlchemy URL of an empty database, as it is reached through the pooler."""
    return pooler.url
