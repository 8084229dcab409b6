"""Before the first write: is everything there that the run needs? What is missing and may be created is.

Whatever is wrong stops the run here, with one sentence, so that nothing is half done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.layout import Column, Extra, Layout
from target_zoho_crm.mapping.properties import PROPERTIES
from target_zoho_crm.mapping.stages import stage_table
from target_zoho_crm.mapping.tables import SHARED, TABLES, Row
from target_zoho_crm.mapping.values import LOOKUPS
from target_zoho_crm.org.organization import DEALS, Field, Module, read_organization
from target_zoho_crm.org.pipelines import check_stages, pipelines_of
from target_zoho_crm.org.provisioning import (
    EDITIONS_WITH_MODULES,
    FieldSpec,
    ModuleSpec,
    Provision,
    Provisioned,
    plan_fields,
    provision,
)
from target_zoho_crm.settings import NO_MODULE, PAYMENTS_MODULE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.organization import Organization
    from target_zoho_crm.settings import Settings

ACCOUNTS = "Accounts"
WITH_LINE_ITEMS = frozenset({"Invoices", "Quotes", "Sales_Orders", "Purchase_Orders"})
"""Zoho's own modules whose records need line items of products, which FreshBooks' lines are not."""
OTHER_PURPOSE = frozenset(
    {"Accounts", "Contacts", "Leads", "Tasks", "Events", "Calls", "Products", "Vendors", "Campaigns"}
)
UNDER_ITS_NAME = {"Deal_Name": "Name"}
"""What a custom module calls what Deals call otherwise."""

logger = logging.getLogger("target-zoho-crm")


@dataclass(frozen=True)
class Ready:
    """What preflight found.

    Attributes:
        organization: as it was read.
        layouts: where each stream goes; without "payments" they are only rolled up on the deals.
        stages: status → stage.
        pipeline: the one to send with each deal; None where the organization has none.
        to_create: in a dry run, what a real run would create first, one sentence each.
    """

    organization: Organization
    layouts: Mapping[str, Layout]
    stages: Mapping[str, str]
    pipeline: str | None
    to_create: tuple[str, ...] = ()


def prepare(client: ZohoClient, settings: Settings) -> Ready:
    """Check the organization against the settings, and create the fields and the module that are missing.

    In a dry run nothing is created; the layouts then name fields that are not there yet.

    Raises:
        ConfigurationError: if a setting or the organization has to be changed first.
        ZohoError: if Zoho refuses, for want of a scope or a permission, say.
    """
    names = [ACCOUNTS, settings.invoices_module, settings.payments_module or PAYMENTS_MODULE]
    organization = read_organization(client, tuple(dict.fromkeys(name for name in names if name != NO_MODULE)))
    invoices_module = _invoices_module(organization, settings)
    stages = stage_table(settings.stage_map)
    pipeline = None
    if invoices_module == DEALS:
        chosen = check_stages(pipelines_of(organization), settings.pipeline, set(stages.values()))
        pipeline = chosen.name or None
    specs = _specs(organization, settings, invoices_module)
    extras = {stream: _extras(organization, spec, stream, settings) for stream, spec in specs.items()}
    if settings.dry_run and settings.create_fields:
        provisioned, to_create = _pretend(organization, tuple(specs.values()))
    else:
        provisioned = provision(client, organization, tuple(specs.values()), create_fields=settings.create_fields)
        to_create = ()
    for reason in provisioned.unavailable.values():
        if settings.payments_module:
            raise ConfigurationError(reason)
        logger.warning("%s Until then payments are shown on the deals only, as their last payment's date.", reason)
    layouts = {
        stream: _layout(stream, provisioned.modules[spec.name], organization, extras[stream])
        for stream, spec in specs.items()
        if spec.name in provisioned.modules
    }
    return Ready(organization, layouts, stages, pipeline, to_create)


def _invoices_module(organization: Organization, settings: Settings) -> str:
    """Give the API name of the module for invoices, if it is one that can take them."""
    found = organization.find(settings.invoices_module)
    if settings.invoices_module in WITH_LINE_ITEMS or found in WITH_LINE_ITEMS | OTHER_PURPOSE:
        raise ConfigurationError(
            f"The setting invoices_module is {settings.invoices_module!r}, one of Zoho's own modules, which cannot "
            "take FreshBooks invoices as they are; choose Deals or a custom module."
        )
    if found is None:
        raise ConfigurationError(
            f"The setting invoices_module is {settings.invoices_module!r}, and Zoho has no such module, or the consent "
            "does not cover it; choose Deals, or create the module in Zoho first."
        )
    return found


def _specs(organization: Organization, settings: Settings, invoices_module: str) -> dict[str, ModuleSpec]:
    """Give the module and the fields that each stream needs."""
    several = organization.currencies is not None
    specs = {
        "clients": ModuleSpec(ACCOUNTS, _fields("clients", standard=True, several=several)),
        "invoices": ModuleSpec(
            invoices_module, _fields("invoices", standard=invoices_module == DEALS, several=several)
        ),
    }
    if settings.payments_module == NO_MODULE:
        return specs
    name = settings.payments_module or PAYMENTS_MODULE
    found = organization.find(name)
    if found in WITH_LINE_ITEMS | OTHER_PURPOSE | {DEALS, invoices_module}:
        raise ConfigurationError(
            f"The setting payments_module is {name!r}, which has another purpose; choose a custom module of its own, "
            f"or {NO_MODULE!r}."
        )
    fields = tuple(
        replace(spec, lookup_module=invoices_module) if spec.label == "Deal" else spec
        for spec in _fields("payments", standard=False, several=several)
    )
    specs["payments"] = ModuleSpec(name, fields, singular="FreshBooks Payment" if name == PAYMENTS_MODULE else None)
    return specs


def _fields(stream: str, *, standard: bool, several: bool) -> tuple[FieldSpec, ...]:
    found = (_spec(row, standard=standard, several=several) for row in TABLES[stream])
    return tuple(spec for spec in found if spec is not None)


def _spec(row: Row, *, standard: bool, several: bool) -> FieldSpec | None:
    """Give the field of ours that a row needs; None where Zoho has its own.

    Args:
        row: of the mapping's table.
        standard: whether the module is one of Zoho's own, with Zoho's own fields.
        several: whether the organization has several currencies, so that records have a Currency of their own.
    """
    if row.zoho is None or row.ours is None:
        return row.ours
    return None if standard or (several and row.zoho == "Currency") else row.ours


def _layout(stream: str, provisioned: Provisioned, organization: Organization, extras: tuple[Extra, ...]) -> Layout:
    """Bind the table of a stream to the module it goes to."""
    module = provisioned.module
    standard = module.api_name in {ACCOUNTS, DEALS}
    several = organization.currencies is not None
    columns = []
    for row in TABLES[stream]:
        if row.deals_only and module.api_name != DEALS:
            continue
        spec = _spec(row, standard=standard, several=several)
        field = provisioned.fields[spec.label] if spec else _native(module, row, standard=standard)
        if field is not None:
            columns.append(Column(row, field))
    own_currency = any(column.row.zoho == "Currency" and column.field.data_type == "picklist" for column in columns)
    return Layout(
        stream=stream,
        module=module.api_name,
        columns=tuple(columns),
        currency=organization.currency,
        currencies=organization.currencies if own_currency else None,
        extras=extras,
        missing=frozenset(column.field.api_name for column in columns if column.field.api_name not in module.fields),
    )


def _native(module: Module, row: Row, *, standard: bool) -> Field | None:
    """Give Zoho's own field for a row; None if the organization does without it.

    Raises:
        ConfigurationError: if it is one that every record needs.
    """
    name = row.zoho if standard else UNDER_ITS_NAME.get(row.zoho or "", row.zoho)
    field = module.fields.get(name or "")
    if field is not None and not field.read_only:
        return field
    if name in {"Account_Name", "Deal_Name", "Name", "Stage", "Amount", "Closing_Date"}:
        what = "cannot be written by" if field else "is not visible to"
        raise ConfigurationError(
            f"The field {name} of {module.api_name} {what} the Zoho user who gave the consent; allow it in the user's "
            "profile (Zoho CRM, Setup, Security Control, Profiles)."
        )
    if row.owner == SHARED or field is not None:
        logger.info("%s has no field %s that can be written, so it is left out", module.api_name, name)
    return None


def _extras(organization: Organization, spec: ModuleSpec, stream: str, settings: Settings) -> tuple[Extra, ...]:
    """Check a stream's `extra_fields` and bind them."""
    module = organization.modules.get(organization.find(spec.name) or "")
    found = []
    for name, path in settings.extra_fields.get(stream, {}).items():
        where = f"In the setting extra_fields, {stream}: "
        field = (module.fields.get(name) or module.by_label(name)) if module else None
        if field is None:
            raise ConfigurationError(
                f"{where}{spec.name} has no field {name!r}; create it in Zoho, or correct the name."
            )
        if field.read_only or field.data_type in LOOKUPS:
            raise ConfigurationError(f"{where}the field {name!r} of {spec.name} cannot be written.")
        if field.label in {one.label for one in spec.fields} or field.api_name in {row.zoho for row in TABLES[stream]}:
            raise ConfigurationError(f"{where}the field {name!r} has its value from the mapping already.")
        if path.split(".")[0] not in PROPERTIES[stream]:
            raise ConfigurationError(f"{where}FreshBooks' {stream} have no property {path.split('.')[0]!r}.")
        found.append(Extra(field, tuple(path.split("."))))
    return tuple(found)


