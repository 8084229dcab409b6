"""The control API of a sandbox that runs on its own, under ``/_sandbox`` on FreshBooks' port.

Its calls are not recorded, and no latency, fault or rate limit applies to them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import ApiError, RateLimit
from sandbox.http import BadRequestError, Request, Response, Routes, route

if TYPE_CHECKING:
    from decimal import Decimal

    from sandbox import Sandbox

_ACCOUNT = re.compile(r"/account/[^/]+")
_ID = re.compile(r"/\d+(?=/|$)")


class Control:
    """The handlers."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._routes = Routes(self)

    def handle(self, request: Request) -> Response:
        """Answer a call; what cannot be done is 400 with a sentence that says why."""
        handler, _, known = self._routes.find(request.method, request.path)
        if handler is None:
            return Response(405 if known else 404, {"error": "there is no such call; the sandbox's README lists them"})
        try:
            return handler(request)
        except (ApiError, BadRequestError, ValueError, KeyError, TypeError, AttributeError) as error:
            return Response(400, {"error": f"{type(error).__name__}: {error}"})

    @route("GET", "/_sandbox")
    def describe(self, _: Request) -> Response:
        """Tell URLs, applications and accounts."""
        return Response(200, describe(self._box))

    @route("POST", "/_sandbox/grants")
    def grants(self, _: Request) -> Response:
        """Let the person agree once more, at all services."""
        box = self._box
        tokens = {"freshbooks": box.freshbooks.grant(), "zoho": box.zoho.grant()}
        return Response(200, tokens | {"zoho_eu": box.zoho.grant(data_centre="eu")})

    @route("GET", "/_sandbox/clock")
    def clock(self, _: Request) -> Response:
        """Tell the time."""
        return Response(200, {"now": self._box.clock.now().isoformat()})

    @route("POST", "/_sandbox/clock")
    def move_clock(self, request: Request) -> Response:
        """Move the clock: ``{"set": "2026-07-01T00:00:00Z"}`` or ``{"advance": 3600}`` (seconds)."""
        wanted, clock = request.json(), self._box.clock
        if "set" in wanted:
            moment = datetime.fromisoformat(wanted["set"].replace("Z", "+00:00"))
            clock.set(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
        if "advance" in wanted:
            clock.advance(seconds=float(wanted["advance"]))
        return self.clock(request)

    @route("POST", "/_sandbox/faults")
    def add_fault(self, request: Request) -> Response:
        """Switch a fault on; the body has the arguments of `Fault`."""
        return Response(200, asdict(self._box.faults.add(**request.json())))

    @route("DELETE", "/_sandbox/faults")
    def clear_faults(self, _: Request) -> Response:
        """Switch all faults off."""
        self._box.faults.clear()
        return Response(204)

    @route("GET", "/_sandbox/calls")
    def calls(self, _: Request) -> Response:
        """Count the calls by service, method and path, with ids and accounts taken out of the paths."""
        calls = self._box.calls()
        counts = Counter((call.service, call.method, template(call.path)) for call in calls)
        rows = [
            {"service": service, "method": method, "path": path, "count": count}
            for (service, method, path), count in sorted(counts.items())
        ]
        return Response(200, {"total": len(calls), "calls": rows})

    @route("DELETE", "/_sandbox/calls")
    def forget_calls(self, _: Request) -> Response:
        """Begin counting anew."""
        self._box.server.forget_calls()
        return Response(204)

    @route("POST", "/_sandbox/latency")
    def latency(self, request: Request) -> Response:
        """Let every call take longer: ``{"seconds": 0.1}``."""
        self._box.latency = float(request.json()["seconds"])
        return Response(200, {"seconds": self._box.latency})

    @route("POST", "/_sandbox/rate_limit")
    def rate_limit(self, request: Request) -> Response:
        """Limit FreshBooks' rate: ``{"requests": 600, "accounting_posts": 250, "window": 60}``."""
        limit = RateLimit(**request.json())
        self._box.freshbooks.rate_limit = limit
        return Response(200, asdict(limit))

    @route("DELETE", "/_sandbox/rate_limit")
    def end_rate_limit(self, _: Request) -> Response:
        """Let FreshBooks take any number of requests."""
        self._box.freshbooks.rate_limit = None
        return Response(204)

    @route("POST", "/_sandbox/load")
    def load(self, request: Request) -> Response:
        """Add many records at once: ``{"clients": 1000, "invoices": 5000, "payments": 3000}``."""
        self._box.freshbooks.load(**request.json())
        return self.totals(request)

    @route("GET", "/_sandbox/totals")
    def totals(self, _: Request) -> Response:
        """Tell what each account has, and what it is owed per currency, as FreshBooks itself would say."""
        books = self._box.freshbooks
        rows = {
            account: {
                "outstanding": _texts(books.outstanding(account)),
                "past_due": _texts(books.past_due(account)),
                "records": books.counts(account),
            }
            for account in books.accounts
        }
        return Response(200, {"accounts": rows})


def describe(box: Sandbox) -> dict[str, Any]:
    """Give what one needs to talk to a sandbox; the secrets in it are good for nothing else."""
    books, zoho = box.freshbooks, box.zoho
    return {
        "freshbooks": {
            "url": books.url,
            "client_id": books.app.client_id,
            "client_secret": books.app.client_secret,
            "redirect_uri": books.app.redirect_uri,
            "account_id": books.account_id,
            "accounts": books.accounts,
        },
        "zoho": {
            "client_id": zoho.app.client_id,
            "client_secret": zoho.app.client_secret,
            "accounts_urls": zoho.origins(),
        },
    }


def template(path: str) -> str:
    """Take accounts and ids out of a path."""
    return _ID.sub("/{id}", _ACCOUNT.sub("/account/{account}", path))


def _texts(totals: dict[str, Decimal]) -> dict[str, str]:
    return {currency: str(total) for currency, total in totals.items()}
