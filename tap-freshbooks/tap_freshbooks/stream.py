"""What all streams have in common."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_freshbooks.errors import FreshBooksError, SettingError
from tap_freshbooks.fields import Notes
from tap_freshbooks.objects import given
from tap_freshbooks.timestamps import parse_iso
from tap_freshbooks.window import MAX_READS, Bounds, Window, bounds, next_bookmark

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_freshbooks.client import Page, Row
    from tap_freshbooks.objects import Unread
    from tap_freshbooks.resources import Resource
    from tap_freshbooks.run import Run
    from tap_freshbooks.tap import TapFreshBooks


class FreshBooksStream(Stream):
    """A resource of the accounting API, read incrementally on `updated`."""

    resource: ClassVar[Resource]
    primary_keys: ClassVar[tuple[str, ...]] = ("account_id", "id")
    replication_key = "updated"
    # `Fields.convert` gives exactly what the schema says; the SDK's own conversion takes longer than all the rest.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    _tap: TapFreshBooks

    def __init__(self, tap: TapFreshBooks) -> None:
        super().__init__(tap, schema=self.resource.fields.schema, name=self.resource.name)
        self._notes = Notes()
        self._warned = Notes()
        self._emitted: set[int] = set()
        self._next_state: dict[str, Any] = {}
        self._sent_at: datetime | None = None

    @property
    def run(self) -> Run:
        """The run this stream is part of."""
        return self._tap.run

    @property
    def emitted(self) -> int:
        """How many objects this run has emitted."""
        return len(self._emitted)

    @property
    def bookmark(self) -> datetime | None:
        """The bookmark of the last run.

        Raises:
            SettingError: if the state holds something else.
        """
        text = self.stream_state.get("replication_key_value")
        if text is None or self.replication_method != REPLICATION_INCREMENTAL:
            return None
        try:
            return parse_iso(text)
        except (TypeError, ValueError):
            raise SettingError(
                f"The state's bookmark of {self.name} is not a date-time: correct it, or run with --full-refresh."
            ) from None

    @property
    def is_first(self) -> bool:
        """Whether this is a first load: all that there is to be known is read anyway, in one pass."""
        return self.bookmark is None

    @property
    def limits(self) -> Bounds:
        """Where the window of this run begins."""
        return bounds(self.bookmark, self.run.settings.start_date, self.run.now)

    def begin(self) -> None:
        """Forget what an earlier run of this object knew, and a state that is another account's."""
        self._emitted.clear()
        account_id = self.run.business.account_id
        if self.stream_state.get("account_id", account_id) != account_id:
            self.logger.warning("The state is of another account than %s; %s is read anew.", account_id, self.name)
            self.stream_state.clear()
        self._next_state = {"account_id": account_id}

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield what changed, then what has to be read for another reason, then what is due in the store."""
        window = Window(
            self.limits, lambda filters: self.run.objects.pages(self.resource, filters), self.logger.warning
        )
        passed_over = False
        for page, rows in window:
            passed_over = passed_over or page.passed_over > 0
            self.note_changes(rows)
            yield from self.records(page, rows)
        if passed_over:
            self.logger.warning("FreshBooks gave rows of %s that are null or have no id; passed over.", self.name)
        if window.hidden:
            raise FreshBooksError(
                f"FreshBooks counts {self.name}, but shows none of them: the role of the user who connected may not "
                "read them. Connect as a user whose role does."
            )
        if window.certain and window.unseen:
            self.logger.warning(
                "FreshBooks counts %d rows of %s that it does not show, most likely because the role of the user who "
                "connected may not read them; all others are read.",
                window.unseen,
                self.name,
            )
        yield from self.further_records()
        for page in self.run.due.pages.get(self.name, ()):
            self.note_changes(page.rows)
            yield from self.records(page, self.not_emitted(page.rows))
        self._raise_bookmark(window)

    def further_records(self) -> Iterator[Record]:
        """Yield what has to be read although it did not change; nothing, unless a stream says otherwise."""
        yield from ()

    def note_changes(self, rows: Iterable[Row]) -> None:
        """Note what follows from rows that were read: for what they belong to, and for what they left."""
        rows = list(rows)
        for row in rows:
            self.run.parents.changed(self.resource, row)
        # What a first load writes is read after all that moved before.
        left = {} if self.is_first else self.run.former_parents(self.resource, rows)
        for row in rows:
            if row["id"] in left and self.resource.belongs_to is not None:
                field = self.resource.parents[self.resource.belongs_to]
                self.run.parents.changed(self.resource, {**row, field: left[row["id"]]})
        self.note_moves(left)

    def note_moves(self, left: Mapping[int, int]) -> None:
        """Note which objects moved, each with what it left; nothing follows, unless a stream says otherwise."""

    def not_emitted(self, rows: Iterable[Row]) -> list[Row]:
        """Choose the rows that this run has not emitted yet."""
        return [row for row in rows if row["id"] not in self._emitted]

    def records(self, page: Page, rows: Iterable[Row]) -> Iterator[Record]:
        """Turn rows of a page into records."""
        rows = list(rows)
        self.run.parents.read(self.name, page, rows)
        account_id = self.run.business.account_id
        convert, notes = self.resource.fields.convert, self._notes
        for row in rows:
            row["account_id"] = account_id
            record = convert(row, notes)
            self._emitted.add(row["id"])
            self._sent_at = page.sent_at
            yield record
        self._warn_of_notes()

    def write(self, pages: Iterable[Page]) -> None:
        """Write records now, outside of the SDK's own run through the stream; the state is left alone."""
        with self.get_record_counter() as counter:
            for page in pages:
                self.note_changes(page.rows)
                for record in self.records(page, page.rows):
                    self._write_record_message(record)
                    counter.increment()

    def write_stale(self) -> None:
        """Write what may not be as what belongs to it says, read anew."""
        began = datetime.now(timezone.utc)
        unread: list[Unread] = []
        stale = [number for number in self.run.parents.stale(self.name) if (self.name, number) not in self.run.unread]
        found = self.run.objects.by_search(self.resource, stale)
        self.write(given(found, self.name, unread))
        self.run.put_off(unread, self.logger, began)

    def write_schema(self) -> None:
        """Write the schema now."""
        self._write_schema_message()

    @override
    def _process_record(self, *_: Any, **_more: Any) -> None:
        """Look for no children of each record: no stream has any."""

    @override
    def _generate_record_messages(self, record: Record) -> Iterator[RecordMessage]:  # type: ignore[override]
        # Private, but the only place: the SDK stamps the moment of writing. What matters to who compares it with the
        # moment of an event is when FreshBooks was asked. And it looks at each field of each record, whether it is
        # selected, also where all are, which takes as long as converting them.
        if self._some_deselected:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(stream=stream_map.stream_alias, record=mapped, time_extracted=self._sent_at)

    @cached_property
    def _some_deselected(self) -> bool:
        return not all(self.mask[entry] for entry in self.metadata)

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Leave the bookmark alone: rows come in no order, and some only because something else changed."""

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Set no limit: `next_bookmark` does, by FreshBooks' clock instead of this machine's."""

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Put this run's bookmark into the state; the tap calls this when all that belongs to the run is written."""
        self.stream_state.update(self._next_state)
        super().finalize_state_progress_markers(state)

    def _raise_bookmark(self, window: Window) -> None:
        if not window.certain:
            self.logger.warning(
                "Rows of %s moved from page to page in each of %d reads, so some may have been missed; the bookmark "
                "stays where it is, and the next run reads them again.",
                self.name,
                MAX_READS,
            )
        if self.replication_method != REPLICATION_INCREMENTAL or window.began is None:
            return
        reached = next_bookmark(self.bookmark, window.began, certain=window.certain)
        if reached is not None:
            self._next_state["replication_key"] = self.replication_key
            self._next_state["replication_key_value"] = reached.isoformat()

    def _warn_of_notes(self) -> None:
        """Warn of each field once that the schema does not have, or whose value could not be read."""
        if unknown := sorted(self._notes.unknown - self._warned.unknown):
            self.logger.warning(
                "FreshBooks has fields of %s that the schema does not; left out: %s.", self.name, ", ".join(unknown)
            )
            self._warned.unknown.update(unknown)
        if unusable := sorted(self._notes.unusable - self._warned.unusable):
            self.logger.warning(
                "Values of %s could not be read; left out of those records: %s.", self.name, ", ".join(unusable)
            )
            self._warned.unusable.update(unusable)
