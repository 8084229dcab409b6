"""Reading what changed since the last run.

FreshBooks filters `updated` by day, cannot sort by it, and leaves deleted rows out unless asked for them alone
(https://www.freshbooks.com/api/parameters, /api/active_deleted). So a run reads a window of days twice, the rows that
are there and then the deleted ones, and takes from it what changed at or after a moment safely before the bookmark.

While pages are read, rows may move from one to the next (see `tap_freshbooks.pages`), and one of them is missed. A row
that enters the list does no harm by itself, because it was changed after the read began, and the bookmark never rises
past that; but it moves others. Hence a window that took more than one page is read again, up to `MAX_READS` times,
until nothing moved: the same total on every page, no page short that was not as short at the read before (rows that are
counted and never shown), and no row deleted since the read began that was not known as deleted before. If that never
happens, the bookmark stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tap_freshbooks.pages import Movement
from tap_freshbooks.timestamps import UTC, eastern_day, eastern_to_utc, instants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_freshbooks.client import Page, Row

OVERLAP = timedelta(hours=2)
"""How far before the bookmark rows are taken again: the repeated hour of autumn, and one for late commits."""
MARGIN = timedelta(days=1)
"""Added to the window, because the zone in which FreshBooks' days begin is not documented."""
COMMIT_DELAY = timedelta(minutes=1)
"""How long after its `updated` a change may become visible."""
MAX_READS = 4
DELETED = 1
DELETED_FILTER = ("search[vis_state]", str(DELETED))

Filters = list[tuple[str, str]]


@dataclass(frozen=True)
class Bounds:
    """Where a window begins."""

    since: datetime | None = None
    """Rows are taken whose `updated` is at or after this; all, if None."""
    open_too: bool = False
    """Whether invoices are taken as well that are older and still open."""

    @property
    def first_day(self) -> date | None:
        """The first day, Eastern, to ask FreshBooks for."""
        return None if self.since is None else eastern_day(self.since) - MARGIN

    @property
    def filters(self) -> Filters:
        """What to ask FreshBooks for; everything, where old rows may be open."""
        return [] if self.open_too else self._by_day

    @property
    def deleted_filters(self) -> Filters:
        """What to ask FreshBooks for to get the deleted rows."""
        return [DELETED_FILTER, *self._by_day]

    @property
    def _by_day(self) -> Filters:
        """The filter by day; ``_min`` is inclusive."""
        return [] if self.first_day is None else [("search[updated_min]", self.first_day.isoformat())]

    def holds(self, row: Row) -> bool:
        """Return whether a row is in the window."""
        return self.is_since(row) or (self.open_too and is_open(row))

    def is_since(self, row: Row) -> bool:
        """Return whether a row is in the window by its `updated`, or has none that can be read."""
        if self.since is None:
            return True
        updated = updated_of(row)
        return updated is None or updated >= self.since.isoformat()

    def was_ignored(self, row: Row) -> bool:
        """Return whether a row is so old that FreshBooks cannot have filtered by day, though it was asked to."""
        updated = updated_of(row)
        if self.open_too or self.first_day is None or updated is None:
            return False
        return datetime.fromisoformat(updated).date() < self.first_day - MARGIN


def is_open(invoice: Row) -> bool:
    """Return whether something is still to be paid on an invoice, or nobody can tell."""
    return invoice.get("vis_state") != DELETED and amount_of(invoice, "outstanding") != 0


def amount_of(row: Row, name: str) -> Decimal | None:
    """Return an amount of a row, None where there is none that can be read."""
    try:
        return Decimal(str(row[name]["amount"]))
    except (KeyError, TypeError, InvalidOperation):
        return None


def bounds(bookmark: datetime | None, start_date: datetime | None, now: datetime) -> Bounds:
    """Say where the window of a run begins.

    Args:
        bookmark: of the last run, None on the first.
        start_date: the setting; nothing before it is read.
        now: by FreshBooks' clock, in case the bookmark is ahead of it.
    """
    starts = [] if bookmark is None else [min(bookmark, now) - OVERLAP]
    if start_date is not None:
        starts.append(start_date)
    return Bounds(max(starts).astimezone(UTC).replace(microsecond=0) if starts else None)


