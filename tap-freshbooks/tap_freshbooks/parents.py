"""Which invoices and clients have to be read again because what belongs to them may have changed after they were."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tap_freshbooks.timestamps import latest_utc
from tap_freshbooks.window import COMMIT_DELAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_freshbooks.client import Page, Row
    from tap_freshbooks.resources import Resource

_NEVER = ""
_ALWAYS = "9"


class Parents:
    """The memory of one run: when each invoice and client was read, and when what belongs to it last changed.

    An invoice's amounts follow from its payments, a client's balances from both, but a change of those does not always
    count as a change of the parent. All times are FreshBooks'. A parent that was read after the change has it.
    """

    def __init__(self) -> None:
        self._read: dict[str, dict[int, str]] = defaultdict(dict)
        self._changed: dict[str, dict[int, str]] = defaultdict(dict)

    def read(self, stream: str, page: Page, rows: Iterable[Row]) -> None:
        """Note that rows of a page were read."""
        moment = (page.read_at - COMMIT_DELAY).isoformat(timespec="seconds")
        self._read[stream].update((row["id"], moment) for row in rows)

    def changed(self, resource: Resource, row: Mapping[str, object]) -> None:
        """Note that an invoice or a payment was read, which names its parents."""
        if not resource.parents:
            return
        updated = row.get("updated")
        try:
            moment = latest_utc(updated) if isinstance(updated, str) else _ALWAYS
        except ValueError:
            moment = _ALWAYS
        self._note(resource, row, moment)

    def changed_by_time(self, resource: Resource, row: Mapping[str, object]) -> None:
        """Note that an invoice may have become overdue: since the last run, but before this one."""
        self._note(resource, row, _NEVER)

    def stale(self, stream: str) -> list[int]:
        """Give the ids of a stream's objects that may not be as what belongs to them says."""
        read = self._read[stream]
        return [number for number, moment in self._changed[stream].items() if read.get(number, _NEVER) <= moment]

    def _note(self, resource: Resource, row: Mapping[str, object], moment: str) -> None:
        for stream, name in resource.parents.items():
            number = row.get(name)
            if isinstance(number, int) and number:
                changed = self._changed[stream]
                changed[number] = max(changed.get(number, _NEVER), moment)
