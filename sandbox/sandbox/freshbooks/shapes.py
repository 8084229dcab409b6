"""Records as the accounting API writes them: all keys, in alphabetical order, with the types seen in recorded answers.

Source: https://www.freshbooks.com/api/clients, /invoices and /payments, and recorded answers of 2026. Unset text is ``""``
for some fields and null for others; both are kept as FreshBooks has them.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.money import ZERO, money, text
from sandbox.freshbooks.status import Standing, statuses
from sandbox.freshbooks.times import eastern, eastern_version, utc

if TYPE_CHECKING:
    from datetime import date

    from sandbox.freshbooks.records import Client, Invoice, Line, Payment
    from sandbox.freshbooks.switches import Switches

CLIENT: dict[str, Any] = {
    "accounting_systemid": "",
    "allow_email_include_pdf": False,
    "allow_late_fees": True,
    "allow_late_notifications": True,
    "bus_phone": "",
    "company_industry": None,
    "company_size": None,
    "currency_code": "",
    "direct_link_token": None,
    "email": "",
    "exceeds_client_limit": 0,
    "fax": "",
    "fname": "",
    "has_retainer": None,
    "home_phone": None,
    "id": 0,
    "language": "en",
    "last_activity": None,
    "last_login": None,
    "level": 0,
    "lname": "",
    "mob_phone": "",
    "note": None,
    "notified": False,
    "num_logins": 0,
    "number_format": None,
    "organization": "",
    "p_city": "",
    "p_code": "",
    "p_country": "",
    "p_province": "",
    "p_street": "",
    "p_street2": "",
    "pref_email": True,
    "pref_gmail": False,
    "retainer_id": None,
    "role": "client",
    "s_city": "",
    "s_code": "",
    "s_country": "",
    "s_province": "",
    "s_street": "",
    "s_street2": "",
    "signup_date": "",
    "statement_token": None,
    "subdomain": None,
    "updated": "",
    "userid": 0,
    "username": "",
    "uuid": "",
    "vat_name": None,
    "vat_number": None,
    "vis_state": 0,
}
CLIENT_WRITABLE = frozenset(
    "allow_email_include_pdf allow_late_fees allow_late_notifications bus_phone company_industry company_size email fax "
    "fname home_phone language lname mob_phone note organization p_city p_code p_country p_province p_street p_street2 "
    "pref_email pref_gmail s_city s_code s_country s_province s_street s_street2 vat_name vat_number".split()
)

INVOICE: dict[str, Any] = {
    "accountid": "",
    "accounting_systemid": "",
    "address": "",
    "amount": None,
    "attach_pdf_to_email": False,
    "auto_bill": False,
    "autobill_status": None,
    "basecampid": 0,
    "city": "",
    "code": "",
    "country": "",
    "create_date": "",
    "created_at": "",
    "currency_code": "",
    "current_organization": "",
    "customerid": 0,
    "date_paid": None,
    "deposit_amount": None,
    "deposit_percentage": None,
    "deposit_status": "none",
    "description": "",
    "discount": None,
    "discount_description": None,
    "discount_total": None,
    "discount_value": "0",
    "display_status": "draft",
    "dispute_status": None,
    "due_date": "",
    "due_offset_days": 0,
    "estimateid": 0,
    "ext_archive": 0,
    "fname": "",
    "fulfillment_date": None,
    "generation_date": None,
    "gmail": False,
    "id": 0,
    "invoice_number": "",
    "invoiceid": 0,
    "language": "en",
    "last_order_status": None,
    "lname": "",
    "lock_status": "unlocked",
    "net_paid_amount": None,
    "notes": "",
    "organization": "",
    "outstanding": None,
    "ownerid": 1,
    "paid": None,
    "parent": 0,
    "payment_details": "",
    "payment_status": "unpaid",
    "po_number": None,
    "province": "",
    "return_uri": None,
    "sender_address": None,
    "sentid": 1,
    "series": "",
    "show_attachments": True,
    "status": 1,
    "street": "",
    "street2": "",
    "template": "clean-grouped",
    "terms": None,
    "updated": "",
    "uuid": "",
    "v3_status": "draft",
    "vat_name": "",
    "vat_number": "",
    "version": "",
    "vis_state": 0,
}
INVOICE_WRITABLE = frozenset(
    "address attach_pdf_to_email auto_bill basecampid city code country deposit_amount deposit_percentage "
    "discount_description estimateid ext_archive generation_date gmail language notes parent payment_details po_number "
    "province return_uri show_attachments street street2 template terms vat_name vat_number".split()
)
INVOICE_INCLUDES: dict[str, Any] = {
    "allowed_gateways": [],
    "audit_logs": [],
    "client_audits": [],
    "comments": [],
    "contacts": [],
    "late_fee": None,
    "late_reminders": [],
    "latest_journal_entry": None,
    "owner": None,
    "presentation": None,
    "system": None,
}

PAYMENT: dict[str, Any] = {
    "accounting_systemid": "",
    "amount": None,
    "bulk_paymentid": None,
    "clientid": 0,
    "creditid": None,
    "date": "",
    "from_credit": False,
    "gateway": None,
    "id": 0,
    "invoiceid": 0,
    "logid": 0,
    "note": "",
    "orderid": None,
    "overpaymentid": None,
    "send_client_notification": None,
    "transaction_uuid": None,
    "transactionid": None,
    "type": "",
    "updated": "",
    "vis_state": 0,
}
PAYMENT_WRITABLE = frozenset({"gateway", "note", "orderid", "send_client_notification", "transactionid"})

LINE_WRITABLE = frozenset(
    "date expenseid modern_project_id retainer_id retainer_period_id taxName1 taxName2 taxNumber1 taxNumber2 type".split()
)


def object_uuid(kind: str, number: int) -> str:
    """Give the uuid of an object; it follows from kind and id, so nothing has to keep it."""
    return str(uuid.UUID(bytes=hashlib.blake2b(f"{kind}:{number}".encode(), digest_size=16).digest(), version=4))


def client_row(client: Client, account_id: str) -> dict[str, Any]:
    """Write a client, without includes."""
    row = CLIENT | client.fields
    row["accounting_systemid"] = account_id
    row["currency_code"] = client.currency
    row["id"] = row["userid"] = client.id
    row["signup_date"] = utc(client.signed_up)
    row["updated"] = eastern(client.updated)
    row["username"] = client.username
    row["uuid"] = object_uuid("client", client.id)
    row["vis_state"] = client.vis_state
    if client.forced:
        row.update(client.forced)
    return row


def standing(invoice: Invoice, today: date) -> Standing:
    """Say what an invoice's statuses follow from, on a day."""
    paid_something = any(payment.vis_state != 1 for payment in invoice.payments)
    return Standing(
        stage=invoice.stage,
        disputed=invoice.disputed,
        paid_something=paid_something,
        settled=paid_something and invoice.paid >= invoice.amount,
        past_due=invoice.due_date < today,
    )


