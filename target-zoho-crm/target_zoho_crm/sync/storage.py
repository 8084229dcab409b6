"""An organization that has no room for new records: known after the first refusal, said once, updates go on.

Zoho answers inserts with `MAX_RECORDS_LIMIT_REACHED` then, flat, as one item or in the place of each record.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

from target_zoho_crm.errors import RequestError
from target_zoho_crm.sync.planning import Rejection
from target_zoho_crm.sync.refusals import STORAGE_FULL, rejection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_zoho_crm.summary import Summary
    from target_zoho_crm.sync.outcomes import Outcome, Written

logger = logging.getLogger("target-zoho-crm")


class Row(Protocol):
    """A record on its way."""

    landed: Written | None
    """What became of it, if that is known already."""


RowT = TypeVar("RowT", bound=Row)


class Storage:
    """Whether there is room for new records, as far as a run has learned.

    Args:
        summary: is told when there is none.

    Attributes:
        full: why new records are refused; None while they are not.
    """

    def __init__(self, summary: Summary) -> None:
        self.full: Rejection | None = None
        self._summary = summary
        self._lock = Lock()

    def guard(
        self, insert: Callable[[Sequence[RowT], int | None], list[Outcome]]
    ) -> Callable[[Sequence[RowT], int | None], list[Outcome]]:
        """Return what inserts as long as there is room; then no call is made, for the refusal is about all records."""

        def guarded(rows: Sequence[RowT], faults: int | None) -> list[Outcome]:
            full = self.full
            if full is None:
                try:
                    outcomes = insert(rows, faults)
                except RequestError as error:
                    if error.code != STORAGE_FULL:
                        raise
                    full = rejection_of(error)
                else:
                    self._note(next((one for one in outcomes if _is_full(one)), None))
                    return outcomes
            self._note(full)
            return [row.landed or full for row in rows]

        return guarded

    def _note(self, refusal: Outcome | None) -> None:
        """Remember that there is no room, and say so the first time."""
        with self._lock:
            if self.full is not None or not isinstance(refusal, Rejection):
                return
            self.full = refusal
        limit = f" ({refusal.expected})" if refusal.expected else ""
        self._summary.storage_full = (
            f"Zoho's storage is full{limit}: it takes no new records. They are kept and tried again by later runs, and "
            "what is in Zoho goes on being updated. Delete records there, or buy storage (Zoho CRM, Setup, Data "
            "Administration, Storage)."
        )
        logger.warning("%s", self._summary.storage_full)


def _is_full(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.code == STORAGE_FULL
