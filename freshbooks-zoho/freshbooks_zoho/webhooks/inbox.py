"""The inbox: events are on disk before they are acknowledged.

A commit that survives a power cut takes milliseconds, however little is in it. So one thread writes, and takes along
whatever has come since its last commit (group commit): an event waits for two commits at most, and thousands share one.
Under load it waits a little between two commits, so that they are fewer and leave the processor to the next requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from freshbooks_zoho.webhooks.deadlines import Deadlines
from singer_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_WAIT = 5.0
"""Seconds to wait for a commit; FreshBooks gives up on an answer after 10 (https://www.freshbooks.com/api/webhooks)."""
CAPACITY = 8192
"""Events that may wait for a commit; more are refused."""
BATCH = 2048
"""Events in one commit at most, so that none of them waits long."""
PAUSE = 0.005
"""Seconds between the beginnings of two commits, at least."""
RETRY_AFTER = 5

_log = logging.getLogger(__name__)

Reason = Literal["event", "drift"]
Row = tuple[str, str, str, Reason, datetime]


class Event(NamedTuple):
    """Something that happened to an object; a hint to look at it, without its content."""

    account: str
    stream: str
    object_id: str
    reason: Reason = "event"


_Arrival = tuple[Sequence[Event], "asyncio.Future[None]"]


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


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Inbox:
    """Takes events from the tasks of one event loop, and stores them from a thread of its own.

    Make it inside the running loop, and close it when no more requests are served.

    Attributes:
        changed: Set after each commit; whoever waits for it clears it.
        problem: Why the latest commit failed; None when it did not.
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
        self._deadlines = Deadlines(longest_wait, _give_up)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
        self._waiting = 0
        self._closing = False
        self.problem: str | None = None
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._writer.start()

    async def add(self, events: Sequence[Event]) -> None:
        """Store events; when this returns they are on disk, and stay there whatever happens to this process.

        Raises:
            InboxUnavailableError: if they could not be stored, or not in time. They may be stored later nevertheless.
        """
        if not events:
            return
        if self._closing:
            raise InboxUnavailableError("The service is stopping.")
        if self._waiting + len(events) > self._capacity:
            raise InboxUnavailableError(f"More than {self._capacity} events wait to be stored.")
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting += len(events)
        self._arrivals.put((events, done))
        self._deadlines.watch(done)
        await done

    async def close(self) -> None:
        """Store what has been taken, and end the thread."""
        self._closing = True
        self._arrivals.put(None)
        await asyncio.to_thread(self._writer.join)

    def _write(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._next_batch()
            if not batch:
                break
            began = time.monotonic()
            problem: str | None = None
            # The moment counts from which on a read covers the events: the later, the safer.
            now = self._clock()
            try:
                self._pending.queue_many([(*event, now) for events, _ in batch for event in events])
            except StoreError as trouble:
                problem = str(trouble)
            except Exception as trouble:  # noqa: BLE001 - whatever it is, nobody may be told that the events are stored
                problem = f"The events could not be stored ({type(trouble).__name__})."
            self._note(problem)
            # Where the loop is closed already, nobody waits for an answer.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._settle, batch, problem)
            if open_:
                time.sleep(max(began + PAUSE - time.monotonic(), 0.0))

    def _next_batch(self) -> tuple[list[_Arrival], bool]:
        """Wait for arrivals and take as many as have come, up to about `BATCH` events; and whether more may come."""
        batch: list[_Arrival] = []
        size = 0
        while size < BATCH:
            try:
                arrival = self._arrivals.get(block=not batch)
            except queue.Empty:
                break
            if arrival is None:
                return batch, False
            batch.append(arrival)
            size += len(arrival[0])
        return batch, True

    def _note(self, problem: str | None) -> None:
        if problem != self.problem:
            if problem is None:
                _log.info("Events are stored again.")
            else:
                _log.error("Events cannot be stored, their senders are asked to try again: %s", problem)
        self.problem = problem

    def _settle(self, batch: list[_Arrival], problem: str | None) -> None:
        for events, done in batch:
            self._waiting -= len(events)
            if done.done():
                continue
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(InboxUnavailableError(problem))
        if problem is None:
            self.changed.set()


def _give_up(done: asyncio.Future[None]) -> None:
    done.set_exception(InboxUnavailableError("The store takes too long."))
