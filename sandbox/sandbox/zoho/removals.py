"""Records that go: into the recycle bin and back, for good, or into another one ("Delete Records"; Zoho's help)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.zoho.batch import Batch
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

    Note = Callable[[Batch, str, str, dict[str, Any], tuple[str, ...]], None]

BIN_LIFE, LISTED = timedelta(days=60), timedelta(days=120)
"""How long a record stays in the bin, and how long it is listed as deleted."""


@dataclass(frozen=True)
class Deleted:
    """One record that was deleted."""

    record_id: str
    name: str | None
    deleted_by: dict[str, Any]
    created_by: dict[str, Any]
    at: datetime
    row: Record
    """What it was."""
    permanent: bool = False
    """Whether it never was in the bin."""

    def state(self, now: datetime) -> str | None:
        """Return ``recycle``, ``permanent``, or None where it is no longer listed."""
        age = now - self.at
        if age > LISTED:
            return None
        return "permanent" if self.permanent or age > BIN_LIFE else "recycle"


class Removals:
    """Takes records out of their modules.

    Args:
        org: the organization.
        note: is told of what was done.
    """

    def __init__(self, org: Organization, note: Note) -> None:
        self._org, self._note = org, note

    def delete(self, batch: Batch, record_id: str, *, permanently: bool = False) -> None:
        """Put a record into the recycle bin, or delete it for good; lookups to it become empty.

        Raises:
            RowError: if there is none.
        """
        self._remove(batch, record_id, None, permanently=permanently)

    def merge(self, batch: Batch, master_id: str, child_id: str) -> None:
        """Delete a record for good and let those related to it be related to another one, which stays as it is.

        Raises:
            RowError: if there is not one of them.
        """
        if master_id == child_id or master_id not in self._org.tables[batch.module.api_name].rows:
            raise _unknown(master_id)
        self._remove(batch, child_id, master_id, permanently=True)

    def restore(self, batch: Batch, record_id: str) -> None:
        """Take a record out of the bin; nobody is told, and lookups that were emptied stay empty.

        Raises:
            RowError: if it is not in the bin.
        """
        table = self._org.tables[batch.module.api_name]
        for deleted in table.deleted:
            if deleted.record_id == record_id and deleted.state(batch.now) == "recycle":
                table.deleted.remove(deleted)
                row = dict(deleted.row)
                if not self._org.switches.restore_brings_unique_values:
                    row = {name: value for name, value in row.items() if name not in batch.unique}
                table.insert(record_id, row)
                return
        raise _unknown(record_id)

    def _remove(self, batch: Batch, record_id: str, heir: str | None, *, permanently: bool) -> None:
        org, module = self._org, batch.module
        table = org.tables[module.api_name]
        if record_id not in table.rows:
            raise _unknown(record_id)
        row = table.remove(record_id)
        for other in org.modules.values():
            others = org.tables[other.api_name]
            for name in [name for name, each in other.fields.items() if each.lookup == module.api_name]:
                for pointing in others.find(name, record_id):
                    others.update(pointing, {name: None if pointing == heir else heir})
        created_by = org.user(row["Created_By"]).reference()
        called = row.get(module.name_field)
        table.deleted.append(
            Deleted(record_id, called, batch.by.reference(), created_by, batch.now, row, permanent=permanently)
        )
        self._note(batch, "delete", record_id, {}, ("Modified_By", "Record_Status__s"))


def _unknown(record_id: str) -> RowError:
    return RowError("INVALID_DATA", {"id": record_id}, "the id given seems to be invalid")
