"""How much a stranger may send, and how slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

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


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Read a request's body, by its announced length and by what really comes.

    Raises:
        RefusedBodyError: 413 if it is too long, 408 if it takes too long, 400 if its sender is gone before its end.
    """
    too_long = RefusedBodyError(413, f"The body is longer than {limits.body_bytes} bytes.")
    for name, value in scope["headers"]:
        # Not a number: the HTTP server has refused that before.
        if name == b"content-length" and value.isdigit() and int(value) > limits.body_bytes:
            raise too_long
    body = bytearray()
    with anyio.move_on_after(limits.body_seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedBodyError(400, "The sender has gone.")
            body += message.get("body", b"")
            if len(body) > limits.body_bytes:
                raise too_long
            if not message.get("more_body", False):
                return bytes(body)
    raise RefusedBodyError(408, f"The body took longer than {limits.body_seconds:g} s.")
