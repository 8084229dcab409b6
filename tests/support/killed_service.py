"""`serve` killed again and again while FreshBooks changes, and what Zoho has in the end."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from support.companion import free_port
from support.serving import Served, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox
    from singer_store import Store

INVOICES_A_ROUND = 8


@dataclass
class Survived:
    """What was sent, what was promised, what is there.

    Attributes:
        made: FreshBooks IDs of the invoices that were made.
        acknowledged: of those whose event was acknowledged.
        deals: FreshBooks ID → how many deals have it.
        accounts: the same of accounts.
        amounts: whether each deal has the amount of its invoice.
    """

    made: set[str]
    acknowledged: set[str]
    deals: Counter[str]
    accounts: Counter[str]
    amounts: bool


def kill_and_start(box: Sandbox, store: Store, project: Path, rounds: int) -> Survived:
    """Kill the service in the midst of taking events, or of a run, so many times; then let it end its work.

    Args:
        box: the services; with a little latency, a kill hits in the middle of something.
        store: the project's.
        project: of Meltano.
        rounds: how often; each fifth time while a run writes.
    """
    books, zoho, chance, port = box.freshbooks, box.zoho, random.Random(5), free_port()
    url = f"http://127.0.0.1:{port}"
    made: dict[str, str] = {}
    client = books.create_client(organization="Alder Ltd")

    def acknowledged() -> set[str]:
        sent = (one for one, status in box.deliveries.outcomes if one.service == "freshbooks" and status == 200)
        events = [parse_qs(one.body.decode()) for one in sent]
        return {f"{books.account_id}:{one['object_id'][0]}" for one in events if one["name"][0].startswith("invoice.")}

    for number, moment in zip(range(rounds), cycle((*["acknowledged"] * 4, "written"))):
        with Served(project, f"serve-{number}", public=False, port=port, public_url=url, debounce=0.2) as service:
            eventually(service.takes_events)
            if moment == "written":
                # The lease of the one that was killed has to be taken over first.
                eventually(lambda service=service: service.says("A run for what changed ended well"))
            before = len(acknowledged()), len(zoho.writes)
            if number % 2:
                client = books.create_client(organization=f"Client {number}")
            for one in range(INVOICES_A_ROUND):
                amount = f"{number}.{one + 1:02}"
                line = {"name": "Design", "unit_cost": {"amount": amount, "code": "USD"}, "qty": 1}
                invoice = books.create_invoice(client["id"], [line], action_mark_as_sent=True)
                made[f"{books.account_id}:{invoice['id']}"] = amount
            books.update_client(client["id"], p_city=f"City {number}")
            more = chance.randint(1, 6)
            if moment == "acknowledged":
                eventually(lambda before=before, more=more: len(acknowledged()) >= before[0] + more)
            else:
                eventually(lambda before=before, more=more: len(zoho.writes) >= before[1] + more)
            service.process.kill()
            service.process.wait()

    with Served(project, "serve at last", public=False, port=port, public_url=url) as service:
        eventually(lambda: service.says("A run for what changed ended well"))
        # What has failed again and again waits for up to a quarter of an hour.
        eventually(lambda: not store.pending.all(), 900)
        assert service.stop() == 0
    deals, accounts = (zoho.records(name) for name in ("Deals", "Accounts"))
    return Survived(
        set(made),
        acknowledged(),
        Counter(row["FreshBooks_ID"] for row in deals),
        Counter(row["FreshBooks_ID"] for row in accounts),
        all(made.get(row["FreshBooks_ID"]) == str(row["Amount"]) for row in deals),
    )
