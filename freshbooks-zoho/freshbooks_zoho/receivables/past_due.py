"""Who is past due, asked of Zoho with one query, beside FreshBooks' own total."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.receivables.books import Books
from freshbooks_zoho.receivables.comparison import is_in_words
from freshbooks_zoho.receivables.crm import Crm
from freshbooks_zoho.receivables.figures import ZERO, is_past_due

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freshbooks_zoho.commands.session import Session
    from freshbooks_zoho.console import Console
    from freshbooks_zoho.receivables.figures import Currencies, Invoice
    from freshbooks_zoho.receivables.owing import Owing

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Total:
    """What is past due in one currency.

    Attributes:
        currency: its ISO code.
        zoho: Zoho's total; None where none of its records can show these amounts.
        freshbooks: FreshBooks' total.
        invoices: how many invoices that is of.
        in_words: what of FreshBooks' total stands in words in Zoho, because the records have another currency.
        invoices_in_words: how many invoices that is of.
    """

    currency: str
    zoho: Decimal | None
    freshbooks: Decimal
    invoices: int
    in_words: Decimal = ZERO
    invoices_in_words: int = 0

    @property
    def difference(self) -> Decimal | None:
        """Zoho's total less FreshBooks', as far as Zoho can show it."""
        return None if self.zoho is None else self.zoho - self.comparable

    @property
    def comparable(self) -> Decimal:
        """FreshBooks' total without what stands in words in Zoho."""
        return self.freshbooks - self.in_words


@dataclass(frozen=True)
class PastDue:
    """Who is past due.

    Attributes:
        today: the day it is for the business.
        zone: the name of its zone.
        owing: by account and currency, the largest amounts of each currency first.
        totals: by currency.
        certain: whether FreshBooks' invoices kept still long enough to be read without missing one.
        without: what Zoho's side lacks because of fields that it does not have, a sentence each.
    """

    today: date
    zone: str
    owing: tuple[Owing, ...]
    totals: tuple[Total, ...]
    certain: bool = True
    without: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if Zoho's totals are not FreshBooks'."""
        return ATTENTION if not self.certain or any(total.difference for total in self.totals) else OK

    def days(self, one: Owing) -> int | None:
        """Return how long the oldest invoice has been due."""
        return (self.today - date.fromisoformat(one.oldest)).days if one.oldest else None

    def as_json(self) -> dict[str, Any]:
        """Return everything for a program."""
        return {
            "today": self.today.isoformat(),
            "time_zone": self.zone,
            "certain": self.certain,
            "without": list(self.without),
            "customers": [
                {
                    "account_id": one.account,
                    "customer": one.name,
                    "currency": one.currency,
                    "outstanding": one.outstanding,
                    "invoices": one.invoices,
                    "oldest_due_date": one.oldest,
                    "days": self.days(one),
                }
                for one in self.owing
            ],
            "totals": [
                {
                    "currency": total.currency,
                    "zoho": total.zoho,
                    "freshbooks": total.freshbooks,
                    "difference": total.difference,
                    "invoices_in_freshbooks": total.invoices,
                    "in_words": total.in_words,
                    "invoices_in_words": total.invoices_in_words,
                }
                for total in self.totals
            ],
        }

    def as_csv(self) -> str:
        """Return the customers for a spreadsheet; a name that it would take for a formula is marked as text."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["currency", "customer", "outstanding", "invoices", "oldest_due_date", "days", "account_id"])
        for one in self.owing:
            name = f"'{one.name}" if one.name.startswith(_FORMULA) else one.name
            row = [one.currency, name, one.outstanding, one.invoices, one.oldest, self.days(one), one.account]
            writer.writerow(row)
        return text.getvalue()

    def show(self, console: Console) -> None:
        """Show it to a person."""
        console.line(f"Past due on {self.today} ({self.zone})", "heading")
        if self.owing:
            rows = [
                (one.currency, one.name or "(no account)", f"{one.outstanding:,.2f}", one.invoices, one.oldest,
                 self.days(one))
                for one in self.owing
            ]  # fmt: skip
            header = ("", "customer", "past due", "invoices", "oldest due", "days")
            console.table(header, rows, right=("past due", "invoices", "days"))
        else:
            console.line("Nobody is past due.", "good")
        console.line()
        self.show_totals(console)

    def show_totals(self, console: Console) -> None:
        """Show both services' totals, and what is to be known about them."""
        shown = [total for total in self.totals if total.zoho is not None]
        if shown:
            rows = [
                (total.currency, f"{total.zoho:,.2f}", f"{total.comparable:,.2f}", f"{total.difference:,.2f}")
                for total in shown
            ]
            header = ("total", "Zoho CRM", "FreshBooks", "difference")
            console.table(header, rows, right=header[1:])
        for total in self.totals:
            if total.in_words:
                console.line(
                    f"{total.currency}: {total.in_words:,.2f} past due in {_invoices(total.invoices_in_words)} by "
                    "FreshBooks stand in words, and in no total, for the records in Zoho cannot show them (another "
                    "currency, or too few decimals).",
                    "warning",
                )
        for sentence in self.without:
            console.line(sentence, "warning")
        if any(total.difference for total in shown):
            console.line(
                "Zoho's totals are not FreshBooks'. See which records differ: freshbooks-zoho reconcile", "bad"
            )
        if not self.certain:
            console.line("FreshBooks' invoices changed all the while they were read; ask again in a minute.", "warning")


