"""A sandbox and a store for the companion."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from support.companion import Companion
from support.pipeline import firm  # noqa: F401
from support.postgres import postgres_server, postgres_url  # noqa: F401

from sandbox import Sandbox
from singer_store import open_store


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request, tmp_path):
    """URL and key of a new store; each test runs on both databases, unless it says on which."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url"), Fernet.generate_key().decode()
    return f"sqlite:///{tmp_path}/store.db", Fernet.generate_key().decode()


@pytest.fixture
def store(store_settings):
    with open_store(*store_settings) as opened:
        yield opened


@pytest.fixture
def companion(box, store):
    """The receiver, its callbacks registered and verified."""
    with Companion(box, store) as service:
        assert service.ensure() == {"client": "verified", "invoice": "verified", "payment": "verified"}
        yield service
