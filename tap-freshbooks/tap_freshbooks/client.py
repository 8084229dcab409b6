"""The HTTP client: GET only for accounting, because everything flows from FreshBooks, never to it."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import backoff
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from tap_freshbooks.errors import (
    FreshBooksError,
    InactiveAccountError,
    NotFoundError,
    TryAgainError,
    UnauthorizedError,
    concerns_one_object,
    error_of,
    inactive,
    unreadable,
)
from tap_freshbooks.limits import pause, retry_after, server_time

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_store import AccessToken, Authorizer
    from tap_freshbooks.resources import Resource

Params = list[tuple[str, str]]
Row = dict[str, Any]
T = TypeVar("T")

PER_PAGE = 100
"""What FreshBooks gives at most (https://www.freshbooks.com/api/parameters); unasked it gives 15."""
WORKERS = 8
TIMEOUT = (10.0, 60.0)
MAX_TRIES = 7
OBJECT_TRIES = 3
"""For one object that FreshBooks has trouble with while others are well: the store tries it again in later runs."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 20.0
PATIENCE = 300.0
"""Seconds after which a call is given up, however many tries are left."""


@dataclass(frozen=True)
class Answer:
    """A good answer."""

    payload: Any
    sent_at: datetime
    """When the request was sent, by this machine's clock."""
    read_at: datetime
    """By FreshBooks' clock, not later than the moment at which it looked: what changed after this may be missing."""


@dataclass(frozen=True)
class Page:
    """A page of a list; a GET by id is a page of one row."""

    rows: list[Row]
    sent_at: datetime
    read_at: datetime
    number: int = 1
    pages: int = 1
    per_page: int = 1
    total: int = 1
    passed_over: int = 0
    """Rows of the page that are none: null, or without an id."""


class Bearer(AuthBase):
    """Puts the token into a request; as requests' own auth, so that it does not look into ~/.netrc."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token.value}"
        return r


class FreshBooksClient:
    """Reads from FreshBooks, from several threads if need be; tries again where that can help."""

    def __init__(self, api_url: str, authorizer: Authorizer, *, user_agent: str) -> None:
        self._api_url = api_url
        self._authorizer = authorizer
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_maxsize=WORKERS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._closed = threading.Event()
        self._not_before = 0.0

    def close(self) -> None:
        """Close the connections; calls that wait are given up."""
        self._closed.set()
        self._session.close()

    def me(self) -> Answer:
        """Ask who the user is (https://www.freshbooks.com/api/me_endpoint).

        The answer holds personal data and credentials of the web application: it is for `tap_freshbooks.account` only.
        """
        return self.get("/auth/api/v1/users/me", what="The user's identity", scope="user:profile:read")

    def page(
        self, account_id: str, resource: Resource, number: int = 1, filters: Iterable[tuple[str, str]] = ()
    ) -> Page:
        """Read one page of a list."""
        what = f"{resource.name}, page {number}"
        params = [("page", str(number)), ("per_page", str(PER_PAGE)), *_includes(resource), *filters]
        path = f"/accounting/account/{account_id}/{resource.path}"
        try:
            return self._tried(lambda: _page(self._get(path, params, what=what, scope=resource.scope), resource, what))
        except InactiveAccountError as error:
            raise inactive(account_id, error=error) from None

    def one(self, account_id: str, resource: Resource, object_id: int) -> Page:
        """Read one object, also a deleted one.

        Raises:
            NotFoundError: if it is not in this account, or no longer.
            UnreadableObjectError: if FreshBooks does not give this one.
            FreshBooksError: another one, if it may give no object at all.
        """
        what = f"{resource.singular} {object_id}"
        path = f"/accounting/account/{account_id}/{resource.path}/{object_id}"
        try:
            return self._tried(
                lambda: _object(self._get(path, _includes(resource), what=what, scope=resource.scope), resource, what),
                one_object=True,
            )
        except NotFoundError:
            raise
        except InactiveAccountError as error:
            raise inactive(account_id, error=error) from None
        except FreshBooksError as error:
            if not concerns_one_object(error):
                raise
            raise unreadable(what, error) from None

    def get(self, path: str, params: Params | None = None, *, what: str, scope: str) -> Answer:
        """Read anything.

        Args:
            path: below the API's URL.
            params: of the query.
            what: it is, for a message.
            scope: that reading it takes, for a message.

        Raises:
            FreshBooksError: one of its subclasses, with a sentence.
            StoreError: if there is no access token to be had.
        """
        return self._tried(lambda: self._get(path, params or [], what=what, scope=scope))

    def _tried(self, attempt: Callable[[], T], *, one_object: bool = False) -> T:
        """Make an attempt, again and again while that can help, within `MAX_TRIES` and `PATIENCE`.

        What only one object is in trouble with is tried `OBJECT_TRIES` times.
        """
        waits = backoff.expo(factor=FIRST_WAIT, max_value=LONGEST_WAIT)
        next(waits)
        deadline = time.monotonic() + PATIENCE
        tries = 0
        while True:
            tries += 1
            outcome = _outcome(attempt)
            if not isinstance(outcome, TryAgainError):
                return outcome
            wait = backoff.full_jitter(next(waits))
            if outcome.retry_after is not None:
                # A little more than asked for, so that the threads do not all come back at the same moment.
                wait = outcome.retry_after + min(wait, 1.0)
            most = OBJECT_TRIES if one_object and concerns_one_object(outcome) else MAX_TRIES
            if tries >= most or time.monotonic() + wait > deadline:
                raise _given_up(outcome, tries)
            self._wait(wait)

    def _get(self, path: str, params: Params, *, what: str, scope: str) -> Answer:
        """Make one attempt, or two where the access token is refused."""
        token = self._authorizer.token()
        try:
            return self._once(path, params, token, what=what, scope=scope)
        except UnauthorizedError:
            token = self._authorizer.renew(token)
        return self._once(path, params, token, what=what, scope=scope)

    def _once(self, path: str, params: Params, token: AccessToken, *, what: str, scope: str) -> Answer:
        self._wait(self._not_before - time.monotonic())
        sent_at, started = datetime.now(timezone.utc), time.monotonic()
        try:
            request = requests.Request("GET", self._api_url + path, params=params, auth=Bearer(token))
            response = self._session.send(
                self._session.prepare_request(request), timeout=TIMEOUT, allow_redirects=False, **self._surroundings
            )
        except requests.exceptions.SSLError:
            raise FreshBooksError(f"{what}: the certificate of api_url cannot be trusted.") from None
        except requests.RequestException as error:
            # The text of the exception holds the URL; its class says enough.
            raise TryAgainError(f"{what}: no answer from FreshBooks ({type(error).__name__}).") from None
        took = timedelta(seconds=time.monotonic() - started)
        if seconds := pause(response.headers, reserve=2 * WORKERS):
            self._not_before = time.monotonic() + seconds
        try:
            payload = json.loads(response.content, parse_float=Decimal)
        except ValueError:
            payload = None
        problem = error_of(
            response.status_code,
            payload,
            what=what,
            scope=scope,
            retry_after=retry_after(response.status_code, response.headers),
        )
        if problem is not None:
            raise problem
        if payload is None:
            raise TryAgainError(f"{what}: FreshBooks' answer is not JSON.", status=response.status_code)
        return Answer(payload, sent_at, (server_time(response.headers) or sent_at) - took)

    @cached_property
    def _surroundings(self) -> Any:
        """What the environment says about the server (proxies, certificates); to look at each call is slow."""
        return self._session.merge_environment_settings(self._api_url, {}, None, None, None)

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(max(seconds, 0.0)) if seconds > 0 else self._closed.is_set():
            raise FreshBooksError("The run was ended.")


def _outcome(attempt: Callable[[], T]) -> T | TryAgainError:
    try:
        return attempt()
    except TryAgainError as error:
        return error


def _given_up(error: TryAgainError, tries: int) -> FreshBooksError:
    asked = f" It asks to wait {error.retry_after:.0f} s." if error.retry_after else ""
    often = "once" if tries == 1 else f"{tries} times"
    return FreshBooksError(
        f"{error}{asked} Given up after trying {often}; run again later.", status=error.status, codes=error.codes
    )


def _includes(resource: Resource) -> Params:
    return [("include[]", include) for include in resource.includes]


def _page(answer: Answer, resource: Resource, what: str) -> Page:
    try:
        result = answer.payload["response"]["result"]
        listed = result[resource.name]
        rows = _rows(listed, resource)
        return Page(
            rows=rows,
            sent_at=answer.sent_at,
            read_at=answer.read_at,
            number=int(result["page"]),
            pages=int(result["pages"]),
            per_page=int(result["per_page"]),
            total=int(result["total"]),
            passed_over=len(listed) - len(rows),
        )
    except (KeyError, TypeError, ValueError):
        raise TryAgainError(f"{what}: FreshBooks' answer is not a list of {resource.name}.") from None


def _object(answer: Answer, resource: Resource, what: str) -> Page:
    try:
        rows = _rows([answer.payload["response"]["result"][resource.singular]], resource)
    except (KeyError, TypeError):
        rows = []
    if not rows:
        raise TryAgainError(f"{what}: FreshBooks' answer is not a {resource.singular}.", status=200)
    return Page(rows, answer.sent_at, answer.read_at)


def _rows(listed: Any, resource: Resource) -> list[Row]:
    """Return those of the rows that are objects with an id, with ids as numbers also where they are text.

    Raises:
        TypeError: if it is no list.
    """
    if not isinstance(listed, list):
        raise TypeError("not a list")
    rows = []
    for row in listed:
        number = _number(row.get("id")) if isinstance(row, dict) else None
        if number is None:
            continue
        row["id"] = number
        for name in resource.parents.values():
            if isinstance(row.get(name), str):
                row[name] = _number(row[name]) or row[name]
        rows.append(row)
    return rows


def _number(value: Any) -> int | None:
    """Return an id as a number; None where it is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