def invoice_row(
    invoice: Invoice, account_id: str, country: str, today: date, switches: Switches, *, lines: bool
) -> dict[str, Any]:
    """Write an invoice as it is on a day; `lines` adds its lines."""
    at_present = standing(invoice, today)
    client, currency = invoice.client, invoice.currency
    row = INVOICE | invoice.fields
    row["accountid"] = row["accounting_systemid"] = account_id
    row["amount"] = money(invoice.amount, currency)
    row["create_date"] = str(invoice.create_date)
    row["created_at"] = eastern(invoice.created)
    row["currency_code"] = currency
    row["current_organization"] = client.fields.get("organization", "")
    row["customerid"] = client.id
    if at_present.settled or (at_present.paid_something and switches.partial_date_paid):
        row["date_paid"] = str(invoice.date_paid)
    row["deposit_status"] = _deposit_status(invoice)
    row["description"] = invoice.lines[0].description if invoice.lines else ""
    rate = f"{invoice.discount.normalize():f}"
    row["discount"] = {"amount": money(abs(invoice.discount_total), currency), "rate": rate, "type": "percent"}
    row["discount_total"] = money(invoice.discount_total, currency)
    row["discount_value"] = rate
    row["dispute_status"] = "disputed" if invoice.disputed else None
    row["due_date"] = str(invoice.due_date)
    row["due_offset_days"] = (invoice.due_date - invoice.create_date).days
    row["fulfillment_date"] = None if invoice.sent_on is None else str(invoice.sent_on)
    row["id"] = row["invoiceid"] = invoice.id
    row["invoice_number"] = invoice.number
    row["net_paid_amount"] = money(invoice.paid, currency)
    row["organization"], row["fname"], row["lname"] = invoice.names
    row["outstanding"] = money(invoice.outstanding, currency)
    row["paid"] = money(invoice.paid, currency)
    row["sender_address"] = {
        "city": "",
        "code": "",
        "country": country,
        "province": "",
        "street": "",
        "street2": "",
    }
    row["status"], row["display_status"], row["payment_status"], row["v3_status"] = statuses(at_present)
    row["updated"] = eastern(invoice.updated)
    row["uuid"] = object_uuid("invoice", invoice.id)
    row["version"] = eastern_version(invoice.updated)
    row["vis_state"] = invoice.vis_state
    if invoice.forced:
        row.update(invoice.forced)
    if lines:
        updated = row["updated"]
        row["lines"] = [line_row(line, invoice, updated) for line in invoice.lines]
        row = dict(sorted(row.items()))
    return row


