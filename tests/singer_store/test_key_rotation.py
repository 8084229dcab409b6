"""Keys are changed while everything goes on."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from support.token_server import TokenServer, refresher

from singer_store import CorruptRowError, Grant, StoreError, WrongKeyError, open_store
from singer_store.schema import tokens


def new_key():
    return Fernet.generate_key().decode()


def brokers_of(store, url="http://127.0.0.1:1/"):
    return [
        store.broker(service=f"service-{number}", client_id="c", seed=None, refresh=refresher(url), rotates=True)
        for number in range(5)
    ]


@pytest.fixture
def filled(store_url, store_key):
    """A store with five connections."""
    with open_store(store_url, store_key) as store:
        for number, broker in enumerate(brokers_of(store)):
            broker.connect(Grant(f"access-{number}", f"refresh-{number}", 3600))
    return store_url


def values_of(store):
    return [broker.token().value for broker in brokers_of(store)]


EVERYTHING = [f"access-{number}" for number in range(5)]


def test_after_rotation_the_old_key_is_not_needed_any_more(filled, store_key):
    new = new_key()
    with open_store(filled, f"{new},{store_key}") as store:
        assert values_of(store) == EVERYTHING
        assert store.rotate_keys() == 6
        assert store.rotate_keys() == 0

    with open_store(filled, new) as store:
        assert values_of(store) == EVERYTHING
    with pytest.raises(WrongKeyError):
        open_store(filled, store_key)


def test_the_same_seed_is_known_after_rotation(store_url, store_key):
    new = new_key()
    with TokenServer(live={"seed"}) as server:
        for key in (store_key, f"{new},{store_key}", new):
            with open_store(store_url, key) as store:
                broker = store.broker(
                    service="zoho", client_id="c", seed="seed", refresh=refresher(server.url), rotates=True
                )
                assert broker.token().value == "access-1"
                store.rotate_keys()
        assert server.seen == ["seed"]


def keep_reading(url, keys, stop):
    with open_store(url, keys) as store:
        while not stop.is_set():
            assert len(values_of(store)) == 5


def keep_writing(url, keys, stop, written):
    with open_store(url, keys) as store:
        for number in itertools.count():
            brokers_of(store)[number % 5].connect(Grant(f"access-{number % 5}", f"refresh {number}", 3600))
            written.release()
            if stop.is_set():
                return


def test_readers_and_writers_go_on_meanwhile(filled, store_key):
    new = new_key()
    stop, written = threading.Event(), threading.Semaphore(0)

    with ThreadPoolExecutor() as pool, open_store(filled, f"{new},{store_key}") as store:
        reader = pool.submit(keep_reading, filled, f"{new},{store_key}", stop)
        # The old key still comes first here: what is written with it meanwhile has to be found too.
        writer = pool.submit(keep_writing, filled, f"{store_key},{new}", stop, written)
        for _ in range(5):
            assert written.acquire(timeout=60)
        rotation = pool.submit(store.rotate_keys)
        for _ in range(10):
            assert written.acquire(timeout=60)
        stop.set()
        for other in (reader, writer, rotation):
            other.result()
        store.rotate_keys()

    with open_store(filled, new) as store:
        assert values_of(store) == EVERYTHING


def test_a_grant_that_comes_between_reading_and_writing_a_row_is_not_overwritten(store_url, store_key, monkeypatch):
    new = new_key()
    with open_store(store_url, store_key) as store:
        brokers_of(store)[0].connect(Grant("access", "refresh", 3600))
    with open_store(store_url, f"{new},{store_key}") as store, open_store(store_url, f"{new},{store_key}") as other:
        encrypt = store._keyring.encrypt

        def encrypt_late(plain):
            if b"access" in plain:
                brokers_of(other)[0].connect(Grant("newer access", "newer refresh", 3600))
            return encrypt(plain)

        monkeypatch.setattr(store._keyring, "encrypt", encrypt_late)
        store.rotate_keys()

    with open_store(store_url, new) as store:
        assert brokers_of(store)[0].token().value == "newer access"


def test_a_damaged_row_stops_the_rotation_and_is_named(filled, store_key):
    with open_store(filled, f"{new_key()},{store_key}") as store:
        with store._database.write() as connection:
            connection.execute(tokens.update().where(tokens.c.service == "service-3").values(secret="damaged"))
        with pytest.raises(CorruptRowError, match="service-3"):
            store.rotate_keys()


def test_a_key_file_gets_a_new_key_and_running_processes_follow(sqlite_url, config_folder):
    with open_store(sqlite_url) as running, open_store(sqlite_url) as admin:
        [broker, *_] = brokers_of(running)
        broker.connect(Grant("access", "refresh", 3600))
        admin.add_key()
        assert admin.rotate_keys() == 2
        assert broker.token().value == "access"

    file = config_folder / "singer-store/store.key"
    new, _old = file.read_text().split()
    assert file.stat().st_mode & 0o077 == 0
    with open_store(sqlite_url, new) as store:
        assert brokers_of(store)[0].token().value == "access"


def test_a_key_from_the_settings_is_changed_there(store):
    with pytest.raises(StoreError, match="in front of the old one"):
        store.add_key()
