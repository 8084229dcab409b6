"""When to wait: FreshBooks' rate limit, as its headers tell.

Every answer carries ``Retry-After``, also a good one, so it counts on 429 and 503 only. The limit of requests in a
window of a minute comes in ``x-ratelimit-limit``, ``-remaining`` and ``-reset`` (unix seconds).
"""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WINDOW = 60.0
"""Seconds that a window of the rate limit lasts at most."""


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Give the server's clock at the time of an answer, aware; None if it did not say."""
    try:
        return _moment(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None


def _moment(text: str) -> datetime:
    """Return the moment that a header names, aware.

    HTTP knows GMT only (RFC 9110, 5.6.7), so that a zone that is missing, or unreadable because a proxy has joined two
    headers, is that.

    Raises:
        TypeError, ValueError: if it is none.
    """
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Give the seconds an answer asks to wait, None if it does not ask."""
    text = headers.get("Retry-After")
    if status not in {429, 503} or text is None:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    now = server_time(headers)
    try:
        return None if now is None else max((_moment(text) - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def pause(headers: Mapping[str, str], *, reserve: int) -> float:
    """Give the seconds to wait before the next request, so that the limit is not run into.

    Args:
        headers: of the latest answer.
        reserve: requests to leave unused, for those already under way and for others who share the limit; a quarter of
            it at most.
    """
    try:
        remaining, reset = int(headers["x-ratelimit-remaining"]), float(headers["x-ratelimit-reset"])
        reserve = min(reserve, int(headers["x-ratelimit-limit"]) // 4)
    except (KeyError, ValueError):
        return 0.0
    now = server_time(headers)
    if remaining > reserve or now is None:
        return 0.0
    return min(max(reset - now.timestamp(), 0.0) + 1.0, LONGEST_WINDOW)
