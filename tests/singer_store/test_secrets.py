"""Documents that nobody can read without the key, nor move to another name."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from singer_store import CorruptRowError, WrongKeyError, open_store

CHANNEL = {"token": "the channel's token", "expires_at": "2026-03-08T11:00:00+00:00"}


def execute(store_url, statement, **values):
    engine = create_engine(store_url)
    with engine.begin() as connection:
        if "postgresql" in store_url:
            connection.execute(text("SET search_path TO singer_store"))
        rows = connection.execute(text(statement), values)
        found = rows.all() if rows.returns_rows else []
    engine.dispose()
    return found


def test_a_document_comes_back_as_it_was_put(store):
    store.secrets.put("channel", "Deals", CHANNEL)
    store.secrets.put("channel", "Accounts", {"token": "another"})
    store.secrets.put("callback", "Deals", {"verifier": "of another kind"})

    assert store.secrets.get("channel", "Deals") == CHANNEL
    assert list(store.secrets.all("channel")) == ["Accounts", "Deals"]
    assert store.secrets.get("channel", "Leads") is None


def test_putting_replaces_and_deleting_removes(store):
    store.secrets.put("channel", "Deals", {"token": "old", "former": "older"})
    store.secrets.put("channel", "Deals", CHANNEL)
    assert store.secrets.get("channel", "Deals") == CHANNEL

    store.secrets.delete("channel", "Deals")
    store.secrets.delete("channel", "Deals")
    assert store.secrets.all("channel") == {}


def test_what_is_on_disk_tells_nothing(store, store_url):
    store.secrets.put("channel", "Deals", CHANNEL)

    (row,) = execute(store_url, "SELECT * FROM documents")
    assert "token" not in " ".join(map(str, row))


def test_a_damaged_or_moved_document_is_refused(store, store_url):
    store.secrets.put("channel", "Deals", CHANNEL)
    store.secrets.put("channel", "Accounts", {"token": "another"})
    execute(
        store_url,
        "UPDATE documents SET secret = (SELECT secret FROM documents WHERE name = 'Accounts') WHERE name = 'Deals'",
    )

    with pytest.raises(CorruptRowError, match="channel Deals"):
        store.secrets.get("channel", "Deals")
    store.secrets.put("channel", "Deals", CHANNEL)
    assert store.secrets.get("channel", "Deals") == CHANNEL


def test_rotating_the_keys_moves_the_documents_too(store, store_url, store_key):
    store.secrets.put("channel", "Deals", CHANNEL)
    store.secrets.put("callback", "invoice", {"verifier": "v"})
    new = Fernet.generate_key().decode()

    with open_store(store_url, f"{new},{store_key}") as both:
        assert both.rotate_keys() == 3
        assert both.rotate_keys() == 0
    with open_store(store_url, new) as rotated:
        assert rotated.secrets.get("channel", "Deals") == CHANNEL
    with pytest.raises(WrongKeyError):
        open_store(store_url, store_key)
