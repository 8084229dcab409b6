"""Events that come one after another become one run: two seconds after the last, fifteen after the first."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshbooks_zoho.runs.coalescing import Coalescer, when_to_run

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
QUIET, LONGEST = timedelta(seconds=2), timedelta(seconds=15)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(0, 0, 2), (0, 1.5, 3.5), (0, 12.9, 14.9), (0, 13.1, 15), (0, 60, 15)],
    ids=["one event", "a few", "just in time", "too many to wait for", "a stream of them"],
)
def test_a_run_waits_for_silence_but_not_for_ever(first, last, expected):
    assert when_to_run(at(first), at(last), QUIET, LONGEST) == at(expected)


def test_nothing_waits_nothing_runs():
    assert Coalescer(QUIET, LONGEST).see([], NOON) is None


def test_replays_of_one_event_do_not_put_its_run_off_for_ever():
    coalescer = Coalescer(QUIET, LONGEST)
    # One row, moved to now by each replay.
    runs = [coalescer.see([at(second)], at(second)) for second in range(15)]

    assert runs[-1] == at(15)
    assert coalescer.see([at(20)], at(20)) == at(15)


def test_after_a_run_the_next_events_wait_anew():
    coalescer = Coalescer(QUIET, LONGEST)
    coalescer.see([at(0)], at(0))
    coalescer.ran()

    assert coalescer.see([at(14)], at(14)) == at(16)


def test_events_that_came_during_a_run_have_waited_already():
    coalescer = Coalescer(QUIET, LONGEST)

    assert coalescer.see([at(0), at(5)], at(30)) <= at(30)


def test_a_clock_that_is_ahead_on_another_machine_delays_nothing():
    coalescer = Coalescer(QUIET, LONGEST)

    assert coalescer.see([at(3600)], at(0)) == at(2)


@given(st.lists(st.floats(0, 120), min_size=1, max_size=60))
def test_no_event_waits_longer_than_the_longest_wait_and_no_run_starts_early(seconds):
    """Time goes by in steps of a quarter of a second, and a run takes no time at all."""
    arrivals, coalescer, waiting, runs = sorted(seconds), Coalescer(QUIET, LONGEST), [], 0
    for step in range(4 * 140):
        now = at(step / 4)
        waiting += [at(one) for one in arrivals if step - 1 < one * 4 <= step]
        due = coalescer.see(waiting, now)
        if due is not None and due <= now:
            assert now - max(waiting) >= QUIET or now - min(waiting) >= LONGEST
            assert now - min(waiting) <= LONGEST + timedelta(seconds=0.5)
            coalescer.ran()
            waiting, runs = [], runs + 1
    assert not waiting
    assert runs <= 1 + len(arrivals)
