"""Zoho's limits: how many calls at a time, what a call costs, and which may be made twice.

The numbers are those of the CRM API's page "API Limits".
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

UNAUTHORIZED, TOO_MANY, SERVER_ERROR = 401, 429, 500

CALLS_AT_A_TIME = {
    "free": 5,
    "standard": 10,
    "starter": 10,
    "professional": 15,
    "enterprise": 20,
    "zohoone": 20,
    "ultimate": 25,
    "crmplus": 25,
}
HEAVY_CALLS_AT_A_TIME = 10
SPARE = 1
"""Left free for whoever else uses the same client: notifications, `status`."""

RECORDS_OF_A_LIGHT_WRITE = 10
RECORDS_PER_CREDIT = 10
COQL_CREDITS = ((200, 1), (1000, 2), (2000, 3))
MODULE_CREDITS = 500
DELETED_CREDITS = 2


class Gate:
    """Lets so many threads in at a time; the number can be changed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many are let in."""
        return self._limit

    def resize(self, limit: int) -> None:
        """Let in another number from now on; those inside stay."""
        with self._changed:
            self._limit = limit
            self._changed.notify_all()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait to be let in, and leave."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self._limit)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()


def calls_at_a_time(edition: str, max_parallel: int) -> int:
    """Give how many calls may be under way at once; an edition nobody knows is taken for the smallest."""
    known = CALLS_AT_A_TIME.get(edition.casefold().replace(" ", ""), CALLS_AT_A_TIME["free"])
    return max(1, min(max_parallel, known - SPARE))


def is_heavy(path: str, body: Any) -> bool:
    """Say whether Zoho allows but ten of such calls at a time: COQL, and writes of more than ten records."""
    return path == "coql" or len(_records(body)) > RECORDS_OF_A_LIGHT_WRITE


def is_repeatable(method: str, path: str, body: Any) -> bool:
    """Say whether making a call twice leaves Zoho as making it once does.

    Reads, updates and deletions by id are; so is an upsert that names its key. An insert would make a second record,
    and the creation of a field or module a second one, or an error that hides the success.
    """
    if method != "POST":
        return True
    if path.endswith("/upsert"):
        return bool(isinstance(body, dict) and body.get("duplicate_check_fields"))
    return path == "coql"


def is_write(method: str, path: str) -> bool:
    """Say whether a call changes anything."""
    return method != "GET" and path != "coql"


def is_charged(status: int) -> bool:
    """Say whether a call counts: not one that never got past the gateway (401, 429), nor one that failed (5xx)."""
    return status < SERVER_ERROR and status not in {UNAUTHORIZED, TOO_MANY}


def credits_of(method: str, path: str, body: Any, rows_asked: int = 0) -> int:
    """Give the API credits that a call costs."""
    if path == "coql":
        return next((cost for rows, cost in COQL_CREDITS if rows_asked <= rows), COQL_CREDITS[-1][1])
    if method == "POST" and path == "settings/modules":
        return MODULE_CREDITS
    if method == "GET" and path.endswith("/deleted"):
        return DELETED_CREDITS
    return max(1, -(-len(_records(body)) // RECORDS_PER_CREDIT))


def _records(body: Any) -> list[Any]:
    records = body.get("data") if isinstance(body, dict) else None
    return records if isinstance(records, list) else []
