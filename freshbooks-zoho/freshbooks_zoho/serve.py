"""`freshbooks-zoho serve`: everything together in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from freshbooks_zoho.admin.access import Guarded, check_exposure
from freshbooks_zoho.admin.connections import counting_failures, measure_connections
from freshbooks_zoho.admin.health import health_routes
from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.admin.page import StatusPage
from freshbooks_zoho.admin.readiness import Readiness
from freshbooks_zoho.freshbooks.account import find_account
from freshbooks_zoho.freshbooks.callbacks import Callbacks
from freshbooks_zoho.freshbooks.events_api import EventsApi
from freshbooks_zoho.runs.conductor import Conductor
from freshbooks_zoho.server import HttpServer
from freshbooks_zoho.settings import PLUGIN, SettingError
from freshbooks_zoho.threads import in_thread
from freshbooks_zoho.webhooks.app import admin_app, public_app
from freshbooks_zoho.webhooks.consent import ConsentPage
from freshbooks_zoho.webhooks.inbox import Inbox
from freshbooks_zoho.webhooks.notifications import Notifications
from freshbooks_zoho.webhooks.routing import app_of
from freshbooks_zoho.zoho.side import ZohoSide, open_client
from singer_store import Authorizer, StoreError, open_store
from tap_freshbooks.auth import open_broker
from tap_freshbooks.client import FreshBooksClient
from tap_freshbooks.errors import FreshBooksError
from target_zoho_crm.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from freshbooks_zoho.settings import Settings
    from singer_store import Store
    from target_zoho_crm.api.client import ZohoClient

ENSURE_SECONDS, ENSURE_SOON_SECONDS = 3600.0, 60.0
"""Between two looks at FreshBooks' callbacks, and while one of them is not verified."""

logger = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP (the terminal was closed; who starts it with nohup ignores that).

    Raises:
        SettingError: if the settings do not fit what the services say.
        StoreError: if the store cannot be used, or a service has to be connected first.
        FreshBooksError: if FreshBooks cannot be reached on the very first start.
        OSError: if a port cannot be opened.
    """
    check_exposure(settings)
    stop = asyncio.Event()
    stop_at_signals(stop)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(settings.store_url, settings.store_key))
        metrics = Metrics()
        measure_connections(metrics, settings, store)
        # What is not to be had now is asked for again later; a thread that waits would hold up the others, and the end.
        authorizer = Authorizer(counting_failures(open_broker(store, settings.tap), metrics), patience=0)
        freshbooks = FreshBooksClient(settings.tap.api_url, authorizer, user_agent=settings.tap.user_agent)
        stack.callback(freshbooks.close)
        account = await in_thread(partial(find_account, settings, store, freshbooks))
        try:
            client = stack.enter_context(open_client(settings, store, metrics=metrics))
        except ConfigurationError as error:
            raise SettingError(str(error)) from None
        agent = f"{PLUGIN}/{version(PLUGIN)}"
        api = EventsApi(settings.tap.api_url, account, authorizer, user_agent=agent)
        stack.callback(api.close)
        await _serve(_Connections(settings, store, account, client, api, metrics), stop)
    logger.info("Stopped.")


def stop_at_signals(stop: asyncio.Event) -> None:
    """Have the signals that ask for an end set an event, but for those that whoever started this has ignored."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, stop.set)


@dataclass(frozen=True)
class _Connections:
    """What the parts work with."""

    settings: Settings
    store: Store
    account: str
    client: ZohoClient
    api: EventsApi
    metrics: Metrics


async def _serve(to: _Connections, stop: asyncio.Event) -> None:
    settings, store, account, metrics = to.settings, to.store, to.account, to.metrics
    zoho = ZohoSide(settings, to.client, store, account, metrics=metrics)
    inbox = Inbox(store.pending)
    callbacks = Callbacks(to.api, store, settings.public_url, account) if settings.public_url else None
    conductor = Conductor(settings, store, account, metrics=metrics, zoho=zoho, changed=inbox.changed)
    readiness = Readiness(settings, store, inbox=inbox, callbacks=callbacks, conductor=conductor, zoho=zoho)
    public: ASGIApp
    if callbacks is None:
        logger.warning("There is no public_url, so there are no webhooks: what changed is found at each poll_interval.")
        public = app_of(health_routes(readiness, details=False))
    else:
        notifications = Notifications(store, inbox)
        pages = [ConsentPage(store, settings.tap.client_id).route()]
        public = public_app(inbox, callbacks, notifications, readiness, metrics=metrics, pages=pages)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(inbox.close)
        for host, port in ((settings.host, settings.port), (settings.admin_host, settings.admin_port)):
            check_port(host, port)
        servers = [
            HttpServer(public, settings.host, settings.port),
            HttpServer(_admin(to, metrics, readiness), settings.admin_host, settings.admin_port),
        ]
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        logger.info("Listening on %s:%s, for the status page and metrics on %s:%s.",
                    settings.host, settings.port, settings.admin_host, settings.admin_port)  # fmt: skip
        ensuring = asyncio.create_task(_ensure(callbacks)) if callbacks is not None else None
        try:
            conducting = asyncio.create_task(conductor.conduct(stop))
            await stop.wait()
            logger.info("Stopping: no more webhooks are taken, the run under way may end.")
            # Nothing more is taken while the run ends.
            await asyncio.gather(servers[0].stop(), conducting)
        finally:
            if ensuring is not None:
                ensuring.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ensuring


def _admin(to: _Connections, metrics: Metrics, readiness: Readiness) -> ASGIApp:
    """Make the app for the admin port; other machines see it with the password only."""
    settings = to.settings
    page = StatusPage(settings, to.store).app()
    app = admin_app(metrics.registry, readiness, page, details=settings.admin_password is None)
    return Guarded(app, host=settings.admin_host, password=settings.admin_password)


def check_port(host: str, port: int) -> None:
    """See whether a port can be opened; the HTTP server would not say so in words.

    Raises:
        OSError: if it cannot.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()


async def _ensure(callbacks: Callbacks) -> None:
    """Bring FreshBooks' callbacks in line on start, and see from time to time that they still are."""
    while True:
        seconds = ENSURE_SOON_SECONDS
        try:
            states = await in_thread(callbacks.ensure)
            if all(state.status == "verified" for state in states):
                seconds = ENSURE_SECONDS
            for state in states:
                if state.problem:
                    logger.error("FreshBooks' callback for %s is not verified: %s", state.noun, state.problem)
        except (FreshBooksError, StoreError) as error:
            logger.warning("FreshBooks' callbacks could not be looked at: %s", error)
        except Exception:
            logger.exception("FreshBooks' callbacks could not be looked at.")
        await asyncio.sleep(seconds)
