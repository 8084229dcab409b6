"""May the run do what it is about to? By what the consent covers, and by what the user may do in each module.

A run that only finds out at its first write of a deal has written accounts by then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from target_zoho_crm.api.auth import CONNECT
from target_zoho_crm.api.coql import select
from target_zoho_crm.api.scopes import missing_scopes, module_scopes
from target_zoho_crm.errors import ScopeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.org.requirements import Creation


def check_consent(
    client: ZohoClient,
    organization: Organization,
    modules: Collection[str],
    *,
    creations: Iterable[Creation],
    delete: bool,
) -> None:
    """Make sure that the consent covers what a run does.

    Where the token endpoint does not say what a consent covers, each module that is there is asked for a record.

    Args:
        client: the organization's API.
        organization: as it was read.
        modules: API names of those that records go to.
        creations: what the run creates first.
        delete: whether records are deleted.

    Raises:
        ScopeError: naming every scope that is missing.
        PermissionDeniedError: if the user may not view a module.
    """
    granted = client.granted()
    if granted is None:
        client.map(partial(_look_into, client), sorted(organization.modules.keys() & set(modules)))
        return
    operations = ("READ", "CREATE", "UPDATE", *(["DELETE"] if delete else []))
    needed = [scope for module in modules for scope in module_scopes(module, operations)]
    needed += ["ZohoCRM.coql.READ", *module_scopes("Contacts", ["READ"])]
    for creation in creations:
        needed += ["ZohoCRM.settings.fields.CREATE", *(["ZohoCRM.settings.modules.CREATE"] if creation.is_new else [])]
    missing = missing_scopes(granted, needed)
    if missing:
        raise ScopeError(
            f"The consent given to Zoho lacks the scope{'s' * (len(missing) > 1)} {', '.join(missing)}. {CONNECT}"
        )


def _look_into(client: ZohoClient, module: str) -> None:
    query = select(["id"], module, "id is not null") + " limit 1"
    try:
        client.request("POST", "coql", json={"select_query": query})
    except ScopeError:
        reading = " or ".join(["ZohoCRM.coql.READ", *module_scopes(module, ["READ"])])
        raise ScopeError(f"The consent given to Zoho lacks the scope {reading}. {CONNECT}") from None


def denied(organization: Organization, modules: Collection[str], *, delete: bool) -> list[str]:
    """Say what the user may not do in modules that records go to, a sentence each, as far as Zoho says so beforehand.

    Args:
        organization: as it was read.
        modules: API names.
        delete: whether records are deleted.
    """
    needed = ("create", "edit", *(["delete"] if delete else []))
    said = []
    for module in modules:
        missing = [one for one in needed if one in organization.denied.get(module, ())]
        if missing:
            said.append(
                f"The Zoho user who gave the consent may not {' or '.join(missing)} records in {module}; grant it to "
                "the user's profile (Zoho CRM, Setup, Users and Control, Security Control), or give consent as an "
                "administrator."
            )
    return said
