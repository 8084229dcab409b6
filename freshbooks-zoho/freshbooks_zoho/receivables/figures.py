"""What both services say about a record, in one form, so that it can be compared and added up; and what is owed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from target_zoho_crm.mapping.stages import PROPOSAL, STAGES, status_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

ZERO = Decimal(0)
DELETED = "deleted"
OVERDUE = "overdue"
NOT_SENT = tuple(status for status, stage in STAGES.items() if stage == PROPOSAL)
"""Statuses of invoices that are not yet with the customer, who owes nothing for them."""


class Invoice(NamedTuple):
    """An invoice; `due` is a date (YYYY-MM-DD), `client` a FreshBooks id, as are those of a payment.

    `stage` is that of its deal in Zoho; None where invoices become something that has none.
    """

    client: str | None
    currency: str
    amount: Decimal | None
    paid: Decimal | None
    outstanding: Decimal | None
    due: str | None
    status: str
    state: str
    stage: str | None = None


class Payment(NamedTuple):
    """A payment."""

    client: str | None
    invoice: str | None
    currency: str
    amount: Decimal | None
    date: str | None
    state: str


class Client(NamedTuple):
    """A client with its balances in the currency of its account in Zoho."""

    outstanding: Decimal | None
    overdue: Decimal | None
    state: str


class Balances(NamedTuple):
    """A client as FreshBooks has it, with a balance for each currency; None where FreshBooks does not say."""

    name: str
    outstanding: Mapping[str, Decimal] | None
    overdue: Mapping[str, Decimal] | None
    state: str


@dataclass(frozen=True)
class Currencies:
    """The currencies in which a module of Zoho's shows amounts.

    Attributes:
        home: the organization's own.
        several: the active ones, where a record has one of its own; None: amounts are in the home currency.
        named: whether a record says its currency.
    """

    home: str
    several: frozenset[str] | None = None
    named: bool = True

    def show(self, code: str) -> bool:
        """Say whether amounts of a currency are shown as such; others stand in words in the description."""
        return code == self.home if self.several is None else code in self.several

    def names(self, code: str) -> bool:
        """Say whether a record of this currency says so."""
        return self.named and (self.several is None or code in self.several)


def is_receivable(invoice: Invoice) -> bool:
    """Say whether an invoice counts in totals: it was sent, and it was not deleted."""
    return invoice.state != DELETED and status_key(invoice.status) not in NOT_SENT


def is_past_due(invoice: Invoice, today: date) -> bool:
    """Say whether something of an invoice is past due.

    FreshBooks' own status decides, and else the due date: a disputed invoice, say, does not show as overdue.

    Args:
        invoice: as either service has it.
        today: in the zone of the business.
    """
    if not is_receivable(invoice) or invoice.outstanding is None or invoice.outstanding <= 0:
        return False
    return status_key(invoice.status) == OVERDUE or (invoice.due is not None and invoice.due < today.isoformat())


@dataclass
class Sums:
    """What is counted and added up of one currency."""

    invoices: int = 0
    invoiced: Decimal = ZERO
    paid: Decimal = ZERO
    outstanding: Decimal = ZERO
    payments: int = 0
    received: Decimal = ZERO

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(one + another for one, another in zip(self.values, other.values, strict=True)))  # type: ignore[arg-type]

    @property
    def values(self) -> tuple[Decimal | int, ...]:
        """The six numbers, in their order."""
        return self.invoices, self.invoiced, self.paid, self.outstanding, self.payments, self.received

    @property
    def amounts(self) -> dict[str, Decimal]:
        """The four sums by name."""
        return {
            "invoiced": self.invoiced,
            "paid": self.paid,
            "outstanding": self.outstanding,
            "payments": self.received,
        }


Key = tuple["str | None", str]
"""FreshBooks id of a client, None for none, and a currency."""


@dataclass
class Ledger:
    """Adds up one side, by client and currency; amounts that cannot be shown in Zoho are left out of both sides."""

    sums: dict[Key, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, figure: Invoice | Payment | Client | Balances) -> None:
        """Count a record; drafts, deleted ones and clients are none of a ledger's."""
        if isinstance(figure, Invoice) and is_receivable(figure) and figure.amount is not None:
            sums = self.sums[figure.client, figure.currency]
            sums.invoices += 1
            sums.invoiced += figure.amount
            sums.paid += figure.paid or ZERO
            sums.outstanding += figure.outstanding or ZERO
        elif isinstance(figure, Payment) and figure.state != DELETED and figure.amount is not None:
            sums = self.sums[figure.client, figure.currency]
            sums.payments += 1
            sums.received += figure.amount

    def by_currency(self) -> dict[str, Sums]:
        """Give the sums over all clients."""
        totals: dict[str, Sums] = defaultdict(Sums)
        for (_, currency), sums in self.sums.items():
            totals[currency] += sums
        return totals
