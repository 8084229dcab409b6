"""FreshBooks' API as a client of it sees it, and the clock's usual stand in the sandbox's tests."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox import Sandbox

NOON = datetime(2026, 6, 30, 16, tzinfo=timezone.utc)
"""Noon in New York, on a Tuesday in summer."""

PATHS = {"clients": "users/clients", "invoices": "invoices/invoices", "payments": "payments/payments"}
LINE = {"name": "Design", "description": "Two days", "qty": "2", "unit_cost": {"amount": "50.00"}}
"""A line of 100.00."""


def token_request(box: Sandbox, **fields: str) -> requests.Response:
    """Ask for tokens, with the app's own credentials unless told otherwise."""
    app = box.freshbooks.app
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri} | fields
    return requests.post(f"{box.freshbooks.url}/auth/oauth/token", data=form, timeout=10)


def access_token(box: Sandbox, scopes: Iterable[str] | None = None) -> str:
    """Consent, and give an access token."""
    answer = token_request(box, grant_type="refresh_token", refresh_token=box.freshbooks.grant(scopes))
    return str(answer.json()["access_token"])


class Api:
    """A session with an access token; `account` is the first business' unless told otherwise."""

    def __init__(self, box: Sandbox, scopes: Iterable[str] | None = None, account: str | None = None) -> None:
        self.url = box.freshbooks.url
        self.account = account or box.freshbooks.account_id
        self.session = requests.Session()
        self._box, self._scopes = box, scopes
        self.log_in()

    def log_in(self) -> None:
        """Take a new access token, as after moving the clock by more than twelve hours."""
        self.session.headers["Authorization"] = f"Bearer {access_token(self._box, self._scopes)}"

    def close(self) -> None:
        self.session.close()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=10, **options)

    def path(self, stream: str, number: int | str | None = None) -> str:
        return f"/accounting/account/{self.account}/{PATHS[stream]}" + (f"/{number}" if number is not None else "")

    def page(self, stream: str, *query: tuple[str, object]) -> requests.Response:
        """GET a page of a list; `query` keeps order and repetitions."""
        return self.request("GET", self.path(stream), params=list(query))

    def result(self, stream: str, *query: tuple[str, object]) -> dict[str, Any]:
        answer = self.page(stream, *query)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"]

    def ids(self, stream: str, *query: tuple[str, object]) -> list[int]:
        return [row["id"] for row in self.result(stream, ("per_page", 100), *query)[stream]]

    def get(self, stream: str, number: int, *includes: str) -> dict[str, Any]:
        params = [("include[]", include) for include in includes]
        answer = self.request("GET", self.path(stream, number), params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"][stream[:-1]]

    def create(self, stream: str, *includes: str, **fields: Any) -> requests.Response:
        params = [("include[]", include) for include in includes]
        return self.request("POST", self.path(stream), params=params, json={stream[:-1]: fields})

    def update(self, stream: str, number: int, **fields: Any) -> requests.Response:
        return self.request("PUT", self.path(stream, number), json={stream[:-1]: fields})


def made(answer: requests.Response) -> dict[str, Any]:
    """Give the record in the answer to a create or an update."""
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["response"]["result"].values()
    return row


def errno(answer: requests.Response) -> tuple[int, int]:
    """Give status and errno of a refusal in the classic shape."""
    return answer.status_code, answer.json()["response"]["errors"][0]["errno"]
