"""How FreshBooks records read in words: names of customers, invoices and payments, and the lines of an invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.money import Money, MoneyError, read_decimal, read_money

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    Record = Mapping[str, Any]

TAXES = (("taxName1", "taxAmount1"), ("taxName2", "taxAmount2"))
AMOUNTS = ("amount", "paid", "outstanding")
"""The properties of an invoice that are money."""
PAID = frozenset({"paid", "autopaid", "auto-paid", "success"})


def text(value: Any) -> str:
    """Give a property as text without outer white space; "" for none."""
    return value.strip() if type(value) is str else "" if value is None else str(value).strip()


def first(record: Record, *properties: str) -> str:
    """Give the first of these properties that is not empty, or ""."""
    for name in properties:
        if found := text(record.get(name)):
            return found
    return ""


def person(record: Record) -> str:
    """Give first and last name, as far as they are known."""
    return " ".join(part for part in (text(record.get("fname")), text(record.get("lname"))) if part)


def client_name(client: Record) -> str:
    """Name a client: organization, else first and last name, else e-mail, else its number in FreshBooks."""
    return (
        text(client.get("organization"))
        or person(client)
        or text(client.get("email"))
        or f"FreshBooks client {client.get('id')}"
    )


def customer_name(invoice: Record) -> str:
    """Name an invoice's customer, as the invoice has it; "" where it does not say."""
    return text(invoice.get("organization")) or person(invoice) or text(invoice.get("current_organization"))


def invoice_name(invoice: Record) -> str:
    """Name an invoice by its number and its customer: ``0000008 - Nango Test Co``."""
    number = text(invoice.get("invoice_number")) or f"FreshBooks invoice {invoice.get('id')}"
    customer = customer_name(invoice)
    return f"{number} - {customer}" if customer else number


def payment_name(payment: Record, shown: Money | None = None) -> str:
    """Name a payment by its date, its type and its number: ``2024-01-15 Cash (312143)``.

    Args:
        payment: the FreshBooks record.
        shown: the amount, where it has to be said in words because its field cannot show it.
    """
    parts = [text(payment.get("date")), text(payment.get("type")) or "Payment", str(shown or "")]
    return " ".join([*(part for part in parts if part), f"({payment.get('id')})"])


def street(record: Record, prefix: str) -> str:
    """Give both lines of a street; the prefix is ``p_`` (billing), ``s_`` (shipping) or "" (an invoice's)."""
    lines = (text(record.get(f"{prefix}street")), text(record.get(f"{prefix}street2")))
    return ", ".join(line for line in lines if line)


def fully_paid(invoice: Record) -> bool:
    """Say whether nothing is left to pay, by the invoice's own status."""
    return text(invoice.get("v3_status")).lower() in PAID or text(invoice.get("payment_status")).lower() in PAID


def closing_date(invoice: Record) -> str | None:
    """Give the day an invoice was fully paid, else the day it is due, else the day it was made.

    FreshBooks also sets `date_paid` on invoices that are paid in part, so it counts only once all is paid.
    """
    paid_on = invoice.get("date_paid") if fully_paid(invoice) else None
    return paid_on or invoice.get("due_date") or invoice.get("create_date")


def amounts_in_words(invoice: Record) -> str:
    """Return an invoice's amounts in words, for a record that has another currency.

    Raises:
        MoneyError: if one of them is not money.
    """
    return f"{_amounts(invoice, AMOUNTS)} (not the currency of this record, so the amount fields are empty)"


def exact_in_words(invoice: Record, names: Collection[str]) -> str:
    """Return those of an invoice's amounts in words whose fields have too few decimals for them.

    Args:
        invoice: the FreshBooks record.
        names: of the properties.

    Raises:
        MoneyError: if one of them is not money.
    """
    return f"{_amounts(invoice, names)} (exactly, for which the field has too few decimals)"


def _amounts(invoice: Record, names: Collection[str]) -> str:
    amounts = {name: money for name in AMOUNTS if name in names and (money := read_money(invoice.get(name)))}
    text = ", ".join(f"{name} {money}" for name, money in amounts.items())
    return text[:1].upper() + text[1:]


def lines_in_words(lines: Iterable[Any]) -> str:
    """Give an invoice's lines, one a line: ``Design - logo: 2 x 50.00 = 100.00 USD, HST 13%``."""
    return "\n".join([_line(line) for line in lines if isinstance(line, dict)])


def _line(line: Record) -> str:
    what = " - ".join([" ".join(part.split()) for name in ("name", "description") if (part := text(line.get(name)))])
    sum_ = _sum(line)
    taxes = [f"{name} {rate}%" for n, r in TAXES if (name := text(line.get(n))) and (rate := _rate(line, r))]
    return ", ".join([f"{what}: {sum_}" if what and sum_ else what or sum_, *taxes])


def _sum(line: Record) -> str:
    try:
        unit, amount = read_money(line.get("unit_cost")), read_money(line.get("amount"))
    except MoneyError:
        return ""
    quantity = text(line.get("qty"))
    if amount is None:
        return ""
    return f"{quantity} x {unit.amount:,} = {amount}" if quantity and unit is not None else str(amount)


def _rate(line: Record, name: str) -> str:
    rate = text(line.get(name))
    try:
        return rate if rate and read_decimal(rate) else ""
    except MoneyError:
        return ""