def collect(session: Session) -> PastDue:
    """Ask both services.

    Raises:
        ZohoError: if Zoho cannot be asked, or is not set up.
        TapError: if FreshBooks cannot be asked.
        StoreError: if there is no token to be had.
    """
    books = Books.open(session.freshbooks, session.settings)
    crm = Crm.open(session.zoho, session.settings.target, session.memory, books.account)
    owing = crm.past_due(books.today)
    invoices, currencies = books.invoices(), crm.currencies("invoices")
    totals = totals_of(owing, invoices, books.today, currencies)
    if any(total.difference for total in totals):
        # Some of the records may have another currency than their invoices.
        totals = totals_of(owing, invoices, books.today, currencies, dict(crm.without_amounts()))
    ordered = sorted(owing, key=lambda one: (one.currency, -one.outstanding, one.name, one.account or ""))
    return PastDue(
        today=books.today,
        zone=str(books.zone),
        owing=tuple(ordered),
        totals=tuple(totals),
        certain=not books.uncertain,
        without=crm.receivables.without,
    )


def query(session: Session) -> str:
    """Return the query as one line, for use elsewhere.

    Raises:
        ZohoError: if Zoho cannot be asked, or is not set up.
        TapError: if FreshBooks cannot be asked.
        StoreError: if there is no token to be had.
    """
    books = Books.open(session.freshbooks, session.settings)
    crm = Crm.open(session.zoho, session.settings.target, session.memory, books.account)
    return f"{crm.past_due_query(books.today)} limit 0, 2000"


def totals_of(
    owing: Sequence[Owing],
    invoices: Mapping[str, Invoice],
    today: date,
    currencies: Currencies,
    without_amounts: Mapping[str, str] | None = None,
) -> list[Total]:
    """Add both sides up, by currency.

    Args:
        owing: by Zoho.
        invoices: FreshBooks', by id.
        today: in the zone of the business.
        currencies: of the module for invoices.
        without_amounts: the currency of the records in Zoho that show no balance, by FreshBooks' id of the invoice.
    """
    theirs: dict[str, Decimal] = defaultdict(Decimal)
    for one in owing:
        theirs[one.currency] += one.outstanding
    ours: dict[str, list[Decimal]] = defaultdict(list)
    words: dict[str, list[Decimal]] = defaultdict(list)
    for number, invoice in invoices.items():
        if not is_past_due(invoice, today):
            continue
        ours[invoice.currency].append(invoice.outstanding or ZERO)
        record = (without_amounts or {}).get(number)
        # What is not there yet is in words where Zoho has no record in that currency, and none could be made in it.
        may_be_in_words = record is not None or invoice.currency not in theirs
        if may_be_in_words and is_in_words(invoice, currencies, record):
            words[invoice.currency].append(invoice.outstanding or ZERO)
    return [
        Total(
            code,
            None if code not in theirs and len(words[code]) == len(ours[code]) else theirs[code],
            sum(ours[code], ZERO),
            len(ours[code]),
            sum(words[code], ZERO),
            len(words[code]),
        )
        for code in sorted({*theirs, *ours})
    ]


def _invoices(number: int) -> str:
    return "1 invoice" if number == 1 else f"{number} invoices"
