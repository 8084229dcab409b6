"""Work done in a thread of its own, one job after another, while the next one is prepared."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Does jobs in the order in which they come, one at a time.

    A job's error is raised by whatever is called next, so no later job is begun, and nothing counts as done that is
    not.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._last: Future[None] | None = None

    def begin(self, job: Callable[[], None]) -> None:
        """Wait for the last job, then begin another."""
        self.wait()
        self._last = self._executor.submit(job)

    def follow(self, job: Callable[[], None]) -> None:
        """Have another job done after the last one, whatever comes of that; wait for the last one."""
        last, self._last = self._last, self._executor.submit(job)
        if last is not None:
            last.result()

    def check(self) -> None:
        """Raise the error of the last job, if it has failed already."""
        if self._last is not None and self._last.done():
            self.wait()

    def wait(self) -> None:
        """Wait for the last job."""
        # It stays the last one until it has ended: a signal's handler may have to wait for it too.
        if self._last is not None:
            try:
                self._last.result()
            finally:
                self._last = None

    def close(self) -> None:
        """Wait for the last job, whatever comes of it, and end the thread."""
        self._executor.shutdown()
