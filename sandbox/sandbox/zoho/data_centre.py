"""One data centre: the gateway in front of the accounts server and of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, Routes
from sandbox.zoho.accounts_routes import AccountsRoutes
from sandbox.zoho.call import ApiCall, read_json
from sandbox.zoho.device import DeviceRoutes
from sandbox.zoho.errors import ApiError
from sandbox.zoho.render import encode

if TYPE_CHECKING:
    from sandbox.http import Request
    from sandbox.zoho import Zoho

_MANY = 10


class DataCentre:
    """A service that shows the organization in one data centre, on its own port."""

    name = "zoho"

    def __init__(self, data_centre: str, zoho: Zoho) -> None:
        self.data_centre, self._zoho = data_centre, zoho
        self.origin = ""
        """Scheme, host and port, once it is served."""
        self.accounts = AccountsRoutes(data_centre, zoho.accounts, zoho.switches, zoho.origins)
        devices = DeviceRoutes(self.accounts, zoho.devices, data_centre, zoho.switches)
        self._accounts_routes = Routes(self.accounts, devices)
        self._api_routes = zoho.routes
        self._bodies: dict[int, Any] = {}
        """The bodies of the calls under way, read once."""

    @property
    def accounts_url(self) -> str:
        """Where tokens are made."""
        return self.origin

    @property
    def api_domain(self) -> str:
        """Where the API is."""
        return self.origin

    def enter(self, request: Request) -> Response | None:
        """Count an API call in, unless too many are under way."""
        if not request.path.startswith("/crm/"):
            return None
        body = self._bodies[id(request)] = read_json(request.body)
        refusal = self._zoho.limits.enter(id(request), sub=_is_heavy(request, body))
        return None if refusal is None else _encoded(refusal)

    def leave(self, request: Request) -> None:
        """Count an API call out."""
        self._bodies.pop(id(request), None)
        self._zoho.limits.leave(id(request))

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path.startswith("/oauth/"):
            handler, segments, known = self._accounts_routes.find(request.method, request.path)
            return handler(request, **segments) if handler else Response(405 if known else 404)
        try:
            return _encoded(self._api(request))
        except ApiError as refused:
            return _encoded(Response(refused.status, refused.body))

    def _api(self, request: Request) -> Response:
        handler, segments, known = self._api_routes.find(request.method, request.path)
        if handler is None:
            if known:
                raise ApiError(400, "INVALID_REQUEST_METHOD")
            raise ApiError(404, "INVALID_URL_PATTERN")
        call = self._authenticate(request)
        closed = self._zoho.organization.closed
        if closed is not None:
            return Response(closed.status, closed.body)
        limits = self._zoho.limits
        if refusal := limits.exhausted():
            return refusal
        try:
            response = handler(call, **segments)
        except ApiError as refused:
            response = Response(refused.status, refused.body)
        finally:
            self._zoho.flush()
        response.headers |= limits.spend(call.cost) | {
            "X-ACCESSTOKEN-RESET": self._zoho.organization.local(call.token.expires_at)
        }
        return response

    def _authenticate(self, request: Request) -> ApiCall:
        header = request.headers.get("authorization")
        if header is None:
            raise ApiError(401, "AUTHENTICATION_FAILURE")
        switches = self._zoho.switches
        scheme, _, value = header.partition(" ")
        known = scheme == "Zoho-oauthtoken" or (scheme == "Bearer" and switches.accepts_bearer)
        token = self._zoho.accounts.check(value, self.data_centre) if known else None
        if token is None:
            raise ApiError(401, switches.dead_credential_code, {}, "invalid oauth token")
        return ApiCall(request, token, self.origin, self._bodies.get(id(request)))


def _is_heavy(request: Request, body: Any) -> bool:
    """Say whether a call is one of those of which only ten may be under way in any edition."""
    path = request.path
    if path.endswith(("/coql", "/search")):
        return True
    if request.method == "GET":
        return any(name in ("cvid", "sort_by") for name, _ in request.query)
    rows: Any = body.get("data") if request.method in ("POST", "PUT") and isinstance(body, dict) else None
    return isinstance(rows, list) and len(rows) > _MANY


def _encoded(response: Response) -> Response:
    if response.body is not None and not isinstance(response.body, bytes):
        response.body = encode(response.body)
    return response
