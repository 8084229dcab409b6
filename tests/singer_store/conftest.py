from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from support.moving_clock import MovingClock
from support.pgbouncer import pooled_url, pooler  # noqa: F401
from support.postgres import postgres_server, postgres_url  # noqa: F401

from singer_store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from singer_store import Store


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own config and state out of the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("MELTANO_PROJECT_ROOT", "MELTANO_SYS_DIR_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def store_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def store(store_url: str, store_key: str, clock: MovingClock) -> Iterator[Store]:
    with open_store(store_url, store_key, clock=clock) as store:
        yield store
