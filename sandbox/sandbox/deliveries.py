"""Webhooks on their way out: FreshBooks' callbacks and Zoho's notifications."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server import Server


@dataclass(frozen=True)
class Delivery:
    """One message to a receiver."""

    service: str
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Manner:
    """How a service delivers: the ways in which real deliveries go wrong, each off by default."""

    delay: float = 0.0
    copies: int = 1
    """0 loses every message, 2 sends each twice."""
    reverse: bool = False
    """Hold messages back until `release`, then send the last one first."""
    retries: int = 0
    retry_wait: float = 0.05
    timeout: float = 10.0


class Deliveries:
    """Sends messages in the background, in the manner set for each service."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._manners: dict[str, Manner] = {}
        self._held: list[tuple[Delivery, Callable[[bool], None] | None]] = []
        self._idle = threading.Condition()
        self._under_way = 0
        self.outcomes: list[tuple[Delivery, int]] = []
        """Each message with the status it got; 0 where there was no answer."""

    def manner(self, service: str) -> Manner:
        """Give the manner of a service, to be changed in place."""
        return self._manners.setdefault(service, Manner())

    def send(self, delivery: Delivery, outcome: Callable[[bool], None] | None = None) -> None:
        """Send a message; `outcome` is told, under the server's lock, whether it was taken (2xx) in the end."""
        manner = self.manner(delivery.service)
        if manner.reverse:
            self._held.append((delivery, outcome))
            return
        for _ in range(manner.copies):
            self._start(delivery, outcome)

    def release(self) -> None:
        """Send what `Manner.reverse` held back, last first."""
        held, self._held = self._held[::-1], []
        for delivery, outcome in held:
            self._start(delivery, outcome)

    def wait(self, timeout: float = 30.0) -> None:
        """Wait until nothing is under way.

        Raises:
            TimeoutError: if something still is after `timeout` seconds.
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._under_way == 0, timeout):
                raise TimeoutError(f"{self._under_way} deliveries are still under way")

    def _start(self, delivery: Delivery, outcome: Callable[[bool], None] | None) -> None:
        with self._idle:
            self._under_way += 1
        asyncio.run_coroutine_threadsafe(self._deliver(delivery, outcome), self._server.loop)

    async def _deliver(self, delivery: Delivery, outcome: Callable[[bool], None] | None) -> None:
        manner = self.manner(delivery.service)
        taken = False
        try:
            await asyncio.sleep(manner.delay)
            for attempt in range(manner.retries + 1):
                if attempt:
                    await asyncio.sleep(manner.retry_wait)
                status = await self._post(delivery, manner.timeout)
                with self._server.lock:
                    self.outcomes.append((delivery, status))
                taken = 200 <= status < 300  # noqa: PLR2004
                if taken:
                    break
            if outcome is not None:
                with self._server.lock:
                    outcome(taken)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    @staticmethod
    async def _post(delivery: Delivery, timeout: float) -> int:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
                session.post(
                    delivery.url, data=delivery.body, headers=delivery.headers, allow_redirects=False, ssl=False
                ) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return 0
