"""`retry` and `dismiss`: by stream and id, or all; what is not there is said."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.fernet import Fernet
from support.meltano_project import BIN, make_project, plugin_settings
from support.pipeline import Pipeline
from support.shell import Shell

from freshbooks_zoho.admin.queue import choose, with_waiting
from freshbooks_zoho.runs.leadership import TTL, lease_of
from freshbooks_zoho.zoho.watch import ZOHO
from singer_store import PendingObject, open_store

LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}
A = "ZyQ04o"


def now():
    return datetime.now(timezone.utc)


def put_off(store, account, stream, *ids, reason="rejected", waits_for=None, code="INVALID_DATA"):
    """Objects that have failed so often that no run looks at them for a while."""
    for object_id in ids:
        for _ in range(5):
            store.pending.fail(
                account, stream, str(object_id), reason, error={"code": code}, waits_for=waits_for, now=now()
            )


@pytest.fixture
def pipeline(box, tmp_path):
    return Pipeline(box, tmp_path, tap={"account_id": box.freshbooks.account_id})


@pytest.fixture
def shell(pipeline, monkeypatch):
    with pipeline.session() as opened:
        return Shell(opened.settings, monkeypatch)


@pytest.fixture
def queued(shell, box):
    """Two rejected invoices, a client that is ambiguous, its invoice and its payment, and what is none of these."""
    account = box.freshbooks.account_id
    with open_store(*shell.store_settings) as store:
        put_off(store, account, "invoices", 5, 6)
        put_off(store, account, "clients", 1, reason="ambiguous", code="AMBIGUOUS")
        put_off(store, account, "invoices", 7, reason="parent", waits_for="clients:1", code="PARENT_MISSING")
        put_off(store, account, "payments", 9, reason="parent", waits_for="invoices:7", code="PARENT_MISSING")
        put_off(store, "another business", "invoices", 5)
        store.pending.queue(ZOHO, "Deals", ["5725"], "event", now=now())
    return shell


def due(shell):
    return {key for key, one in shell.pending().items() if one.next_try is None}


# Which


def test_just_those_that_are_named_are_tried_again(queued):
    code, output = queued("retry", "invoices", "5")
    assert (code, "1 object to be synced again with the next run" in output) == (0, True)
    assert due(queued) == {("invoices", "5")}
    assert queued.pending()["invoices", "5"].reason == "retry"


def test_what_waits_for_an_object_comes_with_it(queued):
    assert queued("retry", "clients", "1")[0] == 0
    assert due(queued) == {("clients", "1"), ("invoices", "7"), ("payments", "9")}


def test_without_ids_all_of_a_stream_or_all_are_meant(queued):
    queued("retry", "invoices")
    assert due(queued) == {("invoices", "5"), ("invoices", "6"), ("invoices", "7"), ("payments", "9")}
    code, output = queued("retry", "--all", "--json")
    assert (code, len(json.loads(output)["retried"])) == (0, 5)


def test_what_is_not_there_is_said_and_the_rest_is_done(queued):
    code, output = queued("retry", "invoices", "5", "99")
    assert code == 1
    assert "Not among what is still to be synced: invoices 99" in output
    assert due(queued) == {("invoices", "5")}

    code, output = queued("dismiss", "invoices", "99", "--json")
    assert code == 1
    assert json.loads(output) == {"dismissed": [], "missing": [{"stream": "invoices", "id": "99"}], "served": False}


def test_of_several_businesses_in_one_store_only_this_ones_objects_are_touched(queued):
    queued("dismiss", "invoices", "5")
    assert ("invoices", "5") not in queued.pending()
    assert ("invoices", "5") in queued.pending("another business")


def test_dismissing_many_is_asked_about_once_more(queued, box):
    with open_store(*queued.store_settings) as store:
        put_off(store, box.freshbooks.account_id, "payments", 11)
    code, output = queued("dismiss", "--all")
    assert (code, "6 objects would be dismissed: add --yes" in output) == (2, True)
    assert len(queued.pending()) == 6
    assert queued("dismiss", "--all", "--yes")[0] == 0
    assert not queued.pending()


@pytest.mark.parametrize(
    "words", [("dismiss",), ("dismiss", "invoices"), ("retry", "invoices", "5", "--all"), ("retry", "estimates", "5")]
)
def test_what_could_mean_more_than_was_meant_is_wrong_usage(queued, words):
    code, output = queued(*words)
    assert (code, "Usage" in output) == (2, True)
    assert due(queued) == set()


def test_nothing_to_retry_is_no_failure(shell):
    code, output = shell("retry")
    assert (code, "Nothing is still to be synced" in output) == (0, True)


def test_it_says_whether_a_process_is_there_that_does_it_at_once(queued):
    with open_store(*queued.store_settings) as store:
        store.leases.acquire(lease_of(queued.account), "host:1:x", TTL)
    assert "within seconds" in queued("retry", "invoices", "5")[1]


def pending(stream, number, waits_for=None):
    return PendingObject(A, stream, str(number), "rejected", None, waits_for, 1, now(), None)


def test_the_ids_that_are_missing_are_named_once_each_in_their_order():
    choice = choose([pending("clients", 1), pending("invoices", 2)], "invoices", ["9", "2", "8", "9", "1"])
    assert [one.object_id for one in choice.found] == ["2"]
    assert choice.missing == ("9", "8", "1")


def test_objects_that_wait_for_each_other_in_a_circle_come_once():
    one, two = pending("clients", 1, "invoices:2"), pending("invoices", 2, "clients:1")
    assert with_waiting([one], [one, two]) == [one, two]


# What it does


def test_a_dismissed_object_stays_away_until_it_changes(box, pipeline, shell):
    with box.freshbooks.at(box.clock.now() - timedelta(days=30)):
        client = box.freshbooks.create_client(organization="Alder Ltd")
        invoice = box.freshbooks.create_invoice(client["id"], [LINE])
    box.zoho.refuse("Deals", "MANDATORY_NOT_FOUND")
    pipeline.run()
    assert shell("dismiss", "invoices", str(invoice["id"]))[0] == 0
    assert shell.pending() == {}
    assert shell("status")[0] == 0

    box.freshbooks.update_invoice(invoice["id"], notes="changed")
    pipeline.run()
    assert set(shell.pending()) == {("invoices", str(invoice["id"]))}
    assert shell("status")[0] == 3


def test_what_was_dismissed_for_good_is_not_made_again_until_somebody_asks_for_it(box, pipeline, shell):
    client = box.freshbooks.create_client(organization="Alder Ltd")
    pipeline.run()
    (account,) = box.zoho.records("Accounts")
    assert shell("dismiss", "clients", str(client["id"]), "--for-good")[0] == 0
    box.zoho.delete("Accounts", account["id"], permanently=True)

    box.freshbooks.update_client(client["id"], fax="1")
    pipeline.run()
    assert box.zoho.records("Accounts") == []

    assert shell("retry", "clients", str(client["id"]))[0] == 0
    pipeline.run()
    assert [row["Account_Name"] for row in box.zoho.records("Accounts")] == ["Alder Ltd"]


def test_without_a_process_that_serves_the_next_run_brings_what_was_asked_for(box, tmp_path):
    """As a person does it: real commands and a real Meltano, in a project where nobody has ever served."""
    key, url = Fernet.generate_key().decode(), f"sqlite:///{tmp_path}/store/store.db"
    project = make_project(tmp_path / "project", **plugin_settings(box, url, key))
    books, zoho = box.freshbooks, box.zoho

    def shell(*words):
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=project,
            # As Meltano starts it: then it need not ask for its own settings.
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "MELTANO_UTILIZE_PORT": "8080"},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(code=0):
        done = shell("meltano", "run", "--no-install", "tap-freshbooks", "target-zoho-crm")
        assert done.returncode == code, done.stderr

    # So long ago that no run reads it again for its own sake.
    with books.at(box.clock.now() - timedelta(days=30)):
        client = books.create_client(organization="Alder Ltd")
        invoice = books.create_invoice(client["id"], [LINE])["id"]
    zoho.refuse("Deals", {"code": "INVALID_DATA", "details": {"api_name": "Stage", "supported_values": ["Open"]}})
    run(code=1)
    with open_store(url, key) as store:
        put_off(store, books.account_id, "invoices", invoice)

    zoho.allow()
    retried = shell("freshbooks-zoho", "retry", "invoices", str(invoice))
    assert (retried.returncode, retried.stderr) == (0, "")
    assert "with the next run" in retried.stdout
    run()
    assert [row["FreshBooks_ID"] for row in zoho.records("Deals")] == [f"{books.account_id}:{invoice}"]
    with open_store(url, key) as store:
        assert store.pending.all() == []
