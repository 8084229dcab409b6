"""Zoho's accounts server: clients, grants and tokens; every rule without HTTP ("Token Validity", "Multi-DC")."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.clock import Clock
    from sandbox.zoho.switches import Switches

TOKEN_LIFE = 3600
CODE_LIFE = 180
LIVE_ACCESS_TOKENS = 15
REFRESHES = 10
WINDOW = timedelta(minutes=10)
REFRESH_TOKENS = 20
CODES = 10


class TokenError(Exception):
    """A token request refused; Zoho answers it with HTTP 200, the throttle excepted."""

    def __init__(self, code: str, *, throttled: bool = False) -> None:
        super().__init__(code)
        self.throttled = throttled
        self.body: dict[str, Any] = {"error": code}
        if throttled:
            self.body = {
                "error_description": "You have made too many requests continuously. Please try again after some time.",
                "error": "Access Denied",
                "status": "failure",
            }


@dataclass(frozen=True)
class Login:
    """Who consents, and to the use of which organization."""

    zgid: str
    user_id: str | None = None
    """None is the user of the API whom every organization has."""


@dataclass
class Client:
    """One client of the API console."""

    client_id: str
    client_secret: str
    redirect_uri: str = "http://127.0.0.1:8123/callback"
    kind: str = "server"
    """``server``, ``self`` or ``device`` (limited-input devices)."""
    data_centres: set[str] = field(default_factory=lambda: {"us", "eu"})
    """Where it is known (Multi-DC in the API console)."""


@dataclass
class RefreshToken:
    """One consent of a user."""

    value: str
    client_id: str
    scopes: frozenset[str]
    data_centre: str
    login: Login
    refreshes: deque[datetime] = field(default_factory=deque)
    locked_until: datetime | None = None


@dataclass
class AccessToken:
    """One access token; `refresh_token` is the value of its parent, "" where the consent was online."""

    value: str
    refresh_token: str
    client_id: str
    scopes: frozenset[str]
    data_centre: str
    login: Login
    expires_at: datetime


@dataclass
class Code:
    """One authorization code."""

    value: str
    client_id: str
    redirect_uri: str | None
    scopes: frozenset[str]
    data_centre: str
    login: Login
    offline: bool
    expires_at: datetime


class Accounts:
    """The tokens of all data centres.

    Args:
        clock: the sandbox's.
        switches: how Zoho behaves.
        login: who consents from now on.
    """

    def __init__(self, clock: Clock, switches: Switches, login: Login) -> None:
        self._clock, self._switches, self.login = clock, switches, login
        self.clients: dict[str, Client] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.codes: dict[str, Code] = {}
        self.moved_to: str | None = None
        """The data centre to which the organization was moved; the others know it no more."""
        self._codes_made: dict[str, deque[datetime]] = {}
        self._consents: set[tuple[str, str]] = set()

    def register(self, kind: str = "server", *, redirect_uri: str | None = None) -> Client:
        """Register a client in the API console."""
        client = Client(f"1000.{secrets.token_hex(15).upper()}", secrets.token_hex(21), kind=kind)
        if redirect_uri is not None:
            client.redirect_uri = redirect_uri
        self.clients[client.client_id] = client
        return client

    def client(self, client_id: str | None, secret: str | None, data_centre: str) -> Client:
        """Return a client that shows its secret.

        Raises:
            TokenError: invalid_client or invalid_client_secret.
        """
        client = self.clients.get(client_id or "")
        if client is None or data_centre not in client.data_centres:
            raise TokenError("invalid_client")
        if client.client_secret != secret:
            raise TokenError("invalid_client_secret")
        return client

    def make_code(
        self,
        client: Client,
        scopes: frozenset[str],
        data_centre: str,
        *,
        redirect_uri: str | None,
        offline: bool = True,
    ) -> str:
        """Make an authorization code: good once, for three minutes.

        Raises:
            TokenError: beyond ten codes in ten minutes.
        """
        now = self._clock.now()
        made = self._codes_made.setdefault(client.client_id, deque())
        while made and made[0] <= now - WINDOW:
            made.popleft()
        if len(made) >= CODES:
            raise TokenError("Access Denied", throttled=True)
        made.append(now)
        expiry = self._after(CODE_LIFE)
        code = Code(_token(), client.client_id, redirect_uri, scopes, data_centre, self.login, offline, expiry)
        self.codes[code.value] = code
        return code.value

    def repeated(self, client: Client, data_centre: str) -> bool:
        """Return whether the user has consented to this client before, and note that they have now."""
        consent = (client.client_id, data_centre)
        before = consent in self._consents
        self._consents.add(consent)
        return before

    def exchange(self, client: Client, value: str, redirect_uri: str | None, data_centre: str) -> dict[str, Any]:
        """Change a code for tokens.

        Raises:
            TokenError: invalid_code or invalid_redirect_uri.
        """
        code = self.codes.get(value)
        if (
            code is None
            or code.client_id != client.client_id
            or code.data_centre != data_centre
            or code.expires_at <= self._clock.now()
        ):
            raise TokenError("invalid_code")
        if code.redirect_uri is not None and code.redirect_uri != redirect_uri:
            raise TokenError("invalid_redirect_uri")
        del self.codes[value]
        return self.answer(client, code.scopes, data_centre, offline=code.offline, login=code.login)

    def answer(
        self, client: Client, scopes: frozenset[str], data_centre: str, *, offline: bool, login: Login | None = None
    ) -> dict[str, Any]:
        """Make the tokens of a consent; the caller adds `api_domain`."""
        login = login or self.login
        refresh = self.grant(client, scopes, data_centre, login) if offline else None
        access = self._make_access(refresh, client.client_id, scopes, data_centre, login)
        body: dict[str, Any] = {"access_token": access.value}
        if refresh is not None:
            body["refresh_token"] = refresh.value
        return {**body, "scope": " ".join(sorted(scopes)), "token_type": "Bearer", "expires_in": TOKEN_LIFE}

    def grant(
        self, client: Client, scopes: frozenset[str], data_centre: str, login: Login | None = None
    ) -> RefreshToken:
        """Make a refresh token; the twenty-first of a user ends the first one and its access tokens."""
        refresh = RefreshToken(_token(), client.client_id, scopes, data_centre, login or self.login)
        self.refresh_tokens[refresh.value] = refresh
        same = [each for each in self.refresh_tokens.values() if each.client_id == client.client_id]
        for oldest in same[:-REFRESH_TOKENS]:
            self.revoke(oldest.value)
        return refresh

    def refresh(self, client: Client, value: str, data_centre: str) -> dict[str, Any]:
        """Make an access token; ten in ten minutes, and no new refresh token.

        Raises:
            TokenError: invalid_code, or "Access Denied" from the throttle.
        """
        refresh = self.refresh_tokens.get(value)
        if refresh is None or refresh.client_id != client.client_id or refresh.data_centre != data_centre:
            raise TokenError("invalid_code")
        now = self._clock.now()
        if refresh.locked_until is not None and now < refresh.locked_until:
            raise TokenError("Access Denied", throttled=True)
        while refresh.refreshes and refresh.refreshes[0] <= now - WINDOW:
            refresh.refreshes.popleft()
        if len(refresh.refreshes) >= REFRESHES:
            refresh.locked_until = now + timedelta(minutes=self._switches.throttle_minutes)
            raise TokenError("Access Denied", throttled=True)
        refresh.refreshes.append(now)
        access = self._make_access(refresh, client.client_id, refresh.scopes, data_centre, refresh.login)
        scope = {"scope": " ".join(sorted(refresh.scopes))} if self._switches.refresh_names_scopes else {}
        return {"access_token": access.value, **scope, "token_type": "Bearer", "expires_in": TOKEN_LIFE}

    def made_in(self, value: str) -> str | None:
        """Return the data centre whose accounts server has made a token; None if it is not a live one."""
        if value in self.refresh_tokens:
            return self.refresh_tokens[value].data_centre
        access = self.access_tokens.get(value)
        return None if access is None else self.made_in(access.refresh_token) or access.data_centre

    def revoke(self, value: str) -> bool:
        """End a refresh token with its access tokens; says whether there was one."""
        if self.refresh_tokens.pop(value, None) is None:
            return self.access_tokens.pop(value, None) is not None
        for access in [each for each in self.access_tokens.values() if each.refresh_token == value]:
            del self.access_tokens[access.value]
        return True

    def revoke_access_tokens(self, refresh_tokens: Iterable[str] | None = None) -> None:
        """End all access tokens, or those of some refresh tokens."""
        chosen = None if refresh_tokens is None else set(refresh_tokens)
        for access in list(self.access_tokens.values()):
            if chosen is None or access.refresh_token in chosen:
                del self.access_tokens[access.value]

    def check(self, value: str, data_centre: str) -> AccessToken | None:
        """Return a live access token of a data centre; None if it is none."""
        access = self.access_tokens.get(value)
        if access is None or access.data_centre != data_centre or access.expires_at <= self._clock.now():
            return None
        return access

    def home(self, data_centre: str) -> str:
        """Return the data centre in which the organization of an accounts server's users is."""
        return self.moved_to or data_centre

    def move(self, data_centre: str | None) -> None:
        """Move the organization: tokens made from now on are for the other data centre, the earlier ones are dead."""
        self.moved_to = data_centre
        self.access_tokens.clear()

    def _make_access(
        self, refresh: RefreshToken | None, client_id: str, scopes: frozenset[str], data_centre: str, login: Login
    ) -> AccessToken:
        parent = refresh.value if refresh else ""
        value, expiry = _token(), self._after(TOKEN_LIFE)
        access = AccessToken(value, parent, client_id, scopes, self.home(data_centre), login, expiry)
        now = self._clock.now()
        for dead in [each.value for each in self.access_tokens.values() if each.expires_at <= now]:
            del self.access_tokens[dead]
        self.access_tokens[access.value] = access
        siblings = [each.value for each in self.access_tokens.values() if each.refresh_token == parent]
        for oldest in siblings[:-LIVE_ACCESS_TOKENS]:
            del self.access_tokens[oldest]
        return access

    def _after(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def _token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
