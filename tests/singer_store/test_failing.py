"""What stops the store from being used is one sentence, with what to do about it."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.store_processes import answer_of, fill_up, write_as

from singer_store import InsecureFileError, StoreUnavailableError, open_store
from singer_store.advice import what_to_do

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners, modes and limits are a matter of POSIX")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")


@pytest.fixture
def shared_folder():
    """A folder of the user that `write_as` becomes, which that user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="singer-store-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def use(store):
    """Write, and read."""
    store.leases.acquire("name", "owner", timedelta(minutes=1))
    return store.runs.latest("tap", since=datetime.now(timezone.utc))


def test_a_full_disk(sqlite_url, store_key, config_folder):
    said = answer_of(fill_up, {"store_url": sqlite_url, "store_key": store_key, "config": str(config_folder)}, 300_000)

    assert said.startswith("StoreUnavailableError: The store ")
    assert said.endswith(
        "Make room on its disk, or replace one that is broken, then run again: what has been stored is not lost."
    )


@pytest.mark.parametrize("damage", ["cut off", "overwritten", "another file"])
def test_a_broken_file(sqlite_url, store_key, tmp_path, damage):
    with open_store(sqlite_url, store_key) as store:
        store.pending.queue("acc", "invoices", map(str, range(3000)), "event", now=datetime.now(timezone.utc))
    file = tmp_path / "store/store.db"
    whole = file.read_bytes()
    file.write_bytes(
        {
            "cut off": whole[: len(whole) // 2],
            "overwritten": whole[:4096] + b"\xff" * (len(whole) - 4096),
            "another file": b"Dear diary, " * 1000,
        }[damage]
    )

    with (
        pytest.raises(StoreUnavailableError, match="Put a copy from a backup in its place"),
        open_store(sqlite_url, store_key) as store,
    ):
        store.pending.due("acc", now=datetime.now(timezone.utc))


def test_a_store_that_may_not_be_written(shared_folder, store_key, sqlite_url, config_folder):
    file = shared_folder / "store.db"
    with open_store(f"sqlite:///{file}", store_key) as store:
        use(store)
    for path in (shared_folder, file):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    file.chmod(0o400)

    settings = {"store_key": store_key, "config": str(config_folder)}
    said = answer_of(
        write_as, NOBODY, {**settings, "store_url": f"sqlite:///{file}"}, {**settings, "store_url": sqlite_url}
    )
    assert said.startswith(f"StoreUnavailableError: The store {file} cannot be used: ")
    assert said.endswith("The user who runs this needs to own the file and its folder, on a disk that can be written.")


def test_a_server_that_stops_in_the_middle(pooler, store_key):
    with open_store(pooler.url, store_key) as store:
        use(store)
        pooler.stop()
        for action in (use, lambda store: store.lock("a", timeout=1).__enter__()):
            with pytest.raises(StoreUnavailableError, match=r"See that the database server runs .* is not lost\.$"):
                action(store)
    with pytest.raises(StoreUnavailableError, match=r"See that the database server runs .* is not lost\.$"):
        open_store(pooler.url, store_key)


def test_a_lock_that_the_server_takes_away_is_no_error_of_the_work_done_under_it(pooler, store_key):
    with open_store(pooler.url, store_key) as store, store.lock("a", timeout=1):
        pooler.stop()


@pytest.mark.parametrize(
    ("reason", "server", "advice"),
    [
        ("could not extend file: No space left on device", True, "Make room"),
        ("database or disk is full", False, "Make room"),
        ('password authentication failed for user "sync"', True, "Correct user and password"),
        ('database "sync" does not exist', True, "Create it"),
        ("permission denied for database sync", True, "The role"),
        ("cannot execute INSERT in a read-only transaction", True, "standby"),
        ("sorry, too many clients already", True, "take more connections"),
        ("server closed the connection unexpectedly", True, "See that the database server runs"),
        ("database is locked", False, "wait until it is done"),
        ("Read-only file system", False, "needs to own"),
        ("Not a directory", False, "See that its folder is there"),
    ],
)
def test_what_to_do_is_said_of_each_reason(reason, server, advice):
    assert advice in what_to_do(reason, server=server)


def test_a_link_that_leads_nowhere_is_refused_and_nothing_is_made(tmp_path, store_key):
    (tmp_path / "store.db").symlink_to(tmp_path / "volume" / "store.db")

    with pytest.raises(InsecureFileError, match=r"is a link to .*volume/store\.db, which is not there"):
        open_store(f"sqlite:///{tmp_path}/store.db", store_key)
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]


def test_a_store_is_the_same_by_its_name_and_by_a_link(tmp_path, sqlite_url, store_key):
    (tmp_path / "link.db").symlink_to(tmp_path / "store" / "store.db")
    with (
        open_store(sqlite_url, store_key) as store,
        open_store(f"sqlite:///{tmp_path}/link.db", store_key) as linked,
        store.lock("a", timeout=1),
        pytest.raises(StoreUnavailableError),
        linked.lock("a", timeout=0.1),
    ):
        pytest.fail("two hold it")


@pytest.mark.parametrize("which", ["state/singer-store", "config/singer-store"], ids=["store", "key"])
def test_a_folder_that_all_may_write_is_refused(tmp_path, which):
    open_store().close()
    (tmp_path / which).chmod(0o777)

    with pytest.raises(InsecureFileError, match=f"chmod 700 {tmp_path / which}"):
        open_store()
    (tmp_path / which).chmod(0o1777)
    open_store().close()


@as_root
@pytest.mark.parametrize("which", ["state/singer-store/store.db", "config/singer-store/store.key"])
def test_a_file_of_another_user_is_refused(tmp_path, which):
    open_store().close()
    os.chown(tmp_path / which, NOBODY, NOBODY)

    with pytest.raises(InsecureFileError, match=f"{tmp_path / which} belongs to another user.*chown root"):
        open_store()