def _deposit_status(invoice: Invoice) -> str:
    percentage, amount = invoice.fields.get("deposit_percentage"), invoice.fields.get("deposit_amount")
    if percentage in (None, "") and amount is None:
        return "none"
    if invoice.paid <= 0:
        return "unpaid"
    wanted = amount if percentage in (None, "") else None
    if wanted is None:
        due = invoice.amount * type(invoice.amount)(str(percentage)) / 100
    else:
        due = type(invoice.amount)(str(wanted["amount"] if isinstance(wanted, dict) else wanted))
    return "paid" if invoice.paid >= due else "partial"


def line_row(line: Line, invoice: Invoice, updated: str) -> dict[str, Any]:
    """Write a line."""
    more = line.fields or {}
    return {
        "amount": money(line.amount, invoice.currency),
        "basecampid": 0,
        "compounded_tax": line.compounded,
        "date": more.get("date"),
        "description": line.description,
        "expenseid": more.get("expenseid", 0),
        "invoiceid": invoice.id,
        "lineid": line.id,
        "modern_project_id": more.get("modern_project_id"),
        "modern_time_entries": [],
        "name": line.name,
        "qty": line.qty,
        "retainer_id": more.get("retainer_id"),
        "retainer_period_id": more.get("retainer_period_id"),
        "taskno": line.id,
        "taxAmount1": f"{line.tax_1:f}",
        "taxAmount2": f"{line.tax_2:f}",
        "taxName1": more.get("taxName1"),
        "taxName2": more.get("taxName2"),
        "taxNumber1": more.get("taxNumber1"),
        "taxNumber2": more.get("taxNumber2"),
        "type": more.get("type", 0),
        "unit_cost": {"amount": text(line.unit_cost), "code": invoice.currency},
        "updated": updated,
    }


def payment_row(payment: Payment, account_id: str) -> dict[str, Any]:
    """Write a payment, without includes."""
    invoice = payment.invoice
    row = PAYMENT | payment.fields
    row["accounting_systemid"] = account_id
    row["amount"] = money(payment.amount, invoice.currency)
    row["clientid"] = invoice.client.id
    row["creditid"] = payment.source.id if payment.source else None
    row["date"] = str(payment.paid_on)
    row["from_credit"] = payment.source is not None
    row["id"] = row["logid"] = payment.id
    row["invoiceid"] = invoice.id
    row["overpaymentid"] = payment.excess.id if payment.excess else None
    row["type"] = payment.type
    row["updated"] = eastern(payment.updated)
    row["vis_state"] = payment.vis_state
    if payment.forced:
        row.update(payment.forced)
    return row


Balances = dict[str, list[dict[str, dict[str, str]]]]


def balances(client: Client, today: date) -> Balances:
    """Give a client's balances on a day, each a list with one amount per currency.

    Drafts owe nothing; overdue is what is past due of the outstanding.
    """
    if client.balances is None or client.balances[0] != today:
        client.balances = today, _balances(client, today)
    return client.balances[1]


def _balances(client: Client, today: date) -> Balances:
    sums: dict[str, dict[str, Any]] = {
        "credit_balance": {},
        "draft_balance": {},
        "grand_total_balance": {},
        "outstanding_balance": {},
        "overdue_balance": {},
    }

    def add(name: str, currency: str, amount: Any) -> None:
        sums[name][currency] = sums[name].get(currency, ZERO) + amount

    for invoice in client.invoices:
        if invoice.vis_state == 1:
            continue
        if invoice.stage == "draft":
            add("draft_balance", invoice.currency, invoice.amount)
            continue
        add("grand_total_balance", invoice.currency, invoice.amount)
        add("outstanding_balance", invoice.currency, invoice.outstanding)
        if invoice.due_date < today:
            add("overdue_balance", invoice.currency, invoice.outstanding)
    for credit in client.credits:
        add("credit_balance", credit.currency, credit.amount)
    return {
        name: [{"amount": money(total, currency)} for currency, total in sorted(per_currency.items()) if total]
        for name, per_currency in sums.items()
    }
