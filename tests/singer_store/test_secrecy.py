"""Secrets are nowhere but where they are used: not in a log, an error or the database, whatever happens."""

from __future__ import annotations

import logging
import traceback

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, inspect, make_url, text
from support.store_processes import Refresher
from support.token_server import TokenServer, refresher

from singer_store import (
    ConnectAgainError,
    Grant,
    RefreshUnavailableError,
    StoreError,
    StoreUnavailableError,
    open_store,
)
from singer_store.database import without_password

NAMES = ("seed", "access", "refresh", "client-secret", "issued")
SEED, ACCESS, REFRESH, SECRET, MARK = (f"canary-{name}-7f3a9c" for name in NAMES)


class Everything(logging.Handler):
    """Keeps every record in full, traceback and all."""

    def __init__(self):
        super().__init__(logging.NOTSET)
        self.text = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record):
        self.text.append(self.format(record))
        self.text.append(repr(record.args))


@pytest.fixture
def log():
    handler = Everything()
    # Before any engine is made: SQLAlchemy looks once.
    loggers = [logging.getLogger(name) for name in ("", "sqlalchemy.engine", "sqlalchemy.pool", "urllib3", "psycopg")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    yield handler.text
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def in_full(error):
    """Everything about an error that somebody might print."""
    return [str(error), repr(error), "".join(traceback.format_exception(error)), repr(error.args)]


def dump(store_url, folder):
    """Everything that is stored, as bytes: files for SQLite, rows for PostgreSQL."""
    if store_url.startswith("sqlite"):
        return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    engine = create_engine(store_url)
    rows = []
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names(schema="singer_store")
        assert "tokens" in tables
        for table in tables:
            rows.extend(connection.execute(text(f'SELECT * FROM singer_store."{table}"')).all())
    engine.dispose()
    assert rows
    return repr(rows).encode()


def assert_clean(found, secrets):
    for secret in secrets:
        assert secret not in found


def broker_of(store, url, seed=SEED, refresh=None):
    refresh = refresh or refresher(url, SECRET, 10)
    return store.broker(service="freshbooks", client_id="c", seed=seed, refresh=refresh, rotates=True)


def every_way_it_can_end(store, server, clock):
    """Run through everything a broker can meet; gives the errors in full."""
    errors = []

    def attempt(broker):
        try:
            broker.token()
        except StoreError as error:
            errors.extend(in_full(error))
        clock.advance(hours=13)

    def leaky(token, details):
        raise RuntimeError(f"could not send {token} with {SECRET}")

    def leaky_refusal(token, details):
        raise RefreshUnavailableError(1, f"not now: {token}")

    broker = broker_of(store, server.url)
    errors.append(repr(broker))
    errors.append(repr(store))
    for what in ("drop", 503, 429, 500, "answer"):
        server.next = [what]
        attempt(broker)
    attempt(broker_of(store, server.url, seed=f"{SEED} refused"))
    attempt(broker_of(store, server.url, seed=f"{SEED} leaked", refresh=leaky))
    attempt(broker_of(store, server.url, seed=f"{SEED} leaked"))
    attempt(broker_of(store, server.url, seed=f"{SEED} not now", refresh=leaky_refusal))
    attempt(broker_of(store, "http://127.0.0.1:1/", seed=f"{SEED} unreachable"))
    broker.connect(Grant(ACCESS, REFRESH, 3600))
    errors.append(repr(broker.token()))
    errors.append(repr(Grant(ACCESS, REFRESH, 3600)))
    with pytest.raises(ConnectAgainError) as error:
        broker.renew(broker.token())  # REFRESH is not among the server's live ones
    errors.extend(in_full(error.value))
    return errors


def test_nothing_secret_is_logged_raised_or_stored_in_plain_text(store_url, store_key, log, tmp_path, clock):
    new_key = Fernet.generate_key().decode()
    with (
        TokenServer(live={SEED, f"{SEED} leaked"}, secret=SECRET, mark=MARK) as server,
        open_store(store_url, f"{new_key},{store_key}", clock=clock) as store,
    ):
        errors = every_way_it_can_end(store, server, clock)
        store.rotate_keys()
        stored = dump(store_url, tmp_path / "store")
        with pytest.raises(StoreError) as error:
            open_store(store_url, Fernet.generate_key().decode())
        errors.extend(in_full(error.value))

    assert server.issued == 2
    secrets = [SEED, ACCESS, REFRESH, SECRET, MARK, new_key, store_key]
    assert len(errors) > 20
    assert any("sqlalchemy.engine" in line for line in log)
    assert any("urllib3" in line for line in log)
    assert_clean("\n".join(errors), secrets)
    assert_clean("\n".join(log), secrets)
    assert_clean(stored, [secret.encode() for secret in secrets])


def test_what_a_killed_process_leaves_on_the_disk_is_encrypted(sqlite_url, store_key, config_folder, tmp_path):
    with TokenServer(live={SEED}) as server:
        settings = {"store_url": sqlite_url, "store_key": store_key, "config": str(config_folder), "url": server.url}
        with Refresher("after the commit", {**settings, "seed": SEED}) as other:
            assert other.wait() == "after the commit"
            other.kill()

    assert (tmp_path / "store/store.db-wal").stat().st_size > 0
    stored = dump(sqlite_url, tmp_path / "store")
    assert b"freshbooks" in stored
    assert_clean(stored, [secret.encode() for secret in (SEED, "access-1", "refresh-1", store_key)])


@pytest.mark.parametrize("url", ["postgresql://u:can%2Fary@h/d", "postgresql://u@h/d?password=can%2Fary"])
@pytest.mark.parametrize("form", ["can/ary", "can%2Fary"])
def test_a_password_in_what_the_driver_says_is_taken_out(url, form):
    assert without_password(f"no such host: u:{form}@h", make_url(url)) == "no such host: u:***@h"


def test_a_database_error_does_not_show_the_password(log, postgres_url):
    for url in (
        "postgresql+psycopg://u:canary%40word@127.0.0.1:1/d",
        postgres_url.replace("postgres:@", "nobody:canary%40word@"),
        postgres_url + "&user=nobody&password=canary%40word",
    ):
        with pytest.raises(StoreUnavailableError) as error:
            open_store(url)
        assert_clean("\n".join(in_full(error.value)), ["canary@word", "canary%40word"])
    assert_clean("\n".join(log), ["canary@word", "canary%40word"])
