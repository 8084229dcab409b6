"""A login on a device: the person types a short code in on Zoho's page, wherever they have a browser.

The page "Limited Input Devices" of Zoho Accounts (https://www.zoho.com/accounts/protocol/oauth/limited-input-devices.html):
times are in milliseconds; one may poll once in thirty seconds; a person who lives in another data centre is polled for
there. Errors come with any status, so their codes count.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from target_zoho_crm.api.auth import THROTTLED, is_temporary, read_grant, safe_code
from target_zoho_crm.api.consent import (
    AGAIN,
    ConsentError,
    NoAnswerError,
    accounts_server,
    accounts_servers,
    parse_object,
    post,
)
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_store import Grant
    from target_zoho_crm.api.consent import Client

SHORTEST_MS = 1000
MARGIN = 1.0
"""Seconds added, since the way to Zoho does not always take equally long."""
SLOWER = 5.0
"""Seconds added to the interval each time Zoho says slow_down (so does RFC 8628)."""
OTHER_CLIENTS = (
    "a self client connects with `freshbooks-zoho connect zoho --self-client`, a server-based one with "
    "`freshbooks-zoho connect zoho --redirect <its redirect URI>`"
)


@dataclass(frozen=True)
class DeviceLogin:
    """A login that waits for a person.

    Attributes:
        user_code: what the person types in.
        verification_url: where.
        device_code: what shows that the tokens are for this program.
        accounts_url: the server to poll.
        interval: seconds between two polls.
        next_poll: not earlier than this.
        expires_at: when it is over.
    """

    user_code: str
    verification_url: str
    device_code: str = field(repr=False)
    accounts_url: str
    interval: float
    next_poll: datetime
    expires_at: datetime

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON, to be kept (encrypted) until it goes on."""
        moments = {name: getattr(self, name).isoformat() for name in ("next_poll", "expires_at")}
        return {**self.__dict__, **moments}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DeviceLogin:
        """Read what `as_document` gave."""
        moments = {name: datetime.fromisoformat(document[name]) for name in ("next_poll", "expires_at")}
        return cls(**{**document, **moments})

    def later(self, now: datetime, **changes: Any) -> DeviceLogin:
        """Return the login as it is after a poll that brought nothing."""
        changed = replace(self, **changes)
        return replace(changed, next_poll=now + timedelta(seconds=changed.interval + MARGIN))


class UnknownClientError(ConsentError):
    """The accounts server does not know the client, or not as one for limited-input devices."""


@dataclass(frozen=True)
class Elsewhere:
    """The person has agreed, and is a user of another data centre."""

    location: str


def read_login(body: bytes, accounts_url: str, now: datetime) -> DeviceLogin:
    """Read the answer to the beginning of a login; its times are in milliseconds.

    Raises:
        ConsentError: if Zoho begins none.
    """
    answer = parse_object(body)
    try:
        told = int(answer["interval"])
        # The page "Initiation Request" has milliseconds, and 30000; so little cannot be milliseconds.
        interval = max(float(told) if told < SHORTEST_MS else told / 1000, 1.0)
        return DeviceLogin(
            user_code=str(answer["user_code"]),
            verification_url=str(answer["verification_url"]),
            device_code=str(answer["device_code"]),
            accounts_url=accounts_url,
            interval=interval,
            next_poll=now + timedelta(seconds=interval + MARGIN),
            expires_at=now + timedelta(milliseconds=int(answer["expires_in"])),
        )
    except (KeyError, TypeError, ValueError):
        pass
    code = safe_code(_code(answer))
    kind = UnknownClientError if code == "invalid_client" else ConsentError
    raise kind(
        f"Zoho begins no login on a device for this client ({code}). It has to be one for limited-input devices "
        f"(Non-browser Apps in the API console) and known in the data centre of {accounts_url} (another one is chosen "
        f"with --data-centre); {OTHER_CLIENTS}."
    )


