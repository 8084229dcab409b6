"""Zoho CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Request, Response

if TYPE_CHECKING:
    import threading

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries


class Zoho:
    """Placeholder of the organization."""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        self.clock, self.deliveries, self.lock = clock, deliveries, lock
        self.origins: dict[str, str] = {}

    def open_data_centre(self, centre: DataCentre, origin: str) -> None:
        """Note where a data centre is served."""
        self.origins[centre.data_centre] = origin


class DataCentre:
    """Placeholder of a data centre."""

    name = "zoho"

    def __init__(self, data_centre: str, zoho: Zoho) -> None:
        self.data_centre, self.zoho = data_centre, zoho

    def enter(self, request: Request) -> Response | None:
        """Let it in."""

    def leave(self, request: Request) -> None:
        """Let it go."""

    def handle(self, request: Request) -> Response:
        """Answer."""
        return Response(404, {"path": request.path})
