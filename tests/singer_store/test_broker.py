"""What a plugin sees of each way a refresh can end, and how often the service is asked."""

from __future__ import annotations

import logging

import pytest
from support.token_server import TokenServer, refresher

from singer_store import (
    ClientRefusedError,
    ConnectAgainError,
    Grant,
    RefreshNotSent,
    RefreshUnavailableError,
    StoreUnavailableError,
    TokenError,
    open_store,
)
from singer_store import (
    broker as broker_module,
)


@pytest.fixture
def server():
    with TokenServer(live={"seed"}) as server:
        yield server


def broker_for(store, server, *, rotates=True, secret=None, refresh=None):
    server.rotates = rotates
    if refresh is None:
        refresh = refresher(server.url, secret) if secret else refresher(server.url)
    return store.broker(service="freshbooks", client_id="client", seed="seed", refresh=refresh, rotates=rotates)


def test_a_token_is_shared_until_half_its_life_and_renewed_then(store, server, clock):
    broker = broker_for(store, server)

    assert broker.token().value == "access-1"
    clock.advance(hours=5, minutes=59)
    assert broker.token().value == "access-1"
    clock.advance(minutes=1)
    assert broker.token().value == "access-2"
    assert server.seen == ["seed", "refresh-1"]


def test_the_answer_is_in_the_store_before_anyone_has_it(store, server, store_url, store_key, clock):
    token = broker_for(store, server).token()
    with open_store(store_url, store_key, clock=clock) as other:
        assert broker_for(other, server).token() == token


def test_a_rejected_token_is_renewed_once_whoever_asks(store, server):
    broker = broker_for(store, server)
    rejected = broker.token()

    assert broker.renew(rejected).value == "access-2"
    assert broker.renew(rejected).value == "access-2"
    assert server.seen == ["seed", "refresh-1"]


def test_a_refused_refresh_token_is_not_sent_again(store, server):
    server.live = set()
    broker = broker_for(store, server)

    for _ in range(3):
        with pytest.raises(ConnectAgainError, match="freshbooks has to be connected again: its refresh token was ref"):
            broker.token()
    assert server.seen == ["seed"]


def test_connecting_again_heals_it(store, server):
    server.live = {"fresh"}
    broker = broker_for(store, server)
    with pytest.raises(ConnectAgainError):
        broker.token()

    broker.connect(Grant("connected", "fresh", 43200))
    assert broker.token().value == "connected"
    assert broker.renew(broker.token()).value == "access-1"


def test_a_consent_without_a_refresh_token_is_not_taken(store, server):
    with pytest.raises(TokenError, match="without a refresh token"):
        broker_for(store, server).connect(Grant("access", None, 3600))


def test_a_wrong_client_secret_costs_nothing(store, server):
    for _ in range(3):
        with pytest.raises(ClientRefusedError):
            broker_for(store, server, secret="wrong").token()

    assert broker_for(store, server).token().value == "access-1"


def test_not_now_is_respected_by_everyone_until_the_time_named(store, server, clock, store_url, store_key):
    server.next, server.retry_after = [429], "600"
    with pytest.raises(RefreshUnavailableError) as error:
        broker_for(store, server).token()
    assert error.value.retry_after == 600

    clock.advance(seconds=599)
    with open_store(store_url, store_key, clock=clock) as other:
        with pytest.raises(RefreshUnavailableError) as error:
            broker_for(other, server).token()
        assert error.value.retry_after == pytest.approx(1)
        assert len(server.seen) == 1
        clock.advance(seconds=1)
        assert broker_for(other, server).token().value == "access-1"


@pytest.mark.parametrize("rotates", [True, False], ids=["rotating", "reusable"])
def test_not_now_means_the_living_token_is_used_on(store, server, clock, caplog, rotates):
    broker = broker_for(store, server, rotates=rotates)
    broker.token()
    clock.advance(hours=11, minutes=57)
    server.next = [503]
    caplog.set_level(logging.WARNING)

    assert [broker.token().value for _ in range(3)] == ["access-1"] * 3
    assert len(server.seen) == 2
    assert ["could not be renewed" in record.getMessage() for record in caplog.records] == [True]
    clock.advance(seconds=30)
    assert broker.token().value == "access-2"


