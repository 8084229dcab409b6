"""The runs of a week as bars: decisions only, the page draws them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freshbooks_zoho.admin.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freshbooks_zoho.admin.past_runs import PastRun

DAYS = 7
HOURS = 2
"""That one bar stands for."""
HEIGHT = 100.0
_LEAST = 8.0
"""So that a single run among hundreds is still seen."""
_WRITTEN = ("created", "updated", "linked", "deleted")


@dataclass(frozen=True)
class Bar:
    """The runs that began within two hours.

    Attributes:
        place: from the left, from 0.
        ok, failed: heights of the two parts, of `HEIGHT`.
        title: in words.
    """

    place: int
    ok: float
    failed: float
    title: str


def days(now: datetime) -> list[datetime]:
    """Give the beginnings (UTC) of the days that are shown, today last."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]


def bars(runs: Iterable[PastRun], now: datetime) -> list[Bar]:
    """Give a bar for each two hours in which runs began.

    Args:
        runs: of the week.
        now: UTC.
    """
    start, width = days(now)[0], timedelta(hours=HOURS)
    places: dict[int, list[PastRun]] = {}
    for run in runs:
        if run.started_at >= start:
            places.setdefault((run.started_at - start) // width, []).append(run)
    most = max((len(some) for some in places.values()), default=1)
    return [_bar(place, some, start + place * width, most) for place, some in sorted(places.items())]


def _bar(place: int, runs: Sequence[PastRun], start: datetime, most: int) -> Bar:
    failed = sum(not run.ok for run in runs)
    written = sum(run.counts.get(name, 0) for run in runs for name in _WRITTEN)
    heights = [
        max(number / most * (HEIGHT - _LEAST), _LEAST) if number else 0.0 for number in (len(runs) - failed, failed)
    ]
    end = start + timedelta(hours=HOURS)
    title = f"{start:%a %d %b %H:%M}-{end:%H:%M} UTC: {counted(len(runs), 'run')}, {failed or 'none'} failed, "
    return Bar(place, heights[0], heights[1], title + f"{counted(written, 'record')} written")
