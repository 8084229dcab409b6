"""Everything together, as a user runs it: `freshbooks-zoho serve` with a real Meltano."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from datetime import datetime, timezone
from functools import partial

import pytest
import requests
from cryptography.fernet import Fernet
from support.companion import free_port, replayed
from support.meltano_project import BIN, make_project, plugin_settings
from support.processes import is_alive
from support.serving import PATIENCE, Served, eventually
from support.stub_plugins import ACCOUNT, Diary, make_plugins

from freshbooks_zoho.runs.leadership import lease_of
from singer_store import open_store

pytestmark = pytest.mark.timeout(400)


def line(amount):
    return {"name": "Design", "unit_cost": {"amount": amount, "code": "USD"}, "qty": 1}


def a_thousand_times_more(box, part):
    """Send what FreshBooks has sent again and again; gives the statuses of the answers."""
    (sent,) = [one for one, _ in box.deliveries.outcomes if part.encode() in one.body]
    return replayed(sent.url, sent.body, sent.headers, 1000)


def test_a_change_in_freshbooks_is_in_zoho_and_what_people_change_there_is_set_right(box, store_settings, tmp_path):
    secrets = plugin_settings(box, *store_settings)
    project = make_project(tmp_path / "project", **secrets)
    books, zoho = box.freshbooks, box.zoho
    first = books.create_client(organization="Backlog Partners", email="somebody@example.com")

    with open_store(*store_settings) as store, Served(project) as served:

        def deal():
            found = [one for one in zoho.records("Deals") if one.get("FreshBooks_ID", "").endswith(f":{invoice['id']}")]
            return found[0] if found else {}

        def runs():
            return [run.summary["kind"] for run in store.runs.latest("freshbooks-zoho", 99)]

        def settled():
            box.deliveries.wait()
            return not store.pending.all()

        # The backlog, and both services' webhooks.
        eventually(lambda: runs() == ["changes"])
        assert [one["Account_Name"] for one in zoho.records("Accounts")] == ["Backlog Partners"]
        eventually(served.takes_events)
        assert all(callback.verified for callback in books.callbacks())
        assert {each.module for each in zoho.channels.alive()} == {"Accounts", "Deals"}

        # A new invoice comes by webhook.
        invoice = books.create_invoice(customerid=first["id"], lines=[line("123.45")])
        eventually(deal)
        assert str(deal()["Amount"]) == "123.45"
        eventually(settled)
        assert runs().count("objects") == 1

        # A thousand replays of that webhook are one row, and at most one more run, which finds nothing to do.
        written = len(zoho.writes)
        assert a_thousand_times_more(box, f"object_id={invoice['id']}&") == {200}
        assert len(store.pending.all()) <= 1
        eventually(lambda: settled() and runs().count("objects") == 2)
        assert len(zoho.writes) == written

        # What someone changes in Zoho is set back, what is theirs is not touched, what they delete is written again.
        zoho.update("Deals", deal()["id"], {"Amount": 1, "Next_Step": "call"})
        eventually(lambda: str(deal().get("Amount")) == "123.45")
        assert deal()["Next_Step"] == "call"
        zoho.delete("Deals", deal()["id"])
        eventually(deal)
        eventually(settled)
        # Our own writes were told about, too, and caused no run.
        assert runs().count("objects") == 4

        assert served.ready().json() == {"status": "ready", "problems": []}
        measured = served.metrics()
        assert measured['records_written_total{action="created",module="Deals"}'] == 2
        assert measured["run_last_success_timestamp"] == pytest.approx(time.time(), abs=600)
        assert measured['channel_expiry_seconds{channel="Deals"}'] > 6 * 86400
        assert measured["run_seconds_count"] == 5
        for service in ("freshbooks", "zoho"):
            assert 0 <= measured[f'token_age_seconds{{service="{service}"}}'] < 600
            assert measured[f'token_refresh_failures_total{{service="{service}"}}'] == 0
        assert served.stop() == 0

        tokens = [one["token"] for one in store.secrets.all("channel").values()]
        paths = [one["path"] for kind in ("channel", "callback") for one in store.secrets.all(kind).values()]
        verifiers = [one["verifier"] for one in store.secrets.all("callback").values()]
    settings = [values[name] for values in secrets.values() for name in ("client_secret", "refresh_token", "store_key")]
    people = ["somebody@example.com", "Backlog Partners", "123.45"]
    log = served.log.read_text()
    assert [word for word in (*tokens, *paths, *verifiers, *settings, *people) if word in log] == []
    assert "Traceback" not in log
    assert all(entry["level"] in {"debug", "info"} for entry in served.lines())


def test_an_object_that_zoho_refuses_costs_no_other_and_is_tried_again_at_its_own_times(box, tmp_path):
    store_settings = f"sqlite:///{tmp_path}/store.db", Fernet.generate_key().decode()
    project = make_project(tmp_path / "project", **plugin_settings(box, *store_settings))
    books, zoho = box.freshbooks, box.zoho
    first = books.create_client(organization="Backlog Partners")
    rule = {"code": "INVALID_DATA", "details": {"api_name": "Amount"}, "message": "Not above the credit limit"}
    zoho.refuse("Deals", rule, when=lambda row: row.get("Amount") == 13)

    def landed():
        return sorted(str(row["Amount"]) for row in zoho.records("Deals"))

    with open_store(*store_settings) as store, Served(project, debounce=0.2) as served:

        def runs():
            return [run.outcome for run in store.runs.latest("freshbooks-zoho", 99)]

        eventually(served.takes_events)
        eventually(lambda: runs() == ["ok"])
        # Alone in its run, of which nothing lands.
        refused = books.create_invoice(customerid=first["id"], lines=[line("13")])
        eventually(lambda: [row.reason for row in store.pending.all()] == ["rejected"])
        eventually(lambda: served.says("Nothing of invoices (1 rejected) has landed in Zoho"))
        # Among others.
        for amount in ("20", "30"):
            books.create_invoice(customerid=first["id"], lines=[line(amount)])
        books.update_invoice(refused["id"], notes="changed")
        eventually(lambda: landed() == ["20", "30"])
        [row] = eventually(lambda: [one for one in store.pending.all() if one.attempts == 2])
        assert row.object_id == str(refused["id"])
        assert (row.reason, row.error["message"]) == ("rejected", "Not above the credit limit")
        # It waits for an ordinary run, and keeps nobody from anything.
        books.create_invoice(customerid=first["id"], lines=[line("40")])
        eventually(lambda: landed() == ["20", "30", "40"])
        eventually(lambda: len(store.pending.all()) == 1)
        assert store.pending.all() == [row]
        assert served.ready().json() == {"status": "ready", "problems": []}
        assert set(runs()) == {"ok"}


def test_of_two_processes_one_makes_the_runs_and_the_other_follows_it(postgres_url, tmp_path):
    """Two machines with a project each, and one store. The first is killed in the midst of a run."""
    key = Fernet.generate_key().decode()
    plugins, diary = make_plugins(tmp_path / "plugins"), Diary(tmp_path / "plugins")
    shared = {"store_url": postgres_url, "store_key": key, "client_id": "c", "client_secret": "s"}
    settings = {
        "tap_freshbooks": {**shared, "redirect_uri": "https://example.com", "account_id": ACCOUNT},
        "target_zoho_crm": shared,
    }
    projects = [make_project(tmp_path / name, plugins, **settings) for name in ("one", "two")]

    with open_store(postgres_url, key) as store, Served(projects[0], public=False) as first:

        def pending():
            return {row.object_id for row in store.pending.all(ACCOUNT)}

        def queue(*ids):
            now = datetime.now(timezone.utc)
            store.pending.queue_many([(ACCOUNT, "invoices", str(number), "event", now) for number in ids])

        eventually(lambda: first.says("A run for what changed ended well"))
        with Served(projects[1], public=False) as second:
            eventually(lambda: second.says("Listening on"))
            queue(*range(1, 6))
            eventually(lambda: not pending())
            assert not second.says("makes the runs now")

            diary.order(hold=True)
            queue(*range(6, 11))
            held = eventually(lambda: [entry for entry in diary.entries("began") if entry["ids"]][1:])[0]
            os.kill(first.process.pid, signal.SIGKILL)
            killed = time.monotonic()
            # What it had started ends with it, long before anybody else may start anything.
            eventually(lambda: not is_alive(held["pid"]), 5)
            diary.order()
            queue(11)
            eventually(lambda: second.says("makes the runs now"), 30)
            assert time.monotonic() - killed <= 30
            eventually(lambda: not pending())
            assert second.stop() == 0

    # Nothing begins before what was begun has been written.
    done = [entry["what"] for entry in diary.entries() if entry["pid"] != held["pid"]]
    assert done == ["began", "ended", "wrote"] * (len(done) // 3)
    brought = [number for entry in diary.entries("wrote") for number in entry["read"].get("invoices", [])]
    assert set(brought) == set(range(1, 12))


def stub_settings(folder):
    """Settings of plugins that do what they are told, over a store below a folder."""
    shared = {"store_url": f"sqlite:///{folder}/s/store.db", "store_key": Fernet.generate_key().decode()}
    shared |= {"client_id": "c", "client_secret": "s"}
    tap = {**shared, "redirect_uri": "https://example.com", "account_id": ACCOUNT}
    return {"tap_freshbooks": tap, "target_zoho_crm": shared}


def test_meltano_starts_it_with_its_settings_and_ends_it_well(tmp_path):
    plugins = {**make_plugins(tmp_path / "plugins"), "freshbooks-zoho": BIN / "freshbooks-zoho"}
    # Whatever is not set comes as Meltano hands it on: the defaults.
    own = {"port": free_port(), "admin_port": free_port(), "debounce": "0.5"}
    project = make_project(tmp_path / "project", plugins, freshbooks_zoho=own, **stub_settings(tmp_path))
    invoke = [str(BIN / "meltano"), "invoke", "freshbooks-zoho"]
    log = tmp_path / "serve.log"

    def answers(port):
        try:
            return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).json() == {"status": "ok"}
        except requests.ConnectionError:
            return False

    with log.open("wb") as output:
        process = subprocess.Popen([*invoke, "serve", "--log-format=json"], cwd=project, stdout=output, stderr=output)
    try:
        eventually(lambda: answers(own["port"]) and answers(own["admin_port"]))
        eventually(lambda: "A run for what changed ended well" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    assert json.loads(log.read_text().splitlines()[-1])["message"] == "Stopped."

    command = [*invoke[:-1], "freshbooks-zoho:serve", "--help"]
    shown = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert "Usage: freshbooks-zoho serve" in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_told_to_end_or_left_by_its_terminal_it_ends_the_run_and_gives_the_lease_back(tmp_path, request, number):
    # Where the tests were started with nohup, its child would ignore the end of the terminal, as it should.
    request.addfinalizer(partial(signal.signal, number, signal.signal(number, signal.SIG_DFL)))
    plugins, diary = make_plugins(tmp_path / "plugins"), Diary(tmp_path / "plugins")
    settings = stub_settings(tmp_path)
    project = make_project(tmp_path / "project", plugins, **settings)
    diary.order(hold=True)
    with Served(project, public=False) as served:
        held = eventually(lambda: diary.entries("began"))[0]
        served.process.send_signal(number)
        assert served.process.wait(PATIENCE) == 0
        assert not is_alive(held["pid"])
    assert served.lines()[-1]["message"] == "Stopped."
    with open_store(settings["tap_freshbooks"]["store_url"], settings["tap_freshbooks"]["store_key"]) as store:
        assert store.leases.last(lease_of(ACCOUNT)) is None


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path):
    plugins = make_plugins(tmp_path / "plugins")
    project = make_project(tmp_path / "project", plugins, **stub_settings(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Served(project, public=False, port=taken.getsockname()[1]) as served:
            assert served.process.wait(PATIENCE) == 1

    assert "Error: A port cannot be opened" in served.log.read_text()
    assert "Traceback" not in served.log.read_text()
