"""FreshBooks' and Zoho's records and totals side by side, and what has to be synced again to make them equal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.receivables.books import Books
from freshbooks_zoho.receivables.comparison import (
    Difference,
    compare,
    expected_client,
    expected_invoice,
    expected_payment,
    is_in_words,
    shown,
)
from freshbooks_zoho.receivables.crm import Crm
from freshbooks_zoho.receivables.figures import DELETED, Invoice, Ledger, Payment
from freshbooks_zoho.receivables.reconciled import Count, Reconciled
from freshbooks_zoho.receivables.record import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from freshbooks_zoho.commands.session import Session
    from freshbooks_zoho.receivables.crm import Held
    from freshbooks_zoho.receivables.figures import Currencies
    from singer_store import PendingObject, Store

LEFT_TO_PEOPLE = frozenset({"ambiguous", "parent"})
"""What waits for these reasons is not helped by trying again: someone has to say which account it is."""


def reconcile(session: Session, *, heal: bool = False) -> Reconciled:
    """Compare everything, note the result, and queue what differs if asked to; nothing is written to Zoho.

    Raises:
        ZohoError: if Zoho cannot be asked, or is not set up.
        TapError: if FreshBooks cannot be asked.
        StoreError: if the store cannot be used.
    """
    started = datetime.now(timezone.utc)
    books = Books.open(session.freshbooks, session.settings)
    crm = Crm.open(session.zoho, session.settings.target, session.memory, books.account)
    found = Reconciliation(books, crm, delete=session.settings.target.delete).run()
    waiting = {(one.stream, one.object_id): one for one in session.store.pending.all(books.account)}
    found = replace(found, differences=tuple(with_reason(one, waiting) for one in found.differences))
    if heal:
        chosen = to_heal(found.differences)
        queue(session.store, books.account, chosen)
        found = replace(found, healed=len(chosen))
    note(session.store, books.account, started, datetime.now(timezone.utc), found)
    return found


def with_reason(difference: Difference, waiting: Mapping[tuple[str, str], PendingObject]) -> Difference:
    """Say of a difference whether, and why, it is still to be synced."""
    one = waiting.get((difference.stream, difference.number))
    return difference if one is None else replace(difference, waiting=one.reason)


def to_heal(differences: Iterable[Difference]) -> list[Difference]:
    """Choose what syncing again puts right."""
    return [one for one in differences if one.kind in {"differs", "missing"} and one.waiting not in LEFT_TO_PEOPLE]


def queue(store: Store, account: str, chosen: Iterable[Difference]) -> None:
    """Have records synced by the next runs."""
    now = datetime.now(timezone.utc)
    store.pending.queue_many([(account, one.stream, one.number, "retry", now) for one in chosen])


@dataclass
class Reconciliation:
    """One comparison of everything; a stream's records of FreshBooks are forgotten before the next one is read.

    Attributes:
        books: FreshBooks.
        crm: Zoho.
        delete: the target's setting: what is deleted in FreshBooks is deleted in Zoho, too.
    """

    books: Books
    crm: Crm
    delete: bool
    _ours: Ledger = field(default_factory=Ledger)
    _theirs: Ledger = field(default_factory=Ledger)
    _counts: dict[str, Count] = field(default_factory=dict)
    _differences: list[Difference] = field(default_factory=list)
    _deleted_invoices: frozenset[str] = frozenset()
    _in_words: Counter[str] = field(default_factory=Counter)
    _rounded: int = 0

    def run(self) -> Reconciled:
        """Compare clients, invoices and payments."""
        names = self._clients()
        customers = self._invoices()
        if self.crm.has_payments:
            self._payments(customers)
        return Reconciled(
            account=self.books.account,
            counts=self._counts,
            ours=self._ours.sums,
            theirs=self._theirs.sums,
            names=names,
            differences=tuple(self._differences),
            in_words=self._in_words,
            rounded=self._rounded,
            early=len(self.books.early),
            uncertain=tuple(self.books.uncertain),
        )

    def _clients(self) -> dict[str, str]:
        """Compare clients; gives their names by id."""
        clients = self.books.clients()
        self._compare("clients", clients, self.crm.clients(), expected_client)
        return {number: balances.name for number, balances in clients.items()}

    def _invoices(self) -> dict[str, str | None]:
        """Compare invoices; gives their clients by id."""
        invoices = self.books.invoices()
        self._deleted_invoices = frozenset(number for number, one in invoices.items() if one.state == DELETED)
        currencies, stages, others = self.crm.currencies("invoices"), self.crm.stages, self.crm.other_stages
        self._compare(
            "invoices",
            invoices,
            self.crm.invoices(),
            lambda invoice, held: expected_invoice(invoice, currencies, held, stages, others),
            currencies,
        )
        return {number: invoice.client for number, invoice in invoices.items()}

    def _payments(self, customers: Mapping[str, str | None]) -> None:
        # In Zoho, a payment's account is that of its invoice's deal.
        payments = {
            number: payment._replace(client=customers.get(payment.invoice or "", payment.client))
            for number, payment in self.books.payments().items()
        }
        currencies = self.crm.currencies("payments")
        self._compare(
            "payments",
            payments,
            self.crm.payments(),
            lambda payment, held: expected_payment(payment, currencies, held),
            currencies,
        )

    def _compare(
        self,
        stream: str,
        ours: Mapping[str, Any],
        theirs: Iterable[Held[Any]],
        expect: Callable[[Any, Held[Any]], Any],
        currencies: Currencies | None = None,
    ) -> None:
        """Compare a stream, and count and add up both sides of it."""
        count = self._counts[stream] = Count(self.crm.module(stream))
        may_lack = partial(self._may_lack, stream)
        others: dict[str, str] = {}

        def expected(mine: Any, held: Held[Any]) -> Any:
            if currencies is not None and held.currency != mine.currency:
                others[held.number] = held.currency
            return expect(mine, held)

        compared = compare(stream, ours, self._counted(count, theirs), expect=expected, may_lack=may_lack)
        self._differences += compared.differences
        for number, figure in ours.items():
            if number not in compared.met and may_lack(number, figure):
                continue
            count.freshbooks += 1
            if currencies is not None:
                currency = others.get(number, figure.currency) if number in compared.met else None
                self._add(
                    figure, shown(figure, currencies, currency), in_words=is_in_words(figure, currencies, currency)
                )
        self._in_words = +self._in_words

    def _add(self, figure: Any, seen: Any, *, in_words: bool) -> None:
        """Add up what FreshBooks says as far as Zoho can show it, and count what it cannot."""
        self._in_words[figure.currency] += in_words
        self._rounded += not in_words and seen.amount != figure.amount
        self._ours.add(seen)

    def _counted(self, count: Count, held: Iterable[Held[Any]]) -> Iterator[Held[Any]]:
        """Count and add up Zoho's records as they pass."""
        for one in held:
            count.zoho += 1
            self._theirs.add(one.figure)
            yield one

    def _may_lack(self, stream: str, number: str, figure: Any) -> bool:
        """Say whether a record need not be in Zoho: it is older than `start_date`, or deleted as the setting asks."""
        if (stream, number) in self.books.early:
            return True
        if not self.delete or not isinstance(figure, (Invoice, Payment)):
            return False
        return figure.state == DELETED or (isinstance(figure, Payment) and figure.invoice in self._deleted_invoices)
