"""FreshBooks' timestamps as instants in UTC.

The accounting API writes ``YYYY-MM-DD HH:MM:SS`` without a zone. That is US Eastern time with daylight saving, whatever
the zone of the business, except for a few fields that are UTC in the same format (the official SDKs, for example
``freshbooks/models.py`` of freshbooks-sdk). Once a year an hour of Eastern time is repeated: such a text stands for two
instants, and the earlier one is taken, so that nothing ever looks newer than it is.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

UTC = timezone.utc
EASTERN = ZoneInfo("America/New_York")


def parse_iso(text: str) -> datetime:
    """Parse an ISO 8601 date or date-time, of a setting or of a state; without a zone it is UTC.

    Raises:
        ValueError: if it is neither.
    """
    moment = datetime.fromisoformat(_python_iso(text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_eastern(text: str) -> datetime:
    """Parse a timestamp of the accounting API: the earlier instant of the repeated hour, an hour on in the missing one.

    A text with a ``T`` in it is UTC (as in the newer families of the API).

    Raises:
        ValueError: if it is not a timestamp.
    """
    return instants(text)[0]


def instants(text: str) -> tuple[datetime, ...]:
    """Give all instants a timestamp of the accounting API can stand for, earliest first: one, or two an hour apart.

    Raises:
        ValueError: if it is not a timestamp.
    """
    if "T" in text:
        return (parse_iso(text),)
    local = datetime.fromisoformat(_python_iso(text))
    return tuple((local - offset).replace(tzinfo=UTC) for offset in _offsets(text[:13]))


@lru_cache(maxsize=4096)
def _offsets(hour: str) -> tuple[timedelta, ...]:
    """Give Eastern time's offsets from UTC in an hour (``2026-11-01 01``); they change on the hour."""
    local = datetime.fromisoformat(hour + ":00").replace(tzinfo=EASTERN)
    first, second = (local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    # In the missing hour of spring they come in the other order, and a text stands for one instant only.
    return (first, second) if second < first else (first,)


def eastern_to_utc(text: str) -> str:
    """Turn an Eastern timestamp into UTC: ``2026-06-29T16:48:49+00:00``.

    Raises:
        ValueError: if it is not a timestamp.
    """
    return _in_utc(text)[0]


def eastern_to_utc_exact(text: str) -> str:
    """Turn an Eastern timestamp into UTC, always with microseconds.

    Raises:
        ValueError: if it is not a timestamp.
    """
    if _EXACT.fullmatch(text) and (moved := _moved(text)):
        return moved
    return parse_eastern(text).isoformat(timespec="microseconds")


@lru_cache(maxsize=4096)
def utc_to_utc(text: str) -> str:
    """Write a timestamp that is UTC already as such.

    Raises:
        ValueError: if it is not a timestamp.
    """
    return parse_iso(text).isoformat()


def latest_utc(text: str) -> str:
    """Give the latest instant an Eastern timestamp can stand for, in UTC.

    Raises:
        ValueError: if it is not a timestamp.
    """
    return _in_utc(text)[-1]


_PLAIN = re.compile(r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_EXACT = re.compile(_PLAIN.pattern + r"\.[0-9]{6}")


@lru_cache(maxsize=4096)
def _in_utc(text: str) -> tuple[str, ...]:
    """Give all instants a timestamp can stand for."""
    if _PLAIN.fullmatch(text) and (moved := _moved(text)):
        return (moved,)
    return tuple(moment.isoformat() for moment in instants(text))


def _moved(text: str) -> str | None:
    """Move a text of the usual form to UTC without parsing it; None on the two days of a year that have a switch."""
    hours, day, tomorrow = _day(text[:10])
    if hours is None:
        return None
    hour = int(text[11:13]) + hours
    if hour >= _HOURS:
        day, hour = tomorrow, hour - _HOURS
    return f"{day}T{hour:02}{text[13:]}+00:00"


_HOURS = 24


@lru_cache(maxsize=4096)
def _day(text: str) -> tuple[int | None, str, str]:
    """Give the hours that all of a day is behind UTC (None if not all of it is), the day itself and the next one."""
    begins = datetime.fromisoformat(text).replace(tzinfo=EASTERN)
    tomorrow = begins + timedelta(days=1)
    offset = begins.utcoffset() or timedelta()
    hours, rest = divmod(-offset, timedelta(hours=1))
    return None if rest or tomorrow.utcoffset() != offset else hours, text, tomorrow.date().isoformat()


def eastern_day(moment: datetime) -> date:
    """Give the day it is in US Eastern time at an aware moment."""
    return moment.astimezone(EASTERN).date()


def _python_iso(text: str) -> str:
    """Write what Python 3.10 does not parse (``Z``, a fraction of other than 3 or 6 digits) as it does."""
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"
