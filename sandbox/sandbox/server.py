"""The HTTP servers: sockets, latency, faults and the record of calls; what a service answers is none of its concern."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from multidict import CIMultiDict

from sandbox.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.clock import Clock
    from sandbox.faults import Fault, Faults

CONTROL = "/_sandbox/"
MAX_BODY = 30 * 1024 * 1024


class Service(Protocol):
    """What a server needs of a service."""

    name: str

    def enter(self, request: Request) -> Response | None:
        """Note a request that begins; an answer given here (too many at once, say) is sent instead of the handler's."""

    def leave(self, request: Request) -> None:
        """Note that a request has ended."""

    def handle(self, request: Request) -> Response:
        """Answer a request; called by one thread at a time."""


@dataclass(frozen=True)
class Call:
    """One request that was received."""

    service: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    """What was answered; 0 where the connection was closed instead."""
    sent_at: datetime
    """When it was received, by the sandbox's clock."""


class Server:
    """All services of one sandbox, each on its own loopback port, in one background thread.

    `lock` is held while a handler runs; whoever looks at or changes a service from another thread takes it as well.
    """

    def __init__(self, clock: Clock, faults: Faults, *, latency: float = 0.0) -> None:
        self.clock = clock
        self.faults = faults
        self.latency = latency
        self.lock = threading.RLock()
        self._calls: list[Call] = []
        self._under_way = 0
        self._idle = threading.Condition(self.lock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._runners: list[web.AppRunner] = []
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the background thread."""
        return self._loop

    def listen(self, service: Service, port: int = 0, control: Callable[[Request], Response] | None = None) -> int:
        """Serve a service on a loopback port (0: any free one); gives the port.

        Requests below `CONTROL` go to `control`, if there is one: without latency, without faults and without being
        recorded.

        Raises:
            OSError: if the port is taken.
        """
        return asyncio.run_coroutine_threadsafe(self._listen(service, port, control), self._loop).result()

    def stop(self) -> None:
        """Close all ports and end the thread."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def calls(self, service: str | None = None, path: str | None = None, method: str | None = None) -> list[Call]:
        """Give the calls so far; `path` is a prefix."""
        with self.lock:
            return [
                call
                for call in self._calls
                if (service is None or call.service == service)
                and (path is None or call.path.startswith(path))
                and (method is None or call.method == method)
            ]

    def forget_calls(self) -> None:
        """Begin counting calls anew."""
        with self.lock:
            self._calls.clear()

    def wait_idle(self) -> None:
        """Wait for the requests under way to be answered, those of a client that is gone included."""
        with self._idle:
            self._idle.wait_for(lambda: not self._under_way)

    async def _listen(self, service: Service, port: int, control: Callable[[Request], Response] | None) -> int:
        async def answer(received: web.Request) -> web.StreamResponse:
            request = await _read(received)
            if control is not None and f"{request.path}/".startswith(CONTROL):
                with self.lock:
                    return _sent(control(request))
            return await self._answer(service, request, received)

        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, auto_decompress=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=512)
        await site.start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    async def _stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _answer(self, service: Service, request: Request, received: web.Request) -> web.StreamResponse:
        fault = self.faults.take(service.name, request.method, request.path)
        with self.lock:
            self._under_way += 1
            refusal = service.enter(request)
            received_at = self.clock.now()
        status = 0
        try:
            if fault is not None and fault.kind == "slow":
                await asyncio.sleep(fault.delay)
            if self.latency:
                await asyncio.sleep(self.latency)
            if fault is not None and fault.kind == "reset":
                return _reset(received)
            response = self._respond(service, request, fault) if refusal is None else refusal
            if fault is not None and fault.kind == "reset_after":
                return _reset(received)
            status = response.status
            if fault is not None and fault.kind == "truncate":
                return await _truncate(received, response)
            return _sent(response)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()
                service.leave(request)
                self._calls.append(Call(service.name, request.method, request.path, request.query, status, received_at))

    def _respond(self, service: Service, request: Request, fault: Fault | None) -> Response:
        if fault is not None and fault.kind == "status":
            return Response(fault.status, fault.body, dict(fault.headers))
        with self.lock:
            return service.handle(request)


async def _read(received: web.Request) -> Request:
    return Request(
        method=received.method,
        path=received.path,
        query=tuple(received.query.items()),
        headers={name.lower(): value for name, value in received.headers.items()},
        body=await received.read(),
        origin=f"{received.scheme}://{received.host}",
    )


def _headers(response: Response) -> CIMultiDict[str]:
    headers = CIMultiDict(response.headers)
    if response.body is not None:
        headers.setdefault("Content-Type", response.content_type)
    return headers


def _sent(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=_headers(response), body=response.payload())


def _reset(received: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if received.transport is not None:
        received.transport.abort()
    return web.Response(status=500)


async def _truncate(received: web.Request, response: Response) -> web.StreamResponse:
    """Promise the whole body, send half of it and close the connection."""
    payload = response.payload()
    stream = web.StreamResponse(status=response.status, headers=_headers(response))
    stream.content_length = len(payload)
    await stream.prepare(received)
    await stream.write(payload[: len(payload) // 2])
    if received.transport is not None:
        received.transport.close()
    return stream
