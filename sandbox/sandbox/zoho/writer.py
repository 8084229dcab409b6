"""Writing single records, and what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.zoho.batch import Batch
from sandbox.zoho.errors import RowError
from sandbox.zoho.holds import Holds
from sandbox.zoho.matching import match
from sandbox.zoho.removals import Removals
from sandbox.zoho.row_reader import RowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.zoho.organization import Organization
    from sandbox.zoho.refusals import Refusal
    from sandbox.zoho.room import Room
    from sandbox.zoho.table import Record, Table


class Write(NamedTuple):
    """One change of one record."""

    module: str
    action: str
    """``insert``, ``update`` or ``delete``."""
    id: str
    sent: tuple[str, ...]
    """The fields that were sent, as far as the module has them and they can be written."""
    changed: tuple[str, ...]
    """The fields whose value is another than before, those that Zoho derives included."""
    by: str
    """``api`` or ``person``."""


class Workflow(NamedTuple):
    """One automation that a write through the API set off."""

    trigger: str
    """``workflow``, ``approval`` or ``blueprint``."""
    module: str
    action: str
    id: str


class Cadence(NamedTuple):
    """One series of mails and calls that a write through the API set off, since it was not skipped."""

    module: str
    action: str
    id: str


class Writer:
    """Writes records and remembers what was written."""

    def __init__(self, org: Organization) -> None:
        self._org = org
        self._reader = RowReader(org, self._create_account)
        self.writes: list[Write] = []
        self.workflows_fired: list[Workflow] = []
        self.cadences_fired: list[Cadence] = []
        self.refusals: list[Refusal] = []
        self.holds = Holds()
        self.room: Room | None = None
        self.removals = Removals(org, self._note)
        self.on_write: Callable[[Write], None] = lambda _: None

    def check(self, batch: Batch, rows: Sequence[Any], action: str) -> None:
        """Refuse a whole call of the API, before anything of it is written.

        Args:
            batch: the call.
            rows: what was sent.
            action: ``insert``, ``update`` or ``upsert``.

        Raises:
            ApiError: as a test has ordered it, or where no room is left for new records.
        """
        if self.room is not None and self.room.shape != "row":
            new = sum(self._is_new(batch, row, action) for row in rows)
            self.room.check_call(self._org, new)
        for refusal in self.refusals:
            if refusal.answered != "row" and refusal.module == batch.module.api_name:
                refused = refusal.call_error(rows)
                if refused is not None:
                    raise refused

    def upsert(self, batch: Batch, raw: Any, index: int) -> tuple[str, str, str | None]:
        """Update the record that a row means, or insert it.

        Returns:
            The id, ``insert`` or ``update``, and the field that matched.

        Raises:
            RowError: if Zoho would refuse the row.
        """
        self._refuse(batch, raw, index)
        switches = self._org.switches
        table = self._org.tables[batch.module.api_name]
        given = raw.get("id")
        if given is not None and switches.id_wins:
            return self._update(batch, raw, index, self._known(batch, raw, index)), "update", None

        def find(name: str, value: object) -> Sequence[str]:
            ids = table.find(name, value)
            return ids if switches.batch_sees_itself else [each for each in ids if each not in batch.inserted]

        name, ids = match(batch.order, raw, find)
        if not ids:
            if given is not None:
                return self._update(batch, raw, index, self._known(batch, raw, index)), "update", None
            return self._insert(batch, raw, index), "insert", None
        if len(ids) > 1 and switches.several_match == "refuse":
            details = {"api_name": name, "json_path": f"$.data[{index}].{name}", "id": ids[0], "more_records": True}
            raise RowError("DUPLICATE_DATA", details)
        record_id = ids[-1] if switches.several_match == "newest" else ids[0]
        return self._update(batch, raw, index, record_id), "update", name

    def insert(self, batch: Batch, raw: Any, index: int) -> str:
        """Insert a row and give its id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        self._refuse(batch, raw, index)
        return self._insert(batch, raw, index)

    def update(self, batch: Batch, raw: Any, index: int) -> str:
        """Change the record whose id is in the row, and give the id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        self._refuse(batch, raw, index)
        return self._update(batch, raw, index, self._known(batch, raw, index))

    def _is_new(self, batch: Batch, row: Any, action: str) -> bool:
        """Return whether a row would be inserted."""
        if action != "upsert" or not isinstance(row, dict):
            return action == "insert"
        return row.get("id") is None and not match(batch.order, row, self._org.tables[batch.module.api_name].find)[1]

    def _insert(self, batch: Batch, raw: dict[str, Any], index: int) -> str:
        if self.room is not None and batch.via == "api":
            self.room.check_row(self._org)
        values = self._reader.read(batch, raw, index, None)
        record_id = self._org.next_id()
        row: Record = {name: value for name, value in values.items() if value is not None}
        row.setdefault("Owner", batch.by.id)
        row |= {
            "id": record_id,
            "Created_By": batch.by.id,
            "Modified_By": batch.by.id,
            "Created_Time": batch.now,
            "Modified_Time": batch.now,
        }
        table = self._org.tables[batch.module.api_name]
        table.insert(record_id, row)
        _keep_layout(table, record_id, raw)
        batch.inserted.add(record_id)
        self._note(batch, "insert", record_id, raw, tuple(name for name in values if name in row))
        return record_id

    def _known(self, batch: Batch, raw: dict[str, Any], index: int) -> str:
        """Return the id in a row, which must be one of the module's."""
        details = {"api_name": "id", "json_path": f"$.data[{index}].id"}
        given = raw.get("id")
        if given is None:
            raise RowError("MANDATORY_NOT_FOUND", details)
        if str(given) not in self._org.tables[batch.module.api_name].rows:
            raise RowError("INVALID_DATA", {"id": str(given), **details}, "the id given seems to be invalid")
        return str(given)

    def _update(self, batch: Batch, raw: dict[str, Any], index: int, record_id: str) -> str:
        table = self._org.tables[batch.module.api_name]
        row = table.rows[record_id]
        if batch.unmodified_since is not None and row["Modified_Time"] > batch.unmodified_since:
            details = {"api_name": "id", "json_path": f"$.data[{index}].id", "id": record_id}
            raise RowError("ALREADY_MODIFIED", details)
        if batch.via == "api":
            self.holds.check((batch.module.api_name, record_id), [name for name in raw if name in batch.checks], index)
        values = self._reader.read(batch, raw, index, record_id)
        changed = table.update(record_id, values)
        _keep_layout(table, record_id, raw)
        row["Modified_Time"], row["Modified_By"] = batch.now, batch.by.id
        self._note(batch, "update", record_id, raw, tuple(changed))
        return record_id

    def _create_account(self, batch: Batch, name: str) -> str:
        accounts = Batch(self._org, self._org.modules["Accounts"], batch.by, batch.via)
        return self._insert(accounts, {"Account_Name": name}, 0)

    def _refuse(self, batch: Batch, raw: Any, index: int) -> None:
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": f"$.data[{index}]"})
        if batch.via != "api":
            return
        for refusal in self.refusals:
            if refusal.answered == "row" and refusal.module == batch.module.api_name and refusal.when(raw):
                raise refusal.row_error(index)

    def _note(self, batch: Batch, action: str, record_id: str, raw: dict[str, Any], changed: tuple[str, ...]) -> None:
        checks = batch.checks
        sent = tuple([name for name in raw if name in checks])
        write = Write(batch.module.api_name, action, record_id, sent, changed, batch.via)
        self.writes.append(write)
        for trigger in batch.triggers:
            self.workflows_fired.append(Workflow(trigger, write.module, action, record_id))
        if batch.via == "api" and action in ("insert", "update") and action not in batch.without_cadences:
            self.cadences_fired.append(Cadence(write.module, action, record_id))
        self.on_write(write)


def _keep_layout(table: Table, record_id: str, raw: dict[str, Any]) -> None:
    if raw.get("Layout"):
        table.layouts[record_id] = raw["Layout"]["id"]