def _pretend(organization: Organization, specs: tuple[ModuleSpec, ...]) -> tuple[Provision, tuple[str, ...]]:
    """Give what `provision` would, without creating anything, and what it would create."""
    modules: dict[str, Provisioned] = {}
    unavailable: dict[str, str] = {}
    to_create: list[str] = []
    for spec in specs:
        module = organization.modules.get(organization.find(spec.name) or "")
        if module is None and spec.singular is None:
            raise ConfigurationError(f"There is no module {spec.name!r} in Zoho, or the consent does not cover it.")
        if module is None and organization.edition not in EDITIONS_WITH_MODULES:
            unavailable[spec.name] = f"There is no module {spec.name!r}, and this edition cannot have it created."
            continue
        if module is None:
            to_create.append(f"the module {spec.name!r} (500 credits)")
            name = Field("Name", f"{spec.singular} Name"[:25], "text", length=120, mandatory=True)
            module = Module(spec.name.replace(" ", "_"), spec.name, {"Name": name})
        plan = plan_fields(module, spec.fields)
        if plan.unusable:
            raise ConfigurationError("In Zoho, " + "; ".join(plan.unusable) + ". Rename or remove it.")
        if plan.missing:
            to_create.append(f"in {module.api_name}: " + ", ".join(one.label for one in plan.missing))
        fields = {**plan.present, **{one.label: _future(one) for one in plan.missing}}
        modules[spec.name] = Provisioned(module, fields)
    return Provision(modules, unavailable), tuple(to_create)


def _future(spec: FieldSpec) -> Field:
    """Describe a field that is yet to be created."""
    places = spec.decimal_places if spec.data_type == "currency" else None
    return Field(
        spec.label.replace(" ", "_"), spec.label, spec.data_type, spec.length, places,
        unique=spec.unique, custom=True, lookup_module=spec.lookup_module,
    )  # fmt: skip
