"""What is served: the public app that takes webhooks, and the admin app for whoever runs the service."""

from __future__ import annotations

import abc
import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.routing import Mount, Route

from freshbooks_zoho.admin.health import health_routes
from freshbooks_zoho.freshbooks.callbacks import Verdict
from freshbooks_zoho.webhooks.deliveries import DeliveryError, read_delivery
from freshbooks_zoho.webhooks.inbox import RETRY_AFTER, InboxUnavailableError
from freshbooks_zoho.webhooks.limits import BodyReader, Limits, RefusedBodyError
from freshbooks_zoho.webhooks.routing import app_of
from freshbooks_zoho.webhooks.signatures import HEADER, FormError, parse_form
from singer_store import StoreError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from freshbooks_zoho.admin.health import Readiness
    from freshbooks_zoho.admin.metrics import Metrics
    from freshbooks_zoho.freshbooks.callbacks import Callbacks
    from freshbooks_zoho.webhooks.inbox import Inbox

_HEADER = HEADER.lower().encode()
_BASE64_LENGTH = 44
"""Of 32 bytes in base64."""
_SERVER_ERROR = 500

_log = logging.getLogger(__name__)


class NotificationHandler(Protocol):
    """Zoho's side of the service."""

    async def is_path(self, path: str) -> bool:
        """Return, in constant time, whether a path is one that notifications were asked to be sent to."""

    async def handle(self, body: Mapping[str, Any]) -> int:
        """Take a notification; returns the HTTP status. `InboxUnavailableError` is answered with 503."""


class _Outcome(Exception):  # noqa: N818 - most are no errors
    """How a webhook ends: the status, what is counted, and what the sender is told."""

    def __init__(self, status: int, result: str, text: str = "", *, event: str | None = None) -> None:
        super().__init__(text)
        self.status, self.result, self.text, self.event = status, result, text, event
        self.retry_after: int | None = None
        self.background: BackgroundTask | None = None


class _Webhook(abc.ABC):
    """One kind of webhook as an ASGI app: what all kinds have in common."""

    source = ""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._bodies = BodyReader(limits)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            outcome = await self.take(scope, receive)
        except _Outcome as raised:
            outcome = raised
        except RefusedBodyError as error:
            outcome = _Outcome(error.status, "refused", str(error))
        except FormError as error:
            outcome = _Outcome(400, "refused", str(error))
        except InboxUnavailableError as error:
            outcome = _unavailable(error.retry_after)
        except StoreError as error:
            _log.error("A webhook of %s has to be sent again: %s", self.source, error)
            outcome = _unavailable(RETRY_AFTER)
        except Exception:  # noqa: BLE001 - whatever it is, the sender is told to try again
            _log.exception("A webhook of %s could not be handled.", self.source)
            outcome = _Outcome(_SERVER_ERROR, "unavailable", "This service has an error; please try again later.")
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if outcome.retry_after is not None:
            headers.append((b"retry-after", str(outcome.retry_after).encode()))
        if outcome.result in {"refused", "unavailable"}:
            # Whatever else comes on this connection is not wanted, least of all the rest of a body.
            headers.append((b"connection", b"close"))
        self._metrics.received(self.source, outcome.event, outcome.result, time.perf_counter() - started)
        await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
        await send({"type": "http.response.body", "body": outcome.text.encode()})
        if outcome.background is not None:
            await outcome.background()

    @abc.abstractmethod
    async def take(self, scope: Scope, receive: Receive) -> _Outcome:
        """Take one webhook."""


class _FreshBooksWebhook(_Webhook):
    """A delivery or a handshake of FreshBooks: signature first, then the rest."""

    source = "freshbooks"

    def __init__(self, inbox: Inbox, callbacks: Callbacks, limits: Limits, metrics: Metrics) -> None:
        super().__init__(limits, metrics)
        self._inbox = inbox
        self._callbacks = callbacks

    @override
    async def take(self, scope: Scope, receive: Receive) -> _Outcome:
        path: str = scope["path_params"]["path"]
        body = await self._bodies.read(scope, receive)
        signature = _signature(scope)
        try:
            form = parse_form(body)
        except FormError:
            if signature is None:
                raise _unauthorized() from None
            raise
        if "verifier" in form:
            return await self._take_handshake(path, form)
        await self._check(path, form, signature)
        event = form.get("name", "")
        try:
            delivery = read_delivery(form, self._callbacks.account)
        except DeliveryError as error:
            return _Outcome(error.status, "refused", str(error), event=event)
        if delivery is None:
            return _Outcome(200, "ignored", "ignored", event=event)
        await self._inbox.add([delivery])
        return _Outcome(200, "stored", "stored", event=event)

    async def _check(self, path: str, form: Mapping[str, str], signature: bytes | None) -> None:
        """Raise the outcome of a delivery that is not signed by FreshBooks."""
        if signature is None:
            raise _unauthorized()
        verdict = self._callbacks.judge(path, form, signature)
        if verdict in {Verdict.WRONG, Verdict.UNKNOWN_PATH} and self._callbacks.is_outdated:
            await to_thread.run_sync(self._callbacks.reload)
            verdict = self._callbacks.judge(path, form, signature)
        if verdict is Verdict.UNPROVEN:
            raise _unavailable(2)
        if verdict is Verdict.UNKNOWN_PATH:
            raise _not_found()
        if verdict is not Verdict.SIGNED:
            raise _unauthorized()

    async def _take_handshake(self, path: str, form: Mapping[str, str]) -> _Outcome:
        """Take a verifier, whose signature proves nothing: whoever sends one can sign with it."""
        noun = await to_thread.run_sync(self._callbacks.take_handshake, path, form)
        if noun is None:
            raise _unauthorized()
        outcome = _Outcome(200, "handshake", "verifying", event="callback.verify")
        outcome.background = BackgroundTask(self._callbacks.prove, noun)
        return outcome


