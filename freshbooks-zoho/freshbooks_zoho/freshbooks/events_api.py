"""FreshBooks' events API: the subscriptions ("callbacks") to what happens in an account.

https://www.freshbooks.com/api/webhooks. This is the only part of FreshBooks that is written to; accounting is read, by
the tap's own client.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import backoff
import requests

from tap_freshbooks.client import Bearer
from tap_freshbooks.errors import FreshBooksError, NotFoundError, TryAgainError, UnauthorizedError, error_of
from tap_freshbooks.limits import retry_after

if TYPE_CHECKING:
    from singer_store import AccessToken
    from tap_freshbooks.auth import Authorizer

PER_PAGE = 100
TIMEOUT = (10.0, 30.0)
MAX_TRIES = 4
FIRST_WAIT = 0.5
LONGEST_WAIT = 20.0
_TOO_MANY = 429


class UnansweredError(FreshBooksError):
    """A callback may have been made or not: nothing came back."""


@dataclass(frozen=True)
class Callback:
    """A subscription, as FreshBooks has it."""

    id: int
    event: str
    uri: str = field(repr=False)
    """Where deliveries go; ours hold a secret."""
    verified: bool


class EventsApi:
    """The callbacks of one account. To be used by one thread at a time."""

    def __init__(self, api_url: str, account: str, authorizer: Authorizer, *, user_agent: str) -> None:
        self._url = f"{api_url}/events/account/{account}/events/callbacks"
        self._authorizer = authorizer
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._closed = threading.Event()

    def close(self) -> None:
        """Close the connections; calls that wait are given up."""
        self._closed.set()
        self._session.close()

    def callbacks(self) -> list[Callback]:
        """List all callbacks of the account, other people's too.

        Raises:
            FreshBooksError: one of its subclasses, with a sentence; so do the other methods.
            StoreError: if there is no access token to be had; so do the other methods.
        """
        found: dict[int, Callback] = {}
        page = pages = 1
        while page <= pages:
            result = self._call("GET", f"?page={page}&per_page={PER_PAGE}", what="The list of callbacks")
            try:
                rows, pages = [_callback(row) for row in result["callbacks"]], int(result["pages"])
            except (KeyError, TypeError, ValueError):
                raise FreshBooksError("FreshBooks' answer is not a list of callbacks.") from None
            found.update((callback.id, callback) for callback in rows)
            page += 1
        return list(found.values())

    def create(self, event: str, uri: str) -> Callback:
        """Subscribe; FreshBooks then sends a verifier to the uri.

        Raises:
            UnansweredError: if it may have been made nevertheless. It is not sent again here.
        """
        what = f"The callback for {event}"
        return self._one("POST", "", {"event": event, "uri": uri}, what=what, scope=f"user:{event}s:read")

    def verify(self, number: int, verifier: str) -> Callback:
        """Prove that a verifier has arrived; from then on deliveries are signed with it."""
        return self._one("PUT", f"/{number}", {"callback_id": number, "verifier": verifier}, what=f"Callback {number}")

    def resend(self, number: int) -> Callback:
        """Ask for the verifier to be sent (again)."""
        return self._one("PUT", f"/{number}", {"callback_id": number, "resend": True}, what=f"Callback {number}")

    def delete(self, number: int) -> None:
        """End a subscription; one that is gone already is all right."""
        try:
            self._call("DELETE", f"/{number}", what=f"Callback {number}")
        except NotFoundError:
            return

    def _one(
        self, method: str, path: str, callback: dict[str, Any], *, what: str, scope: str = "user:profile:read"
    ) -> Callback:
        result = self._call(method, path, {"callback": callback}, what=what, scope=scope)
        try:
            return _callback(result["callback"])
        except (KeyError, TypeError, ValueError):
            sentence = f"{what}: FreshBooks' answer is not a callback."
            raise (UnansweredError(sentence) if method == "POST" else FreshBooksError(sentence)) from None

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        what: str,
        scope: str = "user:profile:read",
    ) -> Any:
        waits = backoff.expo(factor=FIRST_WAIT, max_value=LONGEST_WAIT)
        next(waits)
        for tries in range(1, MAX_TRIES + 1):
            try:
                return self._authorized(method, path, body, what=what, scope=scope)
            except TryAgainError as error:  # noqa: PERF203 - a network call takes longer
                if method == "POST" and error.status != _TOO_MANY:
                    raise UnansweredError(f"{error} Whether it was made is not known.", status=error.status) from None
                wait = max(backoff.full_jitter(next(waits)), error.retry_after or 0.0)
                if tries == MAX_TRIES or wait > LONGEST_WAIT:
                    raise
                if self._closed.wait(wait):
                    raise FreshBooksError("The service is stopping.") from None
        raise AssertionError("unreachable")

    def _authorized(self, method: str, path: str, body: dict[str, Any] | None, *, what: str, scope: str) -> Any:
        """Make one attempt, or two where the access token is refused; nothing is done by a refused one."""
        token = self._authorizer.token()
        try:
            return self._once(method, path, body, token, what=what, scope=scope)
        except UnauthorizedError:
            token = self._authorizer.renew(token)
        return self._once(method, path, body, token, what=what, scope=scope)

    def _once(  # noqa: PLR0913
        self, method: str, path: str, body: dict[str, Any] | None, token: AccessToken, *, what: str, scope: str
    ) -> Any:
        try:
            response = self._session.request(
                method, self._url + path, json=body, auth=Bearer(token), timeout=TIMEOUT, allow_redirects=False
            )
        except requests.exceptions.SSLError:
            raise FreshBooksError(f"{what}: the certificate of api_url cannot be trusted.") from None
        except requests.RequestException as error:
            # The text of the exception holds the URL; its class says enough.
            raise TryAgainError(f"{what}: no answer from FreshBooks ({type(error).__name__}).") from None
        try:
            payload = json.loads(response.content)
        except ValueError:
            payload = None
        status = response.status_code
        wrong = error_of(status, payload, what=what, scope=scope, retry_after=retry_after(status, response.headers))
        if wrong is not None:
            raise wrong
        try:
            return payload["response"]["result"]
        except (KeyError, TypeError):
            if method == "DELETE":
                return None
            raise TryAgainError(f"{what}: FreshBooks' answer cannot be read.", status=status) from None


def _callback(row: dict[str, Any]) -> Callback:
    # The documentation also calls it callback_id and id; what is sent is callbackid (official SDKs).
    number = next(row[key] for key in ("callbackid", "callback_id", "id") if key in row)
    return Callback(int(number), str(row["event"]), str(row["uri"]), verified=row.get("verified") is True)
