"""The CRM as a person who sits in front of it sees and changes it; tests are such persons."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from sandbox.zoho.batch import Batch
from sandbox.zoho.render import Renderer

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from sandbox.zoho.organization import Organization
    from sandbox.zoho.writer import Cadence, Workflow, Write, Writer


class Crm(abc.ABC):
    """Records to look at and to change; everything goes through the rules that the API has too."""

    def __init__(self, organization: Organization, writer: Writer, lock: threading.RLock) -> None:
        self.organization, self._writer, self.lock = organization, writer, lock

    @abc.abstractmethod
    def flush(self) -> None:
        """Send the notifications of the writes so far."""

    def records(self, module: str) -> list[dict[str, Any]]:
        """Return all records of a module, oldest first, in the API's shape, as a person sees them (amounts Decimal)."""
        return self.find(module)

    def find(self, module: str, **equal: Any) -> list[dict[str, Any]]:
        """Return the records whose fields have these values as they are shown; a lookup is compared by its id."""
        with self.lock:
            org = self.organization
            found, table = org.modules[module], org.tables[module]
            indexed = next((name for name in equal if name in table.indexes), None)
            ids = list(table.rows) if indexed is None else table.find(indexed, equal[indexed])
            show = Renderer(org, found, found.fields, to_person=True).show
            shown = (show(table.rows[each]) for each in ids)
            return [row for row in shown if all(_same(row.get(name), value) for name, value in equal.items())]

    def get(self, module: str, record_id: str) -> dict[str, Any] | None:
        """Return one record; None if there is none."""
        return next(iter(self.find(module, id=record_id)), None)

    def count(self, module: str) -> int:
        """Return the number of records of a module."""
        with self.lock:
            return len(self.organization.tables[module].rows)

    def insert(self, module: str, values: dict[str, Any]) -> str:
        """Add a record as a person would, and give its id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        with self.lock:
            record_id = self._writer.insert(self._by_person(module), values, 0)
            self.flush()
            return record_id

    def insert_many(self, module: str, rows: Iterable[dict[str, Any]]) -> list[str]:
        """Add many records as an import would, and give their ids.

        Raises:
            RowError: at the first that Zoho would refuse; those before it are in.
        """
        with self.lock:
            batch = self._by_person(module)
            ids = [self._writer.insert(batch, row, index) for index, row in enumerate(rows)]
            self.flush()
            return ids

    def update(self, module: str, record_id: str, values: dict[str, Any]) -> None:
        """Change a record as a person would; None clears a field.

        Raises:
            RowError: if Zoho would refuse it.
        """
        with self.lock:
            self._writer.update(self._by_person(module), {**values, "id": record_id}, 0)
            self.flush()

    def delete(self, module: str, record_id: str, *, permanently: bool = False) -> None:
        """Delete a record as a person would: into the bin, or for good.

        Raises:
            RowError: if there is none.
        """
        with self.lock:
            self._writer.removals.delete(self._by_person(module), record_id, permanently=permanently)
            self.flush()

    def restore(self, module: str, record_id: str) -> None:
        """Take a record out of the bin, where it stays for 60 days.

        Raises:
            RowError: if it is not there.
        """
        with self.lock:
            self._writer.removals.restore(self._by_person(module), record_id)

    def merge(self, module: str, master_id: str, child_id: str) -> None:
        """Merge a record into another one: it is gone for good, and what was related to it is related to the other.

        Raises:
            RowError: if there is not one of them.
        """
        with self.lock:
            self._writer.removals.merge(self._by_person(module), master_id, child_id)
            self.flush()

    @property
    def writes(self) -> list[Write]:
        """Every change of a record so far, oldest first; clear the list to begin anew."""
        return self._writer.writes

    @property
    def workflows_fired(self) -> list[Workflow]:
        """Every automation that a write through the API set off; clear the list to begin anew."""
        return self._writer.workflows_fired

    @property
    def cadences_fired(self) -> list[Cadence]:
        """Every cadence that a write through the API set off; clear the list to begin anew."""
        return self._writer.cadences_fired

    def _by_person(self, module: str) -> Batch:
        org = self.organization
        return Batch(org, org.modules[module], org.person, "person", triggers=())


def _same(shown: Any, value: Any) -> bool:
    return bool(shown == value or (isinstance(shown, dict) and shown.get("id") == value))
