"""Invoices: numbers, lines, totals, and their way from draft to sent.

Source: https://www.freshbooks.com/api/invoices.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import errors, shapes
from sandbox.freshbooks.clients import Clients
from sandbox.freshbooks.collection import Collection
from sandbox.freshbooks.money import amount_of, cents, decimal, totals
from sandbox.freshbooks.records import DELETED, Invoice, Line
from sandbox.freshbooks.texts import invoice_text
from sandbox.freshbooks.times import EASTERN

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Mapping
    from datetime import date

    from sandbox.freshbooks.records import Client

_ADDRESS = {
    "city": "p_city",
    "code": "p_code",
    "country": "p_country",
    "province": "p_province",
    "street": "p_street",
    "street2": "p_street2",
    "vat_name": "vat_name",
    "vat_number": "vat_number",
}
_STAGES = {0: None, 1: "draft", 2: "sent", 3: "viewed"}


class Invoices(Collection[Invoice]):
    """The invoices of an account."""

    kind = "invoices"
    single = "invoice"
    includes = frozenset({"lines", *shapes.INVOICE_INCLUDES})

    def __init__(self, books: Any) -> None:
        super().__init__(books)
        self._numbers: dict[str, int] = {}
        self._last_number = 0

    @override
    def create(self, data: Mapping[str, Any]) -> Invoice:
        for field in ("customerid", "create_date"):
            if not data.get(field):
                raise errors.required("invoice", field)
        client = self._client(data["customerid"])
        now = self.world.now()
        created_on = self.day(data["create_date"], "create_date")
        invoice = Invoice(
            id=0,
            updated=now,
            fields=_address_of(client),
            client=client,
            create_date=created_on,
            due_date=created_on,
            currency=data.get("currency_code") or client.currency,
            created=now,
            names=Clients.names(client),
        )
        self._write(invoice, data)
        invoice.number = self._number(data.get("invoice_number"), invoice)
        self.add(invoice)
        if data.get("action_mark_as_sent") or data.get("action_email"):
            self._mark_as_sent(invoice)
        self.changed(invoice)
        if self.world.switches.invoice_create_bumps_client:
            self.books.clients.bump(client, now)
        self.announce(invoice, "create")
        if data.get("action_email"):
            self.announce(invoice, "sendByEmail")
        return invoice

    def add(self, invoice: Invoice) -> None:
        """Give an invoice its id and put it in the books."""
        invoice.id = self.world.next_id("invoices")
        self.rows[invoice.id] = invoice
        self._numbers[invoice.number] = invoice.id
        invoice.client.invoices.append(invoice)

    @override
    def edit(self, record: Invoice, data: Mapping[str, Any]) -> None:
        client = self._client(data["customerid"]) if data.get("customerid") else record.client
        if client is not record.client:
            self.books.clients.balances_changed(record.client)
            record.client.invoices.remove(record)
            client.invoices.append(record)
            record.client, record.names = client, Clients.names(client)
            for payment in record.payments:
                self.changed(payment)
        number = data.get("invoice_number")
        if number and str(number) != record.number:
            record.number = self._number(number, record)
            self._numbers[record.number] = record.id
        self._write(record, data)
        if record.currency != data.get("currency_code", record.currency):
            record.currency = data["currency_code"]
        self.bump(record)
        if self.world.switches.invoice_edit_bumps_client:
            self.books.clients.bump(record.client, record.updated)

    @override
    def act(self, record: Invoice, actions: set[str]) -> None:
        if actions & {"action_mark_as_sent", "action_email"}:
            self._mark_as_sent(record)
        self.bump(record)
        if "action_email" in actions:
            self.announce(record, "sendByEmail")

    def view(self, invoice: Invoice) -> None:
        """Let the client look at an invoice that was sent."""
        if invoice.stage == "sent":
            invoice.stage = "viewed"
            if self.world.switches.view_bumps_invoice:
                self.bump(invoice)
                self.announce(invoice, "update")
            self.changed(invoice)

    @override
    def vis_state_changed(self, record: Invoice, former: int) -> None:
        self.books.clients.balances_changed(record.client)
        if record.vis_state == DELETED:
            self._numbers.pop(record.number, None)
            if self.world.switches.invoice_delete_bumps_payments:
                for payment in record.live_payments:
                    self.bump(payment, record.updated)
        elif former == DELETED:
            self._numbers.setdefault(record.number, record.id)

    def settle(self, invoice: Invoice) -> None:
        """Add up the payments of an invoice again, without calling it updated."""
        live = invoice.live_payments
        invoice.paid = sum((payment.amount for payment in live), Decimal("0.00"))
        invoice.date_paid = max((payment.paid_on for payment in live), default=None)
        if live and invoice.stage == "draft":
            self._mark_as_sent(invoice)
        self.changed(invoice)

    @override
    def changed(self, record: Any) -> None:
        super().changed(record)
        if isinstance(record, Invoice):
            self.books.clients.balances_changed(record.client)

    @override
    def write(self, record: Invoice, includes: Names[str], today: date) -> str:
        books = self.books
        sender = books.account_id, books.country
        return invoice_text(record, sender, today, self.world.switches, includes)

    @override
    def cache_key(self, record: Invoice, includes: Names[str], today: date) -> Any:
        past_due = record.due_date < today
        return ("lines" in includes, past_due, self.world.switches.partial_date_paid) if len(includes) < 2 else None  # noqa: PLR2004

    def _write(self, invoice: Invoice, data: Mapping[str, Any]) -> None:
        """Write what may be written, and compute the totals."""
        if "due_date" in data:
            raise errors.ApiError(
                403,
                errors.WRITE_DENIED,
                "Write access denied on object invoice, field due_date",
                field="due_date",
                object="invoice",
                value=data["due_date"],
            )
        stage, disputed = self._stage(invoice, data)
        offset = invoice.due_date - invoice.create_date
        create_date = self.day(data["create_date"], "create_date") if data.get("create_date") else invoice.create_date
        if "due_offset_days" in data:
            offset = timedelta(days=int(self._number_in(data["due_offset_days"], "due_offset_days")))
        discount = self._number_in(data.get("discount_value") or 0, "discount_value")
        lines = invoice.lines
        if "lines" in data:
            lines = self._lines(data["lines"] or [])
        if "discount_value" not in data:
            discount = invoice.discount
        if data.get("currency_code"):
            invoice.currency = data["currency_code"]
        invoice.create_date, invoice.due_date = create_date, create_date + offset
        invoice.lines, invoice.discount = lines, discount
        if stage != "draft" and invoice.stage == "draft":
            self._mark_as_sent(invoice)
        invoice.stage, invoice.disputed = stage, disputed
        if stage == "draft":
            invoice.sent_on = None
        invoice.fields = invoice.fields | {
            field: value for field, value in data.items() if field in shapes.INVOICE_WRITABLE
        }
        invoice.amount, invoice.discount_total = totals(lines, discount)

    def _stage(self, invoice: Invoice, data: Mapping[str, Any]) -> tuple[str, bool]:
        """Read `status`, of which 0 (disputed) to 3 (viewed) may be written, as numbers."""
        if "status" not in data:
            return invoice.stage, invoice.disputed
        status = data["status"]
        if isinstance(status, bool) or not isinstance(status, int):
            raise errors.ApiError(
                422, errors.NOT_A_NUMBER, "status must be a number", field="status", object="invoice", value=status
            )
        if status not in _STAGES:
            raise errors.invalid("invoice", "status", status)
        stage = _STAGES[status]
        return stage or ("sent" if invoice.stage == "draft" else invoice.stage), stage is None

    def _mark_as_sent(self, invoice: Invoice) -> None:
        if invoice.stage == "draft":
            invoice.stage = "sent"
        if invoice.sent_on is None:
            invoice.sent_on = self.world.now().astimezone(EASTERN).date()

    def _client(self, value: object) -> Client:
        try:
            client = self.books.clients.rows.get(int(str(value)))
        except ValueError:
            client = None
        if client is None:
            raise errors.not_found("client", "customerid", value)
        return client

    def _number(self, wanted: object, invoice: Invoice) -> str:
        """Give the number asked for, or the next free one.

        Raises:
            ApiError: 409 if another invoice has it.
        """
        if wanted:
            if self._numbers.get(str(wanted), invoice.id) != invoice.id:
                raise errors.ApiError(
                    409, 409, "Invoice number is in use.", field="invoice_number", object="invoice", value=wanted
                )
            if str(wanted).isdigit():
                self._last_number = max(self._last_number, int(str(wanted)))
            return str(wanted)
        return self.next_number()

    def next_number(self) -> str:
        """Give the next number that no invoice has."""
        while True:
            self._last_number += 1
            number = f"{self._last_number:07}"
            if number not in self._numbers:
                return number

    def _number_in(self, value: object, field: str) -> Decimal:
        try:
            return decimal(value)
        except ValueError as error:
            raise errors.invalid("invoice", field, value) from error

    def _lines(self, lines: Any) -> list[Line]:
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise errors.invalid("invoice", "lines", "")
        return [self._line(number, line) for number, line in enumerate(lines, 1)]

    def _line(self, number: int, data: Mapping[str, Any]) -> Line:
        try:
            qty = decimal(data.get("qty", 1))
            unit_cost = amount_of(data.get("unit_cost") or 0)
            taxes = [decimal(data.get(field) or 0) for field in ("taxAmount1", "taxAmount2")]
        except ValueError as error:
            raise errors.invalid("invoice", "lines", "") from error
        return Line(
            id=number,
            name=str(data.get("name") or ""),
            description=str(data.get("description") or ""),
            qty=str(data.get("qty", 1)),
            unit_cost=unit_cost if _finer_than_cents(unit_cost) else cents(unit_cost),
            amount=cents(qty * unit_cost),
            tax_1=taxes[0],
            tax_2=taxes[1],
            compounded=bool(data.get("compounded_tax")),
            fields={key: value for key, value in data.items() if key in shapes.LINE_WRITABLE} or None,
        )


def _address_of(client: Client) -> dict[str, Any]:
    """Give the client's billing address as an invoice takes it over."""
    return {field: client.fields[source] for field, source in _ADDRESS.items() if client.fields.get(source)}


def _finer_than_cents(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -2  # noqa: PLR2004
