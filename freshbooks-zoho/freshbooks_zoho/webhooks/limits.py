"""How much a stranger may send, and how slowly."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freshbooks_zoho.webhooks.deadlines import Deadlines

if TYPE_CHECKING:
    from starlette.types import Receive, Scope


@dataclass(frozen=True)
class Limits:
    """What a request may take."""

    body_bytes: int = 64 * 1024
    """FreshBooks' deliveries are below 1 KB, Zoho's notifications below 20."""
    body_seconds: float = 10.0
    header_seconds: float = 10.0
    """Also how long a connection may be idle."""
    header_bytes: int = 16 * 1024
    connections: int = 1024


class RefusedBodyError(Exception):
    """A body that is not read on; the connection is closed with the answer.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Reading:
    """A task while it reads a body."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task
        self.ended = self.late = False

    def done(self) -> bool:
        return self.ended

    def give_up(self) -> None:
        self.late = True
        self._task.cancel()


class BodyReader:
    """Reads the bodies of requests, by their announced length and by what really comes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deadlines = Deadlines(limits.body_seconds, _Reading.give_up)

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Read a body.

        Raises:
            RefusedBodyError: 413 if it is too long, 408 if it takes too long, 400 if its sender is gone before its end.
        """
        for name, value in scope["headers"]:
            # Not a number: the HTTP server has refused that before.
            if name == b"content-length" and value.isdigit() and int(value) > self._limits.body_bytes:
                raise self._too_long()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A body is read by a task.")
        reading = _Reading(task)
        self._deadlines.watch(reading)
        try:
            return await self._read(receive)
        except asyncio.CancelledError:
            if not reading.late:
                raise
            if sys.version_info >= (3, 11):
                task.uncancel()
            raise RefusedBodyError(408, f"The body took longer than {self._limits.body_seconds:g} s.") from None
        finally:
            reading.ended = True

    async def _read(self, receive: Receive) -> bytes:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedBodyError(400, "The sender has gone.")
            body += bytes(message.get("body", b""))
            if len(body) > self._limits.body_bytes:
                raise self._too_long()
            if not message.get("more_body", False):
                return body

    def _too_long(self) -> RefusedBodyError:
        return RefusedBodyError(413, f"The body is longer than {self._limits.body_bytes} bytes.")
