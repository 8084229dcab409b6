"""Payments: what they do to their invoice, what is paid too much, and what is paid from credit.

Source: https://www.freshbooks.com/api/payments and recorded answers (an overpayment shows the amount that was owed).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import errors, shapes
from sandbox.freshbooks.collection import Collection
from sandbox.freshbooks.money import ZERO, amount_of, cents
from sandbox.freshbooks.records import DELETED, Credit, Payment
from sandbox.freshbooks.texts import payment_text

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from sandbox.freshbooks.records import Client, Invoice


class Payments(Collection[Payment]):
    """The payments of an account."""

    kind = "payments"
    single = "payment"
    includes = frozenset({"client", "invoice", "credit_note", "order", "gateway"})

    @override
    def create(self, data: Mapping[str, Any]) -> Payment:
        owner = "clientid" if data.get("clientid") and not data.get("invoiceid") else "invoiceid"
        for field in (owner, "amount", "date", "type"):
            if data.get(field) in (None, ""):
                raise errors.required("payment", field)
        if owner == "clientid":
            return self._prepay(data)
        invoice = self._invoice(data["invoiceid"])
        amount = self._amount(data["amount"], invoice)
        paid_on = self.day(data["date"], "date")
        source = self._source(data, invoice, amount)
        payment = Payment(
            id=self.world.next_id("payments"),
            updated=self.world.now(),
            fields=self._values(data),
            invoice=invoice,
            paid_on=paid_on,
            type=str(data["type"]),
            source=source,
        )
        self._allot(payment, amount)
        self.rows[payment.id] = payment
        invoice.payments.append(payment)
        self.changed(payment)
        self._settle(payment)
        self.announce(payment, "create")
        self._announce_invoice(payment)
        return payment

    @override
    def edit(self, record: Payment, data: Mapping[str, Any]) -> None:
        if data.get("invoiceid") and record.invoice is not None:
            self._move(record, record.invoice, self._invoice(data["invoiceid"]))
        invoice = record.invoice
        if invoice is None:
            self._edit_credit(record, data)
            return
        amount = self._amount(data["amount"], invoice) if "amount" in data else None
        if data.get("date"):
            record.paid_on = self.day(data["date"], "date")
        record.type = str(data.get("type") or record.type)
        record.fields = record.fields | self._values(data)
        if amount is not None:
            self._return_credit(record)
            record.amount = ZERO
            self.books.invoices.settle(invoice)
            self._allot(record, amount)
        self.bump(record)
        self._settle(record)
        self._announce_invoice(record)

    @override
    def vis_state_changed(self, record: Payment, former: int) -> None:
        if DELETED not in (former, record.vis_state):
            return
        if record.invoice is None:
            self._keep_credit(record)
            return
        if record.vis_state == DELETED:
            self._return_credit(record)
        self._settle(record, bump=self.world.switches.payment_delete_bumps_invoice)
        self._announce_invoice(record)

    @override
    def write(self, record: Payment, includes: Names[str], today: date) -> str:
        books, invoice = self.books, record.invoice
        more: dict[str, str] = {name: "null" for name in ("credit_note", "order") if name in includes}
        if "client" in includes:
            more["client"] = books.clients.text(record.client, (), today).decode()
        if "invoice" in includes:
            more["invoice"] = "null" if invoice is None else books.invoices.text(invoice, (), today).decode()
        return payment_text(record, books.account_id, more)

    def _move(self, payment: Payment, former: Invoice, invoice: Invoice) -> None:
        """Let a payment pay another invoice; the former one owes again, and does not count as updated."""
        if invoice is not former:
            former.payments.remove(payment)
            invoice.payments.append(payment)
            payment.invoice = invoice
            self.books.invoices.settle(former)

    def _settle(self, payment: Payment, *, bump: bool = True) -> None:
        """Let the invoice know; it is updated in the same second."""
        if payment.invoice is not None:
            self.books.invoices.settle(payment.invoice)
            if bump:
                self.books.invoices.bump(payment.invoice, payment.updated)

    def _allot(self, payment: Payment, amount: Decimal) -> None:
        """Split an amount into what is owed and what is too much, which becomes a credit of the client."""
        owed = max(payment.invoice.outstanding, ZERO) if payment.invoice is not None else ZERO
        payment.amount = min(amount, owed)
        excess = amount - payment.amount
        client = payment.client
        if payment.source is not None:
            payment.source.amount -= payment.amount
        elif excess > 0:
            payment.excess = self._credit(client, excess, payment)
        self.books.clients.balances_changed(client)

    def _return_credit(self, payment: Payment) -> None:
        client = payment.client
        if payment.excess is not None:
            client.credits.remove(payment.excess)
            if (row := self.rows.get(payment.excess.id)) is not None:
                row.vis_state = DELETED
                self.bump(row)
            payment.excess = None
        if payment.source is not None:
            payment.source.amount += payment.amount
        self.books.clients.balances_changed(client)

    def _announce_invoice(self, payment: Payment) -> None:
        if self.world.switches.payment_announces_invoice and payment.invoice is not None:
            self.books.invoices.announce(payment.invoice, "update")

    def _invoice(self, value: object) -> Invoice:
        try:
            invoice = self.books.invoices.rows.get(int(str(value)))
        except ValueError:
            invoice = None
        if invoice is None or invoice.vis_state == DELETED:
            raise errors.not_found("invoice", "invoiceid", value)
        return invoice

    def _source(self, data: Mapping[str, Any], invoice: Invoice, amount: Decimal) -> Credit | None:
        """Find the credit that a payment of type Credit is made from."""
        if data["type"] != "Credit":
            return None
        for credit in invoice.client.credits:
            wanted = data.get("creditid") in (None, credit.id)
            if wanted and credit.currency == invoice.currency and credit.amount >= amount:
                return credit
        raise errors.invalid("payment", "amount", "not enough credit")

    def turn_into_credit(self, number: int) -> Payment:
        """Take a payment from its invoice and leave the money with the client, as deleting an invoice can."""
        payment = self.get(number)
        invoice, client = payment.invoice, payment.client
        if invoice is None:
            return payment
        if self.world.switches.converted_payment_keeps_id:
            invoice.payments.remove(payment)
            row = payment
        else:
            self.update(number, {"vis_state": DELETED})
            row = Payment(
                id=self.world.next_id("payments"),
                updated=self.world.now(),
                fields=payment.fields,
                amount=payment.amount,
                paid_on=payment.paid_on,
                type=payment.type,
            )
            self.rows[row.id] = row
        row.credit = Credit(self.world.next_id("credits"), row.amount, invoice.currency)
        row.invoice, row.payer = None, client
        client.credits.append(row.credit)
        self.books.invoices.settle(invoice)
        self.books.clients.balances_changed(client)
        self.bump(row)
        self.announce(row, "update" if row is payment else "create")
        return row

    def _prepay(self, data: Mapping[str, Any]) -> Payment:
        """Take money of a client that pays no invoice."""
        client = self.books.clients.get(int(data["clientid"]))
        try:
            amount = cents(amount_of(data["amount"]))
        except ValueError as error:
            raise errors.invalid("payment", "amount", data["amount"]) from error
        payment = self._unapplied(client, Credit(self.world.next_id("credits"), amount, client.currency), data)
        self.announce(payment, "create")
        return payment

    def _credit(self, client: Client, amount: Decimal, payment: Payment) -> Credit:
        """Make the credit of what was paid too much, with a row of its own if need be."""
        listed = self.world.switches.overpayments_are_listed
        credit = Credit(self.world.next_id("payments" if listed else "credits"), amount, payment.currency)
        if listed:
            data = {"date": payment.paid_on, "type": payment.type}
            self._unapplied(client, credit, data, number=credit.id)
        else:
            client.credits.append(credit)
        return credit

    def _unapplied(
        self, client: Client, credit: Credit, data: Mapping[str, Any], *, number: int | None = None
    ) -> Payment:
        payment = Payment(
            id=number or self.world.next_id("payments"),
            updated=self.world.now(),
            fields=self._values(data),
            amount=credit.amount,
            paid_on=self.day(data["date"], "date"),
            type=str(data["type"]),
            payer=client,
            credit=credit,
        )
        self.rows[payment.id] = payment
        client.credits.append(credit)
        self.books.clients.balances_changed(client)
        self.changed(payment)
        return payment

    def _edit_credit(self, payment: Payment, data: Mapping[str, Any]) -> None:
        if "amount" in data and payment.credit is not None:
            amount = cents(amount_of(data["amount"]))
            payment.credit.amount += amount - payment.amount
            payment.amount = amount
        payment.fields = payment.fields | self._values(data)
        self._keep_credit(payment)
        self.bump(payment)

    def _keep_credit(self, payment: Payment) -> None:
        """Let the client have the credit of a row for as long as the row is not deleted."""
        client = payment.client
        client.credits = [credit for credit in client.credits if credit is not payment.credit]
        if payment.credit is not None and payment.vis_state != DELETED:
            client.credits.append(payment.credit)
        self.books.clients.balances_changed(client)

    @staticmethod
    def _amount(value: Any, invoice: Invoice) -> Decimal:
        try:
            amount = cents(amount_of(value))
        except ValueError as error:
            raise errors.invalid("payment", "amount", value) from error
        if amount < 0:
            raise errors.invalid("payment", "amount", value)
        if isinstance(value, dict) and value.get("code") not in (None, "", invoice.currency):
            raise errors.invalid("payment", "amount.code", value["code"])
        return amount

    @staticmethod
    def _values(data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            field: value if value is not None else shapes.PAYMENT[field]
            for field, value in data.items()
            if field in shapes.PAYMENT_WRITABLE
        }
