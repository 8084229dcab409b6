"""What all accounts of the sandbox share: time, ids, switches, and the way out for events."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.freshbooks.switches import Switches
from sandbox.freshbooks.times import EASTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from sandbox.clock import Clock

_FIRST_IDS = {"clients": 567_000, "invoices": 453_000, "payments": 312_000, "credits": 88_000, "callbacks": 2_000}


class World:
    """Time, ids, switches and events of one emulated FreshBooks."""

    def __init__(self, clock: Clock) -> None:
        self.switches = Switches()
        self.listeners: list[Callable[[str, str, int], None]] = []
        """Told of every change: account id, event (``invoice.update``), id of the object."""
        self._clock = clock
        self._moment: datetime | None = None
        self._gaps = random.Random(20230220)  # noqa: S311
        self._ids: dict[str, int] = defaultdict(lambda: 1_000, _FIRST_IDS)

    def now(self) -> datetime:
        """Give the current moment, in UTC."""
        return self._moment if self._moment is not None else self._clock.now()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the changes made inside happen at a moment, most often a past one."""
        former, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = former

    def today(self, business_timezone: str) -> date:
        """Give the day that decides what is overdue."""
        zone = EASTERN if self.switches.today_zone == "eastern" else ZoneInfo(business_timezone)
        return self.now().astimezone(zone).date()

    def next_id(self, kind: str) -> int:
        """Give an id: all accounts draw from one rising sequence per kind, so each sees gaps."""
        self._ids[kind] += self._gaps.choice((1, 1, 1, 2, 2, 3, 5, 8))
        return self._ids[kind]

    def announce(self, account_id: str, event: str, object_id: int) -> None:
        """Tell the listeners of a change."""
        for listener in self.listeners:
            listener(account_id, event, object_id)
