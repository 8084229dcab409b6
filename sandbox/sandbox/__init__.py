"""FreshBooks and Zoho CRM emulated over HTTP.

`Sandbox` runs both services on loopback ports in a background thread:

    with Sandbox() as box:
        requests.get(box.freshbooks.url + "/auth/api/v1/users/me", ...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.freshbooks import FreshBooks
from sandbox.server import Call, Server
from sandbox.zoho import DataCentre, Zoho

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Call", "Sandbox"]


class Sandbox:
    """Both services, with their clock, their faults and the record of calls.

    Args:
        latency: seconds that every call takes besides its own work.
        ports: of FreshBooks, Zoho's US data centre and its EU data centre; 0 is any free one.
    """

    def __init__(self, *, latency: float = 0.0, ports: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.server = Server(self.clock, self.faults, latency=latency)
        self.deliveries = Deliveries(self.server)
        self.freshbooks = FreshBooks(self.clock, self.deliveries, self.server.lock)
        self.zoho = Zoho(self.clock, self.deliveries, self.server.lock)
        self._listen_at(ports)

    def _listen_at(self, ports: tuple[int, int, int]) -> None:
        try:
            port = self.server.listen(self.freshbooks, ports[0], Control(self).handle)
            self.freshbooks.url = f"http://127.0.0.1:{port}"
            for name, port in zip(("us", "eu"), ports[1:], strict=True):
                centre = DataCentre(name, self.zoho)
                origin = f"http://127.0.0.1:{self.server.listen(centre, port)}"
                self.zoho.open_data_centre(centre, origin)
        except BaseException:
            self.server.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all ports."""
        self.server.stop()

    def calls(self, service: str | None = None, path: str | None = None, method: str | None = None) -> list[Call]:
        """Give the calls received so far, oldest first; `path` is a prefix, services are freshbooks and zoho."""
        return self.server.calls(service, path, method)

    @property
    def latency(self) -> float:
        """Seconds that every call takes besides its own work."""
        return self.server.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.server.latency = seconds
