"""Where the store is, who may read it, and what stops it from being opened: nothing is ever overwritten."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text
from support.token_server import TokenServer, refresher

from singer_store import (
    CorruptRowError,
    InsecureFileError,
    NewerSchemaError,
    StoreError,
    StoreUnavailableError,
    WrongKeyError,
    open_store,
)
from singer_store.files import write_once


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def contents(path):
    """Give the bytes of every file in a folder."""
    return {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def execute(store_url, statement, **values):
    """Change the database as nobody should."""
    engine = create_engine(store_url)
    if not store_url.startswith("sqlite"):
        engine = engine.execution_options(isolation_level="READ COMMITTED")
        statement = "SET search_path TO singer_store; " + statement
    with engine.begin() as connection:
        for part in statement.split("; "):
            connection.execute(text(part), values if ":" in part else {})
    engine.dispose()


def test_in_a_meltano_project_it_is_in_the_projects_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path / "project"))
    open_store().close()

    assert (tmp_path / "project/.meltano/singer-store/store.db").exists()


def test_where_meltano_keeps_its_database_elsewhere_it_is_beside_that(tmp_path, monkeypatch):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path / "project"))
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(tmp_path / "volume"))
    open_store().close()

    assert (tmp_path / "volume/singer-store/store.db").exists()
    assert not (tmp_path / "project").exists()


def test_one_that_is_in_the_project_already_is_found_and_used(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path / "project"))
    with open_store() as store:
        store.secrets.put("kind", "name", {"kept": True})
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(tmp_path / "volume"))

    with open_store() as store:
        assert store.secrets.get("kind", "name") == {"kept": True}
    assert not (tmp_path / "volume").exists()
    assert str(tmp_path / "volume/singer-store") in caplog.text
    # As the message says.
    (tmp_path / "volume").mkdir()
    (tmp_path / "project/.meltano/singer-store").rename(tmp_path / "volume/singer-store")
    with open_store() as store:
        assert store.secrets.get("kind", "name") == {"kept": True}


def test_elsewhere_it_is_in_the_users_state_folder(tmp_path):
    open_store().close()

    assert (tmp_path / "state/singer-store/store.db").exists()


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_every_file_is_for_its_owner_only(tmp_path, config_folder):
    former = os.umask(0)
    try:
        with open_store() as store:
            with TokenServer(live={"seed"}) as server:
                broker = store.broker(
                    service="zoho", client_id="c", seed="seed", refresh=refresher(server.url), rotates=True
                )
                broker.token()
            files = [path for path in [*tmp_path.rglob("*")] if path.is_file()]
            assert {path.name for path in files} >= {"store.db", "store.db-wal", "store.db-shm", "store.key"}
            assert {path.name: mode(path) for path in files} == {path.name: 0o600 for path in files}
        assert mode(tmp_path / "state/singer-store") == 0o700
        assert mode(config_folder / "singer-store") == 0o700
    finally:
        os.umask(former)


def test_the_key_file_is_named_in_the_log(config_folder, caplog):
    caplog.set_level("INFO")
    open_store().close()

    assert str(config_folder / "singer-store/store.key") in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o602])
@pytest.mark.parametrize(
    "which", ["state/singer-store/store.db", "config/singer-store/store.key"], ids=["store", "key"]
)
def test_a_file_open_to_others_is_refused(tmp_path, which, permissions):
    open_store().close()
    (tmp_path / which).chmod(permissions)
    before = contents(tmp_path)

    with pytest.raises(InsecureFileError, match=f"chmod 600 {tmp_path / which}"):
        open_store()
    assert contents(tmp_path) == before


def test_a_wrong_key_is_an_error_and_changes_nothing(store_url, store_key, tmp_path):
    open_store(store_url, store_key).close()
    before = contents(tmp_path)
    wrong = Fernet.generate_key().decode()

    with pytest.raises(WrongKeyError, match="encrypted with another") as error:
        open_store(store_url, wrong)
    assert wrong not in str(error.value)
    assert contents(tmp_path) == before
    open_store(store_url, store_key).close()


def test_a_missing_key_file_is_not_replaced_by_a_new_one(store_url, config_folder, tmp_path):
    open_store(store_url).close()
    key_file = config_folder / "singer-store/store.key"
    key_file.unlink()
    before = contents(tmp_path)

    with pytest.raises(WrongKeyError, match="is not here"):
        open_store(store_url)
    assert not key_file.exists()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("key", ["short", "x" * 44, "ünicode", ","])
def test_a_malformed_key_is_an_error_that_does_not_show_it(store_url, key, tmp_path):
    with pytest.raises(WrongKeyError) as error:
        open_store(store_url, key)
    assert key == "," or key not in str(error.value)
    assert "store_key" in str(error.value)


def test_a_malformed_second_key_is_found_too(sqlite_url, store_key):
    with pytest.raises(WrongKeyError, match="Key 2 of 2"):
        open_store(sqlite_url, f"{store_key},oops")


def test_a_newer_schema_is_an_error_and_changes_nothing(store_url, store_key, tmp_path):
    open_store(store_url, store_key).close()
    execute(store_url, "UPDATE meta SET value = '99' WHERE name = 'version'")
    before = contents(tmp_path)

    with pytest.raises(NewerSchemaError, match="Upgrade singer-store"):
        open_store(store_url, store_key)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("damage", ["gAAAAA", "", "ünicode", None], ids=["short", "empty", "unicode", "of another row"])
def test_a_damaged_row_is_an_error_until_somebody_connects(store_url, store_key, damage, tmp_path):
    from singer_store import Grant

    with open_store(store_url, store_key) as store:
        brokers = [
            store.broker(service=service, client_id="c", seed=None, refresh=pytest.fail, rotates=True)
            for service in ("zoho", "freshbooks")
        ]
        for broker in brokers:
            broker.connect(Grant("access", "refresh", 3600))
        zoho = brokers[0]
        if damage is None:
            swap = "UPDATE tokens SET secret = (SELECT secret FROM tokens WHERE service = 'freshbooks')"
            execute(store_url, swap + " WHERE service = 'zoho'")
        else:
            execute(store_url, "UPDATE tokens SET secret = :damage WHERE service = 'zoho'", damage=damage)
        for _ in range(2):
            with pytest.raises(CorruptRowError, match="tokens of zoho"):
                zoho.token()
        assert brokers[1].token().value == "access"

        zoho.connect(Grant("new", "refresh", 3600))
        assert zoho.token().value == "new"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://u:hunter2@h/d", "other databases"),
        ("postgresql+psycopg2://u:hunter2@h/d", "other databases"),
        ("postgresql://u:hunter2@ter@localhost/d", "Percent-encode"),
        ("postgresql://u:hunter2@localhost:port/d", "not a database URL"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_an_unusable_url_is_an_error_without_its_password(url, says):
    with pytest.raises(StoreUnavailableError, match=says) as error:
        open_store(url)
    assert "hunter2" not in str(error.value)


def test_an_unreachable_server_is_an_error_without_its_password():
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1") as error:
        open_store("postgresql+psycopg://user:hunter2@127.0.0.1:1/database")
    assert "hunter2" not in str(error.value)


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreUnavailableError, match=r"singer-store\[postgres\]"):
        open_store("postgresql://localhost/database")


def test_a_file_that_is_no_database_is_an_error_and_stays(tmp_path, store_key):
    file = tmp_path / "notes.txt"
    file.write_text("Not a database, but something somebody wants to keep. " * 20)
    file.chmod(0o600)
    before = file.read_bytes()

    with pytest.raises(StoreError, match=r"notes\.txt"):
        open_store(f"sqlite:///{file}", store_key)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, store_key):
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        open_store(f"sqlite:///{tmp_path}/file/store.db", store_key)


def test_of_two_that_make_the_key_file_one_wins_and_nothing_else_is_left(tmp_path):
    assert write_once(tmp_path / "store.key", "the first") is True
    assert write_once(tmp_path / "store.key", "the second") is False

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"store.key": "the first"}


def test_a_key_file_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "no folder").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no folder"))

    with pytest.raises(StoreError, match='the setting "store_key"'):
        open_store()


def test_sqlite_writes_ahead_and_waits_for_the_disk(sqlite_url, store_key):
    with open_store(sqlite_url, store_key) as store, store._database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_it_shares_a_postgresql_database_with_others(postgres_url, store_key):
    execute_public = create_engine(postgres_url)
    with execute_public.begin() as connection:
        connection.execute(text("CREATE TABLE runs (mine integer)"))
    execute_public.dispose()

    with open_store(postgres_url, store_key) as store:
        assert store.runs.latest("tap") == []


def test_the_state_folder_is_left_as_it_was_if_it_was_there(tmp_path, store_key):
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    open_store(f"sqlite:///{folder}/store.db", store_key).close()

    assert mode(folder) == 0o755
    assert mode(Path(folder / "store.db")) == 0o600
