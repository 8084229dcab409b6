"""What Zoho is asked to know who is past due, and what its answer says: texts and rows only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.receivables.figures import DELETED, NOT_SENT, OVERDUE
from target_zoho_crm.api.coql import either, quote, select
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.money import read_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from target_zoho_crm.mapping.layout import Layout

    Row = Mapping[str, Any]

ACCOUNT, CURRENCY = "Account_Name", "Currency"
OUTSTANDING, STATUS, DUE, STATE = (f"FreshBooks {name}" for name in ("Outstanding", "Status", "Due Date", "State"))
CENT = Decimal("0.01")
WITHOUT = {
    ACCOUNT: "customers are not told apart",
    STATUS: "drafts count too, and of the others what was due before today",
    DUE: "only what FreshBooks calls overdue counts, and since when is not known",
    STATE: "deleted invoices count too",
}
"""What it means for the answer that an organization has no such field."""


@dataclass(frozen=True)
class Owing:
    """What an account owes in one currency; `account` is None where the deals have none."""

    account: str | None
    name: str
    currency: str
    outstanding: Decimal
    invoices: int
    oldest: str | None


@dataclass(frozen=True)
class Receivables:
    """The module for invoices, as far as it says who owes what since when.

    Attributes:
        module: its API name.
        names: label → API name of the fields that the organization has.
        home: its currency.
    """

    module: str
    names: Mapping[str, str]
    home: str

    @classmethod
    def of(cls, layout: Layout) -> Receivables:
        """Return what a layout has of it.

        Raises:
            ConfigurationError: if that is too little to say who is past due.
        """
        labels = (ACCOUNT, CURRENCY, OUTSTANDING, STATUS, DUE, STATE)
        names = {label: field.api_name for label in labels if (field := layout.named(label)) is not None}
        if OUTSTANDING not in names or not {STATUS, DUE} & names.keys():
            lacking = f"no field {OUTSTANDING}" if OUTSTANDING not in names else f"neither {STATUS} nor {DUE}"
            raise ConfigurationError(
                f"Zoho cannot say who is past due, for {layout.module} has {lacking}. To make it, or to learn what is "
                "in the way: freshbooks-zoho setup"
            )
        return cls(layout.module, names, layout.currency)

    @property
    def without(self) -> tuple[str, ...]:
        """What the answer lacks because of fields that the organization does not have, a sentence each."""
        return tuple(
            f"{self.module} has no field {label}: {meaning}."
            for label, meaning in WITHOUT.items()
            if label not in self.names
        )

    def where(self, ours: str, today: date) -> str:
        """Return the criterion of what is past due; see `figures.is_past_due`.

        Args:
            ours: the criterion of the account's own records.
            today: in the zone of the business.
        """
        kept, owed, late = [ours], [f"{self.names[OUTSTANDING]} > 0"], []
        if state := self.names.get(STATE):
            kept.append(f"{state} != {quote(DELETED)}")
        if status := self.names.get(STATUS):
            owed.append(f"{status} not in ({', '.join(quote(each) for each in NOT_SENT)})")
            late.append(f"{status} = {quote(OVERDUE)}")
        if due := self.names.get(DUE):
            late.append(f"{due} < {quote(today.isoformat())}")
        return _all([_all(kept), _all([_all(owed), either(late)])])

    def sums_query(self, where: str) -> str:
        """Return the query that has Zoho add up, without its LIMIT; accounts of one name stay apart by their ids."""
        groups = ", ".join(self._groups)
        asked = select([*self._groups, *self._sums.values()], self.module, where, None)
        return f"{asked} group by {groups} order by {groups}" if groups else asked

    def read_sums(self, rows: Iterable[Row]) -> list[Owing]:
        """Return what the answer to `sums_query` says.

        Raises:
            KeyError, TypeError, ValueError: if it is not the answer to that.
        """
        found = []
        for row in rows:
            number = int(row[self._sums["number"]])
            # Without groups there is a row for nothing, too.
            if number:
                outstanding = read_decimal(row[self._sums["outstanding"]])
                found.append(self._owing(row, outstanding, number, row.get(self._sums.get("oldest", ""))))
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `add_up` needs of each invoice."""
        return (*self._groups, *(self.names[label] for label in (OUTSTANDING, DUE) if label in self.names))

    def add_up(self, rows: Iterable[Row]) -> list[Owing]:
        """Return what `read_sums` would, of one row for each invoice."""
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row.get(name) for name in self._groups), []).append(row)
        found = []
        for invoices in groups.values():
            outstanding = sum((read_decimal(row[self.names[OUTSTANDING]]) for row in invoices), Decimal(0))
            dates = [day for row in invoices if (day := row.get(self.names.get(DUE, "")))]
            found.append(self._owing(invoices[0], outstanding, len(invoices), min(dates, default=None)))
        return found

    def _owing(self, row: Row, outstanding: Decimal, invoices: int, oldest: str | None) -> Owing:
        account, currency = self.names.get(ACCOUNT), self.names.get(CURRENCY)
        return Owing(
            account=row.get(f"{account}.id") if account else None,
            name=(row.get(f"{account}.Account_Name") if account else None) or "",
            currency=str((row.get(currency) if currency else None) or self.home),
            # A sum may come as a binary fraction; the field itself has two decimals.
            outstanding=outstanding.quantize(CENT),
            invoices=invoices,
            oldest=oldest,
        )

    @property
    def _groups(self) -> tuple[str, ...]:
        account, currency = self.names.get(ACCOUNT), self.names.get(CURRENCY)
        of_account = (f"{account}.id", f"{account}.Account_Name") if account else ()
        return (*of_account, *([currency] if currency else []))

    @property
    def _sums(self) -> dict[str, str]:
        found = {"outstanding": f"SUM({self.names[OUTSTANDING]})", "number": "COUNT(id)"}
        return {**found, "oldest": f"MIN({self.names[DUE]})"} if DUE in self.names else found


def _all(criteria: Sequence[str]) -> str:
    """Join criteria with `and`, bracketed in pairs as COQL demands."""
    return reduce(lambda joined, criterion: f"({joined} and {criterion})", criteria)
