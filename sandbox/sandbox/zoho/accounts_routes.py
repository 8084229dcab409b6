"""Zoho's accounts server over HTTP: consent, tokens, revocation ("Access and Refresh Tokens")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.http import Response, route
from sandbox.zoho.oauth import Client, TokenError
from sandbox.zoho.scopes import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.http import Request
    from sandbox.zoho.oauth import Accounts
    from sandbox.zoho.switches import Switches


def parameters(request: Request) -> dict[str, str]:
    """Return what was sent in the query and in a form body alike; JSON bodies are not read."""
    sent = dict(request.query)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent |= request.form()
    return sent


class AccountsRoutes:
    """The accounts server of one data centre."""

    def __init__(
        self, data_centre: str, accounts: Accounts, switches: Switches, origins: Callable[[], Mapping[str, str]]
    ) -> None:
        self._here, self._accounts, self._switches, self._origins = data_centre, accounts, switches, origins

    @route("GET", "/oauth/v2/auth")
    def authorize(self, request: Request) -> Response:
        """Be the consent page: the user agrees (or refuses) at once and is sent back."""
        sent = dict(request.query)
        client = self._accounts.clients.get(sent.get("client_id", ""))
        if client is None or client.kind == "device":
            return _page("Invalid Client")
        if sent.get("redirect_uri") != client.redirect_uri:
            return _page("Invalid Redirect Uri")
        if sent.get("response_type") != "code" or not sent.get("scope"):
            return _page("Invalid Response Type" if sent.get("scope") else "Invalid OAuth Scope")
        state = {"state": sent["state"]} if "state" in sent else {}
        if self._switches.consent_denied:
            return _redirect(client, {"error": "access_denied", **state})
        where = self._switches.user_location or self._here
        offline = sent.get("access_type") == "offline"
        repeated = self._accounts.repeated(client, where)
        if repeated and sent.get("prompt") != "consent" and self._switches.repeat_consent_omits_refresh_token:
            offline = False
        try:
            code = self._accounts.make_code(
                client, split(sent["scope"]), where, redirect_uri=client.redirect_uri, offline=offline
            )
        except TokenError as refused:
            return Response(400, refused.body)
        answer = {"code": code, "location": where, "accounts-server": self._origins()[where], **state}
        return _redirect(client, answer)

    @route("POST", "/oauth/v2/token")
    def token(self, request: Request) -> Response:
        """Answer with tokens for a code or a refresh token."""
        sent = parameters(request)
        try:
            body = self._tokens(sent)
        except TokenError as refused:
            return Response(self._switches.throttle_status if refused.throttled else 200, refused.body)
        return Response(body=self.with_domain(body))

    def _tokens(self, sent: Mapping[str, str]) -> dict[str, Any]:
        if self._switches.token_error is not None:
            raise TokenError(self._switches.token_error)
        client = self._accounts.client(sent.get("client_id"), sent.get("client_secret"), self._here)
        kind = sent.get("grant_type")
        if kind == "authorization_code":
            return self._accounts.exchange(client, sent.get("code", ""), sent.get("redirect_uri"), self._here)
        if kind == "refresh_token":
            return self._accounts.refresh(client, sent.get("refresh_token", ""), self._here)
        raise TokenError("general_error")

    @route("POST", "/oauth/v2/token/revoke")
    def revoke(self, request: Request) -> Response:
        """End a token; one that another data centre has made is not known here."""
        token = parameters(request).get("token", "")
        ended = self._accounts.made_in(token) == self._here and self._accounts.revoke(token)
        return Response(body={"status": "success"} if ended else {"error": "invalid_token"})

    @route("GET", "/oauth/serverinfo")
    def server_info(self, request: Request) -> Response:  # noqa: ARG002
        """Answer with the accounts server of every data centre."""
        return Response(body={"result": "success", "locations": dict(self._origins())})

    def with_domain(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a token answer with its `api_domain`."""
        if self._switches.old_expiry:
            body = {**body, "expires_in_sec": body["expires_in"], "expires_in": body["expires_in"] * 1000}
        if self._switches.token_without_api_domain:
            return body
        return {**body, "api_domain": self._origins()[self._accounts.home(self._here)]}


def _page(text: str) -> Response:
    return Response(400, f"<html><body>{text}</body></html>".encode(), content_type="text/html")


def _redirect(client: Client, answer: Mapping[str, str]) -> Response:
    return Response(302, None, {"Location": f"{client.redirect_uri}?{urlencode(answer)}"})
