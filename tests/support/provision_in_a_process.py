"""What the tests of provisioning want to have, and a process of its own that asks for it when it is told to."""

from __future__ import annotations

import json
import os
import sys

from singer_store import open_store
from target_zoho_crm.api.auth import refresher
from target_zoho_crm.api.client import ZohoClient
from target_zoho_crm.mapping.metadata import FieldSpec
from target_zoho_crm.org.fields import ModuleSpec
from target_zoho_crm.org.organization import read_organization
from target_zoho_crm.org.provisioning import provision
from target_zoho_crm.org.requirements import requirements

KEY = FieldSpec("FreshBooks ID", "text", length=100, unique=True)
ACCOUNTS = ModuleSpec(
    "Accounts",
    (
        KEY,
        FieldSpec("FreshBooks Email", "email"),
        FieldSpec("FreshBooks Outstanding", "currency"),
        FieldSpec("FreshBooks Overdue", "currency"),
        FieldSpec("FreshBooks State", "text", length=20),
        FieldSpec("FreshBooks Updated", "datetime"),
        FieldSpec("FreshBooks Since", "date"),
    ),
)
DEALS = ModuleSpec("Deals", (KEY, FieldSpec("FreshBooks Lines", "textarea", length=32000)))
PAYMENTS = ModuleSpec(
    "FreshBooks Payments",
    (
        KEY,
        FieldSpec("Amount", "currency"),
        FieldSpec("Deal", "lookup", lookup_module="Deals"),
        FieldSpec("Account", "lookup", lookup_module="Accounts"),
    ),
    singular="FreshBooks Payment",
)
ALL = (ACCOUNTS, DEALS, PAYMENTS)


def main(store_url: str, accounts_url: str, client_id: str) -> None:
    """Read, say so, wait for a line, provision, and print the labels of the fields by module."""
    refresh = refresher(client_id, os.environ["SECRET"], accounts_url)
    with open_store(store_url, os.environ["KEY"]) as store:
        token = os.environ["TOKEN"]
        broker = store.broker(service="zoho", client_id=client_id, seed=token, refresh=refresh, rotates=False)
        with ZohoClient(broker, max_parallel=4, user_agent="target-zoho-crm/test") as client:
            organization = read_organization(client)
            print("ready", flush=True)  # noqa: T201
            sys.stdin.readline()
            provision(client, requirements(organization, ALL))
            names = [spec.name for spec in ALL]
            found = requirements(read_organization(client, names), ALL)
    print(json.dumps({one.spec.name: sorted(one.plan.present) for one in found}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
