"""What both services say about a record, in one form, so that it can be compared and added up; and what is owed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from target_zoho_crm.mapping.stages import PROPOSAL, STAGES, status_key
from target_zoho_crm.mapping.values import shown_amount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from target_zoho_crm.mapping.metadata import Field

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
        several: those that a new record may have, where records have one of their own; None: all have the home one.
        named: whether a record says its currency.
        fields: those that amounts go to, by their name in a figure.
    """

    home: str
    several: frozenset[str] | None = None
    named: bool = True
    fields: Mapping[str, Field] = field(default_factory=dict)

    def show(self, code: str, record: str | None = None) -> bool:
        """Return whether amounts of a currency are shown as such; others stand in words in the description.

        Args:
            code: the currency.
            record: the currency of the record in Zoho, which nothing changes; None for one that is not there yet.
        """
        if self.several is None:
            return code == self.home
        return code in self.several if record is None else code == record

    def of_record(self, code: str, record: str) -> str:
        """Return the currency that a record says, in which an invoice or payment has another one perhaps."""
        return code if self.named and self.several is None else record

    def shown(self, name: str, amount: Decimal | None) -> Decimal | None:
        """Return an amount as its field shows it, which may have fewer decimals."""
        target = self.fields.get(name)
        return amount if amount is None or target is None else shown_amount(target, amount)


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
