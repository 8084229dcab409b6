"""The accounting resources the tap reads, each with what is its own.

Sources: https://www.freshbooks.com/api/clients, /api/invoices, /api/payments and /api/scopes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_freshbooks import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.fields import Fields


@dataclass(frozen=True)
class Resource:
    """One resource of the accounting API."""

    name: str
    """Of the stream, and of the list in an answer."""
    singular: str
    """Of the object in an answer to a GET by id."""
    path: str
    """Below ``/accounting/account/<account id>/``."""
    scope: str
    ids_filter: str
    """Of the search filter that takes several ids."""
    fields: Fields
    includes: tuple[str, ...] = ()
    """What a list or an object has only when it is asked for."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """The streams it depends on, each with the field that names the object there; the one it belongs to comes first."""

    @property
    def belongs_to(self) -> str | None:
        """The stream of what it belongs to: an invoice's client, a payment's invoice."""
        return next(iter(self.parents), None)


CLIENTS = Resource(
    name="clients",
    singular="client",
    path="users/clients",
    scope="user:clients:read",
    ids_filter="userids",
    fields=schemas.CLIENTS,
    includes=("outstanding_balance", "overdue_balance", "credit_balance", "draft_balance"),
)
INVOICES = Resource(
    name="invoices",
    singular="invoice",
    path="invoices/invoices",
    scope="user:invoices:read",
    ids_filter="invoiceids",
    fields=schemas.INVOICES,
    includes=("lines",),
    parents={"clients": "customerid"},
)
PAYMENTS = Resource(
    name="payments",
    singular="payment",
    path="payments/payments",
    scope="user:payments:read",
    ids_filter="logids",
    fields=schemas.PAYMENTS,
    parents={"invoices": "invoiceid", "clients": "clientid"},
)

RESOURCES = {resource.name: resource for resource in (CLIENTS, INVOICES, PAYMENTS)}
"""In the order in which they are read: what others refer to comes first."""
