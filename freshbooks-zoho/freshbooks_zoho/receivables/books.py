"""FreshBooks' figures, read with the tap's own reading, which notices rows that move between pages meanwhile."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from sys import intern
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.receivables.figures import Balances, Invoice, Payment
from tap_freshbooks.account import businesses, choose
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.fields import Fields, Notes
from tap_freshbooks.objects import Objects
from tap_freshbooks.resources import CLIENTS, INVOICES, PAYMENTS
from tap_freshbooks.timestamps import EASTERN
from tap_freshbooks.window import Bounds, Window, is_open, updated_of
from target_zoho_crm.mapping.describing import client_name
from target_zoho_crm.mapping.money import Money, read_money
from target_zoho_crm.mapping.tables import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from freshbooks_zoho.settings import Settings
    from tap_freshbooks.client import FreshBooksClient
    from tap_freshbooks.resources import Resource

_CLIENTS = replace(
    CLIENTS,
    fields=Fields(
        number_key="id",
        integer="vis_state",
        text="organization fname lname email",
        balances="outstanding_balance overdue_balance",
    ),
    includes=("outstanding_balance", "overdue_balance"),
)
_INVOICES = replace(
    INVOICES,
    fields=Fields(
        number_key="id",
        integer="customerid vis_state",
        text="v3_status",
        day="due_date",
        money="amount paid outstanding",
    ),
    includes=(),
)
_PAYMENTS = replace(
    PAYMENTS,
    fields=Fields(number_key="id", integer="invoiceid clientid vis_state", day="date", money="amount"),
)

logger = logging.getLogger(__name__)


@dataclass
class Books:
    """The books of one FreshBooks account.

    Attributes:
        account: its id.
        zone: of the business.
        now: by FreshBooks' clock.
        start_date: the tap's setting; what has not changed since then need not be in Zoho.
        early: stream and id of what has not.
        uncertain: streams whose rows went on moving while they were read, so that some may have been missed.
    """

    account: str
    zone: ZoneInfo
    now: datetime
    start_date: datetime | None
    _objects: Objects = field(repr=False)
    early: set[tuple[str, str]] = field(default_factory=set)
    uncertain: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, client: FreshBooksClient, settings: Settings) -> Books:
        """Find the business.

        Raises:
            TapError: if the settings name none, or FreshBooks cannot be asked.
        """
        answer = client.me()
        business = choose(businesses(answer.payload), settings.tap.account_id)
        zone = business.zone or EASTERN
        objects = Objects(client, business.account_id)
        return cls(business.account_id, zone, answer.read_at, settings.tap.start_date, objects)

    @property
    def today(self) -> date:
        """The day it is for the business."""
        return self.now.astimezone(self.zone).date()

    def clients(self) -> dict[str, Balances]:
        """Read all clients, by id."""
        return {
            number: Balances(
                client_name(row), _balances(row["outstanding_balance"]), _balances(row["overdue_balance"]), _state(row)
            )
            for number, row in self._read(_CLIENTS)
        }

    def invoices(self) -> dict[str, Invoice]:
        """Read all invoices, by id."""
        found = {}
        for number, row in self._read(_INVOICES):
            amount, paid, outstanding = (read_money(row[name]) for name in ("amount", "paid", "outstanding"))
            found[number] = Invoice(
                client=_reference(row["customerid"]),
                currency=_currency(amount or outstanding),
                amount=amount and amount.amount,
                paid=paid and paid.amount,
                outstanding=outstanding and outstanding.amount,
                due=row["due_date"] and intern(row["due_date"]),
                status=intern(row["v3_status"] or ""),
                state=_state(row),
            )
        return found

    def payments(self) -> dict[str, Payment]:
        """Read all payments, by id."""
        found = {}
        for number, row in self._read(_PAYMENTS):
            amount = read_money(row["amount"])
            found[number] = Payment(
                client=_reference(row["clientid"]),
                invoice=_reference(row["invoiceid"]),
                currency=_currency(amount),
                amount=amount and amount.amount,
                date=row["date"] and intern(row["date"]),
                state=_state(row),
            )
        return found

    def _read(self, resource: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give all rows, deleted ones last: where one comes twice, the later is the newer."""
        window = Window(Bounds(), lambda filters: self._objects.pages(resource, filters), logger.warning)
        convert, notes = resource.fields.convert, Notes()
        for _, rows in window:
            for row in rows:
                number = str(row["id"])
                if self._is_early(row) and not (resource is _INVOICES and is_open(row)):
                    self.early.add((resource.name, number))
                # What could not be read is left out of the record.
                yield number, dict.fromkeys(resource.fields.kinds) | convert(row, notes)
        if window.hidden:
            raise FreshBooksError(
                f"FreshBooks counts {resource.name}, but shows none of them: the role of the user who connected may "
                "not read them. Connect as a user whose role does."
            )
        if not window.certain:
            self.uncertain.append(resource.name)

    def _is_early(self, row: dict[str, Any]) -> bool:
        updated = updated_of(row) if self.start_date is not None else None
        return updated is not None and self.start_date is not None and datetime.fromisoformat(updated) < self.start_date


def _balances(found: list[Any] | None) -> dict[str, Decimal] | None:
    if found is None:
        return None
    sums: dict[str, Decimal] = {}
    for balance in found:
        money = read_money(balance)
        if money is not None:
            sums[intern(money.code)] = sums.get(money.code, Decimal(0)) + money.amount
    return sums


def _currency(money: Money | None) -> str:
    return intern(money.code) if money else ""


def _reference(number: int | None) -> str | None:
    return str(number) if number else None


def _state(row: Mapping[str, Any]) -> str:
    return STATES.get(row["vis_state"], STATES[0])
