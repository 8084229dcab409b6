"""Zoho's OAuth: which hosts are Zoho's, and how a refresh token becomes an access token."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_store import ClientRefusedError, Grant, RefreshRefused, RefreshUnavailableError
from singer_store.oauth import post_form
from target_zoho_crm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_store import Broker, Store
    from target_zoho_crm.settings import Settings

DEFAULT_ACCOUNTS_URL = "https://accounts.zoho.com"

DATA_CENTRES = {
    "accounts.zoho.com": "zohoapis.com",
    "accounts.zoho.eu": "zohoapis.eu",
    "accounts.zoho.in": "zohoapis.in",
    "accounts.zoho.com.au": "zohoapis.com.au",
    "accounts.zoho.com.cn": "zohoapis.com.cn",
    "accounts.zoho.jp": "zohoapis.jp",
    "accounts.zohocloud.ca": "zohoapis.ca",
    "accounts.zoho.sa": "zohoapis.sa",
    "accounts.zoho.uk": "zohoapis.uk",
    "accounts.zoho.ae": "zohoapis.ae",
    "accounts.zoho.sg": "zohoapis.sg",
}
"""Accounts servers and the domain of their API servers (the CRM API's page "Multi DC Support", and Zoho's own SDK).

That page does not name the youngest three (UK, United Arab Emirates, Singapore), which other clients of Zoho's use.
"""

API_SERVERS = ("www", "sandbox", "developer")
"""What stands before the domain: production, sandboxes, developer editions."""

API_HOSTS = frozenset(
    {f"{server}.{domain}" for server in API_SERVERS for domain in (*DATA_CENTRES.values(), "zohocloud.ca")}
    | set(DATA_CENTRES.values())
)
"""Every host that a token may be sent to; Zoho's own papers name Canada's both ways, and some hosts without `www`."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

TIMEOUT = 30.0
"""Seconds for an answer of the token endpoint."""

THROTTLED_FOR = 600.0
"""Ten access tokens may be made in ten minutes for a refresh token (the page "Token Validity")."""

CONNECT = "Give consent again with `freshbooks-zoho connect zoho`, or set a new refresh_token."


def check_accounts_url(accounts_url: str) -> str:
    """Give the URL without a trailing slash.

    Raises:
        ConfigurationError: if it is not one of Zoho's accounts servers, nor a loopback address.
    """
    if _host(accounts_url, "https") in DATA_CENTRES or is_loopback(accounts_url):
        return accounts_url.rstrip("/")
    raise ConfigurationError(
        "accounts_url has to be the accounts server of your Zoho data centre, one of "
        + ", ".join(f"https://{host}" for host in DATA_CENTRES)
        + "."
    )


def check_api_domain(api_domain: str, accounts_url: str) -> str:
    """Give the API's base URL without a trailing slash.

    Raises:
        ConfigurationError: if it is not one of Zoho's (loopback is, where `accounts_url` is).
    """
    known = _host(api_domain, "https") in API_HOSTS
    if known or (is_loopback(api_domain) and is_loopback(accounts_url)):
        return api_domain.rstrip("/")
    raise ConfigurationError(
        "The token came with an api_domain that is none of Zoho's API servers, so nothing is sent to it; check that "
        "accounts_url is the accounts server of your Zoho data centre."
    )


def is_loopback(url: str) -> bool:
    """Say whether a URL is one of this machine, over plain HTTP."""
    return _host(url, "http") in LOOPBACK


