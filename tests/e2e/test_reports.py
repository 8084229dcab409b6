"""What the commands report after one run of a real Meltano, with what a terminal's and a script's world puts in."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from contextlib import suppress

import pytest
from cryptography.fernet import Fernet
from support.meltano_project import BIN, make_project, plugin_settings

from sandbox import Sandbox

LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Gives exit code and document of a command of the companion, of a project that was synced once."""
    folder = tmp_path_factory.mktemp("project")
    ours, theirs = pty.openpty()
    threading.Thread(target=_read, args=(ours,), daemon=True).start()
    with Sandbox() as box:
        client = box.freshbooks.create_client(organization="Alder and Sons")
        box.freshbooks.create_invoice(client["id"], lines=[LINE])
        project = make_project(
            folder, **plugin_settings(box, f"sqlite:///{folder}/store.db", Fernet.generate_key().decode())
        )
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "FORCE_COLOR": "1", "TERM": "xterm"}

        def run(*words):
            # A person's terminal shows what goes on, and what is for a program goes to the program.
            return subprocess.run(
                words, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=120
            )

        assert run("meltano", "run", "--no-install", "tap-freshbooks", "target-zoho-crm").returncode == 0

        def report(*words):
            done = run("freshbooks-zoho", *words, "--json")
            return done.returncode, json.loads(done.stdout)

        yield report
    os.close(theirs)


def _read(terminal):
    """Take what a terminal shows: who writes to one that nobody reads would wait at some time."""
    with suppress(OSError):  # how Linux says that the other side has been closed
        while os.read(terminal, 65536):
            pass
    os.close(terminal)


def test_one_good_run_is_known_as_one(report):
    code, status = report("status")
    assert (code, status["problems"]) == (0, [])
    assert [run["outcome"] for run in status["runs"]] == ["ok"]
    assert all(stream["lag_seconds"] is not None for stream in status["streams"])


def test_a_program_gets_json_and_nothing_else(report):
    for command in ("doctor", "plan", "past-due", "reconcile", "setup"):
        code, document = report(command)
        assert (code, bool(document)) == (0, True), (command, document)