def begin_login(client: Client, now: datetime) -> DeviceLogin:
    """Begin a login on a device.

    Raises:
        ConsentError: if Zoho begins none, or does not answer.
    """
    query = {
        "client_id": client.client_id,
        "grant_type": "device_request",
        "scope": ",".join(SCOPES),
        "access_type": "offline",
        "prompt": "consent",
    }
    # Nothing of this is secret, and the page names the query only.
    answer = post(f"{client.accounts_url}/oauth/v3/device/code?{urlencode(query)}", {})
    return read_login(answer.content, client.accounts_url, now)


def find_login(client: Client, now: datetime) -> DeviceLogin:
    """Begin a login at the client's accounts server or, if that does not know it, at the first that does.

    A client is known where it was made, and elsewhere only if that was ticked in the API console.

    Raises:
        ConsentError: if Zoho begins none, or does not answer.
    """
    try:
        return begin_login(client, now)
    except UnknownClientError as unknown:
        for server in accounts_servers(client).values():
            if server != client.accounts_url:
                # Only the client's id is sent, which is no secret.
                with suppress(ConsentError):
                    return begin_login(replace(client, accounts_url=server), now)
        raise unknown from None


def judge_poll(login: DeviceLogin, status: int, body: bytes, now: datetime) -> Grant | DeviceLogin | Elsewhere:
    """Return what an answer to a poll means.

    Args:
        login: that was polled.
        status: the HTTP status; it counts only where the code says nothing.
        body: of the answer.
        now: aware.

    Returns:
        The tokens; or the login, to be polled again; or where the person is.

    Raises:
        ConsentError: if there will be no tokens.
    """
    answer = parse_object(body)
    if answer.get("access_token"):
        return _grant(answer, login.accounts_url)
    code = _code(answer)
    if code == "authorization_pending":
        return login.later(now)
    if code in {"slow_down", THROTTLED}:
        return login.later(now, interval=login.interval + SLOWER)
    if code == "other_dc":
        return Elsewhere(str(answer.get("user_location", "")))
    if code == "access_denied":
        raise ConsentError(f"Consent was refused on Zoho's page, so nothing is connected. {AGAIN}")
    if code == "expired":
        raise ConsentError(f"The code {login.user_code} was not typed in in time, so nothing is connected. {AGAIN}")
    if not code or is_temporary(status):
        return login.later(now)
    raise _refused(code)


def poll_login(login: DeviceLogin, client: Client, now: datetime) -> Grant | DeviceLogin:
    """Poll once; returns the tokens, or the login as it goes on.

    Raises:
        ConsentError: if there will be no tokens.
    """
    sent = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "grant_type": "device_token",
        "code": login.device_code,
    }
    url = f"{login.accounts_url}/oauth/v3/device/token"
    try:
        answer = post(url, sent)
        code = _code(parse_object(answer.content))
        if code in {"invalid_client", "general_error"} and not is_temporary(answer.status_code):
            # Whether a form will do is not said anywhere, only that the query will; secrets are better in a form.
            answer = post(f"{url}?{urlencode(sent)}", {})
    except NoAnswerError:
        return _unless_over(login.later(now), now)
    outcome = judge_poll(login, answer.status_code, answer.content, now)
    if isinstance(outcome, Elsewhere):
        return login.later(now, accounts_url=accounts_server(outcome.location, client))
    return _unless_over(outcome, now) if isinstance(outcome, DeviceLogin) else outcome


def _unless_over(login: DeviceLogin, now: datetime) -> DeviceLogin:
    """Return the login, unless Zoho should have said before that it is over."""
    if now > login.expires_at + timedelta(seconds=2 * login.interval):
        raise ConsentError(f"Nobody has agreed in time, or Zoho does not answer; nothing is connected. {AGAIN}")
    return login


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("error") or "")


def _grant(answer: Mapping[str, Any], accounts_url: str) -> Grant:
    try:
        return read_grant(answer, accounts_url)
    except ConfigurationError as error:
        raise ConsentError(str(error)) from None


def _refused(code: str) -> ConsentError:
    if code in {"invalid_client", "invalid_client_secret"}:
        return ConsentError(f"Zoho does not accept the client ({code}): check client_id and client_secret. {AGAIN}")
    return ConsentError(f"Zoho gave no tokens ({safe_code(code)}). {AGAIN}")
