"""Calls to the CRM API: tokens, limits, retries and the account of what was spent."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from singer_store import ClientRefusedError, ConnectAgainError, RefreshUnavailableError
from target_zoho_crm.api.answers import Answer, TokenRefusedError, encode, judge
from target_zoho_crm.api.auth import CONNECT
from target_zoho_crm.api.limits import (
    HEAVY_CALLS_AT_A_TIME,
    Gate,
    calls_at_a_time,
    credits_of,
    is_charged,
    is_heavy,
    is_repeatable,
    is_write,
)
from target_zoho_crm.api.parallel import Item, Result, start
from target_zoho_crm.api.retries import CONNECTION_ERRORS, AgainError, Retries, persist, unreachable
from target_zoho_crm.api.usage import Ledger, Usage
from target_zoho_crm.errors import AuthenticationError, LostAnswerError, ServerFaultError, UnavailableError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from singer_store import AccessToken

__all__ = ["Answer", "Broker", "Retries", "Usage", "ZohoClient"]

API = "/crm/v8/"
RENEWALS = 2
FIRST_PAGE, NEXT_PAGES = 200, 2000
"""Rows of a query: few cost one credit, and many come in few calls."""
CONNECTIONS = 32

logger = logging.getLogger(__name__)


class Broker(Protocol):
    """What hands out access tokens: singer_store's broker."""

    def token(self) -> AccessToken:
        """Return a valid token."""

    def renew(self, rejected: AccessToken) -> AccessToken:
        """Return another token after a 401."""


@dataclass(frozen=True)
class _Call:
    """One call, as often as it is made."""

    method: str
    path: str
    params: Mapping[str, str | int] | None
    body: Any
    rows: int = 0
    """How many rows a query asks for."""
    heavy: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class _Authorization(AuthBase):
    """Puts the token into the header; as an `auth` so that no .netrc file takes its place."""

    def __init__(self, token: AccessToken) -> None:
        self._value = token.value

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Zoho-oauthtoken {self._value}"
        return request


