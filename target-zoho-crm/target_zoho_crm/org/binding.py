"""The mapping's tables bound to the modules of an organization, and the user's own lines with them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.layout import Column, Extra, Layout
from target_zoho_crm.mapping.properties import PROPERTIES
from target_zoho_crm.mapping.tables import OURS, SHARED, TABLES, Row
from target_zoho_crm.mapping.values import LOOKUPS
from target_zoho_crm.org.model import DEALS
from target_zoho_crm.org.specs import ACCOUNTS, field_spec

if TYPE_CHECKING:
    from target_zoho_crm.mapping.metadata import Field
    from target_zoho_crm.org.identity import Identities
    from target_zoho_crm.org.model import Module, Organization
    from target_zoho_crm.org.requirements import Requirement
    from target_zoho_crm.settings import Settings

UNDER_ITS_NAME = {"Deal_Name": "Name"}
"""What a custom module calls what Deals call otherwise."""
CONSTANT = "="
"""What the value of a line of `extra_fields` begins with that is written as it stands."""

logger = logging.getLogger("target-zoho-crm")


def bind(
    stream: str,
    required: Requirement,
    organization: Organization,
    extras: tuple[Extra, ...],
    page_layout: str | None = None,
) -> Layout:
    """Bind the table of a stream to the module it goes to.

    Args:
        stream: clients, invoices or payments.
        required: the module beside what is needed of it.
        organization: as it was read.
        extras: the user's own lines.
        page_layout: Zoho's id of the layout that a new record names.

    Raises:
        ConfigurationError: if a field of Zoho's that every record needs cannot be written.
    """
    module, fields = required.expected(organization), required.fields
    standard = module.api_name in {ACCOUNTS, DEALS}
    several = organization.currencies is not None or module.has_own_currencies
    columns = []
    for row in TABLES[stream]:
        if row.deals_only and module.api_name != DEALS:
            continue
        spec = field_spec(row, standard=standard, several=several)
        field = fields.get(spec.label) if spec else _native(module, row, standard=standard)
        if field is not None:
            columns.append(Column(replace(row, owner=OURS) if _says_currency(row, field) else row, field))
    own_currency = any(column.row.zoho == "Currency" and column.field.data_type == "picklist" for column in columns)
    return Layout(
        stream=stream,
        module=module.api_name,
        columns=tuple(columns),
        currency=organization.currency,
        currencies=(organization.currencies or frozenset({organization.currency})) if own_currency else None,
        extras=extras,
        missing=frozenset(column.field.api_name for column in columns if column.field.api_name not in module.fields),
        page_layout=page_layout,
        page_name=next((one.name for one in module.layouts if one.id == page_layout), None),
        foreign=module.api_name in organization.foreign,
    )


def _says_currency(row: Row, field: Field) -> bool:
    """Return whether a field only says the currency of an invoice or payment: a text of ours, which can be changed."""
    return row.zoho == "Currency" and row.ours is not None and field.data_type != "picklist"


def _native(module: Module, row: Row, *, standard: bool) -> Field | None:
    """Return Zoho's own field for a row; None if the organization does without it."""
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


def bind_extras(
    required: Requirement, stream: str, settings: Settings, identities: Identities
) -> tuple[tuple[Extra, ...], dict[str, Field]]:
    """Check a stream's `extra_fields` and bind them.

    Returns:
        The lines, and the fields that they name, by the name in the settings.

    Raises:
        ConfigurationError: naming the line that cannot be used.
    """
    extras, named = [], {}
    own = {one.api_name for one in required.plan.present.values()}
    for name, source in settings.extra_fields.get(stream, {}).items():
        where, module = f"In the setting extra_fields, {stream}: ", required.module
        field = identities.named(module, name) if module else None
        if field is None:
            raise ConfigurationError(
                f"{where}{required.name} has no field {name!r}; create it in Zoho, or correct the name."
            )
        if field.read_only or field.data_type in LOOKUPS:
            raise ConfigurationError(f"{where}the field {name!r} of {required.name} cannot be written.")
        if field.api_name in own or field.api_name in {row.zoho for row in TABLES[stream]}:
            raise ConfigurationError(f"{where}the field {name!r} has its value from the mapping already.")
        named[name] = field
        if source.startswith(CONSTANT):
            extras.append(Extra(field, (), source[len(CONSTANT) :].strip()))
            continue
        path = tuple(source.split("."))
        if path[0] not in PROPERTIES[stream]:
            raise ConfigurationError(
                f"{where}FreshBooks' {stream} have no property {path[0]!r}; a value of your own begins with "
                f'{CONSTANT!r}, such as "{CONSTANT}FreshBooks".'
            )
        extras.append(Extra(field, path))
    return tuple(extras), named
