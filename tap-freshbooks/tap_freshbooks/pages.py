"""Reading the pages of a list, several at a time, in order, and noticing when rows moved between them.

FreshBooks numbers pages and computes each anew at every request; there is no cursor and no snapshot
(https://www.freshbooks.com/api/parameters). A row that leaves the list meanwhile moves all later ones up, and whoever
reads on misses one of them; a row that enters it moves them down, which does the same to pages that were computed out
of order.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_freshbooks.client import Page

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(call: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Call a function for each item, in several threads; results come in order, no more than `workers` ahead.

    Ending the iteration early cancels what has not begun.
    """
    remaining = iter(items)
    executor = ThreadPoolExecutor(workers, thread_name_prefix="freshbooks")
    try:
        under_way: deque[Future[Result]] = deque(executor.submit(call, item) for item in islice(remaining, workers))
        while under_way:
            result = under_way.popleft().result()
            under_way.extend(executor.submit(call, item) for item in islice(remaining, 1))
            yield result
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def read_pages(fetch: Callable[[int], Page], workers: int) -> Iterator[Page]:
    """Read a list to its end, in order; if it grows meanwhile, to its new end."""
    page = fetch(1)
    yield page
    last = page.pages
    following = 2
    while following <= last:
        numbers = range(following, last + 1)
        following = last + 1
        for page in in_parallel(fetch, numbers, min(workers, len(numbers))):
            last = max(last, page.pages)
            yield page


class Movement:
    """Watches the pages of one read for signs that rows moved from one page to another.

    Such a sign is a total that changes. Rows that are counted and not shown, which is how FreshBooks treats a role that
    may not read them, leave gaps as well; what tells the two apart is that these are the same at the next read.
    """

    def __init__(self) -> None:
        self._total: int | None = None
        self._gaps: dict[int, int] = {}
        self.pages = 0
        self.shown = 0
        """Rows on all pages."""
        self.moved = False
        """Whether the total changed."""

    @property
    def unseen(self) -> int:
        """How many rows were counted and not shown."""
        return sum(self._gaps.values())

    @property
    def shows_nothing(self) -> bool:
        """Whether there are rows, and not one of them is shown."""
        return self.unseen > 0 and self.shown == 0

    def watch(self, page: Page) -> None:
        """Look at the next page."""
        if self._total is None:
            self._total = page.total
        self.moved = self.moved or page.total != self._total
        expected = min(page.per_page, page.total - (page.number - 1) * page.per_page)
        rows = len(page.rows) + page.passed_over
        if rows < expected:
            self._gaps[page.number] = expected - rows
        self.shown += rows
        self.pages += 1

    def settles(self, former: Movement | None) -> bool:
        """Return whether this read shows all that there is to be shown.

        Args:
            former: the read of the same list before this one.
        """
        if self.moved:
            return False
        if self.pages <= 1 or not self._gaps:
            return True
        return former is not None and (former._total, former._gaps) == (self._total, self._gaps)  # noqa: SLF001
