"""Many events in one statement.

Row by row, a thread that writes thousands of them a second asks for Python's global lock at each, and each time waits
for the thread that takes the next events. Here the database takes the rows apart itself, out of one JSON text.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from singer_store.database import POSTGRES_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

Arrival = tuple[str, str, str, str, datetime]
"""Account, stream, object id, reason, and when it was asked for."""

_QUEUE = """
    INSERT INTO {table} AS here (account, stream, object_id, reason, queued_at, attempts)
    SELECT {columns}, 0 FROM {rows} WHERE true
    ON CONFLICT (account, stream, object_id) DO UPDATE SET
        reason = excluded.reason,
        queued_at = CASE WHEN excluded.queued_at > here.queued_at THEN excluded.queued_at ELSE here.queued_at END,
        next_try = NULL
"""
_SQLITE = _QUEUE.format(
    table="pending",
    columns=", ".join(f"json_extract(value, '$[{number}]')" for number in range(5)),
    rows="json_each(:rows)",
)
_POSTGRES = _QUEUE.format(
    table=f"{POSTGRES_SCHEMA}.pending",
    columns="value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS timestamptz)",
    rows="jsonb_array_elements(CAST(%(rows)s AS jsonb))",
)


def statement(*, sqlite: bool) -> str:
    """Give the statement, for the driver, that queues the rows of its one parameter, `rows`; see `parameter`."""
    return _SQLITE if sqlite else _POSTGRES


def parameter(arrivals: Iterable[Arrival], *, sqlite: bool) -> str:
    """Write arrivals as the statement takes them: the latest of each object, always in the same order.

    Because of the order, two processes never wait for each other's rows.

    Raises:
        ValueError: If a time is not aware.
    """
    latest: dict[tuple[str, ...], Arrival] = {}
    for arrival in arrivals:
        key = arrival[:3]
        if key not in latest or latest[key][4] <= arrival[4]:
            latest[key] = arrival
    # Most of them were asked for at the same moment.
    moments = {moment: _moment(moment, sqlite=sqlite) for moment in {arrival[4] for arrival in latest.values()}}
    return json.dumps([(*latest[key][:4], moments[latest[key][4]]) for key in sorted(latest)])


def _moment(moment: datetime, *, sqlite: bool) -> str:
    """Write a time as SQLAlchemy does for SQLite, or with its zone."""
    if moment.tzinfo is None:
        raise ValueError("The store takes aware datetimes only.")
    return moment.astimezone(timezone.utc).isoformat(" ", "microseconds")[: 26 if sqlite else None]
