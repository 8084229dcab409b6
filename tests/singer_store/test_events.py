"""Many events in one transaction, and failures that nobody noted when they happened."""

from __future__ import annotations

from datetime import timedelta

from singer_store import SET_ASIDE

ERROR = {"code": "RUN_FAILED", "field": None, "expected": None, "message": "The run failed."}


def ids(objects):
    return [(one.account, one.stream, one.object_id) for one in objects]


def test_many_events_are_queued_at_once_and_doubles_are_one_row(store, clock):
    events = [("acc", "invoices", str(number % 300), "event", clock()) for number in range(1000)]
    store.pending.queue_many([*events, ("other", "clients", "1", "drift", clock())])

    assert len(store.pending.all("acc")) == 300
    assert ids(store.pending.all("other")) == [("other", "clients", "1")]
    store.pending.queue_many([])


def test_an_event_for_a_known_object_keeps_its_attempts_and_makes_it_due(store, clock):
    store.pending.queue("acc", "invoices", ["1"], "event", now=clock())
    store.pending.defer(store.pending.all(), until=SET_ASIDE, error=ERROR)
    assert store.pending.due("acc", clock() + timedelta(days=3650)) == []

    clock.advance(minutes=1)
    store.pending.queue_many([("acc", "invoices", "1", "event", clock())])
    (one,) = store.pending.due("acc", clock())
    assert (one.attempts, one.queued_at, one.next_try) == (1, clock(), None)


def test_a_deferred_object_waits_and_says_why(store, clock):
    store.pending.queue("acc", "invoices", ["1", "2"], "event", now=clock())
    until = clock() + timedelta(minutes=1)
    store.pending.defer(store.pending.due("acc", clock()), until=until, error=ERROR)

    assert store.pending.due("acc", clock()) == []
    assert [(one.attempts, one.reason, one.error) for one in store.pending.due("acc", until)] == [
        (1, "event", ERROR)
    ] * 2


def test_what_was_asked_for_again_or_noted_as_failed_meanwhile_is_not_deferred(store, clock):
    store.pending.queue("acc", "invoices", ["asked", "noted", "cleared"], "event", now=clock())
    before = store.pending.due("acc", clock())
    clock.advance(seconds=1)
    store.pending.queue("acc", "invoices", ["asked"], "event", now=clock())
    store.pending.fail("acc", "invoices", "noted", "rejected", error={"code": "INVALID_DATA"}, now=clock())
    store.pending.clear("acc", "invoices", {"cleared": clock()})

    store.pending.defer(before, until=SET_ASIDE, error=ERROR)
    assert {one.object_id: (one.attempts, one.next_try) for one in store.pending.all()} == {
        "asked": (0, None),
        "noted": (1, None),
    }
