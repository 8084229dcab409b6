"""The sandbox as a process of its own: its command, and the control API."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
import requests
from support.freshbooks import Api

from sandbox import Sandbox
from sandbox.cli import environment
from sandbox.control import describe, template

COMMAND = [sys.executable, "-c", "import sys; from sandbox.cli import main; sys.exit(main())"]


@pytest.fixture
def box():
    with Sandbox() as box:
        yield box


def control(box, method, path, body=None):
    answer = requests.request(method, f"{box.freshbooks.url}/_sandbox{path}", json=body, timeout=10)
    assert answer.status_code in (200, 204), answer.text
    return answer.json() if answer.content else None


def test_it_tells_what_one_needs_to_connect(box):
    description = control(box, "GET", "")
    assert description == describe(box)
    assert description["freshbooks"]["url"] == box.freshbooks.url
    assert description["zoho"]["accounts_urls"]["us"] == box.zoho.accounts_url


def test_its_grants_are_good_at_all_services(box):
    grants = control(box, "POST", "/grants")
    settings = environment(describe(box), grants)
    form = {
        "client_id": settings["TAP_FRESHBOOKS_CLIENT_ID"],
        "client_secret": settings["TAP_FRESHBOOKS_CLIENT_SECRET"],
        "redirect_uri": settings["TAP_FRESHBOOKS_REDIRECT_URI"],
        "refresh_token": settings["TAP_FRESHBOOKS_REFRESH_TOKEN"],
        "grant_type": "refresh_token",
    }
    url = settings["TAP_FRESHBOOKS_API_URL"]
    assert requests.post(f"{url}/auth/oauth/token", data=form, timeout=10).status_code == 200
    for data_centre in ("us", "eu"):
        settings = environment(describe(box), grants, data_centre)
        form = {
            "client_id": settings["TARGET_ZOHO_CRM_CLIENT_ID"],
            "client_secret": settings["TARGET_ZOHO_CRM_CLIENT_SECRET"],
            "refresh_token": settings["TARGET_ZOHO_CRM_REFRESH_TOKEN"],
            "grant_type": "refresh_token",
        }
        url = settings["TARGET_ZOHO_CRM_ACCOUNTS_URL"]
        assert "access_token" in requests.post(f"{url}/oauth/v2/token", data=form, timeout=10).json()


def test_it_moves_the_clock(box):
    moment = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
    control(box, "POST", "/clock", {"set": "2026-07-01T12:00:00Z"})
    assert timedelta() <= box.clock.now() - moment < timedelta(minutes=1)
    control(box, "POST", "/clock", {"advance": 3600})
    told = datetime.fromisoformat(control(box, "GET", "/clock")["now"])
    assert timedelta(hours=1) <= told - moment < timedelta(hours=1, minutes=1)


def test_its_calls_meet_no_faults_and_are_not_counted(box):
    control(box, "POST", "/faults", {"kind": "status", "service": "freshbooks", "status": 503, "times": None})
    control(box, "POST", "/latency", {"seconds": 0.001})
    assert requests.get(f"{box.freshbooks.url}/auth/api/v1/users/me", timeout=10).status_code == 503
    assert control(box, "GET", "/calls") == {
        "total": 1,
        "calls": [{"service": "freshbooks", "method": "GET", "path": "/auth/api/v1/users/me", "count": 1}],
    }
    control(box, "DELETE", "/faults")
    assert requests.get(f"{box.freshbooks.url}/auth/api/v1/users/me", timeout=10).status_code == 401
    control(box, "DELETE", "/calls")
    assert control(box, "GET", "/calls") == {"total": 0, "calls": []}


def test_calls_are_counted_by_path_without_ids():
    assert (
        template("/accounting/account/H1wQeb/users/clients/567") == "/accounting/account/{account}/users/clients/{id}"
    )
    assert template("/crm/v8/Accounts/5545974000001") == "/crm/v8/Accounts/{id}"


def test_it_loads_and_tells_totals(box):
    totals = control(box, "POST", "/load", {"clients": 10, "invoices": 50, "payments": 20})
    account = totals["accounts"][box.freshbooks.account_id]
    assert account["records"] == {"clients": 10, "invoices": 50, "payments": 20}
    assert account["outstanding"] == {code: str(total) for code, total in box.freshbooks.outstanding().items()}
    assert control(box, "GET", "/totals") == totals


def test_it_ends_the_rate_limit(box):
    control(box, "POST", "/rate_limit", {"requests": 1})
    api = Api(box)
    assert api.page("clients").status_code == 429
    control(box, "DELETE", "/rate_limit")
    assert api.page("clients").status_code == 200
    api.close()


def test_what_it_cannot_do_it_says(box):
    url = f"{box.freshbooks.url}/_sandbox"
    for method, path, body, status in (
        ("POST", "/faults", b'{"kind": "flood"}', 400),
        ("POST", "/load", b'{"invoices": 5}', 400),
        ("POST", "/clock", b"noon", 400),
        ("GET", "/nothing", b"", 404),
    ):
        answer = requests.request(method, url + path, data=body, timeout=10)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_end(tmp_path, number):
    ready = tmp_path / "ready.json"
    command = [*COMMAND, "serve", "--port", "0", "--firm", "--json", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            description = json.loads(process.stdout.readline())
            url = description["freshbooks"]["url"]
            totals = requests.get(f"{url}/_sandbox/totals", timeout=10).json()["accounts"]
            assert totals[description["freshbooks"]["account_id"]]["records"]["invoices"] == 150
            printed = subprocess.run([*COMMAND, "env", "--url", url], capture_output=True, text=True, check=True).stdout
            lines = [shlex.split(line) for line in printed.splitlines()]
            assert {line[0] for line in lines} == {"export"}
            assert f"TAP_FRESHBOOKS_API_URL={url}" in {line[1] for line in lines}
            assert json.loads(ready.read_text()) == description
        finally:
            process.send_signal(number)
        assert process.wait(timeout=30) == 0


def test_the_command_says_what_is_wrong(box):
    port = box.freshbooks.url.rpartition(":")[2]
    taken = subprocess.run([*COMMAND, "serve", "--port", port], capture_output=True, text=True, check=False)
    assert taken.returncode == 1
    assert "Choose another --port" in taken.stderr
    absent = subprocess.run(
        [*COMMAND, "env", "--url", "http://127.0.0.1:9"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert absent.returncode == 1
    assert "sandbox serve" in absent.stderr
