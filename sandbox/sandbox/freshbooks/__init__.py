"""FreshBooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Request, Response

if TYPE_CHECKING:
    import threading

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries


class FreshBooks:
    """Placeholder of the service."""

    name = "freshbooks"
    url = ""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        self.clock, self.deliveries, self.lock = clock, deliveries, lock

    def enter(self, request: Request) -> Response | None:
        """Let it in."""

    def leave(self, request: Request) -> None:
        """Let it go."""

    def handle(self, request: Request) -> Response:
        """Answer."""
        return Response(404, {"path": request.path})
