"""Stages and pipelines of Deals, as an administrator sets them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho.crm import Crm
from sandbox.zoho.model import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.zoho.model import Pipeline


class Sales(Crm):
    """Stages and pipelines."""

    def rename_stage(self, old: str, new: str) -> None:
        """Rename a stage everywhere: what is displayed changes, the actual value stays."""
        with self.lock:
            for choice in self._stages(old):
                choice.display_value = new
            table = self.organization.tables["Deals"]
            for record_id, row in table.rows.items():
                if row.get("Stage") == old:
                    table.update(record_id, {"Stage": new})

    def remove_stage(self, name: str, pipeline: str | None = None) -> None:
        """Remove a stage: from one pipeline, or from the organization."""
        with self.lock:
            org = self.organization
            for each in org.pipelines:
                if pipeline in (None, each.display_value):
                    each.stages = [stage for stage in each.stages if stage.display_value != name]
            if pipeline is None:
                stage_field = org.modules["Deals"].fields["Stage"]
                stage_field.choices = [choice for choice in stage_field.choices if choice.display_value != name]

    def add_pipeline(self, name: str, stages: Sequence[str], *, default: bool = False) -> Pipeline:
        """Add a pipeline with stages, which are made if Deals do not have them."""
        with self.lock:
            org = self.organization
            known = org.modules["Deals"].fields["Stage"]
            for stage in stages:
                if stage not in known.values():
                    known.choices.append(Choice(org.next_id(), stage, stage))
            chosen = [choice for stage in stages for choice in known.choices if choice.display_value == stage]
            copies = [Choice(each.id, each.display_value, each.actual_value) for each in chosen]
            pipeline = org.add_pipeline(name, copies)
            if default:
                org.make_default(pipeline)
            return pipeline

    def switch_pipelines_off(self) -> None:
        """Be an organization that does not use pipelines: Deals have no field Pipeline, and any stage will do."""
        with self.lock:
            org = self.organization
            org.uses_pipelines = False
            del org.modules["Deals"].fields["Pipeline"]
            for row in org.tables["Deals"].rows.values():
                row.pop("Pipeline", None)

    def rename_pipeline(self, old: str, new: str) -> None:
        """Rename a pipeline: what is displayed changes, the actual value stays."""
        with self.lock:
            org = self.organization
            for pipeline in org.pipelines:
                if pipeline.display_value == old:
                    pipeline.display_value = new
            for choice in org.modules["Deals"].fields["Pipeline"].choices:
                if choice.display_value == old:
                    choice.display_value = new
            table = org.tables["Deals"]
            for record_id, row in table.rows.items():
                if row.get("Pipeline") == old:
                    table.update(record_id, {"Pipeline": new})

    def _stages(self, name: str) -> list[Choice]:
        org = self.organization
        held = [*org.modules["Deals"].fields["Stage"].choices, *(each for p in org.pipelines for each in p.stages)]
        return [choice for choice in held if choice.display_value == name]