class _ZohoWebhook(_Webhook):
    """A notification of Zoho: who may send it, and what it means, is the handler's concern."""

    source = "zoho"

    def __init__(self, notifications: NotificationHandler, limits: Limits, metrics: Metrics) -> None:
        super().__init__(limits, metrics)
        self._notifications = notifications

    @override
    async def take(self, scope: Scope, receive: Receive) -> _Outcome:
        if not await self._notifications.is_path(scope["path_params"]["path"]):
            raise _not_found()
        content = await self._bodies.read(scope, receive)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise _Outcome(400, "refused", "The body is not a JSON object.")
        status = await self._notifications.handle(body)
        if status >= _SERVER_ERROR:
            raise _unavailable(RETRY_AFTER, status)
        taken = status < 300  # noqa: PLR2004
        operation = body.get("operation")
        event = operation if isinstance(operation, str) else ""
        return _Outcome(status, "stored" if taken else "refused", event=event if taken else None)


def _signature(scope: Scope) -> bytes | None:
    """Return the signature; None where it is missing, doubled, or cannot be one."""
    given = [value for name, value in scope["headers"] if name == _HEADER]
    return bytes(given[0]) if len(given) == 1 and len(given[0]) == _BASE64_LENGTH else None


def _unauthorized() -> _Outcome:
    return _Outcome(401, "refused", f"{HEADER} is missing or wrong.")


def _not_found() -> _Outcome:
    return _Outcome(404, "refused", "Not Found")


def _unavailable(retry_after: int, status: int = 503) -> _Outcome:
    outcome = _Outcome(status, "unavailable", "Not stored; please try again later.")
    outcome.retry_after = retry_after
    return outcome


def public_app(  # noqa: PLR0913
    inbox: Inbox,
    callbacks: Callbacks,
    notifications: NotificationHandler,
    readiness: Readiness,
    *,
    metrics: Metrics,
    limits: Limits | None = None,
    pages: Sequence[Route] = (),
) -> ASGIApp:
    """Return the app for the public port.

    Args:
        inbox: stores FreshBooks' events.
        callbacks: knows who may send them.
        notifications: takes Zoho's notifications.
        readiness: is asked by `/readyz`, which tells strangers only how many problems there are.
        metrics: count what comes.
        limits: of requests.
        pages: what else is shown there.
    """
    limits = limits or Limits()
    webhooks: dict[str, ASGIApp] = {
        "freshbooks": _FreshBooksWebhook(inbox, callbacks, limits, metrics),
        "zoho": _ZohoWebhook(notifications, limits, metrics),
    }
    others = app_of(
        [
            *(Route(f"/{source}/{{path}}", webhook, methods=["POST"]) for source, webhook in webhooks.items()),
            *health_routes(readiness, details=False),
            *pages,
        ]
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Webhooks may come in thousands, and finding their route takes as long as all else about them.
        source, _, path = scope["path"][1:].partition("/")
        webhook = webhooks.get(source)
        if webhook is None or not path or "/" in path or scope["method"] != "POST":
            await others(scope, receive, send)
        else:
            scope["path_params"] = {"path": path}
            await webhook(scope, receive, send)

    return app


def admin_app(
    registry: CollectorRegistry, readiness: Readiness, status_page: ASGIApp | None = None, *, details: bool = True
) -> Starlette:
    """Return the app for the admin port.

    Args:
        registry: what `/metrics` shows.
        readiness: is asked by `/readyz`.
        status_page: is served below `/`, where there is one.
        details: whether `/readyz` gives a sentence for each problem; else it gives their number.
    """

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/metrics", metrics), *health_routes(readiness, details=details)]
    return app_of([*routes, Mount("/", status_page)] if status_page else routes)
