"""Fields that exist and are not listed: in no layout, or hidden from the user who gave the consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.model import Module


def ask_unused(client: ZohoClient, module: Module) -> list[str]:
    """Ask for the ids of a module's fields that only ``type=all`` lists (one call; the page "Fields Metadata").

    Raises:
        ZohoError: if they cannot be read.
    """
    body = client.request("GET", "settings/fields", params={"module": module.api_name, "type": "all"}).body or {}
    used = {one.id for one in module.fields.values()}
    return [str(one["id"]) for one in body.get("fields") or () if one.get("id") and str(one["id"]) not in used]
