"""Values in the field of the FreshBooks ID that are not ours: an earlier integration may have had one of that label.

Ours is ``<account_id>:<id>``. A plain number may be that of a client, an invoice or a payment, which it then links;
what else is there belongs to somebody, and a record that carries it is nobody's to take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_zoho_crm.api.coql import select
from target_zoho_crm.errors import PermissionDeniedError, RequestError, ScopeError

if TYPE_CHECKING:
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout

EXAMPLES = 3


def ask_foreign(client: ZohoClient, layout: Layout) -> list[str]:
    """Return some values of the field of the FreshBooks ID that are not ours (one call); none where it cannot be asked.

    Args:
        client: the organization's API.
        layout: where a stream goes; its field is there already.
    """
    key = layout.key.api_name
    query = select((key,), layout.module, f"({key} is not null and {key} not like '%:%')", key)
    try:
        body = client.request("POST", "coql", json={"select_query": f"{query} limit 0, {EXAMPLES}"}).body or {}
    except (RequestError, ScopeError, PermissionDeniedError):
        return []
    return [str(row[key]) for row in body.get("data") or [] if row.get(key)]


def in_words(layout: Layout, values: tuple[str, ...]) -> str:
    """Return a sentence about values that are not ours."""
    return (
        f"The field {layout.key.label!r} of {layout.module} holds values that this product has not written, such as "
        f"{', '.join(map(repr, values))}. A plain number that is the id of a client, an invoice or a payment links "
        "that one; records with other values are left alone, and a client that has the name of one waits. Empty the "
        "field where its values are of no use to anybody any more."
    )
