"""What is stored: clients, invoices with their lines, payments and credits."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.money import ZERO

if TYPE_CHECKING:
    from datetime import date, datetime

ACTIVE, DELETED, ARCHIVED = range(3)


@dataclass(slots=True, eq=False)
class Record:
    """What all kinds of records have."""

    id: int
    updated: datetime
    """UTC, with microseconds; what is shown of it depends on the field."""
    fields: dict[str, Any]
    """Values that were written, by the name of their field; a field that is missing has its default."""
    vis_state: int = ACTIVE
    forced: dict[str, Any] | None = None
    """Values to be shown whatever the rules say."""
    cache: dict[Any, bytes] | None = None
    """The record as JSON, for the circumstances named by the key; dropped with every change."""


@dataclass(slots=True, eq=False)
class Client(Record):
    """A client (customer) of the business."""

    signed_up: datetime = None  # type: ignore[assignment]
    username: str = ""
    currency: str = "USD"
    invoices: list[Invoice] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    balances: tuple[date, dict[str, dict[str, Decimal]]] | None = None
    """Computed balances and the day for which they hold; dropped when an invoice or a credit changes."""


@dataclass(slots=True)
class Line:
    """A line of an invoice."""

    id: int
    name: str
    description: str
    qty: str
    unit_cost: Decimal
    amount: Decimal
    tax_1: Decimal = Decimal(0)
    tax_2: Decimal = Decimal(0)
    compounded: bool = False
    fields: dict[str, Any] | None = None


@dataclass(slots=True, eq=False)
class Invoice(Record):
    """An invoice; `updated` is its version too."""

    client: Client = None  # type: ignore[assignment]
    number: str = ""
    create_date: date = None  # type: ignore[assignment]
    due_date: date = None  # type: ignore[assignment]
    currency: str = "USD"
    created: datetime = None  # type: ignore[assignment]
    lines: list[Line] = field(default_factory=list)
    discount: Decimal = Decimal(0)
    amount: Decimal = ZERO
    discount_total: Decimal = ZERO
    paid: Decimal = ZERO
    stage: str = "draft"
    disputed: bool = False
    sent_on: date | None = None
    date_paid: date | None = None
    names: tuple[str, str, str] = ("", "", "")
    """The client's organization, fname and lname, as they were."""
    payments: list[Payment] = field(default_factory=list)

    @property
    def outstanding(self) -> Decimal:
        """What is still to be paid."""
        return self.amount - self.paid

    @property
    def live_payments(self) -> list[Payment]:
        """The payments that were not deleted."""
        return [payment for payment in self.payments if payment.vis_state != DELETED]


@dataclass(slots=True, eq=False)
class Payment(Record):
    """A payment of an invoice, or money that pays none: a prepayment, or what was paid too much."""

    invoice: Invoice | None = None
    amount: Decimal = ZERO
    paid_on: date = None  # type: ignore[assignment]
    type: str = "Check"
    excess: Credit | None = None
    """The credit that the part beyond what was outstanding became."""
    source: Credit | None = None
    """The credit this payment was made from."""
    payer: Client = None  # type: ignore[assignment]
    """Whose money it is, where it pays no invoice."""
    credit: Credit | None = None
    """The credit that money became which pays no invoice."""

    @property
    def client(self) -> Client:
        """Whose money it is."""
        return self.payer if self.invoice is None else self.invoice.client

    @property
    def currency(self) -> str:
        """Of the amount."""
        if self.invoice is not None:
            return self.invoice.currency
        return self.client.currency if self.credit is None else self.credit.currency


@dataclass(slots=True, eq=False)
class Credit:
    """Money a client has to its credit."""

    id: int
    amount: Decimal
    currency: str