def _host(url: str, scheme: str) -> str | None:
    """Give the host of a bare `scheme://host`; None for a URL with more to it (a path, a user, a port after https)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and "@" not in parts.netloc
    if parts.scheme != scheme or not bare or (scheme == "https" and port is not None):
        return None
    return parts.hostname


def read_grant(answer: Mapping[str, Any], accounts_url: str) -> Grant:
    """Turn the token endpoint's successful answer into tokens.

    The grant's details say where they work (`api_domain`), which accounts server makes the next ones (`accounts_url`)
    and, where the answer has it, what they may do (`scope`). `expires_in` is seconds, except beside `expires_in_sec`,
    where it is milliseconds (so does Zoho's own SDK).

    Raises:
        ConfigurationError: if `api_domain` is missing or none of Zoho's.
    """
    api_domain = check_api_domain(str(answer.get("api_domain") or ""), accounts_url)
    refresh_token = answer.get("refresh_token")
    return Grant(
        access_token=str(answer["access_token"]),
        refresh_token=str(refresh_token) if refresh_token else None,
        expires_in=int(answer.get("expires_in_sec") or answer.get("expires_in") or 3600),
        details={
            "api_domain": api_domain,
            "accounts_url": accounts_url,
            **({"scope": str(answer["scope"])} if answer.get("scope") else {}),
        },
    )


def open_broker(store: Store, settings: Settings) -> Broker:
    """Give the store's broker for this client and seed.

    Raises:
        ConfigurationError: if `accounts_url` is not one of Zoho's.
    """
    return store.broker(
        service="zoho",
        client_id=settings.client_id,
        seed=settings.refresh_token,
        refresh=refresher(settings.client_id, settings.client_secret, settings.accounts_url),
        rotates=False,
        hint=f"{CONNECT} It is also refused where accounts_url is another data centre's accounts server.",
    )


def refresher(client_id: str, client_secret: str, accounts_url: str) -> Callable[[str, Mapping[str, str]], Grant]:
    """Give the function that trades a refresh token for an access token, for `Store.broker(refresh=…)`.

    A refresh token is good at the accounts server that made it, so that one is asked, where it is known; `accounts_url`
    is for a refresh token out of the settings. Zoho does not rotate them, so the broker is made with `rotates=False`.
    Errors come with status 200: what counts is whether there is an access token (the page "Refresh Access Token").

    Raises:
        ConfigurationError: if `accounts_url` is not one of Zoho's.
    """
    accounts_url = check_accounts_url(accounts_url)

    def refresh(refresh_token: str, details: Mapping[str, str]) -> Grant:
        server = check_accounts_url(details.get("accounts_url") or accounts_url)
        response = post_form(
            f"{server}/oauth/v2/token",
            {
                "grant_type": "refresh_token",
                "client_id": client_id,
                "client_secret": client_secret,
                "refresh_token": refresh_token,
            },
            timeout=TIMEOUT,
        )
        grant = read_answer(response.status_code, response.content, server)
        # Not every answer names the scopes; those of the consent stay what they are.
        scope = {"scope": details["scope"]} if "scope" in details else {}
        return replace(grant, details={**scope, **grant.details})

    return refresh


def read_answer(status: int, body: bytes, accounts_url: str) -> Grant:
    """Judge an answer of the token endpoint.

    Raises:
        RefreshRefused: if the refresh token is dead, or of another data centre.
        ClientRefusedError: if Zoho does not know the client, or names an API server that is none of Zoho's.
        RefreshUnavailableError: if Zoho wants to be asked later.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RefreshUnavailableError(message=f"Zoho's accounts server gave no readable answer ({status}).")
    if answer.get("access_token"):
        try:
            return read_grant(answer, accounts_url)
        except ConfigurationError as error:
            raise ClientRefusedError(str(error)) from None
    code = str(answer.get("error", ""))
    if code == "invalid_code":
        raise RefreshRefused
    if code in {"invalid_client", "invalid_client_secret"}:
        raise ClientRefusedError(
            f"Zoho does not accept the client ({code}): check client_id, client_secret and that accounts_url is the "
            "accounts server of the data centre where the client was registered."
        )
    if code == "Access Denied":
        raise RefreshUnavailableError(
            THROTTLED_FOR,
            "Zoho makes ten access tokens in ten minutes at most, and these are used up; run again in ten minutes.",
        )
    raise RefreshUnavailableError(message=f"Zoho's accounts server gave no token ({status}, {safe_code(code)}).")


def safe_code(code: str) -> str:
    """Give a code as it may stand in a message: a few letters, never a text of someone else's making."""
    return code[:60] if code.replace("_", "").replace(" ", "").isalnum() and code.isascii() else "unknown error"
