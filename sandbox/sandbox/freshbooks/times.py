"""Times as the accounting API writes them: US/Eastern without a zone, whatever the zone of the business.

Source: the official SDKs' date parsing (`freshbooks/models.py` of freshbooks-sdk). Plain dates have no zone; a client's
`signup_date` is UTC.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
EASTERN = ZoneInfo("America/New_York")


def eastern(moment: datetime) -> str:
    """Write a moment like ``2026-06-29 12:48:49``, in Eastern time."""
    return moment.astimezone(EASTERN).isoformat(" ", "seconds")[:19]


def eastern_version(moment: datetime) -> str:
    """Write a moment in Eastern time with microseconds, as an invoice's `version` is."""
    return moment.astimezone(EASTERN).isoformat(" ", "microseconds")[:26]


def utc(moment: datetime) -> str:
    """Write a moment like ``2026-06-29 16:48:49``, in UTC."""
    return moment.isoformat(" ", "seconds")[:19]


def iso_z(moment: datetime) -> str:
    """Write a moment like ``2026-06-29T16:48:49Z``."""
    return moment.isoformat("T", "seconds")[:19] + "Z"


def midnight(day: date, zone: ZoneInfo | timezone) -> datetime:
    """Give the moment (UTC) at which a day begins in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
