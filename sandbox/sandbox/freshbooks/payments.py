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

    from sandbox.freshbooks.records import Invoice


class Payments(Collection[Payment]):
    """The payments of an account."""

    kind = "payments"
    single = "payment"
    includes = frozenset({"client", "invoice", "credit_note", "order", "gateway"})

    @override
    def create(self, data: Mapping[str, Any]) -> Payment:
        for field in ("invoiceid", "amount", "date", "type"):
            if data.get(field) in (None, ""):
                raise errors.required("payment", field)
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
        if data.get("invoiceid"):
            self._move(record, self._invoice(data["invoiceid"]))
        invoice = record.invoice
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
        if record.vis_state == DELETED:
            self._return_credit(record)
        self._settle(record, bump=self.world.switches.payment_delete_bumps_invoice)
        self._announce_invoice(record)

    @override
    def write(self, record: Payment, includes: Names[str], today: date) -> str:
        books, invoice = self.books, record.invoice
        more: dict[str, str] = {name: "null" for name in ("credit_note", "order") if name in includes}
        if "client" in includes:
            more["client"] = books.clients.text(invoice.client, (), today).decode()
        if "invoice" in includes:
            more["invoice"] = books.invoices.text(invoice, (), today).decode()
        return payment_text(record, books.account_id, more)

    def _move(self, payment: Payment, invoice: Invoice) -> None:
        """Let a payment pay another invoice; the former one owes again, and does not count as updated."""
        former = payment.invoice
        if invoice is not former:
            former.payments.remove(payment)
            invoice.payments.append(payment)
            payment.invoice = invoice
            self.books.invoices.settle(former)

    def _settle(self, payment: Payment, *, bump: bool = True) -> None:
        """Let the invoice know; it is updated in the same second."""
        self.books.invoices.settle(payment.invoice)
        if bump:
            self.books.invoices.bump(payment.invoice, payment.updated)

    def _allot(self, payment: Payment, amount: Decimal) -> None:
        """Split an amount into what is owed and what is too much, which becomes a credit of the client."""
        owed = max(payment.invoice.outstanding, ZERO)
        payment.amount = min(amount, owed)
        excess = amount - payment.amount
        client = payment.invoice.client
        if payment.source is not None:
            payment.source.amount -= payment.amount
        elif excess > 0:
            payment.excess = Credit(self.world.next_id("credits"), excess, payment.invoice.currency)
            client.credits.append(payment.excess)
        self.books.clients.balances_changed(client)

    def _return_credit(self, payment: Payment) -> None:
        client = payment.invoice.client
        if payment.excess is not None:
            client.credits.remove(payment.excess)
            payment.excess = None
        if payment.source is not None:
            payment.source.amount += payment.amount
        self.books.clients.balances_changed(client)

    def _announce_invoice(self, payment: Payment) -> None:
        if self.world.switches.payment_announces_invoice:
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
