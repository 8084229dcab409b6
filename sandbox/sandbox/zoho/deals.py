"""What is particular about Deals: stages belong to pipelines, and two figures follow from the stage."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import error
from sandbox.zoho.standard import LOST, STAGES, WON
from sandbox.zoho.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.zoho.model import Choice
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

_SHIPPED = {each.actual_value: each.probability for each in STAGES}
_BY_KIND = {WON: 100, LOST: 0}
_OTHER_PROBABILITY = 50


def complete(
    org: Organization, values: Record, existing: Record | None, path: str, layout_id: str
) -> list[dict[str, Any]]:
    """Check stage, pipeline and layout against each other, and add to `values` what follows from them.

    Stages and pipelines are known by their display values; the actual value from before a rename is refused.

    Args:
        org: the organization with its pipelines.
        values: the checked values of one deal; changed in place.
        existing: the deal as it is, for an update.
        path: JSON path of the record.
        layout_id: the deal's layout.

    Returns:
        Zoho's errors, empty if there are none.
    """
    before = existing or {}
    if not org.uses_pipelines:
        _figures(values, before, org.modules["Deals"].fields["Stage"].choices)
        return []
    if existing is None and values.get("Pipeline") is None and len(org.pipelines) > 1:
        return [error("MANDATORY_NOT_FOUND", {"api_name": "Pipeline", "json_path": f"{path}.Pipeline"})]
    name = values.get("Pipeline") or before.get("Pipeline")
    pipeline = org.pipeline(name, layout_id)
    if pipeline is None:
        details = {"mapped_field": "Layout", "api_name": "Pipeline", "json_path": f"{path}.Pipeline"}
        return [error("MAPPING_MISMATCH", details, "Layout doesn't contain the Pipeline")]
    stage = values.get("Stage") or before.get("Stage")
    moved = values.keys() & {"Stage", "Pipeline"}
    if stage is not None and moved and all(stage != each.display_value for each in pipeline.stages):
        details = {"mapped_field": "Pipeline", "api_name": "Stage", "json_path": f"{path}.Stage"}
        return [error("MAPPING_MISMATCH", details, "Pipeline doesn't contain the Stage")]
    if before.get("Pipeline") != pipeline.display_value:
        values["Pipeline"] = pipeline.display_value
    _figures(values, before, pipeline.stages if moved else ())
    return []


def probability_of(stage: Choice) -> int:
    """Return the probability of a stage: Zoho's own for those that it ships, else by its kind."""
    return _SHIPPED.get(stage.actual_value, _BY_KIND.get(stage.forecast_type or "", _OTHER_PROBABILITY))


def _figures(values: Record, before: Record, stages: Iterable[Choice]) -> None:
    """Set Probability by the stage, and Expected_Revenue by both it and the amount."""
    stage = next((each for each in stages if each.display_value == values.get("Stage")), None)
    if stage and stage.display_value != before.get("Stage") and values.get("Probability") is None:
        values["Probability"] = probability_of(stage)
    if values.keys() & {"Amount", "Probability"}:
        amount = values["Amount"] if "Amount" in values else before.get("Amount")
        probability = values.get("Probability", before.get("Probability"))
        if amount is None or probability is None:
            values["Expected_Revenue"] = None
        else:
            values["Expected_Revenue"] = plain(round(amount * Decimal(probability) / 100, 2))
