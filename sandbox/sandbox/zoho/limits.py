"""API credits and simultaneous calls ("API Limits")."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.http import Response

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization

SUB_CONCURRENCY = 10
_CONCURRENCY = {"free": 5, "standard": 10, "professional": 15, "enterprise": 20, "ultimate": 25}
_PER_USER = {"standard": 250, "professional": 500, "enterprise": 1000, "ultimate": 2000}
_CAPS = {"standard": 100_000, "professional": 3_000_000, "enterprise": 5_000_000}
_FREE, _BASE = 5_000, 50_000
_DAY = timedelta(hours=24)


def credits_of(edition: str, users: int) -> int:
    """Return the credits of 24 hours of an edition."""
    if edition == "free":
        return _FREE
    return min(_BASE + _PER_USER[edition] * users, _CAPS.get(edition, 10**9))


class Limits:
    """The ledger of credits and the calls under way."""

    def __init__(self, org: Organization) -> None:
        self._org = org
        self._spent: deque[tuple[datetime, int]] = deque()
        self._used = 0
        self.credits_total = 0
        """Credits spent since the sandbox began."""
        self._in_flight: dict[int, bool] = {}

    @property
    def limit(self) -> int:
        """The credits of 24 hours."""
        chosen = self._org.switches.credits_limit
        return chosen if chosen is not None else credits_of(self._org.edition, self._org.users)

    @property
    def used(self) -> int:
        """The credits spent in the last 24 hours."""
        horizon = self._org.clock.now() - _DAY
        while self._spent and self._spent[0][0] <= horizon:
            self._used -= self._spent.popleft()[1]
        return self._used

    @used.setter
    def used(self, credits_: int) -> None:
        self._spent = deque([(self._org.clock.now(), credits_)])
        self._used = credits_

    def spend(self, cost: int) -> dict[str, str]:
        """Note a call's credits, and return the headers that tell the rest once half of them are spent."""
        self._spent.append((self._org.clock.now(), cost))
        self._used += cost
        self.credits_total += cost
        used = self.used
        return {"X-API-CREDITS-REMAINING": str(max(self.limit - used, 0))} if used * 2 >= self.limit else {}

    def exhausted(self, cost: int = 1) -> Response | None:
        """Refuse a call for which no credits are left."""
        if self.used + cost <= self.limit:
            return None
        return self._refuse("Many requests fired than the allowed limit for the past 24 hours.")

    def enter(self, key: int, *, sub: bool) -> Response | None:
        """Count a call in, or refuse it; `sub` marks those of which ten are the most in every edition."""
        if self._org.switches.enforce_concurrency and (
            len(self._in_flight) >= _CONCURRENCY[self._org.edition]
            or (sub and sum(self._in_flight.values()) >= SUB_CONCURRENCY)
        ):
            return self._refuse("Many requests fired in concurrent than the allowed limit.")
        self._in_flight[key] = sub
        return None

    def leave(self, key: int) -> None:
        """Count a call out, if it was counted in."""
        self._in_flight.pop(key, None)

    def _refuse(self, text: str) -> Response:
        switches = self._org.switches
        body: dict[str, object] = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": text, "status": "error"}
        if switches.old_429:
            body = {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": text}
        headers = {} if switches.retry_after is None else {"Retry-After": str(switches.retry_after)}
        return Response(429, body, headers)