class ZohoClient:
    """The CRM API of one organization; may be used by several threads.

    Args:
        broker: hands out access tokens whose details hold `api_domain`.
        max_parallel: the most calls at a time, below what the edition allows.
        user_agent: the header of that name.
        retries: how long a call is tried.
    """

    def __init__(self, broker: Broker, *, max_parallel: int, user_agent: str, retries: Retries | None = None) -> None:
        self._broker = broker
        self._max_parallel = max_parallel
        self._retries = retries or Retries()
        self._calls = Gate(1)
        self._heavy_calls = Gate(1)
        self.set_edition("free")
        self._ledger = Ledger()
        self._known_surroundings: dict[str, Any] = {}
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @property
    def usage(self) -> Usage:
        """What was spent so far."""
        return self._ledger.usage

    def granted(self) -> str | None:
        """Return the scopes of the consent, where the token endpoint named them.

        Raises:
            AuthenticationError: if there is no token, and none to be had.
            UnavailableError: if there was no answer after several attempts.
        """
        return persist("the token", self._token, self._retries).details.get("scope")

    def set_edition(self, edition: str) -> None:
        """Allow as many calls at a time as the organization's edition does."""
        limit = calls_at_a_time(edition, self._max_parallel)
        self._calls.resize(limit)
        self._heavy_calls.resize(min(limit, HEAVY_CALLS_AT_A_TIME))

    def request(  # noqa: PLR0913 - what makes a call
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        heavy: bool = False,
        faults: int | None = None,
    ) -> Answer:
        """Make a call and give its answer.

        An answer whose body holds a result per record (`data`, `fields`, `modules`, `watch`) is given whatever its
        status: walk the results. Any other refusal is raised.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below `/crm/v8/`, such as `Accounts/upsert`.
            params: the query; never anything secret.
            json: the body; Decimals are sent digit for digit.
            heavy: one of the calls of which Zoho allows ten at a time. COQL and writes of more than ten records are
                counted as such without being told.
            faults: after how many 500s the call is given up; None is as late as any other failure.

        Raises:
            AuthenticationError: if the token, and those made anew, are refused.
            ScopeError: if the consent does not cover the call.
            PermissionDeniedError: if the user may not do this.
            QuotaError: if Zoho goes on saying that too much was asked.
            UnavailableError: if there was no usable answer after several attempts; ServerFaultError if it was a 500.
            LostAnswerError: if there was none to a call that is not repeatable.
            RequestError: if Zoho refuses the request for another reason.
        """
        return self._make(_Call(method, path, params, json, heavy=heavy), faults)

    def query(self, coql: str) -> list[dict[str, Any]]:
        """Return all rows of a COQL query without LIMIT: the first page of 200, the others of 2,000."""
        rows: list[dict[str, Any]] = []
        size = FIRST_PAGE
        while True:
            query = {"select_query": f"{coql} limit {len(rows)}, {size}"}
            body = self._make(_Call("POST", "coql", None, query, size)).body
            if not body or not body.get("data"):
                return rows
            rows.extend(body["data"])
            if not body.get("info", {}).get("more_records"):
                return rows
            size = NEXT_PAGES

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call a function for each item, as many at a time as the edition allows; results in the items' order.

        After the first error nothing more is begun; it is raised when what had begun has ended.
        """
        return self.start(function, items)()

    def start(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Callable[[], list[Result]]:
        """Begin what `map` does; return a function that waits for the results, to be called once."""
        return start(function, items, self._calls.limit)

    def insist(self, what: str, attempt: Callable[[], Result]) -> Result:
        """Return the result of the first attempt that raises no AgainError, with the pauses of any call between them.

        Args:
            what: its name in the log.
            attempt: makes one attempt.

        Raises:
            ZohoError: what the last attempt's AgainError is about.
        """
        return persist(what, attempt, self._retries)

    def _make(self, call: _Call, faults: int | None = None) -> Answer:
        content = None if call.body is None else encode(call.body)
        return persist(str(call), lambda: self._attempt(call, content), self._retries, faults)

    def _attempt(self, call: _Call, content: bytes | None) -> Answer:
        """Make a call once, with new tokens where one is refused.

        A token dies early when a sixteenth is made with the same consent. One that is refused when just made has
        another reason, and going on would only use up the ten tokens that may be made in ten minutes.
        """
        token = self._token()
        answer = self._send(call, content, token)
        for _ in range(RENEWALS):
            if answer is not None:
                break
            with _token_errors():
                token = self._broker.renew(token)
            answer = self._send(call, content, token)
        if answer is None:
            raise AuthenticationError(
                "Zoho goes on refusing the access token: the consent was withdrawn, or it was given in another data "
                f"centre than the one that accounts_url names. {CONNECT}"
            )
        return answer

    def _token(self) -> AccessToken:
        with _token_errors():
            return self._broker.token()

    def _send(self, call: _Call, content: bytes | None, token: AccessToken) -> Answer | None:
        """Send a call and judge its answer; None means that Zoho does not accept the token."""
        domain = token.details.get("api_domain")
        if not domain:
            raise AuthenticationError(f"The stored token does not name Zoho's API server. {CONNECT}")
        try:
            response = self._exchange(call, content, token, domain + API + call.path)
            return judge(call.method, call.path, response.status_code, response.headers, response.content)
        except TokenRefusedError:
            return None
        except AgainError as again:
            if again.unanswered and not is_repeatable(call.method, call.path, call.body):
                fault = again.error if isinstance(again.error, ServerFaultError) else None
                sentence = f"Zoho may or may not have carried out {call}; look, then try again."
                raise LostAnswerError(sentence, fault=fault) from None
            raise

    def _exchange(self, call: _Call, content: bytes | None, token: AccessToken, url: str) -> requests.Response:
        heavy = call.heavy or is_heavy(call.path, call.body)
        with self._heavy_calls.slot() if heavy else nullcontext(), self._calls.slot():
            self._ledger.called()
            try:
                request = requests.Request(
                    call.method,
                    url,
                    params=call.params,
                    data=content,
                    headers={"Content-Type": "application/json"} if content is not None else None,
                    auth=_Authorization(token),
                )
                response = self._session.send(
                    self._session.prepare_request(request),
                    timeout=(self._retries.connect_timeout, self._retries.read_timeout),
                    allow_redirects=False,
                    **self._surroundings(url.partition(API)[0]),
                )
            except CONNECTION_ERRORS as error:
                raise unreachable(str(call), error) from None
        logger.debug("%s: %s", call, response.status_code)
        self._ledger.told(response.headers.get("X-API-CREDITS-REMAINING"))
        if is_charged(response.status_code):
            cost = credits_of(call.method, call.path, call.body, call.rows)
            self._ledger.answered(cost, write=is_write(call.method, call.path))
        return response

    def _surroundings(self, domain: str) -> Any:
        """Return what the environment says about a server (proxies, certificates); to look at each call is slow."""
        known = self._known_surroundings
        if domain not in known:
            known[domain] = self._session.merge_environment_settings(domain, {}, None, None, None)
        return known[domain]


@contextmanager
def _token_errors() -> Iterator[None]:
    """Turn the token broker's errors into the ones that stop a run, or into another attempt."""
    try:
        yield
    except (ConnectAgainError, ClientRefusedError) as error:
        raise AuthenticationError(str(error)) from error
    except RefreshUnavailableError as error:
        # Where the service said "not now", that has been waited for already.
        again = AgainError(UnavailableError(str(error)), wait=error.retry_after, hopeless=error.asked_to_wait)
        raise again from error
