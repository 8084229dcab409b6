"""The receiver as a process of its own, to be killed and measured; a crowd of senders that notes what it is promised.

As a script it serves until it is told to stop: ``companion_process.py <store URL> <key> <port>``. Its callbacks have to
be in the store already.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.freshbooks.callbacks import Callbacks
from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.freshbooks.subscriptions import Subscription
from freshbooks_zoho.server import HttpServer, run
from freshbooks_zoho.webhooks.app import public_app
from freshbooks_zoho.webhooks.inbox import Inbox
from freshbooks_zoho.webhooks.signatures import HEADER, sign
from singer_store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freshbooks_zoho.webhooks.limits import Limits
    from singer_store import Store

ACCOUNT = "Abc123"
VERIFIERS = {noun: f"{noun}-scADVVi5QuKuj5qTjVkbJNYQe7V7" for noun in ("client", "invoice", "payment")}


class Nothing:
    """Stands for what a receiver of FreshBooks' events does without."""

    async def is_path(self, _path: str) -> bool:
        return False

    async def handle(self, _body: object) -> int:
        return 404

    def problems(self) -> list[str]:
        return []


def subscribe(store: Store, account: str = ACCOUNT) -> str:
    """Put an account's verified subscriptions into a store, without handshakes; gives the path for invoices."""
    kept, now = SubscriptionStore(store, account), datetime.now(timezone.utc)
    for number, (noun, verifier) in enumerate(VERIFIERS.items(), start=2001):
        kept.save(Subscription.new(noun).adopting(number, now).proven(verifier, now))
    return kept.load()["invoice"].path


async def serve(store_url: str, store_key: str, port: int, limits: Limits | None = None) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with open_store(store_url, store_key) as store:
        callbacks = Callbacks(cast("Any", None), store, f"http://127.0.0.1:{port}", ACCOUNT)
        callbacks.reload()
        inbox, nothing = Inbox(store.pending), Nothing()
        server = HttpServer(
            public_app(inbox, callbacks, nothing, nothing, metrics=Metrics(), limits=limits), "127.0.0.1", port, limits
        )
        await server.start()
        print("ready", flush=True)  # noqa: T201
        await stop.wait()
        await server.stop()
        await inbox.close()


def start(store_url: str, store_key: str, port: int) -> subprocess.Popen[bytes]:
    """Start the process and wait until it serves."""
    command = [sys.executable, __file__, store_url, store_key, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(Path(__file__).parents[1])})
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == b"ready\n", line
    return process


def requests_for(
    path: str, numbers: range, account: str = ACCOUNT, verifier: str = VERIFIERS["invoice"]
) -> Iterator[tuple[int, bytes]]:
    """Give signed requests about invoices, ready to be sent."""
    for number in numbers:
        form = {
            "name": "invoice.update",
            "object_id": str(number),
            "account_id": account,
            "business_id": "6543",
            "identity_id": "1234",
            "user_id": "1",
        }
        body = urlencode(form).encode()
        head = (
            f"POST /freshbooks/{path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n{HEADER}: {sign(form, verifier)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield number, head.encode() + body


@dataclass
class Promises:
    """What a crowd of senders was answered."""

    acknowledged: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From each request to its answer."""
    refused: int = 0
    broken: int = 0
    """Senders whose connection broke."""


class _Sender(asyncio.Protocol):
    """Sends one request after the other on one connection."""

    def __init__(self, todo: Iterator[tuple[int, bytes]], promises: Promises, on_answer: Callable[[], None]) -> None:
        self._todo, self._promises, self._on_answer = todo, promises, on_answer
        self._received = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        try:
            self._number, request = next(self._todo)
        except StopIteration:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = b""
        if head.startswith(b"HTTP/1.1 200 "):
            self._promises.acknowledged.append(self._number)
            self._promises.seconds.append(time.perf_counter() - self._sent_at)
        else:
            self._promises.refused += 1
        self._on_answer()
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._promises.broken += exc is not None
        if not self.done.done():
            self.done.set_result(None)


async def crowd(
    port: int, todo: Iterator[tuple[int, bytes]], senders: int, on_answer: Callable[[], None] = lambda: None
) -> Promises:
    """Let many senders work through a list of requests, each waiting for its answers."""
    promises, loop = Promises(), asyncio.get_running_loop()
    lost = []
    for _ in range(senders):
        try:
            _, sender = await loop.create_connection(lambda: _Sender(todo, promises, on_answer), "127.0.0.1", port)
        except OSError:
            break
        lost.append(sender.done)
    await asyncio.gather(*lost)
    return promises


if __name__ == "__main__":
    run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
