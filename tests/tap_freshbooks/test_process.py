"""The tap as Meltano runs it: a process with a config file, a pipe, and an end that may come at any time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support.forked import run
from support.tap import Output, TapRunner, the_sentence

from sandbox import Sandbox
from singer_store import open_store

UTC = timezone.utc

CHECKER = """
import json, sys
schemas, counts, state = {}, {}, None
for line in sys.stdin:
    message = json.loads(line)
    kind, stream = message["type"], message.get("stream")
    if kind == "SCHEMA":
        schemas[stream] = message
    elif kind == "RECORD":
        assert set(message["record"]) <= set(schemas[stream]["schema"]["properties"]), stream
        assert all(message["record"][key] is not None for key in schemas[stream]["key_properties"])
        counts[stream] = counts.get(stream, 0) + 1
    else:
        assert kind == "STATE", kind
        state = message["value"]
print(json.dumps({"counts": counts, "state": state}))
"""


@pytest.fixture
def tap(box, tmp_path):
    return TapRunner(box, tmp_path)


def test_it_fits_a_pipe(freshbooks, tap):
    freshbooks.load(clients=20, invoices=120, payments=60)
    with ExitStack() as stack:
        source = stack.enter_context(tap.start())
        checker = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", CHECKER], stdin=source.stdout, stdout=subprocess.PIPE, text=True)
        )
        source.stdout.close()
        source.stderr.read()
        result, _ = checker.communicate(timeout=60)
    assert checker.returncode == source.returncode == 0
    summary = json.loads(result)
    assert summary["counts"] == {"clients": 20, "invoices": 120, "payments": 60}
    assert set(summary["state"]["bookmarks"]) == {"clients", "invoices", "payments"}


def test_every_record_is_what_its_schema_says(freshbooks, tap):
    freshbooks.load(clients=5, invoices=20, payments=10)
    out = Output.of(tap.process().stdout)
    schemas = {
        each["stream"]: Draft202012Validator(each["schema"]) for each in out.messages if each["type"] == "SCHEMA"
    }
    for each in out.messages:
        if each["type"] == "RECORD":
            schemas[each["stream"]].validate(each["record"])


def test_discovery_and_about_need_no_settings(tmp_path):
    catalog = json.loads(run("tap_freshbooks", "--discover", cwd=tmp_path).stdout)
    assert [entry["tap_stream_id"] for entry in catalog["streams"]] == ["clients", "invoices", "payments"]
    assert all(entry["key_properties"] == ["account_id", "id"] for entry in catalog["streams"])
    about = json.loads(run("tap_freshbooks", "--about", "--format=json", cwd=tmp_path).stdout)
    assert "batch" not in about["capabilities"]
    assert about["settings"]["required"] == ["client_id", "client_secret", "redirect_uri"]


def test_the_readme_lists_the_settings_as_they_are(tmp_path):
    readme = (Path(__file__).parents[2] / "tap-freshbooks" / "README.md").read_text()
    about = run("tap_freshbooks", "--about", "--format=markdown", cwd=tmp_path).stdout
    assert "\n".join(line for line in about.splitlines() if line.startswith("|")) in readme


def test_settings_may_come_from_the_environment(tap, freshbooks, tmp_path):
    wanted = freshbooks.create_client(organization="Larch and Sons")["id"]
    freshbooks.create_client(organization="Somebody else")
    env = {f"TAP_FRESHBOOKS_{name.upper()}": value for name, value in tap.config.items()}
    env["TAP_FRESHBOOKS_RECORD_IDS"] = json.dumps({"clients": [wanted]})
    result = run("tap_freshbooks", "--config=ENV", cwd=tmp_path, env=os.environ | env)
    assert Output.of(result.stdout).ids("clients") == [wanted]


# Errors at the start


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"client_secret": "canary-wrong"}, "client_id, client_secret and redirect_uri"),
        ({"refresh_token": "canary" * 10}, "onnect"),
        ({"account_id": "WrOng9"}, "account_id, WrOng9, is none of the FreshBooks user's businesses"),
        ({"start_date": "2999-01-01"}, "start_date is in the future"),
        ({"start_date": "soon"}, "start_date must be a date-time"),
        ({"record_ids": "{canary"}, "record_ids is not JSON"),
        ({"record_ids": {"clients": ["x"]}}, "record_ids must have a list of ids"),
        ({"api_url": "http://api.freshbooks.com"}, "api_url must begin with https://"),
        ({"api_url": "http://127.0.0.1:9"}, "could not be reached"),
        ({"store_url": "sqlite:////proc/canary/store.db"}, "store"),
        ({"store_key": "canary"}, "key"),
    ],
    ids=lambda each: each.replace(" ", "-")[:30] if isinstance(each, str) else "-".join(each),
)
def test_an_error_at_the_start_is_one_sentence_and_nothing_else(tap, settings, sentence):
    result = tap.process(state={"bookmarks": {}}, **settings)
    assert sentence in the_sentence(result)
    assert result.stdout == ""
    assert "canary-wrong" not in result.stderr
    assert "canarycanary" not in result.stderr


@pytest.mark.parametrize("mode", [(), ("--discover",), ("--test",)], ids=["sync", "discover", "test"])
@pytest.mark.parametrize("setting", [{"STREAM_MAPS": "{canary"}, {"FLATTENING_MAX_DEPTH": "canary"}], ids="-".join)
def test_what_the_environment_has_wrong_is_one_sentence(setting, mode, tmp_path):
    env = os.environ | {f"TAP_FRESHBOOKS_{name}": value for name, value in setting.items()}
    result = run("tap_freshbooks", "--config=ENV", *mode, cwd=tmp_path, env=env)
    assert "A TAP_FRESHBOOKS_… variable" in the_sentence(result)
    assert "canary" not in result.stdout + result.stderr


@pytest.mark.parametrize("content", ["{canary", '["canary"]', None], ids=["no JSON", "no object", "no file"])
@pytest.mark.parametrize("plugin", ["tap_freshbooks", "target_zoho_crm"])
def test_a_file_of_settings_that_is_no_json_object_is_one_sentence(plugin, content, tmp_path):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    result = run(plugin, "--config=config.json", cwd=tmp_path)
    assert "config.json cannot be read as the JSON object of the settings." in the_sentence(result)
    assert "canary" not in result.stdout + result.stderr


def test_a_missing_scope_at_the_start(tap, freshbooks):
    tap.config["refresh_token"] = freshbooks.grant(["user:clients:read", "user:invoices:read"])
    freshbooks.create_client(organization="Larch and Sons")
    result = tap.process()
    assert "user:payments:read" in the_sentence(result)
    assert result.stdout == ""


def test_a_setting_of_the_wrong_type_does_not_show_its_value(tap):
    result = tap.process(client_secret=8_675_309_555)
    assert result.returncode == 1
    assert "client_secret" in result.stderr
    assert "8675309555" not in result.stderr + result.stdout


def test_the_connection_test_says_the_same(tap):
    result = tap.process("--test", account_id="WrOng9")
    assert result.returncode == 1
    assert "user's businesses" in result.stderr
    assert "Traceback" not in result.stderr
    assert tap.process("--test").returncode == 0


# Secrets


def test_no_secret_and_nothing_personal_is_written_anywhere_but_into_records(tap, freshbooks):
    number = freshbooks.create_client(
        organization="Canary Org", fname="Canaryfirst", email="canary@example.com", mob_phone="555-canary"
    )["id"]
    freshbooks.load(clients=3, invoices=10, payments=5)
    tap.box.faults.add(service="freshbooks", path=r".*/invoices/invoices", kind="status", status=500)
    tap.box.faults.add(service="freshbooks", path=r".*/users/clients", kind="status", status=401)
    result = tap.process(env={"LOGLEVEL": "DEBUG", "TAP_FRESHBOOKS_LOGLEVEL": "DEBUG"})
    assert result.returncode == 0, result.stderr
    tokens = [*freshbooks.oauth._by_access, *freshbooks.oauth._by_refresh]
    secrets = [tap.config[name] for name in ("client_secret", "refresh_token", "store_key")]
    for secret in [*tokens, *secrets, "Bearer ", "fasttrack"]:
        assert secret not in result.stdout
        assert secret not in result.stderr
    assert "anary" not in result.stderr
    out = Output.of(result.stdout)
    assert out.last("clients", number)["fname"] == "Canaryfirst"
    assert "anary" not in json.dumps([each for each in out.messages if each["type"] != "RECORD"])


# Ends


def end_between_pages(freshbooks, tap, number):
    """Send a signal to a tap that has read two pages of invoices, and give what it wrote in whole lines."""
    reached = threading.Event()
    freshbooks.between_pages(reached.set, "invoices", after=2)
    lines = []
    with tap.start() as process:
        readers = [
            threading.Thread(target=lines.extend, args=(process.stdout,)),
            threading.Thread(target=process.stderr.read),
        ]
        for reader in readers:
            reader.start()
        assert reached.wait(30)
        process.send_signal(number)
        for reader in readers:
            reader.join()
    return process.returncode, Output.of("".join(line for line in lines if line.endswith("\n")))


def test_a_tap_killed_between_two_pages_loses_nothing(freshbooks, tap):
    freshbooks.load(clients=250, invoices=2000)
    code, before = end_between_pages(freshbooks, tap, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not any("replication_key_value" in json.dumps(state) for state in before.states)
    after = Output.of(tap.process(state=before.states[-1] if before.states else None).stdout)
    for stream in ("clients", "invoices"):
        assert sorted(after.ids(stream)) == sorted(row["id"] for row in freshbooks.records(stream))


def test_a_tap_that_is_asked_to_end_leaves_the_bookmarks_where_they_were(freshbooks, tap):
    freshbooks.load(clients=5, invoices=2000)
    _, out = end_between_pages(freshbooks, tap, signal.SIGTERM)
    assert len(out.ids("invoices")) < 2000
    assert not any("replication_key_value" in json.dumps(state) for state in out.states)


@pytest.mark.parametrize("way", ["asks it to end", "closes the pipe"])
def test_a_tap_that_is_ended_by_its_reader_has_not_failed(freshbooks, tap, way):
    freshbooks.load(clients=5, invoices=2000)
    with tap.start() as process:
        while json.loads(process.stdout.readline())["type"] != "RECORD":
            pass
        if way == "closes the pipe":
            process.stdout.close()
            process.stdout = None
        else:
            process.terminate()
        _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    with open_store(tap.config["store_url"], tap.config["store_key"]) as store:
        assert store.runs.latest("tap-freshbooks") == []


def test_the_next_process_uses_the_rotated_token_without_another_consent(box, tap, freshbooks):
    freshbooks.create_client(organization="Larch and Sons")
    assert tap.process().returncode == 0
    assert tap.process().returncode == 0
    assert len(box.calls("freshbooks", "/auth/oauth/token")) == 1


def test_it_is_as_it_should_be_with_the_clock_of_freshbooks_elsewhere(tmp_path):
    with Sandbox() as box:
        box.clock.set(datetime.now(UTC) + timedelta(hours=9))
        box.freshbooks.create_client(organization="Larch and Sons")
        out = Output.of(TapRunner(box, tmp_path).process().stdout)
        assert datetime.fromisoformat(out.bookmark("clients")) > datetime.now(UTC) + timedelta(hours=8)
