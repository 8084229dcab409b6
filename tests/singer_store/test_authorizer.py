"""A run waits for a service that says "not now", two minutes at most, and then asks no more."""

from __future__ import annotations

import platform
from datetime import datetime, timedelta, timezone

import pytest
from support.moving_clock import MovingClock
from support.token_server import TokenServer, refresher

from singer_store import Authorizer, ConnectAgainError, RefreshUnavailableError, open_store
from singer_store.authorizer import PATIENCE


@pytest.fixture
def server():
    with TokenServer(live={"seed"}) as server:
        yield server


@pytest.fixture
def waits():
    """The seconds that were waited, in their order."""
    return []


@pytest.fixture
def broker(store, server):
    return store.broker(
        service="freshbooks", client_id="client", seed="seed", refresh=refresher(server.url), rotates=True
    )


@pytest.fixture
def authorizer(broker, clock, waits):
    def wait(seconds):
        waits.append(seconds)
        clock.advance(seconds=seconds)

    return Authorizer(broker, wait=wait)


@pytest.mark.parametrize(("status", "retry_after"), [(503, None), (503, "40"), (429, "0"), (429, "119")])
def test_a_service_that_says_not_now_is_waited_for_within_the_run(authorizer, server, waits, status, retry_after):
    server.next, server.retry_after = [status], retry_after

    assert authorizer.token().value == "access-1"
    assert len(waits) == 1
    assert float(retry_after or 0) <= waits[0] <= PATIENCE


@pytest.mark.parametrize("retry_after", [None, "0", "50"])
def test_it_is_waited_for_two_minutes_in_all_and_asked_no_more_then(authorizer, server, waits, retry_after):
    server.next, server.retry_after = [503] * 100, retry_after
    with pytest.raises(RefreshUnavailableError):
        authorizer.token()

    assert PATIENCE - 50 < sum(waits) <= PATIENCE
    asked = len(server.seen)
    assert asked < 9
    for _ in range(3):
        with pytest.raises(RefreshUnavailableError):
            authorizer.token()
    assert len(server.seen) == asked


def test_a_pause_longer_than_two_minutes_is_not_waited_for(authorizer, server, waits):
    server.next, server.retry_after = [429], "600"
    with pytest.raises(RefreshUnavailableError, match="600 s"):
        authorizer.token()
    assert waits == []


def test_a_rejected_token_is_replaced_after_a_wait(authorizer, server, waits):
    rejected = authorizer.token()
    server.next = [503]

    assert authorizer.renew(rejected).value == "access-2"
    assert len(waits) == 1


@pytest.mark.parametrize("nothing", ["drop", "unreachable"])
def test_no_answer_is_not_waited_for(store, server, waits, nothing):
    server.next = ["drop"]
    url = server.url if nothing == "drop" else "http://127.0.0.1:1/token"
    broker = store.broker(service="zoho", client_id="c", seed="seed", refresh=refresher(url), rotates=True)
    with pytest.raises(RefreshUnavailableError):
        Authorizer(broker, wait=waits.append).token()
    assert waits == []


def test_what_the_plugin_says_of_the_answer_reaches_the_user_in_every_process(store, store_url, store_key, clock):
    def refresh(token, details):
        raise RefreshUnavailableError(300, "Ten tokens in ten minutes are the most.")

    def said(store):
        broker = store.broker(service="zoho", client_id="c", seed="seed", refresh=refresh, rotates=False)
        with pytest.raises(RefreshUnavailableError) as error:
            broker.token()
        return str(error.value)

    whole = "zoho gives no access token at the moment: Ten tokens in ten minutes are the most. Try again in 300 s."
    assert said(store) == whole
    with open_store(store_url, store_key, clock=clock) as other:
        assert said(other) == whole


def test_a_pause_that_a_wrong_clock_noted_does_not_outlive_a_day(store_url, store_key, server):
    now = datetime.now(timezone.utc)
    server.next = [503]

    def token(clock):
        with open_store(store_url, store_key, clock=clock) as store:
            refresh = refresher(server.url)
            return store.broker(service="f", client_id="c", seed="seed", refresh=refresh, rotates=True).token().value

    with pytest.raises(RefreshUnavailableError):
        token(MovingClock(now + timedelta(days=30)))
    assert token(MovingClock(now)) == "access-1"


def test_a_lost_answer_is_named_as_the_reason_when_its_token_is_refused(broker, server, clock):
    broker.token()
    clock.advance(hours=13)
    server.next = ["spend and drop"]
    with pytest.raises(RefreshUnavailableError):
        broker.token()
    clock.advance(minutes=1)

    with pytest.raises(ConnectAgainError, match="answer to our last refresh was lost") as error:
        broker.token()
    assert "elsewhere" not in str(error.value)


def test_a_store_that_may_be_an_older_copy_says_when_it_was_renewed_last_and_where(store, broker, server, clock):
    broker.token()
    server.live = {"refresh of the original"}
    clock.advance(hours=17, minutes=20)

    copy = f"this store is an older copy (last renewed 17 hours ago on host {platform.node()})"
    with pytest.raises(ConnectAgainError) as error:
        broker.token()
    assert copy in str(error.value)
    assert copy in store.connection(service="freshbooks", client_id="client", seed="seed").problem


def test_another_host_than_the_last_one_is_said(broker, clock, caplog, monkeypatch):
    caplog.set_level("INFO")
    with monkeypatch.context() as patch:
        patch.setattr(platform, "node", lambda: "the old machine")
        broker.token()
        clock.advance(hours=7)
        broker.token()
    assert "Before, host" not in caplog.text

    clock.advance(hours=7)
    broker.token()
    assert "Before, host the old machine did" in caplog.text


def test_a_refresh_token_of_the_settings_is_no_older_copy(broker, server):
    server.live = set()
    with pytest.raises(ConnectAgainError, match="used elsewhere or revoked") as error:
        broker.token()
    assert "copy" not in str(error.value)
