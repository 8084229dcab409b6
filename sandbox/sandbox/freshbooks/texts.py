"""Records as the accounting API writes them: JSON with all keys in alphabetical order.

The text is put together from the texts of the values, which is several times faster than writing a dict as JSON, and
lists of a hundred records are what the sandbox is asked for most.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.balances import NAMES, balances
from sandbox.freshbooks.records import DELETED
from sandbox.freshbooks.shapes import CLIENT, CLIENT_INCLUDES, INVOICE, INVOICE_INCLUDES, PAYMENT
from sandbox.freshbooks.status import Standing, statuses
from sandbox.freshbooks.times import eastern, eastern_version, utc

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from sandbox.freshbooks.records import Client, Invoice, Line, Payment, Record
    from sandbox.freshbooks.switches import Switches

_LINE_KEYS = """
    amount basecampid compounded_tax date description expenseid invoiceid lineid modern_project_id modern_time_entries
    name qty retainer_id retainer_period_id taskno taxAmount1 taxAmount2 taxName1 taxName2 taxNumber1 taxNumber2 type
    unit_cost updated
"""


def as_json(value: Any) -> str:
    """Write a value as JSON, as compact as it gets."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_CLIENT = {name: as_json(value) for name, value in CLIENT.items()}
_INVOICE = {name: as_json(value) for name, value in INVOICE.items()}
_INVOICE_WITH_LINES = dict(sorted((_INVOICE | {"lines": "[]"}).items()))
_PAYMENT = {name: as_json(value) for name, value in PAYMENT.items()}


@lru_cache
def _template(keys: tuple[str, ...]) -> str:
    return "{" + ",".join(f'"{key}":%s' for key in keys) + "}"


def _object(values: Mapping[str, object]) -> str:
    return _template(tuple(values)) % tuple(values.values())


def _shown(defaults: dict[str, str], record: Record) -> dict[str, Any]:
    """Give the defaults with the values that were written."""
    if not record.fields:
        return dict(defaults)
    return defaults | {
        name: quoted(value) if isinstance(value, str) else as_json(value) for name, value in record.fields.items()
    }


def _finished(values: dict[str, Any], record: Record, more: dict[str, str]) -> str:
    """Put the text together; keys that are not always there come in where the alphabet puts them."""
    if record.forced:
        values.update({name: as_json(value) for name, value in record.forced.items()})
    if more:
        values = dict(sorted((values | more).items()))
    return _object(values)


def _money(amount: Decimal, currency: str) -> str:
    """Write an amount that has two decimals."""
    return f'{{"amount":"{amount}","code":"{currency}"}}'


