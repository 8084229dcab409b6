"""The account of what was spent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Usage:
    """What was spent since the client was made."""

    calls: int = 0
    credits: int = 0
    """By Zoho's price list (the page "API Limits"), for calls that were answered."""
    writes: int = 0
    """Calls that write, each with up to 100 records."""
    credits_remaining: int | None = None
    """What Zoho said last; it tells only once half of the day's credits are used."""


class Ledger:
    """Adds up what several threads spend."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.usage = Usage()

    def called(self) -> None:
        """Note a call that is about to be made."""
        with self._lock:
            self.usage = replace(self.usage, calls=self.usage.calls + 1)

    def answered(self, cost: int, *, write: bool) -> None:
        """Note what a call cost that was answered."""
        with self._lock:
            self.usage = replace(self.usage, credits=self.usage.credits + cost, writes=self.usage.writes + int(write))

    def told(self, credits_remaining: str | None) -> None:
        """Note the header X-API-CREDITS-REMAINING."""
        if credits_remaining is not None and credits_remaining.isdecimal():
            with self._lock:
                self.usage = replace(self.usage, credits_remaining=int(credits_remaining))