def next_bookmark(previous: datetime | None, began: datetime, *, certain: bool) -> datetime | None:
    """Say how far the bookmark rises: to the beginning of the read, before which all was seen, and never past it.

    Args:
        previous: the bookmark so far.
        began: when the read began, by FreshBooks' clock.
        certain: whether the read saw everything.
    """
    if not certain:
        return previous
    reached = began.astimezone(UTC).replace(microsecond=0)
    return reached if previous is None else max(previous, reached)


def updated_of(row: Row) -> str | None:
    """Give a row's `updated` in UTC, None where it has none that can be read."""
    try:
        return eastern_to_utc(row["updated"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def may_be_since(row: Row, began: datetime, now: datetime) -> bool:
    """Say whether a row may have changed after a read began; in the repeated hour, `updated` stands for two moments."""
    try:
        possible = instants(row["updated"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return True
    return any(began - COMMIT_DELAY <= moment <= now + COMMIT_DELAY for moment in possible)


class Window:
    """One run's reading of a stream's window: iterate it, then look at what it found out."""

    def __init__(self, limits: Bounds, read: Callable[[Filters], Iterable[Page]], warn: Callable[[str], None]) -> None:
        """Prepare to read.

        Args:
            limits: of the window.
            read: gives the pages of a list under some filters.
            warn: takes a sentence for the log.
        """
        self.began: datetime | None = None
        """When the first read began, by FreshBooks' clock."""
        self.certain = False
        """Whether everything was seen that changed before `began`."""
        self.hidden = False
        """Whether FreshBooks counts rows and shows none at all: the role of the user may not read any."""
        self.unseen = 0
        """How many rows FreshBooks counts and does not show: the role of the user may not read these."""
        self._limits = limits
        self._read = read
        self._warn = warn
        self._there: set[int] = set()
        self._deleted: set[int] = set()
        self._known_deletions: set[tuple[int, Any]] = set()
        self._ignored = False

    def __iter__(self) -> Iterator[tuple[Page, list[Row]]]:
        """Give each page with those of its rows that are to be emitted."""
        former: tuple[Movement | None, Movement | None] = None, None
        for _ in range(MAX_READS):
            there, deleted = Movement(), Movement()
            began: datetime | None = None
            for page in self._read(self._limits.filters):
                began = began or page.read_at
                there.watch(page)
                yield page, self._take(page.rows, self._there)
            assert began is not None  # noqa: S101 - a list has at least one page
            self.began = self.began or began
            during: set[tuple[int, Any]] = set()
            for page in self._read(self._limits.deleted_filters):
                deleted.watch(page)
                rows = [row for row in page.rows if row.get("vis_state") == DELETED]
                self._note_ignored(len(rows) < len(page.rows), "vis_state")
                during.update((row["id"], row.get("updated")) for row in rows if may_be_since(row, began, page.read_at))
                yield page, self._take(rows, self._deleted)
            self.unseen = there.unseen + deleted.unseen
            several_pages = max(there.pages, deleted.pages) > 1
            settled = there.settles(former[0]) and deleted.settles(former[1])
            if settled and not (several_pages and during - self._known_deletions):
                self.hidden = there.shows_nothing and not self._shows_any()
                self.certain = not self.hidden
                return
            self._known_deletions |= during
            former = there, deleted

    def _shows_any(self) -> bool:
        """Return whether FreshBooks shows any row at all, in the window or before it."""
        return bool(self._limits.filters) and any(page.rows for page in self._read([]))

    def _take(self, rows: list[Row], emitted: set[int]) -> list[Row]:
        """Choose the rows that are in the window and were not emitted by an earlier read of the same kind.

        A row that changed since is caught by the next run: its change is later than `began`.
        """
        taken = []
        for row in rows:
            if row["id"] in emitted:
                continue
            if not self._limits.holds(row):
                self._note_ignored(self._limits.was_ignored(row), "updated_min")
                continue
            emitted.add(row["id"])
            taken.append(row)
        return taken

    def _note_ignored(self, ignored: bool, name: str) -> None:  # noqa: FBT001
        """Warn once that FreshBooks did not filter: it passes over filters it does not know without a word."""
        if ignored and not self._ignored:
            self._ignored = True
            self._warn(f"FreshBooks ignored the filter {name}; the rows are filtered here, which takes longer.")
