"""The inbox: events are on disk before they are acknowledged.

A commit that survives a power cut takes milliseconds, however little is in it. So one thread writes, and takes along
whatever has come since its last commit (group commit): each event waits for two commits at most, and thousands share one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, Protocol

from singer_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_WAIT = 5.0
"""Seconds to wait for a commit; FreshBooks gives up on an answer after 10 (https://www.freshbooks.com/api/webhooks)."""
CAPACITY = 8192
"""Events that may wait for a commit; more are refused."""
BATCH = 2048
"""Events in one commit at most, so that none of them waits long."""
RETRY_AFTER = 5

_log = logging.getLogger(__name__)

Reason = Literal["event", "drift"]
Row = tuple[str, str, str, Reason, datetime]


@dataclass(frozen=True)
class Event:
    """Something that happened to an object; a hint to look at it, without its content."""

    account: str
    stream: str
    object_id: str
    reason: Reason = "event"


class InboxUnavailableError(Exception):
    """The events could not be stored for now; the sender is to try again.

    Attributes:
        retry_after: Seconds after which it may.
    """

    def __init__(self, sentence: str, retry_after: int = RETRY_AFTER) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class PendingRows(Protocol):
    """The table of objects still to sync, as the inbox uses it (`singer_store.Pending`)."""

    def queue_many(self, rows: Sequence[Row]) -> None:
        """Ask for objects to be synced, in one transaction; an object that is there already keeps its one row."""


@dataclass(frozen=True)
class _Arrival:
    rows: list[Row]
    done: asyncio.Future[None]


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Inbox:
    """Takes events from the tasks of one event loop, and stores them from a thread of its own.

    Make it inside the running loop, and close it when no more requests are served.

    Attributes:
        changed: Set after each commit; whoever waits for it clears it.
    """

    def __init__(
        self,
        pending: PendingRows,
        *,
        capacity: int = CAPACITY,
        longest_wait: float = LONGEST_WAIT,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.changed = asyncio.Event()
        self._pending = pending
        self._capacity = capacity
        self._longest_wait = longest_wait
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._arrivals: deque[_Arrival] = deque()
        self._waiting = 0
        self._wake = threading.Condition()
        self._closing = False
        self._broken: str | None = None
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._writer.start()

    @property
    def problem(self) -> str | None:
        """Why the latest commit failed; None when it did not."""
        return self._broken

    async def add(self, events: Sequence[Event]) -> None:
        """Store events; when this returns they are on disk, and stay there whatever happens to this process.

        Raises:
            InboxUnavailableError: if they could not be stored, or not in time. They may be stored later nevertheless.
        """
        now = self._clock()
        rows = [(event.account, event.stream, event.object_id, event.reason, now) for event in events]
        if not rows:
            return
        done: asyncio.Future[None] = self._loop.create_future()
        with self._wake:
            if self._closing:
                raise InboxUnavailableError("The service is stopping.")
            if self._waiting + len(rows) > self._capacity:
                raise InboxUnavailableError(f"More than {self._capacity} events wait to be stored.")
            self._arrivals.append(_Arrival(rows, done))
            self._waiting += len(rows)
            self._wake.notify()
        timeout = self._loop.call_later(self._longest_wait, _give_up, done, self._longest_wait)
        try:
            await done
        finally:
            timeout.cancel()

    async def close(self) -> None:
        """Store what has been taken, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._writer.join)

    def _write(self) -> None:
        while batch := self._next_batch():
            error: Exception | None = None
            try:
                self._pending.queue_many([row for arrival in batch for row in arrival.rows])
            except StoreError as trouble:
                error = InboxUnavailableError(str(trouble))
            except Exception as trouble:  # noqa: BLE001 - whatever it is, nobody may be told that the events are stored
                error = InboxUnavailableError(f"The events could not be stored ({type(trouble).__name__}).")
            self._note(error)
            # Where the loop is closed already, nobody waits for an answer.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._settle, batch, error)

    def _next_batch(self) -> list[_Arrival]:
        """Wait for arrivals and take as many as go into a commit; none when there are no more to come."""
        with self._wake:
            self._wake.wait_for(lambda: self._arrivals or self._closing)
            batch: list[_Arrival] = []
            size = 0
            while self._arrivals and (not batch or size + len(self._arrivals[0].rows) <= BATCH):
                batch.append(self._arrivals.popleft())
                size += len(batch[-1].rows)
            self._waiting -= size
            return batch

    def _note(self, error: Exception | None) -> None:
        problem = None if error is None else str(error)
        if problem != self._broken:
            if problem is None:
                _log.info("Events are stored again.")
            else:
                _log.error("Events cannot be stored, their senders are asked to try again: %s", problem)
        self._broken = problem

    def _settle(self, batch: list[_Arrival], error: Exception | None) -> None:
        for arrival in batch:
            if arrival.done.done():
                continue
            if error is None:
                arrival.done.set_result(None)
            else:
                arrival.done.set_exception(error)
        if error is None:
            self.changed.set()


def _give_up(done: asyncio.Future[None], seconds: float) -> None:
    if not done.done():
        done.set_exception(InboxUnavailableError(f"The store took longer than {seconds:g} s."))
