"""Zoho's side of connecting: a page that leads back with a code, a self client's code, the first tokens, their end.

Consent is asked for anew, with offline access, since only then there certainly is a refresh token. Sources are the page
"Authorization Request" of the CRM API, and "Multi DC" of Zoho Accounts. The other way to connect is in `device`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from singer_store import RefreshNotSent, RefreshRefused, RefreshUnanswered, RefreshUnavailableError
from singer_store.oauth import post_form
from target_zoho_crm.api.auth import (
    TIMEOUT,
    check_accounts_url,
    is_loopback,
    read_answer,
    safe_code,
)
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ConfigurationError, ZohoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_store import Grant

LOCATIONS = {
    "us": "accounts.zoho.com",
    "eu": "accounts.zoho.eu",
    "in": "accounts.zoho.in",
    "au": "accounts.zoho.com.au",
    "cn": "accounts.zoho.com.cn",
    "jp": "accounts.zoho.jp",
    "ca": "accounts.zohocloud.ca",
    "sa": "accounts.zoho.sa",
    "uk": "accounts.zoho.uk",
    "ae": "accounts.zoho.ae",
    "sg": "accounts.zoho.sg",
}
"""Zoho's short names of its data centres, as in `location` and `user_location` (the page "Multi DC")."""

AGAIN = "Run `freshbooks-zoho connect zoho` again."


class ConsentError(ZohoError):
    """Connecting came to nothing; the text says why, and what to do."""


class PasteError(ConsentError):
    """What was pasted is not what it should be; another try may be."""


class NoAnswerError(ConsentError):
    """Zoho could not be reached, or gave no whole answer."""


@dataclass(frozen=True)
class Client:
    """The OAuth client of the API console, and the accounts server where it is known."""

    client_id: str
    client_secret: str = field(repr=False)
    accounts_url: str


# data centres


def location_of(accounts_url: str) -> str:
    """Return the short name of an accounts server's data centre; its host where it has none."""
    host = urlsplit(accounts_url).netloc
    return next((name for name, known in LOCATIONS.items() if known == host), host)


def accounts_servers(client: Client) -> dict[str, str]:
    """Return the URL of every data centre's accounts server, by the data centre's short name.

    Raises:
        ConsentError: if an emulated Zoho names one that is not on this machine.
    """
    if is_loopback(client.accounts_url):
        return {name: trusted_server(str(url), client) for name, url in _listed(client).items()}
    return {name: f"https://{host}" for name, host in LOCATIONS.items()}


def accounts_server(location: str, client: Client) -> str:
    """Return the URL of a data centre's accounts server.

    Zoho's own list is asked only about a data centre that is not in ours, and for an emulated Zoho.

    Raises:
        ConsentError: if there is none that is known to be Zoho's.
    """
    if location in LOCATIONS and not is_loopback(client.accounts_url):
        return f"https://{LOCATIONS[location]}"
    listed = _listed(client).get(location)
    if listed is None:
        raise ConsentError(
            f"The user is in a data centre of Zoho's that is not known here ({safe_code(location)}). Set accounts_url "
            "to its accounts server, then connect again."
        )
    return trusted_server(str(listed), client)


def _listed(client: Client) -> dict[str, Any]:
    """Ask an accounts server for all of them (the page "Multi DC")."""
    try:
        response = requests.get(f"{client.accounts_url}/oauth/serverinfo", timeout=TIMEOUT, allow_redirects=False)
        return dict(response.json()["locations"])
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return {}


def trusted_server(url: str, client: Client) -> str:
    """Return the URL of an accounts server that somebody named, if it may be sent the client's secret.

    Raises:
        ConsentError: if it is none of Zoho's.
    """
    try:
        server = check_accounts_url(url)
    except ConfigurationError:
        server = ""
    if not server or (is_loopback(server) and not is_loopback(client.accounts_url)):
        raise ConsentError(
            "The answer names an accounts server that is none of Zoho's, so nothing was sent to it. Do not go on with "
            f"that address. {AGAIN}"
        )
    return server


# a page that leads back


