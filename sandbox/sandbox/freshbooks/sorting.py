"""The orders FreshBooks knows: ``<name>_asc`` and ``<name>_desc``; every other one is passed over.

Source: https://www.freshbooks.com/api/parameters and /clients; that invoices know `invoice_date` alone was found
by trying.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.balances import balances

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sandbox.freshbooks.records import Client


def _text(field: str) -> Callable[[date, Client], str]:
    return lambda _, client: str(client.fields.get(field) or "").lower()


def _full_name(_: date, client: Client) -> str:
    return f"{client.fields.get('fname', '')} {client.fields.get('lname', '')}".strip().lower()


def _balance(name: str) -> Callable[[date, Client], Decimal]:
    def total(today: date, client: Client) -> Decimal:
        return sum(balances(client, today)[name].values(), Decimal(0))

    return total


SORTS: dict[str, dict[str, Callable[[date, Any], Any]]] = {
    "clients": {
        "client_id": lambda _, client: client.id,
        "organization_name": _text("organization"),
        "email": _text("email"),
        "bus_phone": _text("bus_phone"),
        "updated": lambda _, client: client.updated,
        "fullname": _full_name,
        "primarycontact": _full_name,
        "outstanding": _balance("outstanding_balance"),
        "overdue": _balance("overdue_balance"),
        "credit": _balance("credit_balance"),
    },
    "invoices": {"invoice_date": lambda _, invoice: invoice.create_date},
    "payments": {},
}
