"""The streams, each with what is its own."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tap_freshbooks import resources
from tap_freshbooks.objects import given, invoices_of_deleted
from tap_freshbooks.pages import Movement
from tap_freshbooks.stream import FreshBooksStream
from tap_freshbooks.window import MAX_READS, Bounds, amount_of

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Record

    from tap_freshbooks.client import Row
    from tap_freshbooks.objects import Unread
    from tap_freshbooks.tap import TapFreshBooks


class ClientsStream(FreshBooksStream):
    """Clients, with their balances in each currency."""

    resource = resources.CLIENTS


class InvoicesStream(FreshBooksStream):
    """Invoices, with their lines."""

    resource = resources.INVOICES

    @override
    def begin(self) -> None:
        super().begin()
        # Where everything is read anyway, so is what became overdue.
        self._next_state["overdue_read"] = self.run.days

    @property
    @override
    def limits(self) -> Bounds:
        """In a first load, invoices that are still open are in the window whatever their age: they are money owed."""
        limits = super().limits
        return replace(limits, open_too=self.is_first and limits.since is not None)

    @override
    def note_changes(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        super().note_changes(rows)
        limits = self.limits
        if limits.open_too:
            paid = [row for row in rows if amount_of(row, "paid") and not limits.is_since(row)]
            self.run.early.update((row["id"], None) for row in paid)

    @override
    def note_moves(self, left: Mapping[int, int]) -> None:
        self.run.moved.update(dict.fromkeys(left))

    @override
    def further_records(self) -> Iterator[Record]:
        """Give the overdue invoices once a day: `updated` does not move when a due date passes."""
        if self.is_first or self.stream_state.get("overdue_read") == self.run.days:
            return
        former: Movement | None = None
        for _ in range(MAX_READS):
            movement = Movement()
            for page in self.run.objects.pages(self.resource, [("search[v3_status]", "overdue")]):
                movement.watch(page)
                rows = [row for row in page.rows if row.get("v3_status") == "overdue"]
                for row in rows:
                    self.run.parents.changed_by_time(self.resource, row)
                yield from self.records(page, self.not_emitted(rows))
            if movement.settles(former):
                return
            former = movement
        del self._next_state["overdue_read"]


class PaymentsStream(FreshBooksStream):
    """Payments of invoices."""

    resource = resources.PAYMENTS

    def __init__(self, tap: TapFreshBooks) -> None:
        super().__init__(tap)
        self._bereft: dict[int, None] = {}

    @override
    def begin(self) -> None:
        super().begin()
        self._bereft.clear()

    @override
    def note_changes(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        super().note_changes(rows)
        self._bereft.update(dict.fromkeys(invoices_of_deleted(rows)))

    @override
    def note_moves(self, left: Mapping[int, int]) -> None:
        self._bereft.update(dict.fromkeys(left.values()))

    @override
    def further_records(self) -> Iterator[Record]:
        """Yield the payments of invoices that lost one, whose last payment may be another now, or that moved.

        In a first load they come anyway, but for those of open invoices from before `start_date`.
        """
        invoices = list(self.run.early if self.is_first else self._bereft | self.run.moved)
        began = datetime.now(timezone.utc)
        unread: list[Unread] = []
        for page in given(self.run.objects.payments_of(invoices), "invoices", unread):
            yield from self.records(page, self.not_emitted(page.rows))
        self.run.put_off(unread, self.logger, began)


STREAMS: tuple[type[FreshBooksStream], ...] = (ClientsStream, InvoicesStream, PaymentsStream)
"""In the order in which they are read: what others refer to comes first."""
