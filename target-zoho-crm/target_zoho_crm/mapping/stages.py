"""Which stage of the sales pipeline an invoice is in: one table, with the `stage_map` setting on top of it.

The statuses are FreshBooks' `v3_status` (https://www.freshbooks.com/api/invoices), an open set: one that is not in the
table counts as ``unknown``. The stages are those every new Zoho organization begins with.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPOSAL = "Proposal/Price Quote"
NEGOTIATION = "Negotiation/Review"
WON = "Closed Won"
LOST = "Closed Lost"

DELETED = "deleted"
"""Not a status in FreshBooks: an invoice that was deleted there keeps its last status and is hidden (`vis_state` 1)."""
UNKNOWN = "unknown"
"""A status that is not in this table."""

STAGES: dict[str, str] = {
    # not yet with the customer
    "draft": PROPOSAL,
    "created": PROPOSAL,
    # with the customer, not fully paid
    "sent": NEGOTIATION,
    "viewed": NEGOTIATION,
    "partial": NEGOTIATION,
    "overdue": NEGOTIATION,
    "deposit-partial": NEGOTIATION,
    "deposit-paid": NEGOTIATION,
    # automatic payment that is under way or did not work
    "pending": NEGOTIATION,
    "retry": NEGOTIATION,
    "failed": NEGOTIATION,
    "declined": NEGOTIATION,
    "resolved": NEGOTIATION,
    "disputed": NEGOTIATION,
    UNKNOWN: NEGOTIATION,
    # money received
    "paid": WON,
    "autopaid": WON,
    "success": WON,
    # no longer there
    DELETED: LOST,
}


class StageOf(NamedTuple):
    """The stage of an invoice, and whether its status is in the table."""

    stage: str
    known: bool


@lru_cache
def status_key(status: str | None) -> str:
    """Give a status as the table spells it: lower case, with hyphens (older API documents write ``deposit_paid``)."""
    return (status or "").strip().lower().replace("_", "-")


def stage_table(overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the table with the statuses of `stage_map` replaced one by one; statuses that it adds become known."""
    return {**STAGES, **{status_key(status): stage for status, stage in (overrides or {}).items()}}


def stage_of(status: str | None, table: Mapping[str, str], *, deleted: bool = False) -> StageOf:
    """Look up the stage of an invoice.

    Args:
        status: the invoice's `v3_status`.
        table: what `stage_table` gave.
        deleted: whether the invoice was deleted in FreshBooks, whatever its status.
    """
    if deleted:
        return StageOf(table[DELETED], known=True)
    stage = table.get(status_key(status))
    return StageOf(table[UNKNOWN], known=False) if stage is None else StageOf(stage, known=True)
