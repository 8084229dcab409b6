"""The refresh token in the settings is a seed: used when it is new, and never again after that."""

from __future__ import annotations

import pytest
from support.token_server import TokenServer, refresher

from singer_store import ConnectAgainError, Grant


@pytest.fixture
def server():
    with TokenServer(live={"one", "two"}) as server:
        yield server


@pytest.fixture
def broker(store, server):
    def make(seed, client_id="client"):
        return store.broker(
            service="freshbooks", client_id=client_id, seed=seed, refresh=refresher(server.url), rotates=True
        )

    return make


def test_a_seed_is_spent_once(broker, server, clock):
    first = broker("one").token()
    clock.advance(hours=7)

    assert broker("one").token().value != first.value
    assert server.seen == ["one", "refresh-1"]


def test_a_changed_seed_counts_at_once(broker, server):
    assert broker("one").token().value == "access-1"
    assert broker("two").token().value == "access-2"


def test_a_seed_changed_back_continues_where_it_was(broker, server, clock):
    broker("one").token()
    broker("two").token()
    clock.advance(hours=7)

    assert broker("one").token().value == "access-3"
    assert server.seen == ["one", "two", "refresh-1"]


def test_a_seed_taken_out_of_the_settings_leaves_the_connection(broker, server, clock):
    broker("one").token()
    clock.advance(minutes=1)
    broker("two").token()

    assert broker(None).token().value == "access-2"
    assert broker("").token().value == "access-2"


def test_a_consent_without_a_seed_comes_before_older_seeds(broker, server, clock):
    broker(None).connect(Grant("connected", "fresh", 43200))
    clock.advance(minutes=1)
    broker("one").token()

    assert broker(None).token().value == "connected"


def test_a_consent_with_a_seed_in_the_settings_takes_its_place(broker, server):
    broker("one").connect(Grant("connected", "fresh", 43200))

    assert broker("one").token().value == "connected"
    assert server.seen == []


def test_without_seed_or_consent_somebody_has_to_connect(broker):
    with pytest.raises(ConnectAgainError, match="no refresh token in the settings"):
        broker(None).token()


def test_another_client_is_another_connection(broker, server):
    broker("one").token()

    with pytest.raises(ConnectAgainError):
        broker(None, client_id="another").token()


def test_disconnecting_without_a_seed_does_not_fall_back_to_an_older_one(broker, clock):
    broker("one").token()
    clock.advance(minutes=1)
    broker("two").token()
    broker(None).forget()

    with pytest.raises(ConnectAgainError, match="disconnected"):
        broker(None).token()
    with pytest.raises(ConnectAgainError, match="disconnected"):
        broker("two").token()
