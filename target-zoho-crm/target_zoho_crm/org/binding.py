"""The mapping's tables bound to the modules of an organization, and the user's own lines with them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.layout import Column, Extra, Layout
from target_zoho_crm.mapping.properties import PROPERTIES
from target_zoho_crm.mapping.tables import SHARED, TABLES, Row
from target_zoho_crm.mapping.values import LOOKUPS
from target_zoho_crm.org.organization import DEALS
from target_zoho_crm.org.specs import ACCOUNTS, field_spec

if TYPE_CHECKING:
    from target_zoho_crm.org.fields import ModuleSpec
    from target_zoho_crm.org.organization import Field, Module, Organization
    from target_zoho_crm.org.requirements import Provisioned
    from target_zoho_crm.settings import Settings

UNDER_ITS_NAME = {"Deal_Name": "Name"}
"""What a custom module calls what Deals call otherwise."""

logger = logging.getLogger("target-zoho-crm")


def bind(stream: str, provisioned: Provisioned, organization: Organization, extras: tuple[Extra, ...]) -> Layout:
    """Bind the table of a stream to the module it goes to.

    Raises:
        ConfigurationError: if a field of Zoho's that every record needs cannot be written.
    """
    module = provisioned.module
    standard = module.api_name in {ACCOUNTS, DEALS}
    several = organization.currencies is not None
    columns = []
    for row in TABLES[stream]:
        if row.deals_only and module.api_name != DEALS:
            continue
        spec = field_spec(row, standard=standard, several=several)
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
    """Give Zoho's own field for a row; None if the organization does without it."""
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


def bind_extras(organization: Organization, spec: ModuleSpec, stream: str, settings: Settings) -> tuple[Extra, ...]:
    """Check a stream's `extra_fields` and bind them.

    Raises:
        ConfigurationError: naming the line that cannot be used.
    """
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
