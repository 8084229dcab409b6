"""Records that are held: by a blueprint (a field), or by a lock (all fields but some): "Update Records"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str]
"""Module and id of a record."""
_LOCKED = "Sorry, you cannot perform this operation as the record is locked."


class Holds:
    """The records that the API may not change as it likes."""

    def __init__(self) -> None:
        self.blueprints: dict[Key, set[str]] = {}
        """The fields that a blueprint holds, by record."""
        self.locks: dict[Key, frozenset[str]] = {}
        """The fields that are excepted, by record."""

    def check(self, record: Key, sent: Iterable[str], index: int) -> None:
        """Refuse fields that are held; whether their value would change makes no difference.

        Args:
            record: its module and id.
            sent: the fields that were sent.
            index: the record's position in the call.

        Raises:
            RowError: RECORD_LOCKED or RECORD_IN_BLUEPRINT.
        """
        if record in self.locks and set(sent) - self.locks[record]:
            raise RowError("RECORD_LOCKED", {"action": "record_locking", "id": record[1]}, _LOCKED)
        for name in sent:
            if name in self.blueprints.get(record, ()):
                details = {"api_name": name, "json_path": f"$.data[{index}].{name}", "id": record[1]}
                raise RowError("RECORD_IN_BLUEPRINT", details)
