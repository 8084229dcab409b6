"""The main job through a real Meltano: what a person gets wrong, and what a crash leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from support import forked
from support.meltano_project import BIN, make_project, plugin_settings
from support.serving import eventually

from sandbox import Sandbox
from target_zoho_crm.api.scopes import SCOPES as ZOHO_SCOPES

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}

pytestmark = pytest.mark.timeout(300)


class Project:
    """A Meltano project over a sandbox; settings may be overridden run by run, by environment variables."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.root = make_project(
            folder, **plugin_settings(box, f"sqlite:///{folder}/store.db", Fernet.generate_key().decode())
        )

    def command(self, *words: str, **settings: str) -> subprocess.Popen[str]:
        variables = {name.upper(): value for name, value in settings.items()}
        return subprocess.Popen(
            [str(BIN / "meltano"), *words],
            cwd=self.root,
            env={**os.environ, "NO_COLOR": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def meltano(self, *words: str, **settings: str) -> tuple[int, str]:
        """Give the exit code and the output."""
        with self.command(*words, **settings) as process:
            output, _ = process.communicate(timeout=120)
        return process.returncode, COLOURS.sub("", output)

    def run(self, *options: str, **settings: str) -> tuple[int, str]:
        return self.meltano("run", "--no-install", *options, "tap-freshbooks", "target-zoho-crm", **settings)

    def state(self) -> list[tuple[object, ...]]:
        """Give what Meltano keeps of the job's state."""
        with closing(sqlite3.connect(self.root / ".meltano" / "meltano.db")) as database:
            return database.execute("select state_id, partial_state, completed_state from state").fetchall()


@pytest.fixture(scope="module")
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def synced(box, tmp_path_factory):
    """A project that has made a good run; one client is new since."""
    project = Project(box, tmp_path_factory.mktemp("project"))
    box.freshbooks.create_client(organization="Alder and Sons")
    code, output = project.run()
    assert code == 0, output
    box.freshbooks.create_client(organization="Birch Limited")
    return project


def freshbooks_scopes(box):
    return box.freshbooks.grant(["user:profile:read", "user:clients:read", "user:invoices:read"])


def zoho_scopes(box):
    return box.zoho.grant([scope for scope in ZOHO_SCOPES if scope != "ZohoCRM.coql.READ"])


WRONG = {
    "a wrong secret": ({"tap_freshbooks_client_secret": "nonsense"}, "check client_id, client_secret and redirect_uri"),
    "a dead consent": ({"tap_freshbooks_refresh_token": "f" * 64}, "connect freshbooks"),
    "a scope too few": ({"tap_freshbooks_refresh_token": freshbooks_scopes}, "user:payments:read"),
    "an account of others": ({"tap_freshbooks_account_id": "Nobody"}, "account_id, Nobody, is none of"),
    "a start in the future": ({"tap_freshbooks_start_date": "2999-01-01"}, "start_date is in the future"),
    "FreshBooks out of reach": ({"tap_freshbooks_api_url": "http://127.0.0.1:9"}, "could not be reached"),
    "a wrong secret at Zoho": ({"target_zoho_crm_client_secret": "nonsense"}, "check client_id, client_secret"),
    "a dead consent at Zoho": ({"target_zoho_crm_refresh_token": "1000.no.no"}, "connect zoho"),
    "a scope too few at Zoho": ({"target_zoho_crm_refresh_token": zoho_scopes}, "ZohoCRM.coql"),
    "a wrong data centre": ({"target_zoho_crm_accounts_url": lambda box: box.zoho.origins()["eu"]}, "accounts_url"),
    "Zoho out of reach": ({"target_zoho_crm_accounts_url": "http://127.0.0.1:9"}, "could not be reached"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_one_sentence_and_leaves_state_and_zoho_as_they_were(box, wrong, tmp_path):
    """The two plugins as Meltano pipes them, without the seconds that its own start takes."""
    box.freshbooks.create_client(organization="Alder and Sons")
    plugins = plugin_settings(box, f"sqlite:///{tmp_path}/store.db", Fernet.generate_key().decode())
    settings, sentence = WRONG[wrong]
    for name, value in settings.items():
        plugin = next(one for one in plugins if name.startswith(one))
        plugins[plugin][name.removeprefix(f"{plugin}_")] = value(box) if callable(value) else value
    written = len(box.zoho.writes)
    pipe, state, log = (str(tmp_path / name) for name in ("pipe", "state", "log"))
    os.mkfifo(pipe)
    running = []
    for (plugin, config), streams in zip(
        plugins.items(), ({"stdout": pipe}, {"stdin": pipe, "stdout": state}), strict=True
    ):
        (tmp_path / f"{plugin}.json").write_text(json.dumps(config))
        running.append(forked.start(plugin, f"--config={plugin}.json", cwd=tmp_path, stderr=log, **streams))
    codes = [forked.end(process) for process in running]
    output, states = (Path(name).read_text() for name in (log, state))

    assert 1 in codes, output
    assert sentence in output
    assert "Traceback" not in output
    assert "bookmarks" not in states
    assert len(box.zoho.writes) == written


def test_a_run_that_fails_leaves_the_state_of_the_one_before(box, synced, tmp_path):
    before, written = synced.state(), len(box.zoho.writes)
    store = f"sqlite:///{tmp_path}/store.db"
    code, output = synced.run(
        tap_freshbooks_store_url=store, target_zoho_crm_store_url=store, tap_freshbooks_refresh_token="f" * 64
    )
    assert code != 0
    assert "connect freshbooks" in output
    assert synced.state() == before
    assert len(box.zoho.writes) == written


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("target_zoho_crm_stage_map", "The setting stage_map is not valid JSON"),
        ("tap_freshbooks_record_ids", "The setting record_ids is not JSON"),
    ],
)
def test_an_object_that_is_no_json_stops_the_run_with_a_sentence(box, synced, setting, sentence):
    before, written = synced.state(), len(box.zoho.writes)
    code, output = synced.run(**{setting: '{"paid": '})
    assert code != 0
    assert sentence in output
    assert "Traceback" not in output
    assert synced.state() == before
    assert len(box.zoho.writes) == written


def test_runs_that_are_killed_are_made_good_by_the_next(tmp_path):
    """The whole process group dies in the middle of its writes, again and again; nothing is lost or made twice."""
    with Sandbox(latency=0.02) as box:
        books = box.freshbooks
        for number in range(30):
            client = books.create_client(organization=f"Client {number:02}")
            invoice = books.create_invoice(client["id"], lines=[LINE])
            books.send_invoice(invoice["id"])
            books.create_payment(invoice["id"], "5.05", box.clock.now().date().isoformat(), "Cash")
        project = Project(box, tmp_path / "project")
        # After the organization was prepared, after the clients, after the invoices.
        for module in (None, "Accounts", "Deals"):
            with project.command("run", "--no-install", "--force", "tap-freshbooks", "target-zoho-crm") as process:

                def reached(module=module):
                    if module is None:
                        return any("/settings/" in call.path and call.method == "POST" for call in box.calls())
                    return box.zoho.count(module) > 0

                eventually(reached)
                os.killpg(process.pid, signal.SIGKILL)
        # Meltano takes a killed run for alive for five minutes, unless it is told not to.
        code, output = project.run("--force")
        assert code == 0, output

        for module in ("Accounts", "Deals", "FreshBooks_Payments"):
            keys = [row["FreshBooks_ID"] for row in box.zoho.records(module)]
            assert len(keys) == len(set(keys)) == 30
        assert {str(row["FreshBooks_Outstanding"]) for row in box.zoho.records("Deals")} == {"5.05"}
        before = len(box.zoho.writes)
        assert project.run("--force")[0] == 0
        assert len(box.zoho.writes) == before


def test_the_tap_feeds_a_public_target(box, tmp_path):
    """target-jsonl, of other people's making and in an environment of its own, takes what the tap says."""
    invoice = box.freshbooks.create_invoice(
        box.freshbooks.create_client(organization="Cedar Works")["id"], lines=[LINE]
    )
    project = Project(box, tmp_path / "project")
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"destination_path": str(tmp_path), "do_timestamp_file": False}))
    code, printed = project.meltano("--log-level=error", "config", "--unsafe", "print", "tap-freshbooks")
    assert code == 0
    (tmp_path / "tap.json").write_text(printed[printed.index("{") :])
    tap = [sys.executable, "-m", "tap_freshbooks", "--config", str(tmp_path / "tap.json")]
    target = [str(BIN / "uv"), "tool", "run", "--quiet", "--from", "target-jsonl==0.1.4", "target-jsonl"]
    with subprocess.Popen(tap, stdout=subprocess.PIPE) as source:
        done = subprocess.run(
            [*target, "--config", str(config)], stdin=source.stdout, capture_output=True, text=True, check=False
        )
    assert (source.returncode, done.returncode) == (0, 0), done.stderr
    rows = [json.loads(line) for line in (tmp_path / "invoices.jsonl").read_text().splitlines()]
    [row] = [row for row in rows if row["id"] == invoice["id"]]
    assert row["amount"] == {"amount": "10.10", "code": "USD"}
    assert row["lines"][0]["name"] == "Design"
    assert json.loads(done.stdout.splitlines()[-1])["bookmarks"].keys() >= {"clients", "invoices", "payments"}
