"""A store that an older release has made is brought up to date by itself, whole or not at all, and loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, inspect
from support.store_processes import Upgrader, all_at_once, only_open

from singer_store import Grant, WrittenRecord, WrongKeyError, open_store
from singer_store.files import make_private_file, make_private_folder
from singer_store.upgrades import SCHEMA_VERSION

VERSION_1 = """
CREATE TABLE meta (name VARCHAR NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tokens (
    service VARCHAR NOT NULL, client_id VARCHAR NOT NULL, seed VARCHAR NOT NULL, secret TEXT NOT NULL,
    issued_at {moment}, expires_at {moment}, refreshed_at {moment}, tries INTEGER NOT NULL, connect_again VARCHAR,
    blocked_until {moment}, blocked_by VARCHAR, grant_number INTEGER NOT NULL,
    PRIMARY KEY (service, client_id, seed));
CREATE TABLE pending (
    account VARCHAR NOT NULL, stream VARCHAR NOT NULL, object_id VARCHAR NOT NULL, reason VARCHAR NOT NULL, error JSON,
    waits_for VARCHAR, attempts INTEGER NOT NULL, queued_at {moment} NOT NULL, next_try {moment}, read_at {moment},
    PRIMARY KEY (account, stream, object_id));
CREATE INDEX pending_waits_for ON pending (account, waits_for);
CREATE TABLE runs (
    id {serial} NOT NULL PRIMARY KEY, plugin VARCHAR NOT NULL, started_at {moment} NOT NULL,
    finished_at {moment} NOT NULL, outcome VARCHAR NOT NULL, summary JSON NOT NULL);
CREATE INDEX runs_plugin ON runs (plugin, id);
CREATE TABLE leases (
    name VARCHAR(200) NOT NULL PRIMARY KEY, owner VARCHAR(200) NOT NULL, fence INTEGER NOT NULL,
    expires_at {moment} NOT NULL);
CREATE TABLE documents (
    kind VARCHAR(40) NOT NULL, name VARCHAR(200) NOT NULL, secret TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE written (
    account VARCHAR(200) NOT NULL, stream VARCHAR(200) NOT NULL, object_id VARCHAR(200) NOT NULL,
    record_id VARCHAR(200) NOT NULL, fields TEXT NOT NULL, digest VARCHAR(64) NOT NULL,
    PRIMARY KEY (account, stream, object_id));
CREATE INDEX written_record ON written (record_id);
INSERT INTO meta VALUES ('version', '1'), ('key_check', '{key_check}');
INSERT INTO written VALUES ('acc', 'invoices', '7', '55', 'Amount Stage', 'digest');
"""
OLD = WrittenRecord("acc", "invoices", "7", "55", ("Amount", "Stage"), "digest")


def on(url, work):
    """Do something on a connection of the store's database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        result = work(connection)
    engine.dispose()
    return result


@pytest.fixture
def old_store(store_url, store_key, tmp_path):
    """Make a store of version 1; returns its URL."""
    sqlite = store_url.startswith("sqlite")
    if sqlite:
        make_private_folder(tmp_path / "store")
        make_private_file(tmp_path / "store/store.db")
    script = VERSION_1.format(
        moment="DATETIME" if sqlite else "TIMESTAMP WITH TIME ZONE",
        serial="INTEGER" if sqlite else "SERIAL",
        key_check=Fernet(store_key).encrypt(b"salt" * 8).decode(),
    )
    schema = "" if sqlite else "CREATE SCHEMA singer_store;\nSET search_path TO singer_store;\n"
    on(store_url, lambda connection: [connection.exec_driver_sql(part) for part in (schema + script).split(";\n")[:-1]])
    return store_url


def shape(url):
    """Return the version of a store, and all its columns and indexes."""
    schema = None if url.startswith("sqlite") else "singer_store"

    def look(connection):
        found = inspect(connection)
        yield connection.exec_driver_sql(f"SELECT value FROM {schema or 'main'}.meta WHERE name = 'version'").scalar()
        for table in sorted(found.get_table_names(schema)):
            columns = (
                (column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(table, schema)
            )
            yield (
                table,
                sorted(columns),
                sorted((one["name"], one["column_names"]) for one in found.get_indexes(table, schema)),
            )

    return on(url, lambda connection: list(look(connection)))


def settings_of(url, key, config_folder):
    return {"store_url": url, "store_key": key, "config": str(config_folder)}


def test_an_older_store_becomes_the_same_as_a_new_one(old_store, store_key, tmp_path):
    open_store(old_store, store_key).close()
    upgraded = shape(old_store)
    assert upgraded[0] == str(SCHEMA_VERSION)

    new = old_store
    if old_store.startswith("sqlite"):
        new = f"sqlite:///{tmp_path}/new/store.db"
    else:
        on(old_store, lambda connection: connection.exec_driver_sql("DROP SCHEMA singer_store CASCADE"))
    open_store(new, store_key).close()
    assert upgraded == shape(new)


def test_what_an_older_store_holds_stays_and_can_be_written_on(old_store, store_key):
    with open_store(old_store, store_key) as store:
        assert store.written.of_records(["55"]) == {"55": OLD}
        store.written.note([replace(OLD, parent="3")])
        assert store.written.children("acc", "invoices", "3") == {"7": "55"}
        broker = store.broker(service="zoho", client_id="c", seed=None, refresh=pytest.fail, rotates=True)
        broker.connect(Grant("access", "refresh", 3600))
        assert broker.token().value == "access"


def test_of_several_processes_one_upgrades_and_all_go_on(old_store, store_key, config_folder):
    assert all_at_once(6, settings_of(old_store, store_key, config_folder), only_open) == ["opened"] * 6
    assert shape(old_store)[0] == str(SCHEMA_VERSION)


def test_killed_in_the_middle_the_store_is_as_it_was_and_the_next_one_upgrades_it(old_store, store_key, config_folder):
    before = shape(old_store)
    with Upgrader(settings_of(old_store, store_key, config_folder)) as other:
        assert other.wait() == "before the commit"
        other.kill()

    assert shape(old_store) == before
    open_store(old_store, store_key).close()
    assert shape(old_store)[0] == str(SCHEMA_VERSION)


def test_with_a_wrong_key_nothing_is_upgraded(old_store):
    before = shape(old_store)
    with pytest.raises(WrongKeyError):
        open_store(old_store, Fernet.generate_key().decode())
    assert shape(old_store) == before
