"""What an organization has, lacks and cannot have of what the settings ask for: one description for everyone.

A run stops at its problems and creates what is missing, a dry run tells of it, `freshbooks-zoho setup` shows it and
asks first, and `doctor` reports it. Decided without a network.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.stages import stage_table
from target_zoho_crm.org.access import denied
from target_zoho_crm.org.binding import bind, bind_extras
from target_zoho_crm.org.organization import DEALS, Organization, read_organization
from target_zoho_crm.org.pipelines import PipelineState, pipeline_state
from target_zoho_crm.org.requirements import CUSTOM_FIELDS, Creation, Requirement, requirements
from target_zoho_crm.org.specs import module_names, module_specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Extra, Layout
    from target_zoho_crm.settings import Settings

EDITIONS_WITH_CURRENCIES = frozenset({"enterprise", "zohoone", "ultimate", "crmplus"})
"""Where an administrator can switch several currencies on (Kaizen #52)."""


@dataclass(frozen=True)
class Survey:
    """An organization beside what the settings ask for.

    Attributes:
        organization: as it was read.
        requirements: what each stream needs; without "payments", a setting says that they have no module.
        extras: the user's own lines of each stream.
        layouts: where each stream goes once everything is created.
        stages: status → stage.
        pipeline: where deals go; None where invoices do not become deals.
        problems: what a person has to put right before a run can write, a sentence each.
    """

    organization: Organization
    requirements: Mapping[str, Requirement]
    extras: Mapping[str, tuple[Extra, ...]]
    layouts: Mapping[str, Layout]
    stages: Mapping[str, str]
    pipeline: PipelineState | None
    problems: tuple[str, ...]

    @property
    def creations(self) -> tuple[Creation, ...]:
        """What is to be created, module by module."""
        return tuple(one.creation for one in self.requirements.values() if one.creation)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Why a module will not be there, a sentence each."""
        return tuple(one.unavailable for one in self.requirements.values() if one.unavailable)


def read_survey(client: ZohoClient, settings: Settings) -> Survey:
    """Read the organization and survey it.

    Raises:
        ConfigurationError: as `survey` does.
        ZohoError: if it cannot be read, for want of a scope or a permission, say.
    """
    return survey(read_organization(client, module_names(settings)), settings)


def survey(organization: Organization, settings: Settings) -> Survey:
    """Compare an organization with what the settings ask for.

    Raises:
        ConfigurationError: if a setting names a module that cannot take the records, so that nothing else can be said.
    """
    specs = module_specs(organization, settings)
    found = dict(zip(specs, requirements(organization, list(specs.values())), strict=True))
    stages = stage_table(settings.stage_map)
    pipeline = None
    problems: list[str] = []
    if specs["invoices"].name == DEALS:
        pipeline = pipeline_state(organization, settings.pipeline, set(stages.values()))
        problems += [pipeline.problem] if pipeline.problem else []
    problems += [one.problem for one in found.values() if one.problem]
    if settings.payments_module:
        problems += [one.unavailable for one in found.values() if one.unavailable]
    extras: dict[str, tuple[Extra, ...]] = {}
    layouts: dict[str, Layout] = {}
    for stream, one in found.items():
        with _noting(problems):
            extras[stream] = bind_extras(organization, one.spec, stream, settings)
            if not one.unavailable:
                layouts[stream] = bind(stream, one.expected(organization), organization, extras[stream])
    there = [one.module.api_name for one in found.values() if one.module]
    problems += denied(organization, there, delete=settings.delete)
    return Survey(organization, found, extras, layouts, stages, pipeline, tuple(dict.fromkeys(problems)))


@contextmanager
def _noting(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        problems.append(str(error))


def limits(found: Survey) -> tuple[str, ...]:
    """Say what this organization cannot have, and what that means for the people who use it, a sentence each."""
    organization = found.organization
    said: list[str] = []
    if found.unavailable:
        said += [
            f"{reason} Until then payments show on their deal only, as FreshBooks Paid and FreshBooks Last Payment, "
            "not one by one."
            for reason in found.unavailable
        ]
    if organization.currencies is None:
        how = (
            "several can be switched on in Zoho CRM, Setup, General, Company Details, for good"
            if organization.edition in EDITIONS_WITH_CURRENCIES
            else "several need the Enterprise or Ultimate edition"
        )
        said.append(
            f"The organization has one currency, {organization.currency}: invoices in another show their amounts in "
            f"words, in the description, and not in the totals ({how})."
        )
    for one in found.requirements.values():
        if one.unavailable:
            continue
        name = _name(one)
        present = [one.plan.present[spec.label] for spec in one.spec.fields if spec.label in one.plan.present]
        wanted = {spec.label for spec in one.spec.fields if spec.unique}
        if one.plan.downgraded or any(not field.unique for field in present if field.label in wanted):
            said.append(
                f"FreshBooks ID cannot be unique in {name}, whose two unique fields are used for something else, or it "
                "was made without: records are looked up before each write, which takes more calls, and Zoho itself "
                "does not refuse a second record of the same ID."
            )
        said += _too_many(one, organization)
        said += _hidden(one, name)
    return tuple(said)


def shortages(found: Survey) -> tuple[str, ...]:
    """Say where the edition may have no room for the fields that are missing, so that a run may stop."""
    return tuple(
        sentence
        for one in found.requirements.values()
        if not one.unavailable
        for sentence in _too_many(one, found.organization)
    )


def _name(one: Requirement) -> str:
    return one.module.api_name if one.module else one.spec.name


def _too_many(one: Requirement, organization: Organization) -> list[str]:
    """Say so where the module's custom fields will be more than the edition is known to allow."""
    there = sum(field.custom for field in one.module.fields.values()) if one.module else 0
    allowed = CUSTOM_FIELDS.get(organization.edition)
    if allowed is None or not one.plan.missing or there + len(one.plan.missing) <= allowed:
        return []
    sentence = (
        f"{_name(one)} has {there} custom fields and needs {len(one.plan.missing)} more, while the edition "
        f"{organization.edition} is known to allow {allowed}: Zoho may refuse some, and without them nothing can be "
        "synced; remove fields, or move to a larger edition."
    )
    return [sentence]


def _hidden(one: Requirement, name: str) -> list[str]:
    """Say so where a layout does not show our fields: the API puts new ones into the standard layout only."""
    if one.module is None:
        return []
    every = dict.fromkeys(layout for field in one.module.fields.values() for layout in field.layouts)
    hidden = {
        layout: [label for label, field in one.plan.present.items() if field.layouts and layout not in field.layouts]
        for layout in every
    }
    return [
        f"The layout {layout!r} of {name} does not show {', '.join(labels)}: the values are there all the same; to see "
        f"them, drag the fields into it (Zoho CRM, Setup, Modules and Fields, {name}, Layouts)."
        for layout, labels in hidden.items()
        if labels
    ]
