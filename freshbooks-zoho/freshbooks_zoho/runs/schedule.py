"""What runs next, and what becomes of objects whose run failed: decisions only, no I/O.

Objects that something has happened to are read by id, in runs of their own. Everything else (what FreshBooks did not
tell about, what was rejected, what waits for a parent) is the matter of the ordinary runs, which read what changed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from freshbooks_zoho.runs.meltano_run import STREAMS
from singer_store import SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_store import PendingObject

PROMPT = frozenset({"event", "drift", "retry"})
"""Reasons for which an object is not left to the next ordinary run."""
MOST = 500
"""Objects in one run: their ids take some 5 kB of its environment."""
MOST_TRIES = 10
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=15)
_FIRST_PAUSE = timedelta(seconds=30)
EASTERN = ZoneInfo("America/New_York")
"""FreshBooks' time: https://www.freshbooks.com/api/dates."""
SWEEP_HOUR = 3


def is_prompt(one: PendingObject) -> bool:
    """Say whether an object is to be synced in a run of its own."""
    return one.reason in PROMPT and one.stream in STREAMS and one.object_id.isascii() and one.object_id.isdecimal()


def next_batch(due: Iterable[PendingObject], size: int) -> list[PendingObject]:
    """Choose the objects of the next run.

    Those that have not failed yet come first and by themselves, so that none of them suffers from one that always does.

    Args:
        due: prompt ones, those that failed least first.
        size: how many of those that have failed go together.
    """
    objects = list(due)
    fresh = [one for one in objects if not one.attempts]
    return fresh[:MOST] if fresh else objects[:size]


def next_size(size: int, *, ok: bool) -> int:
    """Give how many objects that have failed go together in the next run, after one that went well or not.

    Fewer after each failure, so that in the end the one that makes runs fail is alone; more after each success, so
    that the others do not take a run each.
    """
    return min(MOST, size * 2) if ok else max(1, size // 8)


def by_stream(objects: Iterable[PendingObject]) -> dict[str, list[str]]:
    """Give the ids of each stream, as the tap's setting `record_ids` takes them."""
    ids: dict[str, list[str]] = defaultdict(list)
    for one in objects:
        ids[one.stream].append(one.object_id)
    return dict(ids)


def after_failure(one: PendingObject, now: datetime, last_success: datetime | None) -> datetime:
    """Give when an object is tried again after a run that did not bring it.

    It waits longer each time. After its last try it is set aside, unless no run at all has gone well since it was asked
    for: then it is not the object's fault.

    Args:
        one: as it was before the run.
        now: aware.
        last_success: when a run last ended well.
    """
    tries = one.attempts + 1
    if tries >= MOST_TRIES and last_success is not None and last_success > one.queued_at:
        return SET_ASIDE
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT)
    return now + wait


def left_over(before: Sequence[PendingObject], after: Mapping[tuple[str, str], PendingObject]) -> list[PendingObject]:
    """Give the objects of a run that nobody has said anything about since.

    Args:
        before: the objects as they were.
        after: what is still to be synced, by stream and id.
    """
    return [
        one
        for one in before
        if (found := after.get((one.stream, one.object_id))) is not None
        and (found.queued_at, found.attempts) == (one.queued_at, one.attempts)
    ]


@dataclass
class Schedule:
    """When the ordinary runs are.

    Attributes:
        interval: between two runs that go well.
        due_at: the next one; at the start, at once: the backlog.
        last_sweep: when everything was read the last time.
        failures: how many ordinary runs have failed since one went well.
    """

    interval: timedelta
    due_at: datetime
    last_sweep: datetime | None = None
    failures: int = 0

    def is_due(self, now: datetime) -> bool:
        """Say whether an ordinary run is to be made."""
        return now >= self.due_at

    def sweeps(self, now: datetime) -> bool:
        """Say whether that run is to read everything."""
        return sweep_is_due(self.last_sweep, now)

    def ran(self, started: datetime, ended: datetime, *, ok: bool, sweep: bool) -> None:
        """Note a run that was made; after a failure the next one comes sooner, and later each time."""
        self.failures = 0 if ok else self.failures + 1
        if ok and sweep:
            self.last_sweep = started
        pause = min(_FIRST_PAUSE * 2 ** min(self.failures - 1, 10), self.interval) if self.failures else None
        self.due_at = started + self.interval if pause is None else ended + pause


def sweep_is_due(last: datetime | None, now: datetime) -> bool:
    """Say whether the day's sweep is still to be made: once a day, in the hours when the firm sleeps.

    Args:
        last: the last sweep; None if nobody remembers one (the first start, whose backlog reads everything anyway).
        now: aware.
    """
    if last is None:
        return False
    local = now.astimezone(EASTERN)
    hour = local.replace(hour=SWEEP_HOUR, minute=0, second=0, microsecond=0)
    if local < hour:
        hour -= timedelta(days=1)
    return last < hour
