"""The report of a reconciliation."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.receivables.figures import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_zoho.console import Console
    from freshbooks_zoho.receivables.comparison import Difference
    from freshbooks_zoho.receivables.figures import Key

SHOWN = 50
"""Lines of a table for a person; JSON has all."""
_HINTS = {
    "ambiguous": "An ambiguous client waits until you say which account it is: freshbooks-zoho status",
    "superfluous": "Superfluous records carry a FreshBooks ID of something that FreshBooks does not have: delete "
    "them in Zoho, or empty that field.",
    "duplicate": "Duplicates carry a FreshBooks ID that another record has, too: merge or delete them in Zoho.",
}


@dataclass
class Count:
    """How many records of a stream there are; of FreshBooks' those that belong into Zoho."""

    module: str
    freshbooks: int = 0
    zoho: int = 0


@dataclass(frozen=True)
class Line:
    """The sums of both services for a currency, or for a client in a currency."""

    currency: str
    freshbooks: Sums
    zoho: Sums
    client: str | None = None

    @property
    def is_equal(self) -> bool:
        """Whether all numbers are the same."""
        return self.freshbooks == self.zoho

    def as_json(self) -> dict[str, Any]:
        """Give both sides and what Zoho's is more than FreshBooks', by measure."""
        sides = zip(self.freshbooks.amounts.items(), self.zoho.amounts.values(), strict=True)
        return {
            "currency": self.currency,
            **{name: {"freshbooks": own, "zoho": their, "difference": their - own} for (name, own), their in sides},
        }


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation found.

    Attributes:
        account: the FreshBooks account id.
        counts: by stream.
        ours, theirs: FreshBooks' and Zoho's sums by client and currency, without drafts and deleted records.
        names: of FreshBooks' clients, by id.
        differences: records that are not the same.
        in_words: how many invoices and payments have their amount in words, by currency.
        rounded: how many invoices have their amount rounded to the decimals of Zoho's own field; totals are of those.
        early: how many records have not changed since the setting `start_date`.
        uncertain: streams that changed all the while they were read.
        healed: how many records were queued; None if that was not asked for.
    """

    account: str
    counts: Mapping[str, Count]
    ours: Mapping[Key, Sums]
    theirs: Mapping[Key, Sums]
    names: Mapping[str, str] = field(repr=False)
    differences: tuple[Difference, ...]
    in_words: Mapping[str, int] = field(default_factory=dict)
    rounded: int = 0
    early: int = 0
    uncertain: tuple[str, ...] = ()
    healed: int | None = None

    @property
    def exit_code(self) -> int:
        """`ATTENTION` unless all is equal."""
        return OK if self.is_equal else ATTENTION

    @property
    def is_equal(self) -> bool:
        """Whether both services say the same, for certain."""
        return not self.differences and not self.uncertain and all(line.is_equal for line in self.clients)

    @property
    def currencies(self) -> list[Line]:
        """The sums by currency."""
        ours, theirs = _by_currency(self.ours), _by_currency(self.theirs)
        return [Line(code, ours.get(code, Sums()), theirs.get(code, Sums())) for code in sorted({*ours, *theirs})]

    @property
    def clients(self) -> list[Line]:
        """The sums by client and currency."""
        keys = sorted(
            {*self.ours, *self.theirs}, key=lambda key: (key[1], self.names.get(key[0] or "", ""), key[0] or "")
        )
        return [Line(key[1], self.ours.get(key, Sums()), self.theirs.get(key, Sums()), key[0]) for key in keys]

    @property
    def difference_cents(self) -> dict[str, int]:
        """What is outstanding by FreshBooks less what is by Zoho, in hundredths, by currency."""
        return {
            line.currency: int((line.freshbooks.outstanding - line.zoho.outstanding) * 100) for line in self.currencies
        }

    def name(self, client: str | None) -> str:
        """Name a client for a person."""
        return "(no client)" if client is None else self.names.get(client) or f"client {client}"

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {
            "account_id": self.account,
            "equal": self.is_equal,
            "records": {stream: vars(count) for stream, count in self.counts.items()},
            "totals": [line.as_json() for line in self.currencies],
            "clients": [
                {"client": line.client, "name": self.name(line.client), **line.as_json()} for line in self.clients
            ],
            "differences": [
                {
                    "stream": one.stream,
                    "id": one.number,
                    "freshbooks_id": f"{self.account}:{one.number}",
                    "zoho_id": one.zoho_id,
                    "kind": one.kind,
                    "waiting": one.waiting,
                    "fields": [item._asdict() for item in one.fields],
                }
                for one in self.differences
            ],
            "in_words": dict(self.in_words),
            "rounded": self.rounded,
            "before_start_date": self.early,
            "uncertain": list(self.uncertain),
            "healed": self.healed,
        }

    def show(self, console: Console) -> None:
        """Show it to a person."""
        console.line("Totals, without drafts and deleted invoices", "heading")
        self._show_lines(console, self.currencies, by_client=False)
        console.line()
        rows = [(stream, one.module, one.freshbooks, one.zoho) for stream, one in self.counts.items()]
        console.table(("records", "in Zoho", "FreshBooks", "Zoho CRM"), rows, right=("FreshBooks", "Zoho CRM"))
        differing = [line for line in self.clients if not line.is_equal]
        if differing:
            console.line()
            console.line("Clients whose totals differ", "heading")
            self._show_lines(console, differing, by_client=True)
        if self.differences:
            console.line()
            console.line("Records that differ", "heading")
            self._show_differences(console)
        console.line()
        self._show_remarks(console)

    def _show_lines(self, console: Console, lines: list[Line], *, by_client: bool) -> None:
        rows: list[tuple[object, ...]] = []
        for line in lines[:SHOWN]:
            for measure, amounts in line.as_json().items():
                if measure != "currency" and any(amounts.values()):
                    who = [self.name(line.client)] if by_client else []
                    rows.append((line.currency, *who, measure, *(f"{amount:,.2f}" for amount in amounts.values())))
        sides = ("FreshBooks", "Zoho CRM", "difference")
        console.table(("", "client", "", *sides) if by_client else ("", "", *sides), rows, right=sides)
        _say_more(console, len(lines))

    def _show_differences(self, console: Console) -> None:
        rows: list[tuple[object, ...]] = []
        for one in self.differences[:SHOWN]:
            what = one.kind if one.waiting is None else f"{one.kind}, waiting ({one.waiting})"
            name = f"{self.account}:{one.number}"
            rows += [
                (one.stream, name, what, item.name, _text(item.freshbooks), _text(item.zoho)) for item in one.fields
            ]
            if not one.fields:
                rows.append((one.stream, name, what, None, None, one.zoho_id))
        console.table(("stream", "FreshBooks ID", "what", "field", "FreshBooks", "Zoho CRM"), rows)
        _say_more(console, len(self.differences))

    def _show_remarks(self, console: Console) -> None:
        if self.is_equal:
            console.line("FreshBooks and Zoho CRM say the same, to the cent.", "good")
        for kind in sorted({one.waiting or "" for one in self.differences} | {one.kind for one in self.differences}):
            if kind in _HINTS:
                console.line(_HINTS[kind], "warning")
        for currency, number in sorted(self.in_words.items()):
            console.line(
                f"{currency}: {number} invoices and payments have their amounts in words, for their records in Zoho "
                "cannot show them (another currency, or too few decimals); they are in no total.",
                "warning",
            )
        if self.rounded:
            console.line(
                f"{self.rounded} invoices have their Amount rounded, for Zoho's own field has fewer decimals; what is "
                "paid and outstanding is exact.",
                "warning",
            )
        if self.early:
            console.line(f"{self.early} records have not changed since start_date, and need not be in Zoho.", "quiet")
        if self.uncertain:
            streams = ", ".join(self.uncertain)
            console.line(
                f"FreshBooks' {streams} changed all the while they were read; ask again in a minute.", "warning"
            )
        if self.healed is not None:
            console.line(f"{self.healed} records were queued: the next run puts them right.")
        elif self.differences:
            console.line("To have what differs and what is missing synced again: freshbooks-zoho reconcile --heal")


def _by_currency(sums: Mapping[Key, Sums]) -> dict[str, Sums]:
    totals: dict[str, Sums] = {}
    for (_, currency), one in sums.items():
        totals[currency] = totals.get(currency, Sums()) + one
    return totals


def _text(value: object) -> object:
    return f"{value:,.2f}" if isinstance(value, Decimal) else value


def _say_more(console: Console, number: int) -> None:
    if number > SHOWN:
        console.line(f"… and {number - SHOWN} more; all are in --json.", "quiet")
