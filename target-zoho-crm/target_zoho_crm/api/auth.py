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

THROTTLED = "Access Denied"
"""The code that says so; its status is 400 or 200."""

LIFE = 3600
"""Seconds that an access token lives (the page "Token Validity"), where the answer does not say."""

TOO_MANY, SERVER_ERROR = 429, 500

CONNECT = "Give consent again with `freshbooks-zoho connect zoho`, or set a new refresh_token."


def check_accounts_url(accounts_url: str) -> str:
    """Return the URL without a trailing slash.

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
    """Return the API's base URL without a trailing slash.

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
    """Return whether a URL is one of this machine, over plain HTTP."""
    return _host(url, "http") in LOOPBACK


def _host(url: str, scheme: str) -> str | None:
    """Return the host of a bare `scheme://host`; None for a URL with more to it (a path, a user, an https port)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and "@" not in parts.netloc
    if parts.scheme != scheme or not bare or (scheme == "https" and port is not None):
        return None
    return parts.hostname


def read_grant(answer: Mapping[str, Any], accounts_url: str, former: Mapping[str, str] | None = None) -> Grant:
    """Return the tokens of the token endpoint's successful answer.

    The grant's details say where they work (`api_domain`), which accounts server makes the next ones (`accounts_url`)
    and, where the answer has it, what they may do (`scope`). `expires_in` is seconds, except beside `expires_in_sec`,
    where it is milliseconds (so does Zoho's own SDK).

    Args:
        answer: with an `access_token`.
        accounts_url: the server that gave it.
        former: the details of the grant that the refresh token came with.

    Raises:
        ConfigurationError: if `api_domain` is none of Zoho's, or is missing and not known.
    """
    refresh_token = answer.get("refresh_token")
    known = former.get("api_domain") if former else None
    return Grant(
        access_token=str(answer["access_token"]),
        refresh_token=str(refresh_token) if refresh_token else None,
        expires_in=_life(answer),
        details={
            "api_domain": find_api_domain(answer.get("api_domain"), accounts_url, known),
            "accounts_url": accounts_url,
            **({"scope": str(answer["scope"])} if answer.get("scope") else {}),
        },
    )


def find_api_domain(named: Any, accounts_url: str, former: str | None = None) -> str:
    """Return the base URL of the API server for a token.

    What the answer names counts: an organization can be moved, and a sandbox has a server of its own (the page "Multi
    DC Support"). Where it names none, the one that was named before does, else that of the data centre.

    Args:
        named: `api_domain` of the answer; empty where it has none.
        accounts_url: the server that gave the answer.
        former: `api_domain` of the grant before.

    Raises:
        ConfigurationError: if it is none of Zoho's, or none is known.
    """
    if named or former:
        return check_api_domain(str(named or former), accounts_url)
    domain = DATA_CENTRES.get(_host(accounts_url, "https") or "")
    if domain is None:
        raise ConfigurationError(
            f"Zoho's answer names no API server (api_domain), and none is known for {accounts_url}; check that "
            "accounts_url is the accounts server of your Zoho data centre."
        )
    return f"https://{API_SERVERS[0]}.{domain}"


def _life(answer: Mapping[str, Any]) -> int:
    """Return the seconds that a token lives; a token is too precious to stumble over a number that is none."""
    try:
        seconds = int(answer.get("expires_in_sec") or answer.get("expires_in") or LIFE)
    except (TypeError, ValueError, OverflowError):
        return LIFE
    return seconds if seconds > 0 else LIFE


def open_broker(store: Store, settings: Settings) -> Broker:
    """Return the store's broker for this client and seed.

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
    """Return the function that trades a refresh token for an access token, for `Store.broker(refresh=…)`.

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
        grant = read_answer(response.status_code, response.content, server, details)
        # Not every answer names the scopes; those of the consent stay what they are.
        scope = {"scope": details["scope"]} if "scope" in details else {}
        return replace(grant, details={**scope, **grant.details})

    return refresh


def read_answer(status: int, body: bytes, accounts_url: str, former: Mapping[str, str] | None = None) -> Grant:
    """Return the tokens of an answer of the token endpoint.

    Errors come with status 200, and their codes are an open list, so whatever does not say "later" is final.

    Args:
        status: the HTTP status.
        body: of the answer.
        accounts_url: the server that gave it.
        former: the details of the grant that the refresh token came with.

    Raises:
        RefreshRefused: if the refresh token is dead, or of another data centre.
        ClientRefusedError: if Zoho gives no token for another reason, or one for a server that is none of Zoho's.
        RefreshUnavailableError: if Zoho wants to be asked later.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not (answer.get("access_token") or answer.get("error")):
        raise RefreshUnavailableError(message=f"Zoho's accounts server gave no readable answer ({status}).")
    if answer.get("access_token"):
        try:
            return read_grant(answer, accounts_url, former)
        except ConfigurationError as error:
            raise ClientRefusedError(str(error)) from None
    code = str(answer["error"])
    if code == "invalid_code":
        raise RefreshRefused
    if code in {"invalid_client", "invalid_client_secret"}:
        raise ClientRefusedError(
            f"Zoho does not accept the client ({code}): check client_id, client_secret and that accounts_url is the "
            "accounts server of the data centre where the client was registered."
        )
    if code == THROTTLED:
        raise RefreshUnavailableError(
            THROTTLED_FOR,
            "Zoho makes ten access tokens in ten minutes at most, and these are used up; run again in ten minutes.",
        )
    if is_temporary(status):
        raise RefreshUnavailableError(message=f"Zoho's accounts server gave no token ({status}, {safe_code(code)}).")
    raise ClientRefusedError(
        f"Zoho gives no access token and says why: {safe_code(code)}. Check client_id, client_secret and accounts_url, "
        "then give consent again with `freshbooks-zoho connect zoho`."
    )


def is_temporary(status: int) -> bool:
    """Return whether an HTTP status says that the same request may succeed later."""
    return status == TOO_MANY or status >= SERVER_ERROR


def safe_code(code: str) -> str:
    """Return a code as it may stand in a message: a few letters, never a text of someone else's making."""
    return code[:60] if code.replace("_", "").replace(" ", "").isalnum() and code.isascii() else "unknown error"