def object_uuid(kind: str, number: int) -> str:
    """Give the uuid of an object; it follows from kind and id, so nothing has to keep it."""
    digits = hashlib.blake2b(f"{kind}:{number}".encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def client_text(client: Client, account_id: str, today: date, includes: Collection[str]) -> str:
    """Write a client, with the balances and the rest of what was asked for."""
    values = _shown(_CLIENT, client)
    values["accounting_systemid"] = f'"{account_id}"'
    values["currency_code"] = f'"{client.currency}"'
    values["id"] = values["userid"] = client.id
    values["signup_date"] = f'"{utc(client.signed_up)}"'
    values["updated"] = f'"{eastern(client.updated)}"'
    values["username"] = quoted(client.username)
    values["uuid"] = f'"{object_uuid("client", client.id)}"'
    values["vis_state"] = client.vis_state
    more: dict[str, str] = {}
    if includes:
        sums = balances(client, today)
        for name in NAMES:
            if name in includes:
                entries = (f'{{"amount":{_money(total, currency)}}}' for currency, total in sums[name].items())
                more[name] = f"[{','.join(entries)}]"
        more |= {name: as_json(value) for name, value in CLIENT_INCLUDES.items() if name in includes}
        if "last_activity" in includes:
            moments = [client.updated, *(invoice.updated for invoice in client.invoices)]
            values["last_activity"] = f'"{eastern(max(moments))}"'
    return _finished(values, client, more)


def standing(invoice: Invoice, today: date) -> Standing:
    """Say what an invoice's statuses follow from, on a day."""
    paid_something = bool(invoice.payments) and any(payment.vis_state != DELETED for payment in invoice.payments)
    return Standing(
        stage=invoice.stage,
        disputed=invoice.disputed,
        paid_something=paid_something,
        settled=paid_something and invoice.paid >= invoice.amount,
        past_due=invoice.due_date < today,
    )


def invoice_text(invoice: Invoice, sender: tuple[str, str], today: date, switches: Switches, includes: Any) -> str:
    """Write an invoice as it is on a day.

    Args:
        invoice: the invoice.
        sender: account id and country of the business.
        today: decides what is overdue.
        switches: whether a partly paid invoice has a `date_paid`.
        includes: lines and the rest of what was asked for.
    """
    account_id, country = sender
    at_present = standing(invoice, today)
    shown = statuses(at_present)
    client, currency = invoice.client, invoice.currency
    values = _shown(_INVOICE_WITH_LINES if "lines" in includes else _INVOICE, invoice)
    values["accountid"] = values["accounting_systemid"] = f'"{account_id}"'
    values["amount"] = _money(invoice.amount, currency)
    values["create_date"] = f'"{invoice.create_date}"'
    values["created_at"] = f'"{eastern(invoice.created)}"'
    values["currency_code"] = f'"{currency}"'
    values["current_organization"] = quoted(client.fields.get("organization", ""))
    values["customerid"] = client.id
    if at_present.settled or (at_present.paid_something and switches.partial_date_paid):
        values["date_paid"] = f'"{invoice.date_paid}"'
    if invoice.fields:
        values["deposit_status"] = f'"{_deposit_status(invoice)}"'
    if invoice.lines:
        values["description"] = quoted(invoice.lines[0].description)
    rate = f"{invoice.discount.normalize():f}" if invoice.discount else "0"
    values["discount"] = (
        f'{{"amount":{_money(abs(invoice.discount_total), currency)},"rate":"{rate}","type":"percent"}}'
    )
    values["discount_total"] = _money(invoice.discount_total, currency)
    values["discount_value"] = f'"{rate}"'
    values["display_status"] = f'"{shown.display_status}"'
    if invoice.disputed:
        values["dispute_status"] = '"disputed"'
    values["due_date"] = f'"{invoice.due_date}"'
    values["due_offset_days"] = (invoice.due_date - invoice.create_date).days
    values["fname"] = quoted(invoice.names[1])
    if invoice.sent_on is not None:
        values["fulfillment_date"] = f'"{invoice.sent_on}"'
    values["id"] = values["invoiceid"] = invoice.id
    values["invoice_number"] = quoted(invoice.number)
    values["lname"] = quoted(invoice.names[2])
    values["net_paid_amount"] = values["paid"] = _money(invoice.paid, currency)
    values["organization"] = quoted(invoice.names[0])
    values["outstanding"] = _money(invoice.outstanding, currency)
    values["payment_status"] = f'"{shown.payment_status}"'
    values["sender_address"] = (
        f'{{"city":"","code":"","country":{quoted(country)},"province":"","street":"","street2":""}}'
    )
    values["status"] = shown.status
    values["updated"] = updated = f'"{eastern(invoice.updated)}"'
    values["uuid"] = f'"{object_uuid("invoice", invoice.id)}"'
    values["v3_status"] = f'"{shown.v3_status}"'
    values["version"] = f'"{eastern_version(invoice.updated)}"'
    values["vis_state"] = invoice.vis_state
    if "lines" in includes:
        values["lines"] = f"[{','.join([line_text(line, invoice, updated) for line in invoice.lines])}]"
    more = {name: as_json(value) for name, value in INVOICE_INCLUDES.items() if name in includes}
    return _finished(values, invoice, more)


def _deposit_status(invoice: Invoice) -> str:
    percentage, amount = invoice.fields.get("deposit_percentage"), invoice.fields.get("deposit_amount")
    if percentage not in (None, ""):
        due = invoice.amount * Decimal(str(percentage)) / 100
    elif amount is not None:
        due = Decimal(str(amount["amount"] if isinstance(amount, dict) else amount))
    else:
        return "none"
    if invoice.paid <= 0:
        return "unpaid"
    return "paid" if invoice.paid >= due else "partial"


_LINE = _template(tuple(_LINE_KEYS.split()))


def line_text(line: Line, invoice: Invoice, updated: str) -> str:
    """Write a line; `updated` is that of its invoice, as JSON."""
    more = {name: as_json(value) for name, value in line.fields.items()} if line.fields else {}
    return _LINE % (
        _money(line.amount, invoice.currency),
        0,
        "true" if line.compounded else "false",
        more.get("date", "null"),
        quoted(line.description),
        more.get("expenseid", 0),
        invoice.id,
        line.id,
        more.get("modern_project_id", "null"),
        "[]",
        quoted(line.name),
        quoted(line.qty),
        more.get("retainer_id", "null"),
        more.get("retainer_period_id", "null"),
        line.id,
        f'"{line.tax_1:f}"',
        f'"{line.tax_2:f}"',
        more.get("taxName1", "null"),
        more.get("taxName2", "null"),
        more.get("taxNumber1", "null"),
        more.get("taxNumber2", "null"),
        more.get("type", 0),
        _money(line.unit_cost, invoice.currency),
        updated,
    )


def payment_text(payment: Payment, account_id: str, more: dict[str, str]) -> str:
    """Write a payment; `more` are the texts of what was included."""
    values = _shown(_PAYMENT, payment)
    values["accounting_systemid"] = f'"{account_id}"'
    values["amount"] = _money(payment.amount, payment.currency)
    values["clientid"] = payment.client.id
    if payment.source is not None:
        values["creditid"], values["from_credit"] = payment.source.id, "true"
    if payment.credit is not None:
        values["creditid"] = payment.credit.id
    values["date"] = f'"{payment.paid_on}"'
    values["id"] = values["logid"] = payment.id
    values["invoiceid"] = "null" if payment.invoice is None else payment.invoice.id
    if payment.excess is not None:
        values["overpaymentid"] = payment.excess.id
    values["type"] = quoted(payment.type)
    values["updated"] = f'"{eastern(payment.updated)}"'
    values["vis_state"] = payment.vis_state
    return _finished(values, payment, more)
