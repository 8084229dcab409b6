"""FreshBooks, emulated: OAuth, the identity, the accounting API and callbacks.

`FreshBooks` is the service and, beside its HTTP side, a Python API for tests (the records' part is in `data`). Its
methods do what the HTTP API does, through the same code, and refuse what that refuses.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.accounting import Interruption
from sandbox.freshbooks.books import Books
from sandbox.freshbooks.data import Data
from sandbox.freshbooks.errors import ApiError
from sandbox.freshbooks.identity import Business
from sandbox.freshbooks.limits import RateLimit
from sandbox.freshbooks.switches import Switches

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries
    from sandbox.freshbooks.events import Callback
    from sandbox.http import Request

__all__ = ["ApiError", "FreshBooks", "RateLimit", "Switches"]


class FreshBooks(Data):
    """One emulated FreshBooks, with one person who owns one business to begin with."""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        super().__init__(clock, deliveries, lock)
        self._names = random.Random(1)  # noqa: S311 - ids of accounts
        self.account_id: str = self.add_business("Northwind Studio") or ""
        """The account of the first business."""

    def grant(self, scopes: Iterable[str] | None = None) -> str:
        """Give the refresh token of a fresh consent.

        Args:
            scopes: what was agreed to; None is all that the app has.

        Raises:
            ValueError: if the app does not have one of the scopes.
        """
        with self.lock:
            consent = self.oauth.consent(scopes)
            return str(self.oauth.issue(consent)["refresh_token"])

    def authorize(self, scopes: Iterable[str] | None = None, redirect_uri: str | None = None) -> str:
        """Give the code of a fresh consent, good once, for five minutes.

        Raises:
            ValueError: if the app does not have one of the scopes.
        """
        with self.lock:
            return self.oauth.code(self.oauth.consent(scopes, redirect_uri))

    def add_business(  # noqa: PLR0913
        self,
        name: str,
        timezone: str = "America/Toronto",
        role: str = "owner",
        *,
        currency: str = "USD",
        country: str = "Canada",
        accounting: bool = True,
    ) -> str | None:
        """Make the person a member of one more business.

        Args:
            name: of the business.
            timezone: an IANA name.
            role: owner, business_manager, ...; a ``client`` may read and not write.
            currency: in which its clients are billed unless they say otherwise.
            country: in the sender's address on invoices.
            accounting: False for a business without accounting, whose account id is null.

        Returns:
            Its account id.
        """
        with self.lock:
            account_id = self._new_account_id()
            books = None
            if accounting:
                books = Books(account_id, self.world, timezone=timezone, currency=currency, country=country)
            number = 14_719_000 + 17 * len(self.businesses)
            business = Business(number, name, timezone, role, books, self.world.now())
            self.businesses.append(business)
            if books is not None:
                self._by_account[account_id] = business
            return business.account_id

    def change_business(
        self, account: str | None = None, *, role: str | None = None, status: str | None = None, moves: bool = False
    ) -> str:
        """Change what the person is in a business, its subscription, or the id of its account; return that id.

        Args:
            account: id of the account; the first business' unless given.
            role: owner, business_manager, ...; what it may not see is for `hide` to say.
            status: of the subscription: active, suspended, trial_expired, cancelled.
            moves: whether the business goes on, with all its records, under another account id.
        """
        with self.lock:
            business = self._by_account[account or self.account_id]
            business.role = role or business.role
            business.status = status or business.status
            if moves and business.books is not None:
                former = business.books.account_id
                business.books.account_id = self._new_account_id()
                self._by_account[business.books.account_id] = self._by_account.pop(former)
                for kind in (business.books.clients, business.books.invoices, business.books.payments):
                    for record in kind.rows.values():
                        kind.changed(record)
                if self.account_id == former:
                    self.account_id = business.books.account_id
            return str(business.account_id)

    def _new_account_id(self) -> str:
        return "".join(self._names.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz0123456789", k=6))

    def between_pages(
        self,
        callback: Callable[[], Any],
        stream: str | None = None,
        *,
        after: int = 1,
        times: int | None = 1,
        matching: Callable[[Request], bool] | None = None,
    ) -> None:
        """Let something happen right after a page of a list was answered.

        Args:
            callback: called under the server's lock, in its thread: it may use this API, and must not send a request.
            stream: clients, invoices or payments; None is any of them.
            after: the number of the page.
            times: how many such requests it happens after; None is all.
            matching: which of the requests count, if not all.
        """
        with self.lock:
            self._accounting.interruptions.append(Interruption(callback, stream, after, times, matching))

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the changes made inside happen at an aware moment, most often a past one; the clock itself stays."""
        with self.lock, self.world.at(moment):
            yield

    def callbacks(self) -> list[Callback]:
        """Give the callbacks of all accounts, with their verifiers."""
        with self.lock:
            return list(self._events.callbacks.values())
