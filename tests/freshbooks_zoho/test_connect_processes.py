"""Connecting as a person does it, at a terminal, in a project of a real Meltano; then again while `serve` runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager

import pytest
import requests
from cryptography.fernet import Fernet
from support.meltano_project import BIN, make_project
from support.serving import Served, eventually
from support.terminal import Terminal

from freshbooks_zoho.webhooks.consent import PATH
from singer_store import open_store
from target_zoho_crm.api.scopes import SCOPES

pytestmark = pytest.mark.timeout(400)

BACK = "https://localhost/freshbooks/callback"
COMMAND = str(BIN / "freshbooks-zoho")
PAGE = re.compile(r"^ *(https?://\S+/oauth/authorize\S+)", re.MULTILINE)


@contextmanager
def script(project, *arguments, **variables):
    """Run the command as a script does."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "MELTANO_UTILIZE_PORT": "1", **variables}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([COMMAND, *arguments], cwd=project, env=environment, text=True, **pipes) as process:
        yield process


def test_a_person_connects_and_does_so_again_while_it_is_served(box, tmp_path):
    store = {"store_url": f"sqlite:///{tmp_path}/store/store.db", "store_key": Fernet.generate_key().decode()}
    books, zoho = box.freshbooks, box.zoho
    project = make_project(
        tmp_path / "project",
        tap_freshbooks={**store, "api_url": books.url, "auth_url": books.url},
        target_zoho_crm={**store, "accounts_url": zoho.accounts_url},
    )
    books.app.redirect_uris = [BACK]
    customer = books.create_client(organization="Alder Ltd")

    # FreshBooks, at a terminal. The secret is not shown.
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    terminal = Terminal([COMMAND, "connect", "freshbooks"], project, environment)
    terminal.wait_for("Client ID: ")
    terminal.type(books.app.client_id)
    terminal.wait_for("Client secret: ")
    terminal.type(books.app.client_secret)
    terminal.wait_for(r"Redirect URI \[https://localhost/freshbooks/callback\]: ")
    terminal.type("")
    page = terminal.wait_for(PAGE.pattern).group(1)
    terminal.wait_for("Address: ")
    terminal.type(requests.get(page, allow_redirects=False, timeout=10).headers["Location"])
    assert terminal.end() == 0, terminal.shown
    assert "Connected to FreshBooks: Northwind Studio" in terminal.shown
    assert books.app.client_secret not in terminal.shown

    # Zoho, by a script: credentials in the environment, the code on stdin.
    client = zoho.register("self")
    credentials = {
        "TARGET_ZOHO_CRM_CLIENT_ID": client.client_id,
        "TARGET_ZOHO_CRM_CLIENT_SECRET": client.client_secret,
    }
    with script(project, "connect", "zoho", "--self-client", "--non-interactive", "--json", **credentials) as process:
        out, err = process.communicate(zoho.grant_code(SCOPES, client=client), timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["organization"] == "Sandbox Company"
    with (project / ".env").open("a") as dotenv:
        dotenv.writelines(f"{name}={value}\n" for name, value in credentials.items())

    # Again, by one click, while it is served: the tokens before are dead, what changes still lands.
    with Served(project) as served, open_store(**store) as opened:
        eventually(lambda: zoho.records("Accounts"))
        eventually(served.takes_events)
        before = {kind: opened.secrets.all(kind) for kind in ("callback", "channel")}
        books.switches.allow_any_redirect_uri = books.switches.consent_revokes_refresh_tokens = True
        public_url = f"http://127.0.0.1:{served.port}"
        variables = {"FRESHBOOKS_ZOHO_PUBLIC_URL": public_url, "TAP_FRESHBOOKS_REDIRECT_URI": public_url + PATH}
        with script(project, "connect", "freshbooks", "--json", **variables) as process:
            lines = iter(process.stderr.readline, "")
            page = next(match.group(1) for line in lines if (match := PAGE.search(line)))
            assert "Go back to the terminal" in requests.get(page, timeout=10).text
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["account_id"] == books.account_id
        assert {kind: opened.secrets.all(kind) for kind in before} == before

        line = {"name": "Design", "unit_cost": {"amount": "123.45", "code": "USD"}, "qty": 1}
        books.create_invoice(customer["id"], [line], action_mark_as_sent=True)
        eventually(lambda: [str(deal["Amount"]) for deal in zoho.records("Deals")] == ["123.45"])
        assert served.stop() == 0
        assert "state=" not in served.log.read_text()
        assert not any(token in served.log.read_text() for token in books.oauth._by_refresh)
