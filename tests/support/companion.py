"""The receiving half of the companion, served on loopback in a thread of its own, and what it takes to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import random
import socket
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from anyio import to_thread

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.freshbooks.callbacks import Callbacks
from freshbooks_zoho.freshbooks.events_api import EventsApi
from freshbooks_zoho.server import HttpServer
from freshbooks_zoho.webhooks.app import admin_app, public_app
from freshbooks_zoho.webhooks.consent import ConsentPage
from freshbooks_zoho.webhooks.inbox import Inbox
from freshbooks_zoho.webhooks.limits import Limits
from sandbox.freshbooks.signature import HEADER, signature
from singer_store import Authorizer
from tap_freshbooks.auth import open_broker
from tap_freshbooks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from freshbooks_zoho.webhooks.app import NotificationHandler
    from sandbox import Sandbox
    from singer_store import Store

QUICK = Limits(body_seconds=1.0, header_seconds=1.0)


def free_port() -> int:
    """Give a port that is free, and stays so: none of those that the system gives to outgoing connections."""
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(12_000, 32_000)))
            return int(one.getsockname()[1])


def wait_until(condition: Callable[[], bool], patience: float = 20) -> bool:
    """Wait for something that announces itself to nobody; gives whether it came to be."""
    pause, deadline = threading.Event(), time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.01)
    return True


def settings_of(box: Sandbox) -> Settings:
    """Give the tap's settings for the sandbox, with a fresh consent."""
    app = box.freshbooks.app
    return Settings(
        client_id=app.client_id,
        client_secret=app.client_secret,
        redirect_uri=app.redirect_uri,
        refresh_token=box.freshbooks.grant(),
        account_id=box.freshbooks.account_id,
        api_url=box.freshbooks.url,
    )


def form_of(account: str, name: str = "invoice.update", object_id: object = 17, **more: object) -> dict[str, str]:
    """Give the fields of a delivery."""
    fields = {"name": name, "object_id": object_id, "account_id": account, "business_id": 6543, "user_id": 1, **more}
    return {key: str(value) for key, value in fields.items()}


def post(url: str, form: Mapping[str, str], verifier: str | None, **options: Any) -> requests.Response:
    """Send a delivery as FreshBooks does, signed if a verifier is given."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if verifier is not None:
        headers[HEADER] = signature(verifier, form)
    return requests.post(url, data=urlencode(form).encode(), headers=headers, timeout=15, **options)


def replayed(url: str, body: str | bytes, headers: Mapping[str, str], times: int) -> set[int]:
    """Send the same so many times on one connection; gives the statuses of the answers."""
    place, statuses = urlsplit(url), set()
    with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=30)) as connection:
        for _ in range(times):
            connection.request("POST", place.path, body, dict(headers))
            answer = connection.getresponse()
            answer.read()
            statuses.add(answer.status)
    return statuses


class Notifications:
    """Stands for Zoho's side: keeps what it is handed, and answers what it is told to."""

    path = "zoho-path"

    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.answer: int | Exception = 200

    async def is_path(self, path: str) -> bool:
        return path == self.path

    async def handle(self, body: Mapping[str, Any]) -> int:
        self.bodies.append(body)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Readiness:
    """Has the problems it is given."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def problems(self) -> list[str]:
        return self.sentences


class Companion:
    """The receiver over a sandbox and a store. Several of them may share both."""

    def __init__(
        self,
        box: Sandbox,
        store: Store,
        *,
        port: int | None = None,
        public_url: str | None = None,
        limits: Limits = QUICK,
        pending: Any = None,
        settings: Settings | None = None,
        handler: Callable[[Inbox], NotificationHandler] | None = None,
        **inbox: Any,
    ) -> None:
        self.box, self.store = box, store
        self.account = box.freshbooks.account_id
        self.port, self.admin_port = port or free_port(), free_port()
        self.url, self.admin_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.admin_port}"
        settings = settings or settings_of(box)
        self._client_id = settings.client_id
        self.api = EventsApi(
            box.freshbooks.url, self.account, Authorizer(open_broker(store, settings)), user_agent="test"
        )
        self.callbacks = Callbacks(self.api, store, public_url or self.url, self.account, clock=box.clock.now)
        self.notifications, self.readiness, self.metrics = Notifications(), Readiness(), Metrics()
        self._limits, self._pending, self._inbox_options = limits, pending or store.pending, inbox
        self._handler = handler or (lambda _: self.notifications)
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="companion")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self.api.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to whoever started it
            self._failed = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.inbox = Inbox(self._pending, **self._inbox_options)
        public = public_app(
            self.inbox,
            self.callbacks,
            self._handler(self.inbox),
            self.readiness,
            metrics=self.metrics,
            limits=self._limits,
            pages=[ConsentPage(self.store, self._client_id).route()],
        )
        admin = admin_app(self.metrics.registry, self.readiness)
        servers = [
            HttpServer(public, "127.0.0.1", self.port, self._limits),
            HttpServer(admin, "127.0.0.1", self.admin_port),
        ]
        for server in servers:
            await server.start()
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            await server.stop()
        await self.inbox.close()
        # What was begun in threads still needs the store.
        limiter = to_thread.current_default_thread_limiter()
        while limiter.borrowed_tokens:  # noqa: ASYNC110 - threads set no event
            await asyncio.sleep(0.01)

    def ensure(self, patience: float = 60, **expected: str) -> dict[str, str]:
        """Put the callbacks right and wait for the handshakes; gives how each noun's is then.

        They are expected to be verified, but for those that are named otherwise. The patience is what a busy disk may
        take for the few commits that this is.
        """
        self.callbacks.ensure()
        expected = dict.fromkeys(("client", "invoice", "payment"), "verified") | expected
        wait_until(lambda: self.statuses() == expected, patience)
        return self.statuses()

    def statuses(self) -> dict[str, str]:
        """Give how each noun's callback is."""
        return {state.noun: state.status for state in self.callbacks.states()}

    def hook(self, noun: str = "invoice") -> str:
        """Give the URL of a noun's callback."""
        return f"{self.url}/freshbooks/{self.callbacks.path_secrets[noun]}"

    def key(self, noun: str = "invoice") -> str:
        """Give the current verifier of a noun's callback."""
        return self.callbacks.verifiers(self.callbacks.path_secrets[noun])[0]

    def deliver(self, name: str = "invoice.update", object_id: object = 17, **options: Any) -> requests.Response:
        """Send what FreshBooks would send."""
        noun = name.partition(".")[0]
        return post(self.hook(noun), form_of(self.account, name, object_id), self.key(noun), **options)

    def stored(self) -> set[tuple[str, str]]:
        """Give stream and object id of everything that waits to be synced."""
        return {(row.stream, row.object_id) for row in self.store.pending.all(self.account)}
