"""What the user of the API may do ("NO_PERMISSION", named by Zoho as ``Crm_Implied_Create_Deals``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho.errors import ApiError

if TYPE_CHECKING:
    from sandbox.zoho.model import Module
    from sandbox.zoho.organization import Organization

CUSTOMIZE = "Crm_Implied_Customize_Zoho_CRM"
"""The permission to make fields, modules and pipelines."""


def named(action: str, module: str) -> str:
    """Return Zoho's name of the permission to view, create, edit or delete a module's records."""
    return f"Crm_Implied_{action.capitalize()}_{module}"


def may(org: Organization, action: str, module: Module) -> bool:
    """Return whether the user may view, create, edit or delete a module's records."""
    return named(action, module.api_name) not in org.forbidden


def need(org: Organization, *permissions: str) -> None:
    """Refuse a user who lacks one of these permissions.

    Raises:
        ApiError: NO_PERMISSION with those that are missing, in a list or, where that is switched on, as text.
    """
    missing = [each for each in permissions if each in org.forbidden]
    if missing:
        shown = ", ".join(missing) if org.switches.permissions_as_text else missing
        raise ApiError(403, "NO_PERMISSION", {"permissions": shown})


def need_view(org: Organization, module: Module, unknown: ApiError) -> None:
    """Refuse a user who may not see a module.

    Raises:
        ApiError: NO_PERMISSION, or where that is switched on, `unknown`: the answer about a module that is not there.
    """
    if not may(org, "view", module) and org.switches.hidden_module_refusal == "INVALID_MODULE":
        raise unknown
    need(org, named("view", module.api_name))
