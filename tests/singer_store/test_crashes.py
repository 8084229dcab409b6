"""A process that dies in the middle of a refresh leaves a store that works, or that says plainly "connect again"."""

from __future__ import annotations

import logging
import os
import signal
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from support.moving_clock import MovingClock
from support.store_processes import Refresher, broker_of
from support.token_server import TokenServer, refresher

from singer_store import ConnectAgainError, Grant, RefreshRefused, open_store


@pytest.fixture
def server():
    with TokenServer(live={"seed"}) as server:
        yield server


@pytest.fixture
def settings(store_url, store_key, config_folder, server):
    return {
        "store_url": store_url,
        "store_key": store_key,
        "config": str(config_folder),
        "url": server.url,
        "seed": "seed",
    }


def connect_hours_ago(settings, hours):
    """Refresh the seed some hours ago: the access token is past half of its life from six, dead from twelve."""
    then = datetime.now(timezone.utc) - timedelta(hours=hours)
    with open_store(settings["store_url"], settings["store_key"], clock=MovingClock(then)) as store:
        assert broker_of(store, settings).token().value == "access-1"


def die_at(step, settings):
    with Refresher(step, settings) as other:
        assert other.wait() == step
        other.kill()


def die_while_waiting(what, settings, server):
    """Die after the whole request was sent; `what` says what the service makes of it."""
    server.next = [what]
    server.held.clear()
    server.let_go.clear()
    with Refresher("never", settings) as other:
        assert server.held.wait(60)
        other.kill()
    server.let_go.set()


def ask(settings, times=3):
    """Open the store as the next process would, and ask: gives the tokens, or the errors' names."""
    with open_store(settings["store_url"], settings["store_key"]) as store:
        broker = broker_of(store, settings)
        return [answer_of(broker) for _ in range(times)]


def answer_of(broker):
    try:
        return broker.token().value
    except ConnectAgainError as error:
        return type(error).__name__


def test_killed_before_sending_nothing_is_lost(settings, server):
    die_at("before sending", settings)

    assert ask(settings) == ["access-1"] * 3
    assert server.seen == ["seed"]


def test_killed_after_sending_a_request_that_was_lost_is_made_once_more(settings, server):
    die_while_waiting("hold and drop", settings, server)

    assert ask(settings) == ["access-1"] * 3
    assert server.seen == ["seed", "seed"]


def test_killed_after_sending_a_request_that_was_served_means_connect_again(settings, server):
    die_while_waiting("spend and hold", settings, server)

    assert ask(settings) == ["ConnectAgainError"] * 3
    assert server.seen == ["seed", "seed"]


def test_killed_after_the_answer_and_before_the_commit_means_connect_again(settings, server):
    die_at("after the answer", settings)

    assert ask(settings) == ["ConnectAgainError"] * 3
    assert server.seen == ["seed", "seed"]


def test_killed_after_the_commit_nothing_is_lost(settings, server):
    die_at("after the commit", settings)

    assert ask(settings) == ["access-1"] * 3
    assert server.seen == ["seed"]


def test_killed_twice_the_token_is_not_sent_a_third_time(settings, server):
    die_while_waiting("hold and drop", settings, server)
    die_while_waiting("hold and drop", settings, server)

    assert ask(settings) == ["ConnectAgainError"] * 3
    assert server.seen == ["seed", "seed"]


def test_while_the_old_access_token_lives_it_is_handed_out_with_a_warning_each_time(settings, server, caplog):
    connect_hours_ago(settings, 7)
    die_at("after the answer", settings)
    caplog.set_level(logging.WARNING)

    assert ask(settings, times=4) == ["access-1"] * 4
    assert server.seen == ["seed", "refresh-1", "refresh-1"]
    warnings = [record.getMessage() for record in caplog.records if "connected again" in record.getMessage()]
    assert len(warnings) == 4
    assert "works until" in warnings[0]


def test_when_that_token_is_rejected_only_connecting_again_helps(settings, server):
    connect_hours_ago(settings, 7)
    die_at("after the answer", settings)

    with open_store(settings["store_url"], settings["store_key"]) as store:
        broker = broker_of(store, settings)
        with pytest.raises(ConnectAgainError):
            broker.renew(broker.token())
        broker.connect(Grant("access-new", "refresh-new", 43200))
        assert broker.token().value == "access-new"
    assert ask(settings) == ["access-new"] * 3


def test_a_reusable_refresh_token_survives_every_crash(settings, server):
    settings["rotates"] = False
    server.rotates = False
    die_at("before sending", settings)
    die_at("after the answer", settings)
    die_while_waiting("spend and hold", settings, server)

    assert ask(settings) == ["access-3"] * 3


def test_ctrl_c_does_not_lose_an_answer_on_its_way(settings, server):
    server.next = ["spend and hold"]
    with Refresher("never", settings) as other:
        assert server.held.wait(60)
        os.kill(other.process.pid, signal.SIGINT)
        assert other.wait() == "interrupted"
        server.let_go.set()
        assert other.wait() == "KeyboardInterrupt"

    assert ask(settings) == ["access-1"] * 3
    assert server.seen == ["seed"]


def test_a_refresher_that_lost_its_lock_still_stores_the_only_good_grant(postgres_url, store_key, server, caplog):
    """The database restarts while the answer is on its way: another process takes the lock, and is refused."""
    settings = {"store_url": postgres_url, "store_key": store_key, "url": server.url, "seed": "seed"}

    def end_connections():
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def refresh(token, details):
        grant = refresher(server.url)(token)
        end_connections()
        with open_store(postgres_url, store_key) as other, pytest.raises(ConnectAgainError):
            broker_of(other, settings).token()
        return grant

    with open_store(postgres_url, store_key) as store:
        assert broker_of(store, settings, refresh).token().value == "access-1"
    assert ask(settings) == ["access-1"] * 3
    assert server.seen == ["seed", "seed"]


def test_a_grant_of_a_new_consent_is_not_overwritten_by_a_late_answer(store):
    """Somebody connects while a refresh that lost its lock is still under way."""

    def refresh(token, details):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(broker), "_lock", lambda self: store._database.lock("as if the lock were lost", 1))
            broker.connect(Grant("access-new", "refresh-new", 43200))
        return Grant("access-late", "refresh-late", 43200)

    broker = store.broker(service="freshbooks", client_id="client", seed="seed", refresh=refresh, rotates=True)
    assert broker.token().value == "access-new"
    assert broker.rows.choose("freshbooks", "client", broker.digest).connect_again is None
    assert broker.token().value == "access-new"


def test_a_refused_answer_to_a_late_try_does_not_spoil_a_new_consent(store):
    def refresh(token, details):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(broker), "_lock", lambda self: store._database.lock("as if the lock were lost", 1))
            broker.connect(Grant("access-new", "refresh-new", 43200))
        raise RefreshRefused

    broker = store.broker(service="freshbooks", client_id="client", seed="seed", refresh=refresh, rotates=True)
    assert broker.token().value == "access-new"
    assert broker.rows.choose("freshbooks", "client", broker.digest).connect_again is None
