"""The records of one module and the indexes that make a hundred thousand of them quick to search."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.zoho.removals import Deleted

Record = dict[str, Any]
"""Field API names to kept values: no nulls; lookups as the other record's id; numbers as Decimal; times in UTC."""


def key_of(value: Any) -> Any:
    """Return what two values must share to be equal to Zoho: text counts without case."""
    return value.casefold() if type(value) is str else value


class Index:
    """Which records have a value; a single id is kept bare, since most values are unique."""

    def __init__(self) -> None:
        self._ids: dict[Any, str | set[str]] = {}

    def add(self, value: Any, record_id: str) -> None:
        """Note a record's value."""
        key = key_of(value)
        held = self._ids.get(key)
        if held is None:
            self._ids[key] = record_id
        elif isinstance(held, set):
            held.add(record_id)
        elif held != record_id:
            self._ids[key] = {held, record_id}

    def remove(self, value: Any, record_id: str) -> None:
        """Forget a record's value."""
        key = key_of(value)
        held = self._ids.get(key)
        if isinstance(held, set):
            held.discard(record_id)
            if len(held) == 1:
                self._ids[key] = held.pop()
        elif held == record_id:
            del self._ids[key]

    def find(self, value: Any) -> tuple[str, ...]:
        """Return the ids of the records that have a value, oldest first."""
        held = self._ids.get(key_of(value))
        if held is None:
            return ()
        return tuple(sorted(held)) if isinstance(held, set) else (held,)


@dataclass
class Table:
    """The records of a module; ids are of one length and grow, so that their order is the order of creation."""

    rows: dict[str, Record] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    deleted: list[Deleted] = field(default_factory=list)
    layouts: dict[str, str] = field(default_factory=dict)
    """The layouts of records that name one, by their ids; the others have the standard one."""
    _order: list[str] = field(default_factory=list)

    def index(self, name: str) -> None:
        """Keep an index of a field from now on."""
        if name in self.indexes:
            return
        index = self.indexes[name] = Index()
        for record_id, row in self.rows.items():
            if name in row:
                index.add(row[name], record_id)

    def insert(self, record_id: str, row: Record) -> None:
        """Add a record."""
        self.rows[record_id] = row
        insort(self._order, record_id)
        for name, index in self.indexes.items():
            if name in row:
                index.add(row[name], record_id)

    def update(self, record_id: str, values: Record) -> list[str]:
        """Set values (None clears) and give the names of the fields that changed."""
        row = self.rows[record_id]
        changed = []
        for name, value in values.items():
            old = row.get(name)
            if old == value:
                continue
            changed.append(name)
            index = self.indexes.get(name)
            if index is not None and old is not None:
                index.remove(old, record_id)
            if value is None:
                del row[name]
                continue
            row[name] = value
            if index is not None:
                index.add(value, record_id)
        return changed

    def remove(self, record_id: str) -> Record:
        """Take a record out."""
        row = self.rows.pop(record_id)
        del self._order[bisect_left(self._order, record_id)]
        for name, index in self.indexes.items():
            if name in row:
                index.remove(row[name], record_id)
        return row

    def find(self, name: str, value: Any) -> tuple[str, ...]:
        """Return the ids of the records with a value in an indexed field, oldest first."""
        return self.indexes[name].find(value)

    def after(self, record_id: str = "", *, including: bool = False) -> Iterator[str]:
        """Return the ids that follow one, in order."""
        start = (bisect_left if including else bisect_right)(self._order, record_id)
        for position in range(start, len(self._order)):
            yield self._order[position]
