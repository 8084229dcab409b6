"""Stages, pipelines and layouts, as an administrator sets them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.zoho.crm import Crm
from sandbox.zoho.model import Choice, Layout
from sandbox.zoho.standard import KINDS, OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from sandbox.zoho.model import Pipeline

    Stages: TypeAlias = Sequence[str] | Mapping[str, str]
    """Names of stages, or the kind of each by name."""


class Sales(Crm):
    """Stages, pipelines and layouts."""

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

    def add_pipeline(self, name: str, stages: Stages, *, default: bool = False, layout: str | None = None) -> Pipeline:
        """Add a pipeline, and the stages that Deals do not have yet.

        Args:
            name: what it is called.
            stages: their names, in order; a mapping says the kind of those that are new, else they are open.
            default: let it be the default of its layout.
            layout: the name of the layout of Deals that it belongs to; None is the standard one.

        Raises:
            ValueError: for a kind that is none.
            LookupError: if there is no such layout.
        """
        with self.lock:
            org = self.organization
            chosen = [replace(self._stage(stage, kind)) for stage, kind in _kinds(stages).items()]
            pipeline = org.add_pipeline(name, chosen, self._layout("Deals", layout).id)
            if default:
                org.make_default(pipeline)
            return pipeline

    def make_default_pipeline(self, name: str) -> None:
        """Let a pipeline be the default of its layout.

        Raises:
            LookupError: if there is no such pipeline.
        """
        with self.lock:
            pipeline = self.organization.pipeline(name)
            if pipeline is None:
                raise LookupError(f"there is no pipeline {name!r}")
            self.organization.make_default(pipeline)

    def use_own_stages(self, stages: Mapping[str, str]) -> None:
        """Let Deals have the firm's own stages and no others, in every pipeline.

        Args:
            stages: their names, in order, with the kind of each: ``Open``, ``Closed Won`` or ``Closed Lost``.

        Raises:
            ValueError: for a kind that is none.
        """
        with self.lock:
            self.organization.modules["Deals"].fields["Stage"].choices = []
            own = [self._stage(stage, kind) for stage, kind in _kinds(stages).items()]
            for pipeline in self.organization.pipelines:
                pipeline.stages = [replace(each) for each in own]

    def add_layout(self, module: str, name: str, pipelines: Mapping[str, Stages] | None = None) -> str:
        """Add a layout that shows what the standard one shows, and return its id.

        Args:
            module: the module.
            name: what it is called.
            pipelines: of Deals: the layout's pipelines, each with its stages as for `add_pipeline`; the first is its
                default.
        """
        with self.lock:
            org = self.organization
            standard = org.modules[module].layouts[0]
            layout = Layout(org.next_id(), name, set(standard.hidden))
            org.modules[module].layouts.append(layout)
            for pipeline, stages in (pipelines or {}).items():
                self.add_pipeline(pipeline, stages, layout=name)
            return layout.id

    def layout_of(self, module: str, record_id: str) -> str:
        """Return the name of a record's layout."""
        with self.lock:
            org = self.organization
            own = org.tables[module].layouts.get(record_id)
            return (org.modules[module].layout(own) or org.modules[module].layouts[0]).name

    def require(self, module: str, api_name: str, layout: str | None = None) -> None:
        """Make a field mandatory in a layout, the standard one unless named.

        Raises:
            LookupError: if there is no such field or layout.
        """
        with self.lock:
            if api_name not in self.organization.modules[module].fields:
                raise LookupError(f"{module} has no field {api_name!r}")
            self._layout(module, layout).required.add(api_name)

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

    def _stage(self, name: str, kind: str) -> Choice:
        """Return a stage, which is made if Deals do not have it."""
        choices = self.organization.modules["Deals"].fields["Stage"].choices
        known = next((each for each in choices if each.display_value == name), None)
        if known is None:
            known = Choice(self.organization.next_id(), name, name, kind)
            choices.append(known)
        return known

    def _layout(self, module: str, name: str | None) -> Layout:
        found = self.organization.modules[module].layout(name)
        if found is None:
            raise LookupError(f"{module} has no layout {name!r}")
        return found


def _kinds(stages: Stages) -> Mapping[str, str]:
    """Return the stages with the kind of each."""
    kinds = stages if isinstance(stages, Mapping) else dict.fromkeys(stages, OPEN)
    if strange := [kind for kind in kinds.values() if kind not in KINDS]:
        raise ValueError(f"unknown kind of stage {strange[0]!r}; there are {', '.join(KINDS)}")
    return kinds
