"""What the guides say, done: every command, in a fresh copy of the project, with accounts of the sandbox."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.guide import Reader
from support.serving import eventually

from sandbox import Sandbox

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs"
LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "123.45", "code": "USD"}}

pytestmark = pytest.mark.timeout(900)


def read(name):
    return (GUIDES / f"{name}.md").read_text("utf-8")


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
        reader = Reader(box, folder, {"postgresql+psycopg://sync:secret@db.example.com/sync": postgres_url})

        started = time.monotonic()
        with reader.following(read("getting-started")) as commands:
            for command in commands:
                shown = reader.carry_out(command)
                if command == "freshbooks-zoho setup":
                    assert "FreshBooks ID" in shown
                    assert box.zoho.count("Deals") == 0
                if command.startswith("freshbooks-zoho past-due"):
                    assert "246.90" in shown
                if command.startswith("freshbooks-zoho reconcile"):
                    assert "say the same, to the cent" in shown
                if command == "freshbooks-zoho serve":
                    new = books.create_client(organization="Cedar Works")
                    books.create_invoice(new["id"], lines=[LINE])
                    eventually(lambda: box.zoho.count("Deals") == 3)
                    assert [
                        len(box.zoho.find("Accounts", Account_Name=n)) for n in ("Birch Limited", "Cedar Works")
                    ] == [1, 1]
            assert "say the same, to the cent" in reader.carry_out("freshbooks-zoho reconcile")
        seconds, number = time.monotonic() - started, len(reader.done)
        record_property(
            "said", f"A new user: {number} commands, {seconds:.0f} s from an empty folder to a correct sync."
        )

        # What was done once, as it stands, need not be done again; but with another store everything has to be.
        for name in ("data-engineers", "running", "schedules", "troubleshooting", "postgresql"):
            done = set() if name == "postgresql" else set(reader.done)
            with reader.following(read(name)) as commands:
                for command in commands:
                    if command not in done:
                        reader.carry_out(command)
        assert box.zoho.count("Deals") == 3
        assert len(box.zoho.records("Accounts")) == 3
