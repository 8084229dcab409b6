"""Blocking work beside the event loop, in threads that never keep the process from ending.

The loop's own threads are waited for at the end, and a call to a service that does not answer takes long.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do blocking work in a thread of its own and give its result; who stops waiting does not stop the work."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, trouble = None, None
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            trouble = error
        # The loop is closed where nobody has waited.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, value, trouble)

    threading.Thread(target=run, name=getattr(work, "__name__", "work"), daemon=True).start()
    return await result
