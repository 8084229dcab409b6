"""What the next run would do, found out by the run itself; a real Meltano, and nothing written anywhere."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from rich.console import Console as Terminal
from support.meltano_project import BIN, make_project, plugin_settings

from freshbooks_zoho.commands.plan import PlanReport
from freshbooks_zoho.console import ATTENTION, OK, Console
from freshbooks_zoho.project import ProjectError, find_project
from freshbooks_zoho.runs.plan import Plan, make_plan, read_plan
from sandbox import Sandbox
from sandbox.firm import load_firm
from singer_store import open_store
from target_zoho_crm.mapping.values import read_instant

pytestmark = pytest.mark.timeout(400)


class Project:
    """A Meltano project over a sandbox."""

    def __init__(self, box, folder):
        self.box, self.key = box, Fernet.generate_key().decode()
        self.store = folder / "store.db"
        self.root = make_project(folder / "project", **plugin_settings(box, f"sqlite:///{self.store}", self.key))

    def command(self, *words, **variables):
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=self.root,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "MELTANO_UTILIZE_PORT": "1", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def plan(self):
        """Give the plan, after seeing that nothing was written."""
        before = self.traces()
        plan = make_plan(find_project({"PATH": str(BIN)}, self.root))
        assert self.traces() == before
        return plan

    def run(self):
        """Make the real run; gives the credits that Zoho charged."""
        before = self.box.zoho.credits_used
        done = self.command("meltano", "run", "--no-install", "tap-freshbooks", "target-zoho-crm")
        assert done.returncode == 0, done.stderr
        return self.box.zoho.credits_used - before

    def traces(self):
        """Give everything that a run leaves behind: in Zoho, in the store (tokens aside), in Meltano's state."""
        calls = [call for call in self.box.calls("zoho", "/crm/") if call.method != "GET"]
        kept = rows(self.store, "pending", "runs", "written", "documents")
        states = rows(self.root / ".meltano" / "meltano.db", "state")
        return [call for call in calls if not call.path.endswith("/coql")], len(self.box.zoho.writes), kept, states


def rows(database, *tables):
    """Give the rows of those of the tables that are there."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as opened:
        there = {name for (name,) in opened.execute("select name from sqlite_master")}
        return [row for table in tables if table in there for row in opened.execute(f"select * from {table}")]


def comparable(value):
    """Give a value in one form, planned or written; what a lookup points to is new, and its id not known in a plan."""
    if isinstance(value, dict) or str(value).startswith("new:"):
        return "a record"
    with suppress(ArithmeticError):
        return Decimal(str(value))
    return read_instant(str(value)) or value


@dataclass
class First:
    """A project after its first run: what the plan said before, and what the run then was charged."""

    project: Project
    plan: Plan
    credits: int


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A firm with one client that Zoho knows already, and an amount that Zoho cannot take."""
    with Sandbox() as box:
        load_firm(box)
        box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
        client = box.freshbooks.create_client(organization="Birch", email="a@example.com")
        too_much = {"name": "Design", "qty": "1", "unit_cost": {"amount": f"{10**24}.00", "code": "USD"}}
        box.freshbooks.create_invoice(client["id"], lines=[too_much])
        box.zoho.insert("Accounts", {"Account_Name": "Birch"})
        project = Project(box, tmp_path_factory.mktemp("plan"))
        plan = project.plan()
        # It meets no run that is under way, which has its files there.
        assert list((project.root / ".meltano" / "run" / "tap-freshbooks").iterdir()) == []
        yield First(project, plan, project.run())


def named(plan, kind):
    return {entry["name"]: entry for entry in plan.of(kind)}


def test_of_each_record_of_a_firm_the_plan_says_what_is_written(first):
    plan, zoho = first.plan, first.project.box.zoho
    assert plan.credits == pytest.approx(first.credits, rel=0.1)
    assert len(plan.of("set-up")) == 3
    assert PlanReport(plan).exit_code == ATTENTION
    (birch,) = plan.of("link")
    assert birch["id"] == next(row["id"] for row in zoho.records("Accounts") if row["Account_Name"] == "Birch")
    assert birch["changes"]["FreshBooks_Email"] == [None, "a@example.com"]

    # The second currency, payments and last payments included.
    planned = {(one["module"], one["key"]): one["changes"] for one in (*plan.of("create"), birch)}
    written = {
        (module, row["FreshBooks_ID"]): row
        for module in ("Accounts", "Deals", "FreshBooks_Payments")
        for row in zoho.records(module)
        if row.get("FreshBooks_ID")
    }
    assert planned.keys() == written.keys()
    assert {row["Currency"] for row in written.values()} == {"USD", "EUR"}
    assert sum("FreshBooks_Last_Payment" in changes for changes in planned.values()) > 20
    for key, changes in planned.items():
        said = {name: comparable(value) for name, (_, value) in changes.items()}
        assert said == {name: comparable(written[key][name]) for name in said}, key
    # And what cannot be.
    (rejected,) = plan.of("reject")
    with open_store(f"sqlite:///{first.project.store}", first.project.key) as store:
        [left] = store.pending.all()
    assert (rejected["key"].partition(":")[2], rejected["code"]) == (left.object_id, left.error["code"])
    assert rejected["field"] == left.error["field"]


