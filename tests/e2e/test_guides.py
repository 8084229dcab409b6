"""What the guides say, done: every command, in a fresh copy of the project, with accounts of the sandbox."""

from __future__ import annotations

import ast
import os
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.guide import FOLDER, Reader, commands, scheduled
from support.serving import eventually

from sandbox import Sandbox

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs"
ANEW = GUIDES / "postgresql.md"
PAGES = [
    *(GUIDES / f"{name}.md" for name in ("getting-started", "data-engineers", "running", "schedules", "mapping")),
    *(GUIDES / "troubleshooting.md", ROOT / "README.md", ROOT / "freshbooks-zoho" / "README.md"),
    *(GUIDES / "hub" / "README.md", ANEW),
]
"""Those that are followed, in this order."""
ELSEWHERE = {
    "make demo": "e2e/test_demo.py",
    "make test": "is what runs this",
    "meltano run sync": "is what clocks start",
    "meltano run --force tap-freshbooks target-zoho-crm": "freshbooks_zoho/test_conductor.py",
    "meltano invoke freshbooks-zoho serve": "freshbooks_zoho/test_serve.py",
    **{
        command: "freshbooks_zoho/test_several_businesses.py"
        for command in commands((GUIDES / "data-engineers.md").read_text("utf-8"))
        if "--studio" in command
    },
    "meltano config list tap-freshbooks": "contract/test_meltano_yml.py",
    "meltano config list target-zoho-crm": "contract/test_meltano_yml.py",
    **{
        command: "contract/test_hub.py"
        for command in commands((GUIDES / "hub" / "README.md").read_text("utf-8"))
        if command.startswith("meltano ")
    },
    "pip install ./singer-store": "contract/test_pip.py",
    "pip install './singer-store[postgres]'": "contract/test_pip.py",
    "pip install ./tap-freshbooks": "contract/test_pip.py",
    "pip install ./target-zoho-crm": "contract/test_pip.py",
    "freshbooks-zoho plan --json > plan.json": "e2e/test_reports.py",
    "freshbooks-zoho status --json > status.json": "e2e/test_reports.py",
    "freshbooks-zoho reconcile --json > reconcile.json": "e2e/test_reports.py",
}
"""Commands that other tests run."""
LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "123.45", "code": "USD"}}

pytestmark = pytest.mark.timeout(900)


def started_by_clocks():
    """Give what the documents have systemd, cron and Airflow start, each once."""
    texts = [page.read_text("utf-8") for page in (*PAGES, *sorted((GUIDES / "examples").glob("*.service")))]
    dag = ast.parse((GUIDES / "examples" / "airflow_dag.py").read_text("utf-8"))
    bash = [one.value.value for one in ast.walk(dag) if isinstance(one, ast.keyword) and one.arg == "bash_command"]
    return list(dict.fromkeys([*(command for text in texts for command in scheduled(text)), *bash]))


def without_its_folder(command):
    """Give a clock's command as it would be typed in the project; how much is logged aside."""
    for part in ("umask 077; ", f"cd {FOLDER} && ", f"{FOLDER}/", ".venv/bin/", "--log-level=warning "):
        command = command.replace(part, "")
    return command


def test_no_command_of_any_document_is_left_out():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for page in [ROOT / name for name in listed.split()]:
        left = [] if page in PAGES else commands(page.read_text("utf-8"))
        assert [command for command in left if command not in ELSEWHERE] == [], page
    # The units of the service and of the timer, the crontab's line, the DAG's task.
    clocks = started_by_clocks()
    assert len(clocks) == 4
    # So the guides need not run it once more by hand.
    assert {*map(without_its_folder, clocks)} == {"meltano run sync", "freshbooks-zoho serve --log-format=json"}


def follow(reader, page):
    """Carry out a page's commands, but those that were carried out before; with a new store, all of them."""
    done = set(ELSEWHERE) if page == ANEW else {*ELSEWHERE, *reader.done}
    with reader.following(page.read_text("utf-8")) as todo:
        for command in todo:
            if command.startswith("meltano schedule run"):
                # A clock is for those who do not serve; else the two would meet.
                reader.stop()
            if command not in done:
                reader.carry_out(command)
                done.add(command)


def a_webhook_brings_a_deal(reader):
    """What is made once all before it has been read can come by no other way."""
    books, zoho = reader.box.freshbooks, reader.box.zoho
    eventually(lambda: reader.served_runs() == ["what changed"])
    before = len(reader.box.deliveries.outcomes)
    new = books.create_client(organization="Cedar Works")
    books.create_invoice(new["id"], lines=[LINE])
    eventually(lambda: zoho.count("Deals") == 3)
    assert [len(zoho.find("Accounts", Account_Name=name)) for name in ("Birch Limited", "Cedar Works")] == [1, 1]
    taken = [one.body.decode() for one, status in reader.box.deliveries.outcomes[before:] if 200 <= status < 300]
    assert any("name=invoice.create" in body for body in taken)
    runs = eventually(lambda: reader.served_runs()[1:])
    assert all(run.endswith(" objects") for run in runs)


def test_a_new_user_follows_the_guides_to_a_correct_sync(tmp_path, postgres_url, record_property):
    with Sandbox() as box:
        books = box.freshbooks
        books.app.redirect_uris = ["https://localhost/freshbooks/callback"]
        books.switches.allow_any_redirect_uri = True
        box.zoho.switches.device_interval = 1
        box.zoho.insert("Accounts", {"Account_Name": "Birch Limited"})
        for name in ("Alder and Sons", "Birch Limited"):
            client = books.create_client(organization=name)
            with books.at(box.clock.now() - timedelta(days=60)):
                late = books.create_invoice(client["id"], lines=[LINE])
                books.send_invoice(late["id"])
        folder = tmp_path / "copy"
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        # The environment is there already, made by what runs this; make is not to see that the copy's files are newer.
        (folder / ".venv").symlink_to(ROOT / ".venv")
        for file in (folder / "uv.lock", *folder.glob("**/pyproject.toml")):
            os.utime(file, (0, 0))
        reader = Reader(box, folder, {"postgresql+psycopg://sync:secret@db.example.com/sync": postgres_url})

        started = time.monotonic()
        with reader.following(PAGES[0].read_text("utf-8")) as todo:
            for command in todo:
                shown = reader.carry_out(command)
                if command == "freshbooks-zoho setup":
                    assert "FreshBooks ID" in shown
                    assert box.zoho.count("Deals") == 0
                if command.startswith("freshbooks-zoho past-due"):
                    assert "246.90" in shown
                if command.startswith("freshbooks-zoho reconcile"):
                    assert "say the same, to the cent" in shown
                if command == "freshbooks-zoho serve":
                    a_webhook_brings_a_deal(reader)
            assert "246.90" in reader.carry_out("freshbooks-zoho past-due")
            assert "say the same, to the cent" in reader.carry_out("freshbooks-zoho reconcile")
        seconds, number = time.monotonic() - started, len(reader.done)
        record_property(
            "said",
            f"A new user: {number} commands, {seconds:.0f} s from a fresh copy (its .venv aside) to a correct sync.",
        )

        for page in PAGES[1:]:
            follow(reader, page)
        for command in {without_its_folder(command): command for command in started_by_clocks()}.values():
            reader.carry_out(command)
            reader.stop()
        assert box.zoho.count("Deals") == 3
        assert len(box.zoho.records("Accounts")) == 3
