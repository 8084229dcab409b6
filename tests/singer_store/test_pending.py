"""Objects still to sync: nothing asked for is forgotten, nothing done stays."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from singer_store.pending import SET_ASIDE, Tally, next_try

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ERROR = {"code": "INVALID_DATA", "field": "Phone", "expected": "phone", "message": "invalid data"}


def ids(objects):
    return [item.object_id for item in objects]


def test_what_is_queued_is_due_at_once(store):
    store.pending.queue("A", "clients", ["1", "2"], "event", now=NOW)

    [first, second] = store.pending.due("A", NOW)
    assert (first.object_id, first.reason, first.attempts, first.queued_at) == ("1", "event", 0, NOW)
    assert second.object_id == "2"
    assert store.pending.due("B", NOW) == []


def test_many_events_at_once_count_as_the_latest_of_each(store):
    late, early = ("A", "clients", "1", "event", NOW + SECOND), ("A", "clients", "1", "drift", NOW)
    store.pending.queue_many([late, early, ("B", "invoices", "2", "event", NOW)])

    assert [(item.account, item.reason, item.queued_at) for item in store.pending.all()] == [
        ("A", "event", NOW + SECOND),
        ("B", "event", NOW),
    ]


def test_it_is_gone_once_it_has_been_read_and_synced(store):
    store.pending.queue("A", "clients", ["1"], "event", now=NOW)
    store.pending.clear("A", "clients", {"1": NOW})

    assert store.pending.all() == []


def test_an_event_newer_than_what_was_read_stays(store):
    store.pending.queue("A", "clients", ["1"], "event", now=NOW)
    store.pending.queue("A", "clients", ["1"], "event", now=NOW + 2 * SECOND)
    store.pending.clear("A", "clients", {"1": NOW + SECOND})

    assert ids(store.pending.due("A", NOW)) == ["1"]


def test_an_event_that_arrives_late_does_not_make_the_row_older(store):
    store.pending.queue("A", "clients", ["1"], "event", now=NOW)
    store.pending.queue("A", "clients", ["1"], "event", now=NOW - MINUTE)
    store.pending.clear("A", "clients", {"1": NOW - SECOND})

    assert ids(store.pending.all()) == ["1"]


def test_clearing_is_for_that_account_and_stream_only(store):
    for account, stream in (("A", "clients"), ("A", "invoices"), ("B", "clients")):
        store.pending.queue(account, stream, ["1"], "event", now=NOW)
    store.pending.clear("A", "clients", {"1": NOW})

    assert [(item.account, item.stream) for item in store.pending.all()] == [("A", "invoices"), ("B", "clients")]
    assert [item.account for item in store.pending.all("B")] == ["B"]


def test_a_failure_is_kept_with_its_error_and_counted(store):
    for _ in range(2):
        store.pending.fail("A", "clients", "1", "rejected", error=ERROR, now=NOW)

    [item] = store.pending.all()
    assert (item.attempts, item.reason, dict(item.error)) == (2, "rejected", ERROR)


@pytest.mark.parametrize(
    ("attempts", "reason", "pause"),
    [
        (1, "rejected", None),
        (3, "rejected", None),
        (4, "rejected", 15 * MINUTE),
        (5, "rejected", 30 * MINUTE),
        (10, "rejected", 16 * HOUR),
        (11, "rejected", 24 * HOUR),
        (10**6, "rejected", 24 * HOUR),
        (3, "ambiguous", None),
        (6, "ambiguous", HOUR),
        (50, "parent", HOUR),
    ],
)
def test_when_a_failure_is_tried_again(attempts, reason, pause):
    assert next_try(attempts, reason, NOW) == (None if pause is None else NOW + pause)


def test_after_the_third_failure_it_waits(store):
    for _ in range(4):
        assert ids(store.pending.due("A", NOW)) == ids(store.pending.all())
        store.pending.fail("A", "clients", "1", "rejected", error=ERROR, now=NOW)

    assert store.pending.due("A", NOW + 15 * MINUTE - SECOND) == []
    assert ids(store.pending.due("A", NOW + 15 * MINUTE)) == ["1"]


def test_an_event_makes_a_failure_due_and_keeps_what_is_known_of_it(store):
    for _ in range(9):
        store.pending.fail("A", "payments", "1", "parent", error=ERROR, waits_for="invoices:7", now=NOW)
    store.pending.queue("A", "payments", ["1"], "event", now=NOW + SECOND)

    [item] = store.pending.due("A", NOW + SECOND)
    assert (item.attempts, dict(item.error), item.waits_for) == (9, ERROR, "invoices:7")
    assert item.queued_at == NOW + SECOND


def test_an_event_that_came_while_the_attempt_failed_is_not_put_off(store):
    for _ in range(9):
        store.pending.fail("A", "clients", "1", "rejected", error=ERROR, now=NOW)
    store.pending.queue("A", "clients", ["1"], "event", now=NOW + 2 * SECOND)
    store.pending.fail("A", "clients", "1", "rejected", error=ERROR, read_at=NOW + SECOND, now=NOW + 3 * SECOND)

    assert ids(store.pending.due("A", NOW + 3 * SECOND)) == ["1"]


def test_success_with_what_was_read_earlier_does_not_make_a_failure_good(store):
    """A run that has read long ago may write after one that read just now and failed."""
    for read_at in (NOW, NOW + 9 * SECOND, NOW + 5 * SECOND):
        store.pending.fail("A", "payments", "1", "parent", error=ERROR, read_at=read_at, now=NOW + MINUTE)
    store.pending.clear("A", "payments", {"1": NOW + 8 * SECOND})
    [item] = store.pending.all()
    assert (item.queued_at, item.covered_from) == (NOW, NOW + 9 * SECOND)
    store.pending.clear("A", "payments", {"1": NOW + 9 * SECOND})
    assert store.pending.all() == []


def test_a_failure_that_nobody_asked_for_again_is_put_off_however_long_ago_it_was_read(store):
    for _ in range(9):
        store.pending.fail("A", "clients", "1", "rejected", error=ERROR, read_at=NOW - MINUTE, now=NOW)

    assert store.pending.due("A", NOW + SECOND) == []


def test_children_become_due_with_their_parent(store):
    for number in range(3):
        for _ in range(5):
            parent = "clients:1" if number < 2 else "clients:2"
            store.pending.fail("A", "invoices", str(number), "parent", error=ERROR, waits_for=parent, now=NOW)
    assert store.pending.due("A", NOW) == []
    store.pending.release("A", "clients:1")

    assert ids(store.pending.due("A", NOW)) == ["0", "1"]


def test_thousands_at_once(store):
    many = [str(number) for number in range(5000)]
    store.pending.queue("A", "clients", many, "drift", now=NOW)
    assert set(store.pending.waiting("A", "clients", [*many, "none"])) == set(many)
    assert len(store.pending.due("A", NOW, limit=10)) == 10
    store.pending.clear("A", "clients", dict.fromkeys(many, NOW))

    assert store.pending.all() == []


def test_what_has_failed_least_comes_first(store):
    store.pending.fail("A", "clients", "often", "rejected", error=ERROR, now=NOW)
    store.pending.queue("A", "clients", ["late"], "event", now=NOW + MINUTE)
    store.pending.queue("A", "clients", ["early"], "event", now=NOW)

    assert ids(store.pending.due("A", NOW + HOUR)) == ["early", "late", "often"]


def test_many_are_counted_without_reading_them(store):
    assert store.pending.tally("A") == Tally(0, 0, None)
    for number, moment in enumerate((NOW + MINUTE, NOW, NOW + SECOND)):
        store.pending.queue("A", "clients", [str(number)], "event", now=moment)
    store.pending.defer(store.pending.waiting("A", "clients", ["2"]).values(), until=SET_ASIDE, error=ERROR)
    store.pending.queue("B", "clients", ["1"], "event", now=NOW - MINUTE)
    assert store.pending.tally("A") == Tally(2, 1, NOW)


def test_nothing_to_do_is_fine(store):
    store.pending.queue("A", "clients", [], "event", now=NOW)
    store.pending.clear("A", "clients", {})
    assert store.pending.waiting("A", "clients", []) == {}


def test_an_unknown_reason_and_a_naive_time_are_refused(store):
    with pytest.raises(ValueError, match="no reason 'because'"):
        store.pending.queue("A", "clients", ["1"], "because", now=NOW)
    with pytest.raises(ValueError, match="aware"):
        store.pending.queue("A", "clients", ["1"], "event", now=NOW.replace(tzinfo=None))


@given(st.integers(1, 10**9), st.sampled_from(["rejected", "ambiguous", "parent", "retry"]))
def test_the_pause_never_shrinks_and_never_passes_a_day(attempts, reason):
    pause = (next_try(attempts, reason, NOW) or NOW) - NOW

    assert pause <= ((next_try(attempts + 1, reason, NOW) or NOW) - NOW)
    assert pause <= (HOUR if reason in {"ambiguous", "parent"} else 24 * HOUR)


IDS = st.sampled_from(["1", "2", "3"])
MOMENTS = st.integers(0, 50).map(lambda seconds: NOW + seconds * SECOND)


class PendingModel(RuleBasedStateMachine):
    """Whatever the order of events, failures and successes, the table holds what a simple dict would."""

    def __init__(self):
        super().__init__()
        for item in self.store.pending.all():
            self.store.pending.clear(item.account, item.stream, {item.object_id: item.covered_from})
        self.model = {}

    @rule(object_ids=st.lists(IDS), now=MOMENTS)
    def event(self, object_ids, now):
        self.store.pending.queue("A", "clients", object_ids, "event", now=now)
        for object_id in object_ids:
            queued, attempts, _, failed = self.model.get(object_id, (now, 0, None, None))
            self.model[object_id] = (max(queued, now), attempts, None, failed)

    @rule(object_id=IDS, now=MOMENTS, read_at=st.none() | MOMENTS)
    def failure(self, object_id, now, read_at):
        self.store.pending.fail("A", "clients", object_id, "rejected", error=ERROR, read_at=read_at, now=now)
        queued, attempts, due, failed = self.model.get(object_id, (min(now, read_at or now), 0, None, None))
        if read_at is None or queued <= read_at:
            due = next_try(attempts + 1, "rejected", now)
        read = max((one for one in (failed, read_at) if one), default=None)
        self.model[object_id] = (queued, attempts + 1, due, read)

    @rule(read_at=st.dictionaries(IDS, MOMENTS))
    def success(self, read_at):
        self.store.pending.clear("A", "clients", read_at)
        for object_id, moment in read_at.items():
            queued, _, _, failed = self.model.get(object_id, (None, 0, None, None))
            if queued and max(queued, failed or queued) <= moment:
                del self.model[object_id]

    @precondition(lambda self: self.model)
    @rule(now=MOMENTS)
    def due(self, now):
        expected = {key for key, (_, _, when, _) in self.model.items() if when is None or when <= now}
        assert {item.object_id for item in self.store.pending.due("A", now)} == expected

    @invariant()
    def holds_what_the_model_holds(self):
        rows = self.store.pending.all()
        assert self.model == {row.object_id: (row.queued_at, row.attempts, row.next_try, row.read_at) for row in rows}


def test_any_order_of_events_failures_and_successes(store):
    here = store

    class Here(PendingModel):
        store = here

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
