"""FreshBooks' OAuth: consent, tokens that rotate, and the check of who may do what.

Source: https://www.freshbooks.com/api/authentication and /scopes.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from sandbox.http import BadRequestError, Request, Response, route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.freshbooks.world import World

ACCESS_TOKEN_LIFE = 43_200
CODE_LIFE = timedelta(minutes=5)
_OBJECTS = """
    bill_payments bill_vendors billable_items bills business clients credit_notes estimates expenses
    invoices journal_entries online_payments other_income payments projects retainers taxes teams
    time_entries
""".split()  # noqa: SIM905
KNOWN_SCOPES = frozenset(
    [f"user:{name}:{right}" for name in _OBJECTS for right in ("read", "write")]
    + [f"user:{name}:read" for name in ("profile", "notifications", "reports")]
)
SCOPES = (
    "user:profile:read",
    "user:clients:read",
    "user:clients:write",
    "user:invoices:read",
    "user:invoices:write",
    "user:payments:read",
    "user:payments:write",
)


@dataclass
class App:
    """The application registered with FreshBooks."""

    client_id: str = "5c1a0e1f7a5f4f0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f"
    client_secret: str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"  # noqa: S105 - made up
    redirect_uris: list[str] = field(default_factory=lambda: ["https://localhost/freshbooks/callback"])
    scopes: tuple[str, ...] = SCOPES

    @property
    def redirect_uri(self) -> str:
        """The first of the registered redirect URIs."""
        return self.redirect_uris[0]


@dataclass(eq=False)
class Consent:
    """What a person has agreed to once."""

    scopes: tuple[str, ...]
    redirect_uri: str
    refresh_token: str = ""
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    """Access tokens that still work, with the moment at which each ends."""
    created_at: int = 0


class OAuth:
    """The endpoints, and the tokens in force."""

    def __init__(self, world: World, app: App) -> None:
        self.world = world
        self.app = app
        self._codes: dict[str, tuple[Consent, datetime]] = {}
        self._by_refresh: dict[str, Consent] = {}
        self._by_access: dict[str, Consent] = {}

    def consent(self, scopes: Iterable[str] | None, redirect_uri: str | None = None) -> Consent:
        """Let a person agree; None agrees to all scopes of the app.

        Raises:
            ValueError: if a scope does not exist or the app does not have it.
        """
        wanted = self.app.scopes if scopes is None else tuple(dict.fromkeys((*scopes, "user:profile:read")))
        refused = [scope for scope in wanted if scope not in KNOWN_SCOPES or scope not in self.app.scopes]
        if refused:
            raise ValueError(f"the app has no scope {', '.join(refused)}")
        if self.world.switches.consent_revokes_refresh_tokens:
            for consent in list(self._by_refresh.values()):
                self._end(consent)
        return Consent(wanted, redirect_uri or self.app.redirect_uri)

    def code(self, consent: Consent) -> str:
        """Give a code for a consent: good once, for five minutes."""
        code = secrets.token_hex(32)
        self._codes[code] = consent, self.world.now() + CODE_LIFE
        return code

    def issue(self, consent: Consent) -> dict[str, object]:
        """Give new tokens for a consent, and end its refresh token."""
        switches, now = self.world.switches, self.world.now()
        refreshed = bool(consent.refresh_token)
        self._by_refresh.pop(consent.refresh_token, None)
        if switches.refresh_revokes_access_token:
            self._end_access_tokens(consent)
        consent.refresh_token = secrets.token_hex(32)
        self._by_refresh[consent.refresh_token] = consent
        access_token = _jwt(consent.scopes, now)
        consent.access_tokens[access_token] = now + timedelta(seconds=ACCESS_TOKEN_LIFE)
        self._by_access[access_token] = consent
        old = refreshed and switches.refresh_keeps_created_at
        consent.created_at = consent.created_at if old else int(now.timestamp())
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFE - old,
            "refresh_token": consent.refresh_token,
            **({"scope": " ".join(consent.scopes)} if switches.token_names_scope else {}),
            "created_at": consent.created_at,
            "direct_buy_tokens": {},
        }

    def bearer(self, request: Request) -> Consent | None:
        """Give the consent behind a request's access token, if that is still good."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        consent = self._by_access.get(token.strip())
        if consent is None or scheme.lower() != "bearer":
            return None
        return consent if self.world.now() < consent.access_tokens[token.strip()] else None

    @route("GET", "/oauth/authorize")
    @route("GET", "/service/auth/oauth/authorize")
    def authorize(self, request: Request) -> Response:
        """Send the person back with a code; who is asked here always answers at once, as `Switches.consent` says."""
        uri, state = request.param("redirect_uri", "") or "", request.param("state")
        if request.param("client_id") != self.app.client_id:
            return Response(500, b"<html><body>Internal Server Error</body></html>", content_type="text/html")
        if not self._accepts(uri):
            return _error(400, "invalid_redirect_uri", "The redirect uri included is not valid.")
        if request.param("response_type") != "code":
            return _error(400, "unsupported_response_type", "The authorization server does not support this type.")
        answer = {"state": state} if state is not None else {}
        scope = request.param("scope")
        if not self.world.switches.consent:
            denied = {"error": "access_denied", "error_description": "The resource owner denied the request."}
            return Response(302, None, {"Location": f"{uri}?{urlencode(denied | answer)}"})
        try:
            consent = self.consent(scope.split() if scope else None, uri)
        except ValueError:
            return _error(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        return Response(302, None, {"Location": f"{uri}?{urlencode({'code': self.code(consent)} | answer)}"})

    @route("POST", "/auth/oauth/token")
    @route("POST", "/service/auth/oauth/token")
    def token(self, request: Request) -> Response:
        """Give tokens for a code or a refresh token; the Authorization header does not matter here."""
        try:
            form = fields_of(request)
        except BadRequestError:
            return _error(400, "invalid_request", "The request is malformed.")
        if refusal := self._wrong_client(form):
            return refusal
        grant_type = form.get("grant_type")
        if grant_type == "authorization_code":
            consent, until = self._codes.pop(form.get("code", ""), (None, None))
            if until is not None and self.world.now() >= until:
                consent = None
        elif grant_type == "refresh_token":
            consent = self._by_refresh.get(form.get("refresh_token", ""))
        else:
            return _error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        needs_uri = grant_type == "authorization_code" or self.world.switches.refresh_needs_redirect_uri
        if needs_uri and not form.get("redirect_uri"):
            return _error(400, "invalid_request", "Missing required parameter: redirect_uri.")
        if consent is None or (needs_uri and form.get("redirect_uri") != consent.redirect_uri):
            return _error(
                400,
                "invalid_grant",
                "The provided authorization grant is invalid, expired, revoked or was used before.",
            )
        return Response(200, self.issue(consent))

    @route("POST", "/auth/oauth/revoke")
    @route("POST", "/service/auth/oauth/revoke")
    def revoke(self, request: Request) -> Response:
        """End a token: an access token alone, or a refresh token with the access tokens that came of it."""
        try:
            form = fields_of(request)
        except BadRequestError:
            return _error(400, "invalid_request", "The request is malformed.")
        if refusal := self._wrong_client(form):
            return refusal
        token = form.get("token", "")
        if consent := self._by_refresh.get(token):
            self._end(consent)
        elif consent := self._by_access.pop(token, None):
            consent.access_tokens.pop(token, None)
        return Response(200, {})

    @route("GET", "/.well-known/oauth-authorization-server")
    def metadata(self, request: Request) -> Response:
        """Describe the endpoints (RFC 8414)."""
        base = f"{request.origin}/service/auth/oauth"
        return Response(
            200,
            {
                "issuer": request.origin,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "revocation_endpoint": f"{base}/revoke",
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            },
        )

    def _accepts(self, redirect_uri: str) -> bool:
        if self.world.switches.allow_any_redirect_uri:
            return bool(redirect_uri)
        parts = urlsplit(redirect_uri)
        return redirect_uri in self.app.redirect_uris and parts.scheme == "https" and not parts.query

    def _wrong_client(self, form: dict[str, str]) -> Response | None:
        if (form.get("client_id"), form.get("client_secret")) == (self.app.client_id, self.app.client_secret):
            return None
        return _error(401, "invalid_client", "Client authentication failed due to unknown client or wrong secret.")

    def _end(self, consent: Consent) -> None:
        self._by_refresh.pop(consent.refresh_token, None)
        self._end_access_tokens(consent)

    def _end_access_tokens(self, consent: Consent) -> None:
        for token in consent.access_tokens:
            self._by_access.pop(token, None)
        consent.access_tokens.clear()


def fields_of(request: Request) -> dict[str, str]:
    """Read the fields of a token request, sent as a form, as JSON or as multipart.

    Raises:
        BadRequestError: if the body is not what its content type says.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        body = request.json()
        if not isinstance(body, dict):
            raise BadRequestError("not an object")
        return {key: str(value) for key, value in body.items() if value is not None}
    if content_type.startswith("multipart/form-data"):
        message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
        parts = [part for part in message.walk() if not part.is_multipart()]
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode()  # type: ignore[union-attr]
            for part in parts
        }
    return request.form()


def _error(status: int, error: str, description: str) -> Response:
    return Response(status, {"error": error, "error_description": description})


def _jwt(scopes: tuple[str, ...], now: datetime) -> str:
    """Make a token that looks like FreshBooks' access tokens, some thousand characters long."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    issued_at = int(now.timestamp())
    claims = {"jti": secrets.token_hex(16), "iat": issued_at, "exp": issued_at + ACCESS_TOKEN_LIFE}
    signature = secrets.token_urlsafe(384)
    return f"{part({'typ': 'JWT', 'alg': 'RS256'})}.{part(claims | {'scope': ' '.join(scopes)})}.{signature}"
