"""FreshBooks as a service of the sandbox: what happens to every request, whatever it asks for."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from sandbox.freshbooks.accounting import Accounting
from sandbox.freshbooks.events import Events
from sandbox.freshbooks.gate import RefusedError, check_token
from sandbox.freshbooks.identity import Business, me
from sandbox.freshbooks.limits import Limiter, RateLimit
from sandbox.freshbooks.oauth import App, OAuth
from sandbox.freshbooks.world import World
from sandbox.http import Request, Response, Routes, route

if TYPE_CHECKING:
    import threading

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries
    from sandbox.freshbooks.switches import Switches

API_VERSION = "2023-02-20"


class Service:
    """The HTTP side: routes, rate limit and the headers that come with every answer."""

    name = "freshbooks"

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        self.url = ""
        self.clock, self.deliveries, self.lock = clock, deliveries, lock
        self.world = World(clock)
        self.app = App()
        self.oauth = OAuth(self.world, self.app)
        self.businesses: list[Business] = []
        self._by_account: dict[str, Business] = {}
        self._accounting = Accounting(self._by_account, self.oauth)
        self._events = Events(self._by_account, self.oauth, deliveries)
        self._limiter = Limiter()
        self.rate_limit: RateLimit | None = RateLimit()
        """How many requests are let through; None is any number."""
        self._routes = Routes(self, self.oauth, self._accounting, self._events)

    @property
    def switches(self) -> Switches:
        """What is uncertain about FreshBooks, to be decided by a test."""
        return self.world.switches

    def enter(self, request: Request) -> Response | None:
        """Let every request in; the rate limit is counted when it is answered."""

    def leave(self, request: Request) -> None:
        """Nothing is held by a request."""

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        now = self.world.now()
        headers = {"Server": "nginx", "Date": format_datetime(now, usegmt=True), "X-API-Version": API_VERSION}
        exceeded = False
        if self.rate_limit is not None:
            counted, exceeded = self._limiter.count(request, self.rate_limit, now)
            headers |= counted
        response = Response(429, {"message": "API rate limit exceeded"}) if exceeded else self._dispatch(request)
        response.headers = headers | response.headers
        return response

    def _dispatch(self, request: Request) -> Response:
        handler, segments, known = self._routes.find(request.method, request.path)
        if handler is not None:
            return handler(request, **segments)
        if known:
            return Response(405, {"message": "The method is not allowed for the requested URL."})
        return Response(404, {"message": "Requested resource could not be found."})

    @route("GET", "/auth/api/v1/users/me")
    def _me(self, request: Request) -> Response:
        try:
            check_token(request, self.oauth, "user:profile:read", "auth")
        except RefusedError as refused:
            return refused.response
        identity = me(self.businesses, tells_status=self.switches.inactive_identity)
        if self.switches.null_membership:
            identity["business_memberships"].insert(0, None)
        return Response(200, {"response": identity}, content_type="application/json; charset=utf-8")
