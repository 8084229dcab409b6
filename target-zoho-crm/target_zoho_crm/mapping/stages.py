"""Which stage of the sales pipeline an invoice is in: one table, fitted to the stages that the pipeline has.

The statuses are FreshBooks' `v3_status` (https://www.freshbooks.com/api/invoices), an open set: one that is not in the
table counts as ``unknown``. The stages are those every new Zoho organization begins with. Where a pipeline has others,
the kind that Zoho knows of each stage tells which one is meant (the page "Get Pipelines in a Layout").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from target_zoho_crm.mapping import metadata as kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_zoho_crm.mapping.metadata import Choice

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


@dataclass(frozen=True)
class StageTable:
    """The stage of each status, in a pipeline.

    Attributes:
        stages: status → what the stage is displayed as.
        missing: the stages that the pipeline does not have, in order of their statuses.
        by_kind: the statuses whose stage follows from its kind, because the pipeline has no stage of the usual name.
    """

    stages: Mapping[str, str]
    missing: tuple[str, ...] = ()
    by_kind: tuple[str, ...] = ()

    def in_words(self) -> tuple[str, ...]:
        """Return the table as lines, a stage each: ``paid, autopaid, success → Won``."""
        statuses: dict[str, list[str]] = {}
        for status, stage in self.stages.items():
            statuses.setdefault(stage, []).append("any other status" if status == UNKNOWN else status)
        return tuple(f"{', '.join(names)} → {stage}" for stage, names in statuses.items())


@lru_cache
def status_key(status: str | None) -> str:
    """Return a status as the table spells it: lower case, with hyphens (older API documents write ``deposit_paid``)."""
    return (status or "").strip().lower().replace("_", "-")


def stage_table(overrides: Mapping[str, str] | None = None, pipeline: Sequence[Choice] | None = None) -> StageTable:
    """Return the table for a pipeline, with the statuses of `stage_map` replaced one by one.

    A stage is known by the name that is displayed, or by the one it had before a rename. Where the pipeline has no
    stage of the usual name: what is paid goes to the first that is won, what is deleted to the first that is lost, a
    draft to the last but one that is open, and all else to the last open one.

    Args:
        overrides: the setting `stage_map`; statuses that it adds become known.
        pipeline: its stages, in order; None where they do not matter.
    """
    named = {status_key(status): stage for status, stage in (overrides or {}).items()}
    wanted = {**STAGES, **named}
    if pipeline is None:
        return StageTable(wanted)
    stages: dict[str, str] = {}
    missing: list[str] = []
    by_kind: list[str] = []
    for status, name in wanted.items():
        stage = _called(pipeline, name)
        if stage is None and status not in named and (stage := _of_kind(pipeline, STAGES[status])):
            by_kind.append(status)
        if stage is None:
            missing.append(name)
        stages[status] = stage or name
    return StageTable(stages, tuple(dict.fromkeys(missing)), tuple(by_kind))


def _called(pipeline: Iterable[Choice], name: str) -> str | None:
    displayed = [stage.display for stage in pipeline if stage.display == name]
    before = [stage.display for stage in pipeline if stage.actual == name]
    return next(iter(displayed + before), None)


def _of_kind(pipeline: Sequence[Choice], usual: str) -> str | None:
    """Return the stage that stands for the usual one, by the kinds of the pipeline's stages; None if none does."""
    if usual in {WON, LOST}:
        kind = kinds.WON if usual == WON else kinds.LOST
        return next((stage.display for stage in pipeline if stage.kind == kind), None)
    opened = [stage.display for stage in pipeline if stage.kind == kinds.OPEN]
    if usual == PROPOSAL and len(opened) > 1:
        return opened[-2]
    return opened[-1] if opened else None


def stage_of(status: str | None, table: Mapping[str, str], *, deleted: bool = False) -> StageOf:
    """Look up the stage of an invoice.

    Args:
        status: the invoice's `v3_status`.
        table: the stages that `stage_table` returned.
        deleted: whether the invoice was deleted in FreshBooks, whatever its status.
    """
    if deleted:
        return StageOf(table[DELETED], known=True)
    stage = table.get(status_key(status))
    return StageOf(table[UNKNOWN], known=False) if stage is None else StageOf(stage, known=True)
