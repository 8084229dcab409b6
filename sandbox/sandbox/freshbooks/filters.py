"""The filters FreshBooks knows, per kind of record; what is not in these tables is ignored.

Source: https://www.freshbooks.com/api/clients, /invoices and /payments. A ``_min`` includes its value, a ``_max`` does
not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.balances import balances
from sandbox.freshbooks.status import statuses
from sandbox.freshbooks.texts import standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sandbox.freshbooks.records import Client, Invoice, Payment

    Holds = Callable[[date, Any, Any], bool]


class Kind(Enum):
    """How a filter's value is read."""

    EXACT = auto()
    TEXT = auto()
    """Part of a text, in whatever case."""
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    DAY = auto()
    """A plain date."""
    MOMENT = auto()
    """A plain date that stands for its first moment."""


@dataclass(frozen=True)
class Filter:
    """A filter: how its value is read, and whether a record meets it on a day."""

    kind: Kind
    holds: Holds
    many: bool = False
    """Written with ``[]``, once per value."""
    names_id: bool = False
    """The value is the record's own id."""


def _field(name: str) -> Holds:
    return lambda _, record, wanted: bool(record.fields.get(name, "") == wanted)


def _part_of(*names: str) -> Filter:
    return Filter(
        Kind.TEXT, lambda _, record, part: any(part in str(record.fields.get(name) or "").lower() for name in names)
    )


def _user(_: date, client: Client, part: str) -> bool:
    values = [client.username, *(client.fields.get(name) or "" for name in ("fname", "lname", "organization", "email"))]
    return any(part in str(value).lower() for value in values)


def _has(balance: str) -> Filter:
    return Filter(Kind.BOOLEAN, lambda today, client, wanted: bool(balances(client, today)[balance]) is wanted)


def _v3_status(today: date, invoice: Invoice, wanted: str) -> bool:
    if invoice.forced and "v3_status" in invoice.forced:
        return bool(invoice.forced["v3_status"] == wanted)
    return statuses(standing(invoice, today)).v3_status == wanted


def _client_name(_: date, payment: Payment, part: str) -> bool:
    fields = payment.client.fields
    name = f"{fields.get('organization', '')} {fields.get('fname', '')} {fields.get('lname', '')}"
    return part in name.lower()


def _is_credit(payment: Payment) -> bool:
    return payment.source is not None or payment.invoice is None


_ADDRESS = ("street", "street2", "city", "province", "code", "country")

_COMMON = {
    "updated_min": Filter(Kind.MOMENT, lambda _, record, moment: record.updated >= moment),
    "updated_max": Filter(Kind.MOMENT, lambda _, record, moment: record.updated < moment),
    "vis_state": Filter(Kind.INTEGER, lambda _, record, state: record.vis_state == state),
}


def _ids(one: str, many: str, id_of: Callable[[Any], int], *, own: bool = False) -> dict[str, Filter]:
    return {
        one: Filter(Kind.INTEGER, lambda _, record, wanted: id_of(record) == wanted, names_id=own),
        many: Filter(Kind.INTEGER, lambda _, record, wanted: id_of(record) in wanted, many=True, names_id=own),
    }


FILTERS: dict[str, dict[str, Filter]] = {
    "clients": {
        **_COMMON,
        **_ids("userid", "userids", lambda client: client.id, own=True),
        "email": Filter(Kind.EXACT, _field("email")),
        "username": Filter(Kind.EXACT, lambda _, client, wanted: client.username == wanted),
        "address_like": _part_of(*(f"p_{name}" for name in _ADDRESS)),
        "email_like": _part_of("email"),
        "fname_like": _part_of("fname"),
        "lname_like": _part_of("lname"),
        "note_like": _part_of("note"),
        "organization_like": _part_of("organization"),
        "phone_like": _part_of("bus_phone", "home_phone", "mob_phone"),
        "user_like": Filter(Kind.TEXT, _user),
        "has_credit": _has("credit_balance"),
        "has_draft": _has("draft_balance"),
        "has_outstanding": _has("outstanding_balance"),
        "has_overdue": _has("overdue_balance"),
    },
    "invoices": {
        **_COMMON,
        **_ids("invoiceid", "invoiceids", lambda invoice: invoice.id, own=True),
        **_ids("customerid", "customerids", lambda invoice: invoice.client.id),
        "date_min": Filter(Kind.DAY, lambda _, invoice, day: invoice.create_date >= day),
        "date_max": Filter(Kind.DAY, lambda _, invoice, day: invoice.create_date < day),
        "v3_status": Filter(Kind.EXACT, _v3_status),
        "paid": Filter(Kind.BOOLEAN, lambda today, invoice, wanted: standing(invoice, today).settled is wanted),
        "outstanding": Filter(Kind.BOOLEAN, lambda _, invoice, wanted: (invoice.outstanding > 0) is wanted),
        "invoice_number": Filter(Kind.EXACT, lambda _, invoice, wanted: invoice.number == wanted),
        "address_like": _part_of(*_ADDRESS),
    },
    "payments": {
        **_COMMON,
        **_ids("logid", "logids", lambda payment: payment.id, own=True),
        **_ids("customerid", "customerids", lambda payment: payment.client.id),
        **_ids("clientid", "clientids", lambda payment: payment.client.id),
        "date_min": Filter(Kind.DAY, lambda _, payment, day: payment.paid_on >= day),
        "date_max": Filter(Kind.DAY, lambda _, payment, day: payment.paid_on < day),
        "amount_min": Filter(Kind.NUMBER, lambda _, payment, amount: payment.amount >= amount),
        "amount_max": Filter(Kind.NUMBER, lambda _, payment, amount: payment.amount < amount),
        "type": Filter(Kind.EXACT, lambda _, payment, wanted: payment.type == wanted),
        "currency": Filter(Kind.EXACT, lambda _, payment, wanted: payment.currency == wanted),
        "invoiceid": Filter(
            Kind.INTEGER, lambda _, payment, wanted: payment.invoice is not None and payment.invoice.id == wanted
        ),
        "notes": _part_of("note"),
        "from_credit": Filter(Kind.BOOLEAN, lambda _, payment, wanted: (payment.source is not None) is wanted),
        "client_name": Filter(Kind.TEXT, _client_name),
        "number": Filter(
            Kind.TEXT, lambda _, payment, part: payment.invoice is not None and part in payment.invoice.number.lower()
        ),
        "payment_or_credit": Filter(Kind.EXACT, lambda _, payment, wanted: _is_credit(payment) is (wanted == "credit")),
    },
}
