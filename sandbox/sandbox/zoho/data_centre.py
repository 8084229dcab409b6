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
    from sandbox.zoho.company import Company
    from sandbox.zoho.oauth import AccessToken

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
        refusal = self._company(self._token(request)).limits.enter(id(request), sub=_is_heavy(request, body))
        return None if refusal is None else _encoded(refusal)

    def leave(self, request: Request) -> None:
        """Count an API call out."""
        self._bodies.pop(id(request), None)
        for company in self._zoho.companies.values():
            company.limits.leave(id(request))

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
        handler, _, known = self._zoho.routes.find(request.method, request.path)
        if handler is None:
            if known:
                raise ApiError(400, "INVALID_REQUEST_METHOD")
            raise ApiError(404, "INVALID_URL_PATTERN")
        token = self._authenticate(request)
        company = self._company(token)
        org = company.organization
        closed = org.closed
        if closed is not None:
            return Response(closed.status, closed.body)
        limits = company.limits
        if refusal := limits.exhausted():
            return refusal
        user = org.integration if token.login.user_id is None else org.user(token.login.user_id)
        call = ApiCall(request, token, user, self.origin, self._bodies.get(id(request)))
        handler, segments, _ = company.routes.find(request.method, request.path)
        assert handler is not None  # noqa: S101  (all organizations have the same routes)
        try:
            response = handler(call, **segments)
        except ApiError as refused:
            response = Response(refused.status, refused.body)
        finally:
            company.flush()
        response.headers |= limits.spend(call.cost) | {"X-ACCESSTOKEN-RESET": org.local(token.expires_at)}
        return response

    def _authenticate(self, request: Request) -> AccessToken:
        if "authorization" not in request.headers:
            raise ApiError(401, "AUTHENTICATION_FAILURE")
        token = self._token(request)
        if token is None:
            raise ApiError(401, self._zoho.switches.dead_credential_code, {}, "invalid oauth token")
        return token

    def _token(self, request: Request) -> AccessToken | None:
        """Return the live access token that a request shows; None if it shows none."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        known = scheme == "Zoho-oauthtoken" or (scheme == "Bearer" and self._zoho.switches.accepts_bearer)
        return self._zoho.accounts.check(value, self.data_centre) if known else None

    def _company(self, token: AccessToken | None) -> Company:
        """Return the organization that a token is for, the first one without a token."""
        return self._zoho if token is None else self._zoho.companies[token.login.zgid]


def _is_heavy(request: Request, body: Any) -> bool:
    """Return whether a call is one of those of which only ten may be under way in any edition."""
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
