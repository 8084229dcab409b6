"""Moments, spans and counts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_FROM = 2
"""A unit is used from two of it on, so that nothing is rounded away: 90 minutes, not an hour."""


def span(length: timedelta) -> str:
    """Give a length of time in one unit: 45 seconds, 90 minutes, 3 days."""
    seconds = max(int(length.total_seconds()), 0)
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size * _FROM), _UNITS[-1])
    number = seconds // size
    return f"{number} {unit}{'' if number == 1 else 's'}"


def moment(at: datetime) -> str:
    """Give a moment to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def counted(number: int, singular: str) -> str:
    """Give a number of things."""
    return f"{number} {singular}{'' if number == 1 else 's'}"


def in_words(counts: Mapping[str, int]) -> str:
    """Give counts of records: 2 created, 5 unchanged."""
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "nothing to do"
