"""The rate limit, counted in real time: 600 requests a minute, and 250 for each POST to the accounting API.

Source: headers of recorded answers; the documentation names no numbers. `Retry-After` comes with every answer, and
means something on a 429 alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.http import Request


@dataclass
class RateLimit:
    """How many requests are let through in a window of so many seconds."""

    requests: int = 600
    accounting_posts: int = 250
    window: float = 60.0


class Limiter:
    """Counts requests in windows of fixed length, one for accounting POSTs and one for everything else."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, request: Request, limit: RateLimit, now: datetime) -> tuple[dict[str, str], bool]:
        """Count a request.

        Args:
            request: the request.
            limit: what is allowed.
            now: the sandbox's time, for the headers.

        Returns:
            The headers that go with its answer, and whether it is one too many.
        """
        posted = request.method == "POST" and request.path.startswith("/accounting/")
        kind, allowed = ("post", limit.accounting_posts) if posted else ("any", limit.requests)
        moment = time.monotonic()
        began, count = self._windows.get(kind, (moment, 0))
        if moment >= began + limit.window:
            began, count = moment, 0
        count += 1
        self._windows[kind] = began, count
        left = began + limit.window - moment
        exceeded = count > allowed
        headers = {
            "X-RateLimit-Limit": str(allowed),
            "X-RateLimit-Remaining": str(max(allowed - count, 0)),
            "X-RateLimit-Reset": str(int(now.timestamp() + left) + 1),
            "Retry-After": str(int(left) + 1 if exceeded else max(int(left) - 1, 0)),
        }
        return headers, exceeded
