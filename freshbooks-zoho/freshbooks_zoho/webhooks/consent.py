"""The page that FreshBooks leads back to after consent, where this service can be reached: one click is all.

It changes nothing but one document in the store: the answer to an attempt that `freshbooks-zoho connect freshbooks` has
begun there. The code in it is of no use without the client's secret, and is exchanged by the command that waits for it.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import HTMLResponse
from starlette.routing import Route

from freshbooks_zoho.onboarding.pending import Attempt, Attempts, takes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from singer_store import Store

PATH = "/oauth/freshbooks/callback"
RELOAD_SECONDS = 1.0
MOST = 2048
"""Letters of a state or a code."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1rem }}</style>
</head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
"""


def _now() -> datetime:
    return datetime.now(timezone.utc)


class ConsentPage:
    """Takes FreshBooks' answer for whichever process waits for it.

    Args:
        store: where attempts are.
        client_id: of the app.
        clock: gives the time, aware.
    """

    def __init__(self, store: Store, client_id: str, *, clock: Callable[[], datetime] = _now) -> None:
        self._attempts, self._client_id, self._clock = Attempts(store), client_id, clock
        self._attempt: Attempt | None = None
        self._looked_at = -RELOAD_SECONDS

    def route(self) -> Route:
        """Return the page's route."""
        return Route(PATH, self.answer, methods=["GET"])

    async def answer(self, request: Request) -> HTMLResponse:
        """Take an answer, and say what became of it."""
        query = request.query_params
        state = query.get("state", "")
        answer = {name: query[name] for name in ("code", "error") if query.get(name)}
        short = all(len(value) <= MOST for value in (state, *answer.values()))
        if not (short and len(answer) == 1 and await to_thread.run_sync(self._take, state, answer)):
            return _page(
                "This address is not awaited",
                "It was used before, is older than ten minutes, or belongs to another attempt. If a terminal asks you "
                "for an address, paste this page's. Else run freshbooks-zoho connect freshbooks again.",
                400,
            )
        if "error" in answer:
            return _page("Not connected", "FreshBooks reports that consent was not given. You can close this page.")
        return _page("FreshBooks has answered", "Go back to the terminal: it goes on there. You can close this page.")

    def _take(self, state: str, answer: Mapping[str, str]) -> bool:
        """Look at the store at most once a second for strangers, however many come."""
        if time.monotonic() - self._looked_at >= RELOAD_SECONDS:
            self._looked_at = time.monotonic()
            self._attempt = self._attempts.find("freshbooks", self._client_id, self._clock())
        attempt = self._attempt
        if attempt is None or not takes(attempt, state):
            return False
        return self._attempts.answer(attempt, state, answer, self._clock())


def _page(title: str, text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, text=text), status, headers=_HEADERS)
