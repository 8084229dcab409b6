"""Many deadlines of one length by a single timer: thousands of timers a second would cost more than what they guard."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Guarded(Protocol):
    """Something that has to end in time."""

    def done(self) -> bool:
        """Return whether it has ended."""


T = TypeVar("T", bound=Guarded)


class Deadlines(Generic[T]):
    """Calls `on_late` with whatever is not done so many seconds after it was watched, or up to an eighth later.

    To be used inside one event loop.
    """

    def __init__(self, seconds: float, on_late: Callable[[T], None]) -> None:
        self._seconds = seconds
        self._on_late = on_late
        self._watched: deque[tuple[float, T]] = deque()
        self._ticking = False

    def watch(self, guarded: T) -> None:
        """Watch something from now on."""
        loop = asyncio.get_running_loop()
        self._watched.append((loop.time() + self._seconds, guarded))
        if not self._ticking:
            self._ticking = True
            loop.call_later(self._seconds / 8, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._watched and (self._watched[0][1].done() or self._watched[0][0] <= now):
            _, guarded = self._watched.popleft()
            if not guarded.done():
                self._on_late(guarded)
        self._ticking = bool(self._watched)
        if self._ticking:
            loop.call_later(self._seconds / 8, self._tick, loop)
