"""What runs next, and what becomes of what a run did not bring."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from freshbooks_zoho.runs.schedule import (
    MOST,
    MOST_TRIES,
    Schedule,
    after_failure,
    by_stream,
    is_prompt,
    left_over,
    next_batch,
    next_size,
    sweep_is_due,
)
from singer_store import SET_ASIDE, PendingObject

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


def one(object_id=1, **more):
    values = {"account": "ZyQ04o", "stream": "invoices", "reason": "event", "error": None, "waits_for": None}
    values |= {"attempts": 0, "queued_at": NOON, "next_try": None, "object_id": str(object_id)}
    return PendingObject(**values | more)


def test_events_drift_and_what_a_person_asks_for_get_a_run_of_their_own():
    assert all(is_prompt(one(reason=reason)) for reason in ("event", "drift", "retry"))
    assert not any(is_prompt(one(reason=reason)) for reason in ("rejected", "ambiguous", "parent"))


@pytest.mark.parametrize("more", [{"object_id": "1; rm -rf"}, {"object_id": "²"}, {"stream": "estimates"}])
def test_only_numbered_objects_of_the_three_streams_do(more):
    assert not is_prompt(one(**more))


def test_a_run_takes_five_hundred_objects_the_next_one_the_rest():
    due = [one(number) for number in range(1200)]

    assert next_batch(due, MOST) == due[:500]
    assert by_stream([one(1), one(2), one(3, stream="clients")]) == {"invoices": ["1", "2"], "clients": ["3"]}


def test_what_has_not_failed_yet_does_not_go_with_what_has():
    fresh, failed = [one(1), one(2)], [one(3, attempts=1), one(4, attempts=4)]

    assert next_batch([*fresh, *failed], MOST) == fresh
    assert next_batch(failed, MOST) == failed
    assert next_batch(failed, 1) == failed[:1]


def test_waits_grow_and_end_at_a_quarter_of_an_hour():
    waits = [(after_failure(one(attempts=tries), NOON, None) - NOON).total_seconds() for tries in range(9)]

    assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_after_its_last_try_an_object_is_set_aside():
    last = one(attempts=MOST_TRIES - 1)

    assert after_failure(last, NOON, NOON + timedelta(minutes=1)) == SET_ASIDE


@pytest.mark.parametrize("last_success", [None, NOON - timedelta(days=1)])
def test_while_no_run_at_all_goes_well_nothing_is_set_aside(last_success):
    assert after_failure(one(attempts=50), NOON, last_success) == NOON + timedelta(minutes=15)


def test_only_what_nobody_said_anything_about_is_put_off():
    before = [one(number) for number in range(4)]
    after = {
        ("invoices", "1"): one(1),
        ("invoices", "2"): one(2, attempts=1, reason="rejected"),
        ("invoices", "3"): one(3, queued_at=NOON + timedelta(seconds=1)),
    }

    assert left_over(before, after) == [one(1)]


def test_one_object_that_always_fails_ends_up_alone_and_keeps_no_other_from_zoho():
    """Five hundred objects, one of which makes every run fail that it is in."""
    attempts = dict.fromkeys(range(500), 0)
    size, runs = MOST, 0
    while set(attempts) != {13} or attempts[13] < MOST_TRIES:
        due = [one(number, attempts=tries) for number, tries in sorted(attempts.items(), key=lambda item: item[1])]
        batch = [int(each.object_id) for each in next_batch(due, size)]
        ok = 13 not in batch
        size = next_size(size if ok else min(size, len(batch)), ok=ok)
        for number in batch:
            if ok:
                del attempts[number]
            else:
                attempts[number] += 1
        runs += 1
        assert all(tries < MOST_TRIES for number, tries in attempts.items() if number != 13)
    assert runs < 40


def test_the_backlog_comes_first_then_a_run_at_each_interval():
    schedule = Schedule(timedelta(minutes=15), NOON)
    assert schedule.is_due(NOON)

    schedule.ran(NOON, NOON + timedelta(minutes=2), ok=True, sweep=False)
    assert not schedule.is_due(NOON + timedelta(minutes=14))
    assert schedule.is_due(NOON + timedelta(minutes=15))


def test_ordinary_runs_that_fail_are_tried_again_with_growing_waits_up_to_the_interval():
    schedule, now, waits = Schedule(timedelta(minutes=15), NOON), NOON, []
    for _ in range(8):
        schedule.ran(now, now, ok=False, sweep=False)
        waits.append((schedule.due_at - now).total_seconds())
        now = schedule.due_at

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    schedule.ran(now, now, ok=True, sweep=False)
    assert schedule.failures == 0


def eastern(day, hour):
    """A time in New York in winter."""
    return datetime(2026, 1, day, hour + 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (eastern(5, 3), eastern(5, 12), False),
        (eastern(5, 3), eastern(6, 2), False),
        (eastern(5, 3), eastern(6, 3), True),
        (eastern(5, 12), eastern(6, 3), True),
        (eastern(1, 4), eastern(6, 17), True),
        (None, eastern(6, 3), False),
    ],
    ids=["made today", "not yet night", "at night", "made at noon", "missed for days", "first start"],
)
def test_everything_is_read_once_a_day_at_night(last, now, due):
    assert sweep_is_due(last, now) is due


def test_a_sweep_that_fails_is_still_due():
    schedule = Schedule(timedelta(minutes=15), eastern(6, 3), last_sweep=eastern(5, 3))
    assert schedule.sweeps(eastern(6, 3))

    schedule.ran(eastern(6, 3), eastern(6, 4), ok=False, sweep=True)
    assert schedule.sweeps(eastern(6, 4))
    schedule.ran(eastern(6, 4), eastern(6, 5), ok=True, sweep=True)
    assert not schedule.sweeps(eastern(6, 5))
