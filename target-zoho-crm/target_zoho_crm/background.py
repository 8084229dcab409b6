"""Work done in a thread of its own, one job after another, while the next one is prepared."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Does jobs in the order in which they come, one at a time.

    A job's error is raised by whatever is called next, and no later job is begun, so nothing counts as done that is
    not.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._jobs: deque[Future[None]] = deque()
        self._failed = False

    def begin(self, job: Callable[[], None], *, ahead: int = 0) -> None:
        """Begin a job after those before it; of these, no more than `ahead` may still be under way."""
        while len(self._jobs) > ahead:
            self._end_first()
        self._jobs.append(self._executor.submit(self._do, job))

    def follow(self, job: Callable[[], None]) -> None:
        """Have another job done after the others, whatever comes of them; wait for the others."""
        others, self._jobs = self._jobs, deque([self._executor.submit(job)])
        for other in others:
            other.result()

    def check(self) -> None:
        """Raise the error of a job that has failed already."""
        while self._jobs and self._jobs[0].done():
            self._end_first()

    def wait(self) -> None:
        """Wait for all jobs."""
        while self._jobs:
            self._end_first()

    def close(self) -> None:
        """Wait for all jobs, whatever comes of them, and end the thread."""
        self._executor.shutdown()

    def _do(self, job: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            job()
        except BaseException:
            self._failed = True
            raise

    def _end_first(self) -> None:
        """Wait for the first job; raises its error."""
        first = self._jobs[0]
        try:
            first.result()
        finally:
            # It stays there until it has ended, since a signal's handler may have to wait for it too.
            if self._jobs and self._jobs[0] is first:
                self._jobs.popleft()
