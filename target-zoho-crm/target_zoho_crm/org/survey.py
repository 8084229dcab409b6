"""What an organization has, lacks and cannot have of what the settings ask for: one description for everyone.

A run stops at its problems and creates what is missing, a dry run tells of it, `freshbooks-zoho setup` shows it and
asks first, and `doctor` reports it. Decided without a network.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.stages import StageTable, stage_table
from target_zoho_crm.mapping.tables import KEY
from target_zoho_crm.org.access import denied
from target_zoho_crm.org.binding import bind, bind_extras
from target_zoho_crm.org.cautions import cautions
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.mandatory import unfilled
from target_zoho_crm.org.model import DEALS
from target_zoho_crm.org.pipelines import PipelineState, pipeline_state
from target_zoho_crm.org.requirements import Creation, Refused, Requirement, left_out, requirements, shortage
from target_zoho_crm.org.specs import module_specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_zoho_crm.mapping.layout import Extra, Layout
    from target_zoho_crm.mapping.metadata import Field
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.settings import Settings


@dataclass(frozen=True)
class Survey:
    """An organization beside what the settings ask for.

    Attributes:
        organization: as it was read.
        requirements: what each stream needs; without "payments", a setting says that they have no module.
        extras: the user's own lines of each stream.
        layouts: where each stream goes once everything is created.
        table: the stage of each status.
        pipeline: where deals go; None where invoices do not become deals.
        problems: what a person has to put right before a run can write, a sentence each.
        identities: those that were known, with what was found now.
    """

    organization: Organization
    requirements: Mapping[str, Requirement]
    extras: Mapping[str, tuple[Extra, ...]]
    layouts: Mapping[str, Layout]
    table: StageTable
    pipeline: PipelineState | None
    problems: tuple[str, ...]
    identities: Identities
    elsewhere: str | None = None
    """A sentence, one of the problems, where records were written to another organization before."""

    @property
    def stages(self) -> Mapping[str, str]:
        """Status → stage."""
        return self.table.stages

    @property
    def creations(self) -> tuple[Creation, ...]:
        """What is to be created, module by module."""
        return tuple(one.creation for one in self.requirements.values() if one.creation)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Why a module will not be there, a sentence each."""
        return tuple(one.unavailable for one in self.requirements.values() if one.unavailable)

    @property
    def shortages(self) -> tuple[str, ...]:
        """Where the edition may have no room for what is to be created, a sentence each."""
        return tuple(sentence for one in self.requirements.values() for sentence in shortage(one, self.organization))

    @property
    def cautions(self) -> tuple[str, ...]:
        """What of the organization changes how records are written, a sentence each."""
        return cautions(self.organization, self.requirements, self.layouts)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Which fields the sync does without, a sentence for each module and reason."""
        return tuple(sentence for one in self.requirements.values() for sentence in left_out(one))


def survey(
    organization: Organization,
    settings: Settings,
    identities: Identities | None = None,
    refused: Refused | None = None,
) -> Survey:
    """Compare an organization with what the settings ask for.

    Args:
        organization: as it was read.
        settings: of the target.
        identities: by which its modules and fields are known.
        refused: what Zoho would not make.

    Raises:
        ConfigurationError: if a setting names a module that cannot take the records, so that nothing else can be said.
    """
    known = identities or Identities()
    specs = module_specs(organization, settings, known)
    found = dict(zip(specs, requirements(organization, list(specs.values()), known, refused), strict=True))
    pipeline = None
    problems: list[str] = []
    if found["invoices"].name == DEALS:
        pipeline = pipeline_state(organization, settings.pipeline, settings.stage_map, known.pipeline)
        problems += [pipeline.problem] if pipeline.problem else []
    problems += [one.problem for one in found.values() if one.problem]
    if settings.payments_module:
        problems += [one.unavailable for one in found.values() if one.unavailable]
    extras: dict[str, tuple[Extra, ...]] = {}
    layouts: dict[str, Layout] = {}
    fields: dict[str, dict[str, Field]] = {}
    for stream, one in found.items():
        fields[one.spec.name] = dict(one.plan.present)
        with _noting(problems):
            extras[stream], named = bind_extras(one, stream, settings, known)
            fields[one.spec.name] |= named
            if not one.unavailable and KEY in one.fields:
                page = _page_layout(one, pipeline)
                layouts[stream] = bind(stream, one, organization, extras[stream], page)
                problems += unfilled(one, layouts[stream], page)
    modules = {one.spec.name: one.module for one in found.values() if one.module}
    there = [module.api_name for module in modules.values()]
    problems += denied(organization, there, delete=settings.delete)
    if settings.owner and organization.owner is None:
        problems.append(
            f"The setting owner is {settings.owner!r}, and Zoho has no active user of that e-mail; correct it, or "
            "remove it to give new accounts to the user who gave the consent."
        )
    return Survey(
        organization,
        found,
        extras,
        layouts,
        pipeline.table if pipeline else stage_table(settings.stage_map),
        pipeline,
        tuple(dict.fromkeys(problems)),
        known.learned(modules, fields, pipeline.to_remember if pipeline else ""),
    )


def _page_layout(required: Requirement, pipeline: PipelineState | None) -> str | None:
    """Return the layout that a new deal has to name: that of its pipeline, where Deals have several."""
    several = required.module is not None and len(required.module.layouts) > 1
    is_deals = required.name == DEALS and pipeline is not None and pipeline.chosen is not None
    return pipeline.chosen.layout_id if several and is_deals and pipeline and pipeline.chosen else None


@contextmanager
def _noting(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        problems.append(str(error))


def limits(found: Survey) -> tuple[str, ...]:
    """Return what this organization cannot have, and what that means for those who use it, a sentence each."""
    said = [
        f"{reason} Until then payments show on their deal only, as FreshBooks Paid and FreshBooks Last Payment, not "
        "one by one."
        for reason in found.unavailable
    ]
    said += [*found.left_out, *found.cautions, *found.shortages]
    said += [sentence for one in found.requirements.values() if not one.unavailable for sentence in _hidden(one)]
    return tuple(said)


def _hidden(one: Requirement) -> list[str]:
    """Return a sentence for each layout that does not show our fields: new ones are put into the standard one only."""
    if one.module is None:
        return []
    every = dict.fromkeys(layout for field in one.module.fields.values() for layout in field.layouts)
    hidden = {
        layout: [label for label, field in one.plan.present.items() if field.layouts and layout not in field.layouts]
        for layout in every
    }
    return [
        f"The layout {layout!r} of {one.name} does not show {', '.join(labels)}: the values are there all the same; to "
        f"see them, drag the fields into it (Zoho CRM, Setup, Modules and Fields, {one.name}, Layouts)."
        for layout, labels in hidden.items()
        if labels
    ]
