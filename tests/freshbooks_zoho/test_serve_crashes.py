"""kill -9 of the whole service in the midst of its work: what was acknowledged is in Zoho, once."""

from __future__ import annotations

import random
from collections import Counter
from itertools import cycle
from urllib.parse import parse_qs

import pytest
from support.companion import free_port
from support.meltano_project import make_project, plugin_settings
from support.serving import Served, eventually

from sandbox import Sandbox
from singer_store import open_store


def line(amount):
    return {"name": "Design", "unit_cost": {"amount": amount, "code": "USD"}, "qty": 1}


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("store_settings", "rounds"), [("sqlite", 10), ("postgresql", 3)], indirect=["store_settings"])
def test_what_was_acknowledged_is_in_zoho_once_however_often_the_service_is_killed(tmp_path, store_settings, rounds):
    chance, port = random.Random(5), free_port()
    # With a little latency, a kill hits in the middle of something.
    with Sandbox(latency=0.02) as box, open_store(*store_settings) as store:
        books, zoho = box.freshbooks, box.zoho
        project = make_project(tmp_path / "project", **plugin_settings(box, *store_settings))
        client = books.create_client(organization="Alder Ltd")

        def served(number):
            return Served(
                project, f"serve-{number}", public=False, port=port, public_url=f"http://127.0.0.1:{port}", debounce=0.2
            )

        def acknowledged():
            return {
                int(parse_qs(one.body.decode())["object_id"][0])
                for one, status in box.deliveries.outcomes
                if one.service == "freshbooks" and status == 200 and b"name=invoice" in one.body
            }

        for number, moment in zip(range(rounds), cycle(("acknowledged", "acknowledged", "written"))):
            with served(number) as service:
                eventually(lambda service=service: service.says("Listening on"))
                eventually(lambda: sum(callback.verified for callback in books.callbacks()) == 3)
                if moment == "written":
                    # The lease of the one that was killed has to end first.
                    eventually(lambda service=service: service.says("A run for what changed ended well"))
                before = len(acknowledged()), len(zoho.writes)
                if number % 2:
                    client = books.create_client(organization=f"Client {number}")
                for amount in range(1, 9):
                    books.create_invoice(client["id"], [line(f"{number}.{amount:02}")], action_mark_as_sent=True)
                books.update_client(client["id"], p_city=f"City {number}")
                more = chance.randint(1, 6)
                if moment == "acknowledged":
                    eventually(lambda before=before, more=more: len(acknowledged()) >= before[0] + more)
                else:
                    eventually(lambda before=before, more=more: len(zoho.writes) >= before[1] + more)
                service.process.kill()
                service.process.wait()

        with served("at last") as service:
            eventually(lambda: service.says("A run for what changed ended well"))
            eventually(lambda: not store.pending.all())
            assert service.stop() == 0

        deals, accounts = (
            Counter(row["FreshBooks_ID"] for row in zoho.records(name)) for name in ("Deals", "Accounts")
        )
        assert set(deals.values()) | set(accounts.values()) == {1}
        assert len(accounts) == 1 + rounds // 2
        assert {f"{books.account_id}:{one}" for one in acknowledged()} <= deals.keys()
        # What was not acknowledged is found, too: FreshBooks itself has it.
        assert len(deals) == 8 * rounds
        amounts = sorted(str(row["Amount"]) for row in zoho.records("Deals"))
        assert amounts == sorted(f"{number}.{amount:02}" for number in range(rounds) for amount in range(1, 9))