def test_a_token_rejected_while_nothing_can_be_had_is_not_given_again(store, server):
    broker = broker_for(store, server)
    rejected = broker.token()
    server.next = [503]

    for _ in range(2):
        with pytest.raises(RefreshUnavailableError):
            broker.renew(rejected)


def test_many_times_not_now_never_ends_in_connecting_again(store, server, clock):
    server.next = [503] * 5
    broker = broker_for(store, server)
    for _ in range(5):
        with pytest.raises(RefreshUnavailableError):
            broker.token()
        clock.advance(minutes=1)

    assert broker.token().value == "access-1"


def test_an_unanswered_single_use_token_is_sent_once_more_later(store, server, clock):
    server.next = ["drop"]
    broker = broker_for(store, server)
    for _ in range(3):
        with pytest.raises(RefreshUnavailableError, match="did not answer"):
            broker.token()
    assert server.seen == ["seed"]

    clock.advance(minutes=1)
    assert broker.token().value == "access-1"
    assert server.seen == ["seed", "seed"]


def test_unanswered_twice_means_connect_again(store, server, clock):
    server.next = ["drop", "drop"]
    broker = broker_for(store, server)
    with pytest.raises(RefreshUnavailableError):
        broker.token()
    clock.advance(minutes=1)
    for _ in range(3):
        with pytest.raises(ConnectAgainError, match="sent twice"):
            broker.token()
        clock.advance(minutes=1)
    assert server.seen == ["seed", "seed"]


def test_a_spent_token_without_an_answer_means_connect_again(store, server, clock):
    server.next = ["spend and drop"]
    broker = broker_for(store, server)
    with pytest.raises(RefreshUnavailableError):
        broker.token()
    clock.advance(minutes=1)
    with pytest.raises(ConnectAgainError):
        broker.token()
    assert server.seen == ["seed", "seed"]


def test_an_unanswered_reusable_token_is_sent_again_at_once(store, server):
    server.next = ["spend and drop"]

    assert broker_for(store, server, rotates=False).token().value == "access-2"
    assert server.seen == ["seed", "seed"]


def test_what_was_not_sent_is_tried_again_and_costs_nothing(store, server, monkeypatch):
    monkeypatch.setattr(broker_module, "SEND_WAIT", 0)
    failures = [RefreshNotSent(), RefreshNotSent(), RefreshNotSent()]

    def refresh(token, details):
        if failures:
            raise failures.pop()
        return refresher(server.url)(token)

    assert broker_for(store, server, refresh=refresh).token().value == "access-1"


def test_dying_between_two_attempts_that_were_not_sent_costs_nothing(store, server, monkeypatch):
    unanswered = []

    def look_while_waiting(factor):
        while True:
            unanswered.append(broker.rows.choose("freshbooks", "client", broker.digest).tries)
            yield 0

    monkeypatch.setattr(broker_module.backoff, "expo", look_while_waiting)
    broker = broker_for(store, server, refresh=refresher("http://127.0.0.1:1/token"))
    with pytest.raises(RefreshUnavailableError):
        broker.token()
    assert unanswered
    assert set(unanswered) == {0}


def test_a_service_out_of_reach_never_ends_in_connecting_again(store, server, clock, monkeypatch):
    monkeypatch.setattr(broker_module, "SEND_WAIT", 0)
    nowhere = broker_for(store, server, refresh=refresher("http://127.0.0.1:1/token"))
    for _ in range(4):
        with pytest.raises(RefreshUnavailableError, match="could not be reached"):
            nowhere.token()
        clock.advance(minutes=1)

    assert broker_for(store, server).token().value == "access-1"


