"""Makes the runs of an account, one at a time across all processes that share the store.

The process that leads looks at the store, decides what runs next (see `runner`), runs it, and looks at what the run has
left. Between runs it has the records looked at that Zoho sent notifications about, and beside them Zoho's channels.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

from freshbooks_zoho.runs.coalescing import LONGEST, Coalescer
from freshbooks_zoho.runs.history import History
from freshbooks_zoho.runs.leadership import RENEW_SECONDS, Leadership
from freshbooks_zoho.runs.meltano_run import Kind, Outcome, RunProcess
from freshbooks_zoho.runs.schedule import (
    MOST,
    Schedule,
    after_failure,
    by_stream,
    is_prompt,
    left_over,
    next_batch,
    next_size,
)
from freshbooks_zoho.runs.system_folder import separate_folder
from freshbooks_zoho.threads import in_thread
from singer_store import SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from freshbooks_zoho.admin.metrics import Metrics
    from freshbooks_zoho.settings import Settings
    from singer_store import PendingObject, Store

LOOK_SECONDS = 1.0
"""How often the store is looked at for what other processes have put there."""
MEASURE = timedelta(seconds=15)
GRACE_SECONDS = 6.0
"""How long a run may go on after the order to stop."""
BUSY = timedelta(seconds=6)
"""Between two looks at another run: a live one has been heard of meanwhile (Meltano notes it each second)."""
CHANNELS_AGAIN_SECONDS = 60.0
_LOOKED_AT = 2000

logger = logging.getLogger(__name__)


class ZohoWork(Protocol):
    """What the leader does for Zoho between runs, and beside them; called from threads."""

    def check(self) -> int:
        """Look at the records that Zoho sent notifications about, and queue what is to be restored."""

    def tend(self) -> float:
        """Look after the channels; gives the seconds until that is to be done again."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Conductor:
    """Makes the runs.

    Args:
        settings: of the companion.
        store: shared with the plugins, and with other processes.
        account: the FreshBooks account id.
        metrics: count the runs.
        zoho: None where there are no channels.
        changed: set when events have been stored by this process.
        clock: gives the time, aware.

    Attributes:
        history: of the runs.
        leadership: whether it is this process that makes them.
    """

    def __init__(  # noqa: PLR0913 - it puts them together
        self,
        settings: Settings,
        store: Store,
        account: str,
        *,
        metrics: Metrics,
        zoho: ZohoWork | None = None,
        changed: asyncio.Event | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.history = History(store, account, metrics, settings.target.invoices_module)
        self.leadership = Leadership(store, account, self._allow)
        self._settings, self._store, self._account, self._zoho = settings, store, account, zoho
        self._changed = changed or asyncio.Event()
        self._clock = clock
        quiet = timedelta(seconds=settings.debounce)
        self._coalescer = Coalescer(quiet, max(LONGEST, quiet))
        self._schedule = Schedule(timedelta(seconds=settings.poll_interval), clock())
        self._size = MOST
        self._busy_until: datetime | None = None
        self._forces = False
        self._run: RunProcess | None = None
        self._measured_at: datetime | None = None

    async def conduct(self, stop: asyncio.Event) -> None:
        """Lead whenever nobody else does, until told to stop; then let the run under way end, or end it."""
        while not stop.is_set():
            if await self.leadership.acquire():
                await self._lead_while_held(stop)
            else:
                await _first(stop.wait(), timeout=RENEW_SECONDS)

    async def _lead_while_held(self, stop: asyncio.Event) -> None:
        stopping = asyncio.Event()
        keeping = asyncio.create_task(self.leadership.keep())
        leading = asyncio.create_task(self._lead(stopping))
        tending = asyncio.create_task(self._tend())
        ordered = asyncio.create_task(stop.wait())
        tasks = (leading, tending, ordered, keeping)
        try:
            await asyncio.wait({keeping, leading, ordered}, return_when=asyncio.FIRST_COMPLETED)
            if ordered.done():
                stopping.set()
                await asyncio.wait({keeping, leading}, timeout=GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end_run(at_once=keeping.done())
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await self.leadership.release()
        for result in results:
            if isinstance(result, Exception):
                logger.error("Making the runs is begun anew after an error.", exc_info=result)
                await _first(stop.wait(), timeout=RENEW_SECONDS)

    async def _end_run(self, *, at_once: bool) -> None:
        if self._run is not None:
            logger.warning("The run under way is ended; what it has not brought, the next one brings.")
            if at_once:
                self._run.kill()
            await self._run.end()

    def _allow(self) -> None:
        if self._run is not None:
            self._run.allow(self.leadership.seconds_left)

    async def _tend(self) -> None:
        while self._zoho is not None:
            try:
                seconds = await in_thread(self._zoho.tend)
            except Exception:
                logger.exception("Zoho's channels could not be looked after.")
                seconds = CHANNELS_AGAIN_SECONDS
            await asyncio.sleep(seconds)

    async def _lead(self, stopping: asyncio.Event) -> None:
        last_sweep = await asyncio.to_thread(self.history.last_sweep)
        self._schedule = Schedule(self._schedule.interval, self._clock(), last_sweep)
        while not stopping.is_set():
            self._changed.clear()
            due = await in_thread(self._look)
            now = self._clock()
            at = self._coalescer.see([one.queued_at for one in due], now)
            if any(one.reason == "drift" for one in due):
                # Its notification has been waited for already.
                at = now
            if self._schedule.is_due(now):
                await self._run_ordinary()
            elif self._busy_until is not None:
                await _first(stopping.wait(), timeout=LOOK_SECONDS)
            elif at is not None and at <= now:
                await self._run_objects(next_batch(due, self._size))
            elif at is None:
                await _first(stopping.wait(), self._changed.wait(), timeout=LOOK_SECONDS)
            else:
                # While events are being coalesced, each new one would only wake the leader for nothing.
                await _first(stopping.wait(), timeout=min(LOOK_SECONDS, max((at - now).total_seconds(), 0.05)))

    def _look(self) -> list[PendingObject]:
        """Give the objects that are due for a run of their own."""
        try:
            if self._zoho is not None:
                self._zoho.check()
        except Exception:
            logger.exception("Zoho's notifications could not be looked at; they are looked at again.")
        now = self._clock()
        if self._measured_at is None or now - self._measured_at >= MEASURE:
            self._measured_at = now
            self.history.measure(self._store.pending.tally(self._account), now)
        return [one for one in self._store.pending.due(self._account, now, limit=_LOOKED_AT) if is_prompt(one)]

    async def _run_ordinary(self) -> None:
        started = self._clock()
        kind: Kind = "sweep" if self._schedule.sweeps(started) else "changes"
        outcome = await self._execute(kind, {})
        ended = self._clock()
        if outcome.status == "busy":
            self._note_busy(outcome, ended)
            return
        self._busy_until, self._forces = None, False
        ok = outcome.status == "ok"
        self._schedule.ran(started, ended, ok=ok, sweep=kind == "sweep")
        if ok and (kind == "sweep" or self._schedule.last_sweep is None):
            # The first backlog counts as a sweep: it has read everything, or followed runs that have.
            self._schedule.last_sweep = started
            await asyncio.to_thread(self.history.note_sweep, started, ended)
        await asyncio.to_thread(self.history.note, kind, started, ended, outcome, 0)

    def _note_busy(self, outcome: Outcome, now: datetime) -> None:
        """Tell a run that is alive from one that was killed, of which Meltano hears no more.

        A live run puts the time that Meltano names off with every second. When it stays the same, nobody is there.
        """
        until = outcome.busy_until
        self._forces = until is None or until == self._busy_until
        self._busy_until = until or now
        self._schedule.due_at = now if self._forces else now + BUSY
        if not self._forces:
            logger.info("Another run of the same plugins is under way, or was killed; waiting to see which.")

    async def _run_objects(self, batch: list[PendingObject]) -> None:
        started = self._clock()
        outcome = await self._execute("objects", by_stream(batch))
        ended = self._clock()
        self._coalescer.ran()
        ok = outcome.status == "ok"
        if not ok or any(one.attempts for one in batch):
            self._size = next_size(min(self._size, len(batch)) if not ok else self._size, ok=ok)
        await asyncio.to_thread(self.history.note, "objects", started, ended, outcome, len(batch))
        await asyncio.to_thread(self._follow_up, batch, outcome, ended)

    def _follow_up(self, batch: list[PendingObject], outcome: Outcome, now: datetime) -> None:
        """Put off the objects that the run has neither brought nor said anything about."""
        after: dict[tuple[str, str], PendingObject] = {}
        for stream, ids in by_stream(batch).items():
            found = self._store.pending.waiting(self._account, stream, ids)
            after.update({(stream, object_id): one for object_id, one in found.items()})
        if outcome.status == "ok":
            error = _error("NOT_BROUGHT", "The run went well, but did not bring this object.")
        else:
            error = _error("RUN_FAILED", f"The run failed: {outcome.reason}"[:500])
        groups: dict[datetime, list[PendingObject]] = {}
        for one in left_over(batch, after):
            groups.setdefault(after_failure(one, now, self.history.last_success), []).append(one)
        for until, some in groups.items():
            self._store.pending.defer(some, until=until, error=error)
            if until == SET_ASIDE:
                names = ", ".join(f"{one.stream} {one.object_id}" for one in some[:20])
                logger.error("Set aside after the last try, until asked for again: %s (%s in all).", names, len(some))

    async def _execute(self, kind: Kind, ids: Mapping[str, list[str]]) -> Outcome:
        seconds, started = self.leadership.seconds_left, self._clock()
        project = self._settings.project
        # Only ordinary runs take Meltano's lock, which keeps them and those that people start from meeting.
        extra = separate_folder(project, os.environ) if kind == "objects" else {}
        self._run = await RunProcess.start(project, kind, ids, seconds=seconds, force=self._forces, extra=extra)
        # The lease may have been renewed while it started.
        self._allow()
        try:
            outcome = await self._run.wait()
        finally:
            self._run = None
        if outcome.failed == ("loader",) and await asyncio.to_thread(self.history.was_refused, started):
            # It has done its work, and what Zoho refused is kept with the reason and tried again at its own times.
            return replace(outcome, status="ok")
        return outcome


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "field": None, "expected": None, "message": message}


async def _first(*waits: Awaitable[Any], timeout: float) -> None:
    """Wait for the first of these, or for so many seconds."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
