"""One holder at a time, and a number by which a former holder can be told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from singer_store import open_store

TTL = timedelta(seconds=20)
NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


def later(**span):
    return NOON + timedelta(**span)


def test_only_one_holds_a_lease(store):
    lease = store.leases.acquire("runs", "one", TTL, NOON)

    assert (lease.owner, lease.fence, lease.expires_at) == ("one", 1, later(seconds=20))
    assert store.leases.acquire("runs", "two", TTL, later(seconds=19.9)) is None
    assert store.leases.acquire("channels", "two", TTL, NOON).fence == 1
    assert store.leases.holder("runs", later(seconds=19)) == lease


def test_a_holder_that_says_nothing_any_more_is_followed_by_the_next(store):
    first = store.leases.acquire("runs", "one", TTL, NOON)
    second = store.leases.acquire("runs", "two", TTL, later(seconds=20))

    assert second.fence > first.fence
    assert store.leases.renew(first, TTL, later(seconds=21)) is None
    store.leases.release(first)
    assert store.leases.holder("runs", later(seconds=21)) == second


def test_renewing_makes_it_last_and_keeps_its_number(store):
    first = store.leases.acquire("runs", "one", TTL, NOON)
    renewed = store.leases.renew(first, TTL, later(seconds=15))

    assert (renewed.fence, renewed.expires_at) == (first.fence, later(seconds=35))
    assert store.leases.acquire("runs", "two", TTL, later(seconds=34)) is None


def test_a_late_renewal_holds_as_long_as_nobody_came_between(store):
    lease = store.leases.acquire("runs", "one", TTL, NOON)

    assert store.leases.holder("runs", later(minutes=5)) is None
    assert store.leases.renew(lease, TTL, later(minutes=5)).fence == lease.fence


def test_a_released_lease_is_free_at_once_and_its_number_is_never_used_again(store):
    first = store.leases.acquire("runs", "one", TTL, NOON)
    store.leases.release(first)

    assert store.leases.holder("runs", NOON) is None
    assert store.leases.acquire("runs", "one", TTL, NOON).fence == first.fence + 1
    assert store.leases.renew(first, TTL, NOON) is None


def test_without_a_time_the_databases_clock_counts(store):
    lease = store.leases.acquire("runs", "one", TTL)

    assert timedelta() < lease.expires_at - datetime.now(timezone.utc) <= TTL + timedelta(seconds=1)
    assert store.leases.acquire("runs", "two", TTL) is None
    assert store.leases.renew(lease, TTL).expires_at >= lease.expires_at
    assert store.leases.holder("runs").owner == "one"


@pytest.mark.parametrize("held_before", [False, True], ids=["new", "expired"])
def test_of_many_that_ask_at_once_one_gets_it(store, store_url, store_key, held_before):
    if held_before:
        store.leases.acquire("runs", "somebody", TTL, NOON - timedelta(minutes=1))
    barrier = threading.Barrier(12)

    def grab(number):
        with open_store(store_url, store_key) as own:
            barrier.wait(timeout=60)
            return own.leases.acquire("runs", f"process {number}", TTL, NOON)

    with ThreadPoolExecutor(12) as pool:
        winners = [lease for lease in pool.map(grab, range(12)) if lease]

    assert [lease.fence for lease in winners] == [2 if held_before else 1]
    assert store.leases.holder("runs", NOON) == winners[0]


def test_who_held_a_lease_last_is_known_after_its_end_unless_it_was_given_back(store):
    assert store.leases.last("runs") is None
    lease = store.leases.acquire("runs", "one", TTL, NOON)
    assert store.leases.holder("runs", later(hours=1)) is None
    assert store.leases.last("runs") == lease
    store.leases.release(lease)
    assert store.leases.last("runs") is None
