"""What is particular about Deals: stages belong to pipelines, and two figures follow from the stage."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import error
from sandbox.zoho.standard import PROBABILITIES
from sandbox.zoho.values import plain

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

_OTHER_PROBABILITY = 50


def complete(org: Organization, values: Record, existing: Record | None, path: str) -> list[dict[str, Any]]:
    """Check stage and pipeline against each other, and add to `values` what follows from them.

    Stages and pipelines are known by their display values; the actual value from before a rename is refused.

    Args:
        org: the organization with its pipelines.
        values: the checked values of one deal; changed in place.
        existing: the deal as it is, for an update.
        path: JSON path of the record.

    Returns:
        Zoho's errors, empty if there are none.
    """
    before = existing or {}
    if not org.uses_pipelines:
        stages = {each.display_value: each.actual_value for each in org.modules["Deals"].fields["Stage"].choices}
        _figures(values, before, stages)
        return []
    if existing is None and values.get("Pipeline") is None and len(org.pipelines) > 1:
        return [error("MANDATORY_NOT_FOUND", {"api_name": "Pipeline", "json_path": f"{path}.Pipeline"})]
    name = values.get("Pipeline") or before.get("Pipeline")
    pipeline = org.pipeline(name)
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
    _figures(values, before, {each.display_value: each.actual_value for each in pipeline.stages} if moved else {})
    return []


def _figures(values: Record, before: Record, stages: dict[str, str]) -> None:
    """Set Probability by the stage, and Expected_Revenue by both it and the amount."""
    stage: str | None = values.get("Stage")
    if stage is not None and stage != before.get("Stage") and values.get("Probability") is None:
        values["Probability"] = PROBABILITIES.get(stages.get(stage, stage), _OTHER_PROBABILITY)
    if values.keys() & {"Amount", "Probability"}:
        amount = values["Amount"] if "Amount" in values else before.get("Amount")
        probability = values.get("Probability", before.get("Probability"))
        if amount is None or probability is None:
            values["Expected_Revenue"] = None
        else:
            values["Expected_Revenue"] = plain(round(amount * Decimal(probability) / 100, 2))
