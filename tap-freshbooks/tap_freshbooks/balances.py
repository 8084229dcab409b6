"""Which clients have to be read again because their balances may have changed after they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_freshbooks.timestamps import latest_utc
from tap_freshbooks.window import COMMIT_DELAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.client import Page

_NEVER = ""
_ALWAYS = "9"


class Balances:
    """The memory of one run: when each client was read, and when its invoices and payments last changed.

    A client's balances follow from its invoices and payments, but a change of those does not always count as a change
    of the client. All times are FreshBooks'. A client that was read after the change has it.
    """

    def __init__(self) -> None:
        self._read: dict[int, str] = {}
        self._changed: dict[int, str] = {}

    def client_read(self, client_id: int, page: Page) -> None:
        """Note that a client was read with this page."""
        self._read[client_id] = (page.read_at - COMMIT_DELAY).isoformat(timespec="seconds")

    def changed(self, row: Mapping[str, object], client_field: str) -> None:
        """Note that an invoice or a payment was read; the client is named by a field of it."""
        updated = row.get("updated")
        try:
            moment = latest_utc(updated) if isinstance(updated, str) else _ALWAYS
        except ValueError:
            moment = _ALWAYS
        self._note(row.get(client_field), moment)

    def changed_by_time(self, row: Mapping[str, object], client_field: str) -> None:
        """Note that an invoice may have become overdue: since the last run, but before this one."""
        self._note(row.get(client_field), _NEVER)

    def stale(self) -> list[int]:
        """Give the clients whose balances may not be those of the invoices and payments that were read."""
        return [client_id for client_id, moment in self._changed.items() if self._read.get(client_id, _NEVER) <= moment]

    def _note(self, client_id: object, moment: str) -> None:
        if isinstance(client_id, int) and client_id:
            self._changed[client_id] = max(self._changed.get(client_id, _NEVER), moment)
