"""What other people changed in Zoho of what FreshBooks owns: found, and queued to be put right by an ordinary run.

A record is compared with what the target wrote last into it (`singer_store.WrittenRecords`). Nothing is asked of who
changed it or when, so notifications may come late, twice, out of order or five hundred at once: our own writes leave
the record as it was written. It is looked at between runs only: in the midst of one the two may differ for a moment.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.runs.coalescing import LONGEST, Coalescer
from freshbooks_zoho.zoho.watch import ZOHO
from target_zoho_crm.api.coql import MAX_FIELDS, chunks, equals_any, select
from target_zoho_crm.errors import RequestError, ZohoError
from target_zoho_crm.mapping.metadata import as_displayed
from target_zoho_crm.sync.left_alone import leave_alone
from target_zoho_crm.sync.written import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from singer_store import PendingObject, Store, WrittenRecord
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.metadata import Field

MOST = 2000
"""Records looked at in one go: ten calls of one credit."""
AGAIN = timedelta(minutes=1)
"""When Zoho cannot be asked."""
RESTORED_AT_MOST = 5
WITHIN = timedelta(hours=1)
"""Something in Zoho that changes a record each time it is restored must not keep both of them busy for ever."""

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Restraint:
    """Remembers how often each object was restored.

    Attributes:
        most: times within `within`.
    """

    most: int = RESTORED_AT_MOST
    within: timedelta = WITHIN
    _times: dict[tuple[str, str], deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def allows(self, stream: str, object_id: str, now: datetime) -> bool:
        """Say whether an object may be restored once more, and count that."""
        times = self._times[stream, object_id]
        while times and now - times[0] >= self.within:
            times.popleft()
        if len(times) >= self.most:
            return False
        times.append(now)
        return True


class Drift:
    """Finds and queues what has to be restored.

    Args:
        client: the organization's API.
        store: knows what was written, and what is to be looked at.
        restore_fields: whether changed fields are set back.
        restore_deleted: whether deleted records are written again.
        quiet: for how long no notification has to come before the records are looked at.
        fields: gives the fields of a module, as far as they are known.
        clock: gives the time, aware.
    """

    def __init__(  # noqa: PLR0913 - it puts them together
        self,
        client: ZohoClient,
        store: Store,
        *,
        restore_fields: bool,
        restore_deleted: bool,
        quiet: timedelta,
        fields: Callable[[str], Iterable[Field]] = lambda _: (),
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._client, self._store, self._clock = client, store, clock
        self._fields = fields
        self._restore_fields, self._restore_deleted = restore_fields, restore_deleted
        self._coalescer = Coalescer(quiet, max(LONGEST, quiet))
        self._restraint = Restraint()

    def check(self) -> int:
        """Look at the records of the notifications that have come; gives how many objects were queued.

        Raises:
            StoreError: if the store cannot be used.
        """
        now = self._clock()
        rows = self._store.pending.due(ZOHO, now, limit=MOST)
        at = self._coalescer.see([row.queued_at for row in rows], now)
        if at is None or at > now:
            return 0
        self._coalescer.ran()
        by_module: dict[str, list[PendingObject]] = defaultdict(list)
        for row in rows:
            by_module[row.stream].append(row)
        return sum(self._check(module, some) for module, some in by_module.items())

    def _check(self, module: str, rows: list[PendingObject]) -> int:
        read_at = self._clock()
        ours = self._store.written.of_records(row.object_id for row in rows)
        try:
            held = self._fetch(module, ours)
        except RequestError as error:
            # A field that was written is not there any more, most likely: the target knows what to do about that.
            logger.warning("Records of %s cannot be compared, and are synced again: %s", module, error)
            held = {record_id: {} for record_id in ours}
        except ZohoError as error:
            logger.warning("The records that Zoho sent notifications about could not be read: %s", error)
            message = {"code": "NOT_READ", "field": None, "expected": None, "message": "Zoho could not be asked."}
            self._store.pending.defer(rows, until=read_at + AGAIN, error=message)
            return 0
        queued = 0
        for record_id, written in ours.items():
            what = self._difference(written, held.get(record_id))
            if what is not None and self._queue(written, what):
                queued += 1
        self._store.pending.clear(ZOHO, module, {row.object_id: read_at for row in rows})
        return queued

    def _fetch(self, module: str, ours: Mapping[str, WrittenRecord]) -> dict[str, dict[str, Any]]:
        """Read the fields that were written, of those records that are still there."""
        names = sorted({name for written in ours.values() for name in written.fields})
        held: dict[str, dict[str, Any]] = {}
        queries = [
            select(("id", *some), module, equals_any("id", ids))
            for ids in chunks(sorted(ours))
            for some in list(chunks(names, MAX_FIELDS - 1)) or [()]
        ]
        for rows in self._client.map(self._client.query, queries):
            for row in rows:
                held.setdefault(str(row["id"]), {}).update(row)
        fields = list(self._fields(module))
        return {record_id: as_displayed(fields, row) for record_id, row in held.items()}

    def _difference(self, written: WrittenRecord, held: Mapping[str, Any] | None) -> str | None:
        """Say what has happened to a record that is to be undone; None if nothing."""
        if held is None:
            if not self._restore_deleted:
                # Runs that bring it for another reason go by this.
                leave_alone(self._store, written.account, written.stream, [written.object_id])
                return None
            return "deleted"
        digest = self._store.written.digest(fingerprint(held, written.fields))
        return "changed" if digest != written.digest and self._restore_fields else None

    def _queue(self, written: WrittenRecord, what: str) -> bool:
        now = self._clock()
        if not self._restraint.allows(written.stream, written.object_id, now):
            logger.warning(
                "%s %s is %s in Zoho again and again, although it was restored %s times within an hour; it is left to "
                "the daily sweep. Look for a workflow or another integration that writes the same fields.",
                written.stream, written.object_id, what, RESTORED_AT_MOST,
            )  # fmt: skip
            return False
        logger.info("%s %s was %s in Zoho by someone else and is restored.", written.stream, written.object_id, what)
        self._store.pending.queue(written.account, written.stream, [written.object_id], "drift", now=now)
        return True
