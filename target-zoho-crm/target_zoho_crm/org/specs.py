"""Which modules and fields of Zoho each stream needs, by the mapping's tables and the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.tables import NEEDED_MOST, TABLES, Row
from target_zoho_crm.org.fields import ModuleSpec
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.model import DEALS
from target_zoho_crm.settings import NO_MODULE, PAYMENTS_MODULE

if TYPE_CHECKING:
    from target_zoho_crm.mapping.metadata import FieldSpec
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.settings import Settings

ACCOUNTS = "Accounts"
WITH_LINE_ITEMS = frozenset({"Invoices", "Quotes", "Sales_Orders", "Purchase_Orders"})
"""Zoho's own modules whose records need line items of products, which FreshBooks' lines are not."""
OTHER_PURPOSE = frozenset(
    {"Accounts", "Contacts", "Leads", "Tasks", "Events", "Calls", "Products", "Vendors", "Campaigns"}
)


def module_names(settings: Settings) -> tuple[str, ...]:
    """Return the modules to be read, by API name or label."""
    names = [ACCOUNTS, settings.invoices_module, settings.payments_module or PAYMENTS_MODULE]
    return tuple(dict.fromkeys(name for name in names if name != NO_MODULE))


def module_specs(
    organization: Organization, settings: Settings, identities: Identities | None = None
) -> dict[str, ModuleSpec]:
    """Return what each stream needs; without "payments", they only show on their deals.

    Args:
        organization: as it was read.
        settings: of the target.
        identities: by which modules are known.

    Raises:
        ConfigurationError: if a setting names a module that cannot take the records.
    """
    known = identities or Identities()
    invoices_module = _invoices_module(organization, settings, known)
    is_deals = invoices_module == DEALS
    specs = {
        "clients": ModuleSpec(ACCOUNTS, _fields("clients", standard=True, several=_several(organization, ACCOUNTS))),
        "invoices": ModuleSpec(
            settings.invoices_module,
            _fields("invoices", standard=is_deals, several=_several(organization, invoices_module)),
        ),
    }
    if settings.payments_module == NO_MODULE:
        return specs
    name = settings.payments_module or PAYMENTS_MODULE
    found = known.find_module(organization.listed, name)
    if found in WITH_LINE_ITEMS | OTHER_PURPOSE | {DEALS, invoices_module}:
        raise ConfigurationError(
            f"The setting payments_module is {name!r}, which has another purpose; choose a custom module of its own, "
            f"or {NO_MODULE!r}."
        )
    fields = tuple(
        replace(spec, lookup_module=invoices_module) if spec.label == "Deal" else spec
        for spec in _fields("payments", standard=False, several=_several(organization, found))
    )
    specs["payments"] = ModuleSpec(name, fields, singular="FreshBooks Payment" if name == PAYMENTS_MODULE else None)
    return specs


def _invoices_module(organization: Organization, settings: Settings, known: Identities) -> str:
    """Return the API name of the module for invoices, if it is one that can take them."""
    found = known.find_module(organization.listed, settings.invoices_module)
    if settings.invoices_module in WITH_LINE_ITEMS or found in WITH_LINE_ITEMS | OTHER_PURPOSE:
        raise ConfigurationError(
            f"The setting invoices_module is {settings.invoices_module!r}, one of Zoho's own modules, which cannot "
            "take FreshBooks invoices as they are; choose Deals or a custom module."
        )
    if found is None:
        raise ConfigurationError(
            f"The setting invoices_module is {settings.invoices_module!r}, and Zoho has no such module, or the user "
            "who gave the consent may not see it; choose Deals, or create the module in Zoho first."
        )
    return found


def _several(organization: Organization, module: str | None) -> bool:
    """Return whether records of a module have a currency of their own."""
    there = organization.modules.get(module or "")
    return organization.currencies is not None or (there is not None and there.has_own_currencies)


def _fields(stream: str, *, standard: bool, several: bool) -> tuple[FieldSpec, ...]:
    """Return the fields of ours that a stream needs, the most needed first."""
    wanted = [spec for row in TABLES[stream] if (spec := field_spec(row, standard=standard, several=several))]
    order = {label: number for number, label in enumerate(NEEDED_MOST)}
    return tuple(sorted(wanted, key=lambda spec: order.get(spec.label, len(order))))


def field_spec(row: Row, *, standard: bool, several: bool) -> FieldSpec | None:
    """Return the field of ours that a row needs; None where Zoho has its own.

    Args:
        row: of the mapping's table.
        standard: whether the module is one of Zoho's own, with Zoho's own fields.
        several: whether the organization has several currencies, so that records have a Currency of their own.
    """
    if row.zoho is None or row.ours is None:
        return row.ours
    return None if standard or (several and row.zoho == "Currency") else row.ours