def authorization_url(client: Client, redirect_uri: str, state: str) -> str:
    """Return the page where Zoho asks for consent; `state` comes back with the answer."""
    query = {
        "scope": ",".join(SCOPES),
        "client_id": client.client_id,
        "response_type": "code",
        "access_type": "offline",
        "prompt": "consent",
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{client.accounts_url}/oauth/v2/auth?{urlencode(query)}"


def read_pasted(text: str, client: Client, *, redirect_uri: str, state: str) -> tuple[str, str]:
    """Take the code, and the accounts server that takes it, out of the address that Zoho led the browser to.

    Raises:
        PasteError: if it is not that address.
        ConsentError: if consent was refused, or the server is none of Zoho's.
    """
    try:
        parts, expected = urlsplit("".join(text.split()).strip("'\"<>")), urlsplit(redirect_uri)
        query = parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise PasteError("That is not an address. Paste all that is in the browser's address bar.") from None
    if not parts.scheme or (parts.netloc, parts.path.rstrip("/")) != (expected.netloc, expected.path.rstrip("/")):
        raise PasteError(
            "That is not the address that Zoho leads to. Agree on Zoho's page, then paste all that is in the browser's "
            f"address bar; it begins with {redirect_uri}."
        )
    if not secrets.compare_digest(_only(query, "state").encode("utf-8", "replace"), state.encode()):
        raise PasteError(
            "That address belongs to another attempt, or is not whole. Open the address that is shown here, agree, and "
            "paste the address of the page that it leads to."
        )
    if "error" in query:
        refused = _only(query, "error") == "access_denied"
        why = "Consent was refused on Zoho's page" if refused else "Zoho's page ended with an error"
        raise ConsentError(f"{why}, so nothing is connected. {AGAIN}")
    code = _only(query, "code")
    if not code:
        raise PasteError("That address has no code in it. Paste the whole address.")
    server = _only(query, "accounts-server")
    return code, trusted_server(server, client) if server else client.accounts_url


def exchange(client: Client, code: str, *, accounts_url: str, redirect_uri: str | None = None) -> Grant:
    """Change a code for the first tokens; one POST.

    Args:
        client: that the code was made for.
        code: of a self client, or out of a redirect.
        accounts_url: the server that made it.
        redirect_uri: that it came by, if it did.

    Raises:
        ConsentError: if the code is not taken, or Zoho does not answer.
        ClientRefusedError: if the client ID or secret is wrong, or Zoho gives no token for another reason.
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "code": code,
        **({"redirect_uri": redirect_uri} if redirect_uri else {}),
    }
    try:
        answer = post(f"{accounts_url}/oauth/v2/token", form)
        return read_answer(answer.status_code, answer.content, accounts_url)
    except RefreshRefused:
        raise ConsentError(
            f"Zoho does not take the code at {accounts_url}: it is good once, for a few minutes, and only in the data "
            "centre where it was made (another one is chosen with --data-centre). Make another, and connect again."
        ) from None
    except RefreshUnavailableError as error:
        raise ConsentError(f"{error} Connect again with another code.") from None


def revoke(refresh_token: str, accounts_url: str) -> None:
    """End a refresh token, and what was made of it; one that has ended already is no error.

    Raises:
        ConsentError: if Zoho did not say that it has ended.
    """
    try:
        answer = parse_object(post(f"{accounts_url}/oauth/v2/token/revoke", {"token": refresh_token}).content)
        code = str(answer.get("error") or "") if answer else "no readable answer"
        said = "" if answer.get("status") == "success" or code.startswith("invalid_") else f"({safe_code(code)}) "
    except ConsentError as error:
        said = f"({error}) "
    if said:
        raise ConsentError(
            f"Zoho did not end the connection {said}: remove it at {accounts_url}/home under Connected Apps."
        )


# answers


def post(url: str, form: Mapping[str, str]) -> requests.Response:
    """Make one POST to an accounts server; returns the answer, whatever its status.

    Raises:
        NoAnswerError: if there was no whole answer.
    """
    try:
        return post_form(url, form, timeout=TIMEOUT)
    except (RefreshNotSent, RefreshUnanswered) as error:
        raise NoAnswerError(f"Zoho gave no tokens: {error} {AGAIN}") from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse an answer; empty if it is no JSON object."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _only(query: Mapping[str, Sequence[str]], name: str) -> str:
    """Return a parameter that is there once."""
    values = query.get(name, ())
    return values[0] if len(values) == 1 else ""
