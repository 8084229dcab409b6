"""Books filled with tens of thousands of records in a moment, for measuring.

Nothing is announced and nothing is checked; the records are what the rules would have made of them.
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.freshbooks.clients import Clients
from sandbox.freshbooks.money import cents, totals
from sandbox.freshbooks.records import ARCHIVED, DELETED, Client, Invoice, Line, Payment
from sandbox.freshbooks.times import EASTERN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.freshbooks.books import Books

_TRADES = ("Bakery", "Carpentry", "Clinic", "Design", "Garage", "Gardens", "Logistics", "Press", "Roofing", "Studio")
_PLACES = ("Alder", "Birch", "Cedar", "Elm", "Fjäll", "Hazel", "Juniper", "Maple", "Rowan", "Willow")
_FIRST = ("Ada", "Bruno", "Chloé", "Dario", "Esra", "Frida", "Goran", "Hana", "Ines", "Jonas")
_LAST = ("Berg", "Costa", "Dubois", "Eriksen", "Fuchs", "García", "Horváth", "Ito", "Jansen", "Kowalski")
_WORK = ("Consulting", "Design", "Hosting", "Installation", "Maintenance", "Repairs", "Support", "Training")
_TYPES = ("Bank Transfer", "Check", "Credit Card", "Cash")


class Loader:
    """Fills the books of one account, always in the same way for the same numbers."""

    def __init__(self, books: Books, days: int) -> None:
        self._books = books
        self._random = random.Random(len(books.clients.rows) + len(books.invoices.rows))  # noqa: S311
        self._now = books.world.now()
        self._span = timedelta(days=days)

    def load(self, clients: int, invoices: int, payments: int, *, gone: int = 0) -> None:
        """Add so many records, spread over the time up to now; there are no payments without invoices.

        Args:
            clients: how many of them.
            invoices: how many of them.
            payments: how many of them.
            gone: per cent of each that were deleted or archived since, the one as often as the other.

        Raises:
            ValueError: if there are invoices and no clients, or more payments than can be made.
        """
        for position, moment in enumerate(self._moments(clients)):
            self._client(position, moment)
        everyone = list(self._books.clients.rows.values())
        if invoices and not everyone:
            raise ValueError("invoices need clients: load some of them too")
        new = [self._invoice(self._random.choice(everyone), moment) for moment in self._moments(invoices)]
        self._pay([invoice for invoice in new if invoice.stage != "draft" and invoice.amount > 1], payments)
        for kind in (self._books.clients, self._books.invoices, self._books.payments) if gone else ():
            for position, record in enumerate(list(kind.rows.values())[:: 100 // gone]):
                record.vis_state = (DELETED, ARCHIVED)[position % 2]
                if isinstance(record, Payment) and record.invoice is not None:
                    self._books.invoices.settle(record.invoice)
        self._books.revision += 1

    def _moments(self, count: int) -> list[datetime]:
        step = self._span / (count + 1)
        return [self._now - self._span + step * (position + 1) for position in range(count)]

    def _client(self, position: int, moment: datetime) -> None:
        choose, books = self._random.choice, self._books
        fields = {
            "organization": f"{choose(_PLACES)} {choose(_TRADES)} {position:05}",
            "fname": choose(_FIRST),
            "lname": choose(_LAST),
            "email": f"client{position}@example.com",
            "bus_phone": f"555-01{position % 100:02}",
            "p_street": f"{position % 400 + 1} {choose(_PLACES)} Street",
            "p_city": "Toronto",
            "p_province": "Ontario",
            "p_country": "Canada",
            "p_code": "M5V 2T6",
        }
        client = Client(
            id=books.world.next_id("clients"),
            updated=moment,
            fields=fields,
            signed_up=moment,
            username=books.clients.username(fields),
            currency=self._currency(),
        )
        books.clients.rows[client.id] = client

    def _invoice(self, client: Client, moment: datetime) -> Invoice:
        chance = self._random.random
        created_on = moment.astimezone(EASTERN).date()
        stage = "draft" if chance() < 0.1 else "viewed" if chance() < 0.3 else "sent"  # noqa: PLR2004
        invoice = Invoice(
            id=0,
            updated=moment,
            fields={},
            client=client,
            number=self._books.invoices.next_number(),
            create_date=created_on,
            due_date=created_on + timedelta(days=30),
            currency=client.currency,
            created=moment,
            lines=[self._line(number) for number in range(1, self._random.randint(1, 3) + 1)],
            stage=stage,
            sent_on=None if stage == "draft" else created_on,
            names=Clients.names(client),
        )
        invoice.amount, invoice.discount_total = totals(invoice.lines, invoice.discount)
        self._books.invoices.add(invoice)
        client.updated = max(client.updated, moment)
        client.cache = client.balances = None
        return invoice

    def _line(self, number: int) -> Line:
        qty, unit_cost = self._random.randint(1, 12), Decimal(self._random.randint(500, 25_000)) / 100
        work = self._random.choice(_WORK)
        return Line(number, work, f"{work}, {qty} hours", str(qty), unit_cost, cents(qty * unit_cost))

    def _pay(self, invoices: Sequence[Invoice], count: int) -> None:
        """Pay the invoices in turn: most in full, one in five in two halves."""
        books, made, turn = self._books, 0, 0
        open_invoices = list(invoices)
        while made < count:
            if not open_invoices:
                raise ValueError(f"{count} payments are too many for {len(invoices)} invoices that were sent")
            still_open = []
            for invoice in open_invoices[: count - made]:
                half = turn == 0 and invoice.id % 5 == 0
                amount = cents(invoice.amount / 2) if half else invoice.outstanding
                moment = min(invoice.created + timedelta(days=7 + 14 * turn), self._now)
                payment = Payment(
                    id=books.world.next_id("payments"),
                    updated=moment,
                    fields={},
                    invoice=invoice,
                    amount=amount,
                    paid_on=moment.astimezone(EASTERN).date(),
                    type=self._random.choice(_TYPES),
                )
                books.payments.rows[payment.id] = payment
                invoice.payments.append(payment)
                invoice.paid += amount
                invoice.date_paid, invoice.updated = payment.paid_on, moment
                made += 1
                if half:
                    still_open.append(invoice)
            open_invoices, turn = still_open, turn + 1

    def _currency(self) -> str:
        return "EUR" if self._random.random() < 0.2 else self._books.currency  # noqa: PLR2004
