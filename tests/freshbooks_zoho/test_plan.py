"""What the next run would do, found out by the run itself; a real Meltano, and nothing written anywhere."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import timedelta
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
LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}


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


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with Sandbox() as box:
        yield Project(box, tmp_path_factory.mktemp("plan"))


def named(plan, kind):
    return {entry["name"]: entry for entry in plan.of(kind)}


def test_a_plan_tells_what_the_run_then_does_and_writes_nothing(project):
    books, zoho = project.box.freshbooks, project.box.zoho
    with books.at(project.box.clock.now() - timedelta(days=5)):
        client = books.create_client(organization="Alder and Sons", email="a@example.com")
        invoice = books.create_invoice(client["id"], lines=[LINE], due_offset_days=30)
        books.send_invoice(invoice["id"])
    books.create_client(organization="Birch")
    birch = zoho.insert("Accounts", {"Account_Name": "Birch"})

    # Before the first run: everything.
    plan = project.plan()
    assert len(plan.of("set-up")) == 3
    created = named(plan, "create")
    assert created["Alder and Sons"]["changes"]["FreshBooks_Email"] == [None, "a@example.com"]
    assert created["0000001 - Alder and Sons"]["changes"]["FreshBooks_Outstanding"] == [None, "10.10"]
    assert named(plan, "link")["Birch"]["id"] == birch
    assert plan.streams == {"clients": {"created": 1, "linked": 1}, "invoices": {"created": 1}}
    assert PlanReport(plan).exit_code == OK
    assert plan.credits == pytest.approx(project.run(), rel=0.1)

    # After it: what changed since, field by field, and what a person has to decide.
    for _ in range(2):
        zoho.insert("Accounts", {"Account_Name": "Cedar"})
    books.create_client(organization="Cedar")
    books.update_client(client["id"], email="b@example.com")
    plan = project.plan()
    changes = named(plan, "update")["Alder and Sons"]["changes"]
    assert changes["FreshBooks_Email"] == ["a@example.com", "b@example.com"]
    assert "Account_Name" not in changes
    (wait,) = plan.of("wait")
    assert (wait["reason"], len(wait["candidates"])) == ("ambiguous", 2)
    assert "invoices" not in plan.streams
    assert PlanReport(plan).exit_code == ATTENTION


def test_of_each_record_of_a_firm_the_plan_says_what_is_written(tmp_path):
    with Sandbox() as box:
        load_firm(box)
        box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
        client = box.freshbooks.create_client(organization="Too much")
        box.freshbooks.create_invoice(
            client["id"], lines=[{**LINE, "unit_cost": {"amount": f"{10**24}.00", "code": "USD"}}]
        )
        project = Project(box, tmp_path)

        plan = project.plan()
        # It meets no run that is under way, which has its files there.
        assert list((project.root / ".meltano" / "run" / "tap-freshbooks").iterdir()) == []
        assert plan.credits == pytest.approx(project.run(), rel=0.1)

        # The second currency, payments and last payments included.
        planned = {(one["module"], one["key"]): one["changes"] for one in plan.of("create")}
        modules = {module: box.zoho.records(module) for module in ("Accounts", "Deals", "FreshBooks_Payments")}
        written = {(module, row["FreshBooks_ID"]): row for module, rows in modules.items() for row in rows}
        assert planned.keys() == written.keys()
        assert {row["Currency"] for _, row in written.items()} == {"USD", "EUR"}
        assert sum("FreshBooks_Last_Payment" in changes for changes in planned.values()) > 20
        for key, changes in planned.items():
            said = {name: comparable(value) for name, (_, value) in changes.items()}
            assert said == {name: comparable(written[key][name]) for name in said}, key
        # And what cannot be.
        (rejected,) = plan.of("reject")
        with open_store(f"sqlite:///{project.store}", project.key) as store:
            [left] = store.pending.all()
        assert (rejected["key"].partition(":")[2], rejected["code"]) == (left.object_id, left.error["code"])
        assert rejected["field"] == left.error["field"]


def comparable(value):
    """Give a value in one form, planned or written; what a lookup points to is new, and its id not known in a plan."""
    if isinstance(value, dict) or str(value).startswith("new:"):
        return "a record"
    with suppress(ArithmeticError):
        return Decimal(str(value))
    return read_instant(str(value)) or value


def test_what_stops_a_run_stops_its_plan_with_the_same_sentence(project, monkeypatch):
    project.box.freshbooks.create_client(organization="Dogwood")
    monkeypatch.setenv("TARGET_ZOHO_CRM_PIPELINE", "No such")

    with pytest.raises(ProjectError, match=r"could not be made.*'No such', which Zoho does not have"):
        project.plan()


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
    ],
    ids=["rejected", "ambiguous", "parent", "older", "no room"],
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
