"""The books of one business: its clients, invoices and payments."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.clients import Clients
from sandbox.freshbooks.invoices import Invoices
from sandbox.freshbooks.money import ZERO
from sandbox.freshbooks.payments import Payments
from sandbox.freshbooks.records import DELETED

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from sandbox.freshbooks.collection import Collection
    from sandbox.freshbooks.world import World


class Books:
    """One accounting account.

    Args:
        account_id: as in the paths, ``ZyQ04o``.
        world: what all accounts share.
        timezone: of the business.
        currency: of the business, in which clients are billed unless they say otherwise.
        country: in the sender's address on invoices.
    """

    def __init__(self, account_id: str, world: World, *, timezone: str, currency: str, country: str) -> None:
        self.account_id = account_id
        self.world = world
        self.timezone = timezone
        self.currency = currency
        self.country = country
        self.revision = 0
        """Rises with every change."""
        self.answers: dict[Any, tuple[int, list[int]]] = {}
        """What lists have found, with the revision for which it holds; see `query.matching`."""
        self.clients = Clients(self)
        self.invoices = Invoices(self)
        self.payments = Payments(self)

    def collection(self, kind: str) -> Collection[Any] | None:
        """Give a collection by its name."""
        known: dict[str, Collection[Any]] = {
            "clients": self.clients,
            "invoices": self.invoices,
            "payments": self.payments,
        }
        return known.get(kind)

    def today(self) -> date:
        """Give the day that decides what is overdue."""
        return self.world.today(self.timezone)

    def owed(self, *, past_due: bool) -> dict[str, Decimal]:
        """Give what is outstanding, or of it what is past due, per currency.

        Drafts and deleted invoices are left out.
        """
        today = self.today()
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for invoice in self.invoices.rows.values():
            counted = invoice.stage != "draft" and invoice.vis_state != DELETED
            if counted and (not past_due or invoice.due_date < today):
                sums[invoice.currency] += invoice.outstanding
        return {currency: total for currency, total in sorted(sums.items()) if total}
