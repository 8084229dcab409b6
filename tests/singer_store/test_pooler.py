"""Behind a pooler in transaction mode everything holds that holds on a direct connection."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from support.moving_clock import MovingClock
from support.pgbouncer import POOL_SIZE
from support.store_processes import all_at_once, broker_of
from support.token_server import TokenServer

from singer_store import StoreUnavailableError, open_store

PROCESSES, ROUNDS = 4, 8
WAITERS = 2 * POOL_SIZE


def advisory_locks(url):
    """Count those that anybody holds on the server, asked without the pooler."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database"
        return connection.execute(f"{held} WHERE datname = current_database())").fetchone()[0]


def let_it_expire(settings):
    """Store a token that was good some years ago, with the refresh token that the seed brings."""
    then = datetime.now(timezone.utc) - timedelta(days=1000)
    with open_store(settings["store_url"], settings["store_key"], clock=MovingClock(then)) as store:
        return broker_of(store, settings).token().value


@pytest.fixture
def settings(pooled_url, store_key, config_folder):
    return {"store_url": pooled_url, "store_key": store_key, "config": str(config_folder), "open_first": True}


def test_an_expired_token_is_refreshed_once_and_no_lock_is_left(settings, postgres_url):
    for number in range(ROUNDS):
        with TokenServer(live={"seed"}, mark=f"{number}-") as server:
            mine = {**settings, "seed": "seed", "client_id": f"client {number}", "url": server.url}
            assert let_it_expire(mine) == f"{number}-access-1"
            assert all_at_once(PROCESSES, mine) == [f"{number}-access-2"] * PROCESSES
            assert server.seen == ["seed", f"{number}-refresh-1"]
            assert advisory_locks(postgres_url) == 0


def test_those_who_wait_for_a_lock_leave_its_holder_a_connection(settings):
    with TokenServer(live={"seed"}) as server:
        mine = {**settings, "seed": "seed", "url": server.url}
        let_it_expire(mine)
        assert all_at_once(WAITERS, mine) == ["access-2"] * WAITERS
        assert server.seen == ["seed", "refresh-1"]


def test_a_fresh_store_is_made_once(settings):
    with TokenServer(live={"seed"}) as server:
        mine = {**settings, "seed": "seed", "url": server.url, "open_first": False}
        assert all_at_once(PROCESSES, mine) == ["access-1"] * PROCESSES
        assert server.seen == ["seed"]


def test_a_lock_that_is_held_is_waited_for_no_longer_than_asked(settings, postgres_url):
    with (
        open_store(settings["store_url"], settings["store_key"]) as one,
        open_store(settings["store_url"], settings["store_key"]) as other,
    ):
        with one.lock("callbacks", timeout=1):
            with pytest.raises(StoreUnavailableError, match="Another process"), other.lock("callbacks", timeout=0.1):
                pytest.fail("two hold it")
            with other.lock("something else", timeout=1):
                pass
        with other.lock("callbacks", timeout=1):
            pass
    assert advisory_locks(postgres_url) == 0


def test_statements_that_are_made_often_are_not_prepared(settings):
    """The driver would prepare them in a session, and the next one is another's."""
    with (
        open_store(settings["store_url"], settings["store_key"]) as one,
        open_store(settings["store_url"], settings["store_key"]) as other,
    ):
        for _ in range(10):
            for store in (one, other):
                with store.lock("a", timeout=5):
                    assert store.leases.acquire("name", "owner", timedelta(minutes=1)) is not None
