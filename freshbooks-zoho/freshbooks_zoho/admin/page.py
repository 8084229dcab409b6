"""The status page: one page made here, without scripts and without anything from elsewhere.

What its buttons do needs three things that a page of a stranger cannot have together: the session's cookie, which a
browser sends with requests of this page only (SameSite=Strict), the token that belongs to it, and this page as origin.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from freshbooks_zoho.admin import chart, queue
from freshbooks_zoho.admin.access import HEADERS
from freshbooks_zoho.admin.objects import ObjectStatus, describe, when
from freshbooks_zoho.admin.status import PERIOD, Status, collect
from freshbooks_zoho.admin.wording import counted, in_words, moment, span
from freshbooks_zoho.settings import PLUGIN
from freshbooks_zoho.webhooks.limits import BodyReader, Limits, RefusedBodyError
from freshbooks_zoho.webhooks.routing import app_of
from singer_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request

    from freshbooks_zoho.settings import Settings
    from singer_store import PendingObject, Store

SESSION, DONE = f"{PLUGIN}-session", f"{PLUGIN}-done"
SHOWN = 100
"""Objects shown of each kind."""
RUNS_SHOWN = 10
_SESSION = re.compile(r"[\w-]{43}")
_DONE = re.compile(r"(retried|dismissed)\.([0-9]{1,9})\.([0-9]{1,9})")
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "style.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


class _Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is not carried out: the status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class StatusPage:
    """The page and what its buttons do.

    Args:
        settings: of the companion.
        store: that everything is in.
        clock: gives the time, aware.
    """

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime] = _now) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        # Sessions end with the process; what was shown before has to be loaded anew.
        self._secret = secrets.token_bytes(32)
        self._bodies = BodyReader(Limits())
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._templates.globals |= {
            "style": Markup(_STYLE),  # noqa: S704 - it is a file of this package
            "counted": counted,
            "describe": describe,
            "in_words": in_words,
            "moment": moment,
            "period": PERIOD,
            "runs_shown": RUNS_SHOWN,
            "shown": SHOWN,
            "span": span,
            "version": version(PLUGIN),
            "when": when,
        }

    def app(self) -> Starlette:
        """Return the page as an app."""
        return app_of(
            [
                Route("/", self._show, methods=["GET"]),
                Route("/retry", self._retry, methods=["POST"]),
                Route("/dismiss", self._dismiss, methods=["POST"]),
            ],
            exception_handlers={_Refused: self._refuse, StoreError: self._refuse, RefusedBodyError: self._refuse},
        )

    async def _show(self, request: Request) -> Response:
        status = await to_thread.run_sync(lambda: collect(self._settings, self._store, self._clock()))
        known = request.cookies.get(SESSION, "")
        session = known if _SESSION.fullmatch(known) else secrets.token_urlsafe(32)
        done = _DONE.fullmatch(request.cookies.get(DONE, ""))
        response = self._render(
            "status.html",
            status=status,
            bars=chart.bars(status.runs, status.at),
            days=chart.days(status.at),
            token=self._token(session),
            reloads=_is_moving(status),
            done=(done[1], int(done[2]), int(done[3])) if done else None,
        )
        if session != known:
            response.set_cookie(SESSION, session, httponly=True, samesite="strict")
        if done:
            response.delete_cookie(DONE, httponly=True, samesite="strict")
        return response

    async def _retry(self, request: Request) -> Response:
        return await self._act(request, "retried", self._retry_objects)

    async def _dismiss(self, request: Request) -> Response:
        return await self._act(request, "dismissed", self._dismiss_objects)

    def _retry_objects(self, chosen: list[PendingObject], objects: list[PendingObject]) -> None:
        queue.retry(self._store, queue.with_waiting(chosen, objects))

    def _dismiss_objects(self, chosen: list[PendingObject], _objects: list[PendingObject]) -> None:
        queue.dismiss(self._store, chosen)

    async def _act(
        self, request: Request, done: str, act: Callable[[list[PendingObject], list[PendingObject]], None]
    ) -> Response:
        """Do something to the objects of a form, and lead back to the page."""
        form = await self._read(request)
        names = frozenset(form.get("object", ()))
        section = form.get("all", [""])[0]

        def work() -> tuple[int, int]:
            status = collect(self._settings, self._store, self._clock())
            shown = {"person": status.for_a_person, "way": status.under_way}.get(section, ())
            wanted = names | {name_of(one) for one in shown}
            objects = queue.still_to_sync(self._store, status.account)
            chosen = [one for one in objects if f"{one.account}/{one.stream}/{one.object_id}" in wanted]
            act(chosen, objects)
            for one in chosen:
                logger.info("%s %s was %s on the status page.", one.stream, one.object_id, done)
            return len(chosen), len(wanted) - len(chosen)

        number, missing = await to_thread.run_sync(work)
        # Relative, so that it also works below a path of a proxy's.
        response = RedirectResponse("./", 303, _HEADERS)
        response.set_cookie(DONE, f"{done}.{number}.{missing}", max_age=60, httponly=True, samesite="strict")
        return response

    async def _read(self, request: Request) -> dict[str, list[str]]:
        """Return the fields of a form that this page has made."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise _Refused(403, "This request comes from another page.")
        body = await self._bodies.read(request.scope, request.receive)
        try:
            form = parse_qs(body.decode(), max_num_fields=2 * SHOWN)
        except ValueError:
            raise _Refused(400, "The form cannot be read.") from None
        session, token = request.cookies.get(SESSION, ""), form.get("token", [""])[0]
        if not _SESSION.fullmatch(session) or not hmac.compare_digest(self._token(session).encode(), token.encode()):
            raise _Refused(403, "This page was loaded before the service was started anew. Nothing was done: load it "
                           "again, and repeat.")  # fmt: skip
        return form

    def _token(self, session: str) -> str:
        return hmac.new(self._secret, session.encode(), hashlib.sha256).hexdigest()

    def _refuse(self, _request: Request, error: Exception) -> Response:
        status = getattr(error, "status", 503)
        return self._render("refused.html", status, sentence=str(error))

    def _render(self, template: str, status_code: int = 200, **context: object) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(context), status_code, _HEADERS)


def name_of(one: ObjectStatus) -> str:
    """Return what an object is called in a form."""
    return f"{one.account}/{one.stream}/{one.id}"


def _is_moving(status: Status) -> bool:
    """Return whether what somebody has asked for here will change within seconds."""
    return status.served_by is not None and any(
        one.state == "asked for again" and one.next_try is None for one in status.under_way
    )
