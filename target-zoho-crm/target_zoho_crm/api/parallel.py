"""Calls of one function for many items, several at a time."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


def start(function: Callable[[Item], Result], items: Iterable[Item], at_a_time: int) -> Callable[[], list[Result]]:
    """Begin to call a function for each item; gives what waits for the results, to be called once.

    The results are in the items' order. Each call is begun as soon as its item is there: a generator goes on while the
    first calls are under way. After the first error nothing more is begun; it is raised when what had begun has ended.
    """
    failed = threading.Event()
    futures: list[Future[Result]] = []

    def run(item: Item) -> Result:
        if failed.is_set():
            raise CancelledError
        try:
            return function(item)
        except BaseException:
            failed.set()
            raise

    def results() -> list[Result]:
        try:
            with pool:
                wait(futures)
        except BaseException:
            failed.set()
            raise
        for future in futures:
            error = future.exception()
            if error is not None and not isinstance(error, CancelledError):
                raise error
        return [future.result() for future in futures]

    pool = ThreadPoolExecutor(at_a_time, thread_name_prefix="zoho")
    try:
        futures.extend(pool.submit(run, item) for item in takewhile(lambda _: not failed.is_set(), items))
    except BaseException:
        failed.set()
        pool.shutdown()
        raise
    return results