def test_details_come_with_the_token_and_follow_it(store, server):
    broker = broker_for(store, server, rotates=False)
    server.extra = {"api_domain": "https://www.zohoapis.com"}
    first = broker.token()
    server.extra = {"api_domain": "https://www.zohoapis.eu"}

    assert dict(first.details) == {"api_domain": "https://www.zohoapis.com"}
    assert dict(broker.renew(first).details) == {"api_domain": "https://www.zohoapis.eu"}
    assert server.seen == ["seed", "seed"]


def test_a_lock_held_too_long_is_an_error_only_without_a_living_token(store, server, clock, monkeypatch, caplog):
    monkeypatch.setattr(broker_module, "LOCK_SECONDS", 0.05)
    broker = broker_for(store, server)
    with broker._lock(), pytest.raises(StoreUnavailableError, match="Another process"):
        broker.token()
    broker.token()
    clock.advance(hours=7)
    with broker._lock():
        assert broker.token().value == "access-1"
    assert "still lives" in caplog.text


def test_an_answer_is_saved_although_the_database_fails_for_a_moment(store, server, monkeypatch):
    monkeypatch.setattr(broker_module, "SEND_WAIT", 0)
    broker = broker_for(store, server)
    failures = [StoreUnavailableError("disk full")] * 3
    put = type(broker.rows).put

    def failing_put(rows, row):
        if failures:
            raise failures.pop()
        return put(rows, row)

    monkeypatch.setattr(type(broker.rows), "put", failing_put)
    assert broker.token().value == "access-1"
    assert broker.token().value == "access-1"


def test_disconnected_stays_disconnected_until_a_new_consent(store, server):
    broker = broker_for(store, server)
    broker.token()
    broker.forget()

    with pytest.raises(ConnectAgainError, match="disconnected"):
        broker.token()
    assert server.seen == ["seed"]
    broker.connect(Grant("connected", "fresh", 43200))
    assert broker.token().value == "connected"


def test_how_a_connection_is_can_be_seen_without_its_tokens_and_without_asking(store, server, clock):
    def connection(seed="seed"):
        return store.connection(service="freshbooks", client_id="client", seed=seed)

    assert connection() is None
    token = broker_for(store, server).token()
    seen = connection()
    assert (seen.issued_at, seen.expires_at, seen.problem) == (clock(), token.expires_at, None)
    assert connection(seed=None) == seen
    assert connection(seed="another") is None

    server.live = set()
    clock.advance(hours=7)
    broker_for(store, server).token()
    assert "refused" in connection().problem
    assert [word for word in ("access-1", "refresh-1", "seed") if word in repr(connection())] == []
    assert server.seen == ["seed", "refresh-1"]


def test_disconnecting_revokes_the_current_refresh_token_and_leaves_nothing_to_use(store, server):
    server.extra = {"api_domain": "https://www.zohoapis.eu"}
    broker = broker_for(store, server)
    broker.token()
    revoked = []

    assert broker.disconnect(lambda *what: revoked.append(what))

    assert revoked == [("refresh-1", {"api_domain": "https://www.zohoapis.eu"})]
    with pytest.raises(ConnectAgainError, match="disconnected"):
        broker.token()
    assert not broker.disconnect(pytest.fail)


def test_a_seed_that_was_never_used_is_revoked_too(store, server):
    revoked = []

    assert broker_for(store, server).disconnect(lambda *what: revoked.append(what))
    assert revoked == [("seed", {})]


def test_tokens_are_dropped_even_if_they_cannot_be_revoked(store, server):
    broker = broker_for(store, server)
    broker.token()

    def revoke(token, details):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        broker.disconnect(revoke)
    with pytest.raises(ConnectAgainError, match="disconnected"):
        broker.token()


def test_nobody_refreshes_while_a_connection_is_ended(store, server, monkeypatch):
    monkeypatch.setattr(broker_module, "LOCK_SECONDS", 0.05)
    broker = broker_for(store, server)

    def revoke(token, details):
        with pytest.raises(StoreUnavailableError, match="Another process"):
            broker.token()

    assert broker.disconnect(revoke)