def test_after_a_run_the_plan_is_what_changed_since_field_by_field(first):
    box = first.project.box
    client = box.freshbooks.records("clients")[0]
    for _ in range(2):
        box.zoho.insert("Accounts", {"Account_Name": "Cedar"})
    box.freshbooks.create_client(organization="Cedar")
    box.freshbooks.update_client(client["id"], email="b@example.com")

    plan = first.project.plan()
    (update,) = plan.of("update")
    assert update["changes"]["FreshBooks_Email"] == [client["email"], "b@example.com"]
    assert "Account_Name" not in update["changes"]
    # What a person has to decide.
    (wait,) = plan.of("wait")
    assert (wait["reason"], len(wait["candidates"])) == ("ambiguous", 2)
    assert plan.of("create") == []
    assert PlanReport(plan).exit_code == ATTENTION


def test_what_stops_a_run_stops_its_plan_with_the_same_sentence(first, monkeypatch):
    monkeypatch.setenv("TARGET_ZOHO_CRM_PIPELINE", "No such")

    with pytest.raises(ProjectError, match=r"could not be made.*'No such', which Zoho does not have"):
        first.project.plan()


# what is shown


def entry(kind, number, **more):
    known = {"kind": kind, "stream": "clients", "key": f"A:{number}", "module": "Accounts", "name": f"Client {number}"}
    return {**known, **more}


def shown(plan, limit=50):
    text = io.StringIO()
    PlanReport(plan, limit).show(Console(Terminal(file=text, width=200)))
    return text.getvalue()


def test_counts_come_first_and_no_more_of_a_kind_than_asked_for():
    creates = [entry("create", number, changes={"Phone": [None, str(number)]}) for number in range(1, 4)]
    text = shown(Plan((*creates,), {"clients": {"created": 3, "unchanged": 1200}}, 12, 3.0), limit=2)

    assert text.splitlines()[1].split() == ["clients", "1203", "3", "1200"]
    assert "Created (3)" in text
    assert "Client 2" in text
    assert "Client 3" not in text
    assert "and 1 more" in text
    assert "write 3 records in Zoho, cost about 12 API credits and take about 3 seconds" in text


def test_an_update_is_shown_field_by_field():
    update = entry("update", 1, id="55", changes={"Phone": ["1", "2"], "Fax": [None, "3"], "Email": ["x", None]})
    text = shown(Plan((update,), {"clients": {"updated": 1}}))

    assert [line.strip() for line in text.splitlines() if "→" in line] == [
        "Phone: 1 → 2",
        "Fax: (empty) → 3",
        "Email: x → (empty)",
    ]


@pytest.mark.parametrize(
    ("one", "said", "code"),
    [
        (entry("reject", 1, code="VALUE_NOT_ACCEPTED", field="Amount", expected="a number"),
         "VALUE_NOT_ACCEPTED in Amount, expected: a number", ATTENTION),
        (entry("wait", 1, reason="ambiguous", waits_for=None, candidates=["7", "8"]), "7, 8", ATTENTION),
        (entry("wait", 1, reason="parent", waits_for="invoices:3", candidates=[]), "until invoices:3 is in Zoho", OK),
        (entry("older", 1, id="55"), "Zoho holds something newer", OK),
        ({"kind": "limit", "what": "Deals has no room"}, "What the organization may have no room for (1)", ATTENTION),
        ({"kind": "note", "what": "It has one currency"}, "Good to know about the organization (1)", OK),
    ],
    ids=["rejected", "ambiguous", "parent", "older", "no room", "a note"],
)  # fmt: skip
def test_what_is_not_written_has_its_reason_and_asks_for_attention_where_waiting_does_not_help(one, said, code):
    plan = Plan((one,), {"clients": {}})

    assert said in shown(plan)
    assert PlanReport(plan).exit_code == code


def test_the_last_payment_is_shown_with_what_else_changes_of_its_invoice():
    invoice = {"stream": "invoices", "key": "A:1"}
    lines = [
        entry("create", 1, changes={"Amount": [None, "9.00"]}, **invoice),
        entry("update", 1, id="new:A:1", changes={"FreshBooks_Last_Payment": [None, "2026-03-01"]}, **invoice),
        entry("update", 2, id="55", changes={"FreshBooks_Last_Payment": ["2026-02-01", "2026-03-01"]}),
        {"kind": "total", "streams": {"payments": {"created": 2, "rolled_up": 2}}, "credits": 9, "seconds": 1.0},
    ]
    plan = read_plan(map(json.dumps, lines))

    assert plan.of("create")[0]["changes"].keys() == {"Amount", "FreshBooks_Last_Payment"}
    assert [one["id"] for one in plan.of("update")] == ["55"]
    assert "Of 2 invoices the date of the last payment changes." in shown(plan)


def test_nothing_changed_is_a_plan_too():
    plan = read_plan([])

    assert "would write nothing" in shown(plan)
    assert PlanReport(plan).exit_code == OK


def test_a_plan_that_breaks_off_is_none():
    with pytest.raises(ValueError, match="breaks off"):
        read_plan([json.dumps(entry("older", 1))])
