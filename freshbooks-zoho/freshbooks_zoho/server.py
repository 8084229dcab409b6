"""The HTTP server: Granian, inside this process' event loop.

It was chosen for closing connections whose headers come slowly, or not at all; slow bodies are this package's concern
(`limits.read_body`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from freshbooks_zoho.webhooks.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import ASGIApp

T = TypeVar("T")
_QUIET = {"incremental": True, "formatters": {}, "handlers": {}, "loggers": {}}
"""Logging is set up by the program, not by its HTTP server."""
_STOP_SECONDS = 15.0
SWITCH_SECONDS = 0.02


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program on the loop that the server is at its best on; what is imported before is taken to stay."""
    # Looking through all modules for garbage takes 20 ms, in which no webhook is answered.
    gc.collect()
    gc.freeze()
    # The thread that commits gives the interpreter up many times a commit, and asks for it back within 5 ms each time:
    # under load, such exchanges cost both of them more than what they do in between.
    sys.setswitchinterval(SWITCH_SECONDS)
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.run(main)


class HttpServer:
    """Serves one app on one port. No access log: paths hold secrets."""

    def __init__(self, app: ASGIApp, host: str, port: int, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._server = Server(
            app,
            host,
            port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=limits.connections,
            backpressure=limits.connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(limits.header_seconds * 1000), max_buffer_size=limits.header_bytes
            ),
            log_level=LogLevels.error,
            log_dictconfig=_QUIET,
            log_access=False,
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the port; connections are taken when this returns.

        Raises:
            OSError: if the port cannot be opened.
        """
        listening = asyncio.Event()
        self._server.on_startup(listening.set)
        self._serving = asyncio.create_task(self._server.serve())
        waiting = asyncio.create_task(listening.wait())
        await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._serving.done():
            self._serving.result()

    async def stop(self) -> None:
        """Close the port, let the requests under way end, and close the connections."""
        if self._serving is None:
            return
        self._server.stop()  # type: ignore[no-untyped-call]
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._serving, _STOP_SECONDS)
