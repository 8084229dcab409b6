"""Records named by an external id instead of Zoho's own: the header X-EXTERNAL ("External IDs", Kaizen #64)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho.errors import ApiError

if TYPE_CHECKING:
    from sandbox.zoho.model import Module
    from sandbox.zoho.organization import Organization

_IN_PATH, _IN_LOOKUP = 2, 3


def lookups_by_external_id(header: str) -> dict[str, str]:
    """Return the lookups that ``Module.Lookup.External_Field`` names, with the other module's field."""
    parts = [reference.strip().split(".") for reference in header.split(",")]
    return {each[1]: each[2] for each in parts if len(each) == _IN_LOOKUP}


def record_named(org: Organization, module: Module, given: str, header: str) -> str:
    """Return the id that a path names; with ``Module.External_Field`` it names that field's value.

    Raises:
        ApiError: INVALID_DATA if the header names no external field of the module.
    """
    for reference in header.split(","):
        parts = reference.strip().split(".")
        if len(parts) != _IN_PATH:
            continue
        field = module.fields.get(parts[1])
        if parts[0] != module.api_name or field is None or field.external is None:
            raise ApiError(400, "INVALID_DATA", {"header": "X-EXTERNAL"})
        ids = org.tables[module.api_name].find(field.api_name, given)
        return ids[0] if ids else given
    return given
