"""Each thing that can go wrong is really broken, and found, with what mends it; nothing else is blamed."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from importlib.metadata import version

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console as Terminal
from support.companion import Companion
from support.meltano_project import BIN, make_project
from support.pipeline import STORE_KEY, Pipeline

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.checks import machine, sync
from freshbooks_zoho.checks.catalog import CHECKS
from freshbooks_zoho.checks.examination import Check, bad, examine, ok, warning
from freshbooks_zoho.checks.subject import Subject
from freshbooks_zoho.commands.doctor import DoctorReport
from freshbooks_zoho.console import ATTENTION, OK, Console
from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.leadership import TTL, lease_of
from freshbooks_zoho.zoho.side import ZohoSide, open_client
from sandbox import Sandbox
from singer_store import open_store
from target_zoho_crm.api.scopes import SCOPES

SLOW = "Meltano and plugins"


def now():
    return datetime.now(timezone.utc)


class World:
    """A firm that has synced; its settings may be changed by plugin."""

    def __init__(self, box, folder, tap, target):
        self.box = box
        self.root = make_project(folder / "project")
        self.own, self.tap, self.target = {}, dict(tap), dict(target)
        self.project = Project(self.root, BIN / "meltano", "dev")

    @property
    def settings(self):
        return settings_.read(self.project, own=self.own, tap=self.tap, target=self.target)

    @contextmanager
    def store(self):
        with open_store(self.settings.store_url, STORE_KEY) as store:
            yield store

    def subject(self, **options):
        return Examined(self, **options)

    def examine(self, **options):
        """Make all checks but the slow one; gives the findings by name."""
        with self.subject(**options) as subject:
            results = examine([check for check in CHECKS if check.name != SLOW], subject)
        return {one.check.name: one.finding for one in results}


class Examined(Subject):
    """A world; what its settings are is not asked of Meltano."""

    def __init__(self, world, **options):
        super().__init__(environment={"PATH": os.environ["PATH"]}, folder=world.root, **options)
        self.world, self.project = world, world.project

    @cached_property
    def settings(self):
        return self.world.settings


def sync_once(box, folder):
    box.freshbooks.create_client(organization="Alder and Sons")
    pipeline = Pipeline(box, folder)
    settings = dict(pipeline.tap), dict(pipeline.target)
    pipeline.run()
    return settings


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A firm that has synced once, for tests that leave both services as they are."""
    folder = tmp_path_factory.mktemp("shared")
    with Sandbox() as box:
        yield box, folder, *sync_once(box, folder)


@pytest.fixture
def calm(shared, tmp_path):
    """That firm, with a store and settings of the test's own."""
    box, folder, tap, target = shared
    shutil.copy(folder / "store.db", tmp_path)
    url = {"store_url": f"sqlite:///{tmp_path}/store.db"}
    return World(box, tmp_path, tap | url, target | url)


@pytest.fixture
def world(box, tmp_path):
    """A firm of the test's own."""
    return World(box, tmp_path, *sync_once(box, tmp_path))


@pytest.fixture
def served(world):
    """The world with webhooks, channels and a process that serves."""
    with world.store() as store, Companion(world.box, store, settings=world.settings.tap) as companion:
        companion.ensure()
        world.own["public_url"] = companion.url
        with open_client(world.settings, store) as client:
            ZohoSide(world.settings, client, store, companion.account, metrics=Metrics()).tend()
        # Renewed a moment later than now, so that it does not matter how long the other checks take.
        store.leases.acquire(lease_of(companion.account), "host:17:abc", TTL, now() + timedelta(seconds=15))
        world.companion = companion
        yield world


def not_ok(findings):
    return {name: finding for name, finding in findings.items() if finding.level != "ok"}


# all is well


def test_where_all_is_well_nothing_is_blamed(served):
    findings = served.examine()

    assert not_ok(findings) == {}
    assert all(finding.mend is None for finding in findings.values())


def test_examining_changes_nothing_in_either_service(served):
    before = served.box.server.calls()
    served.examine()
    made = served.box.server.calls()[len(before) :]

    changing = [call for call in made if call.method != "GET" and not call.path.endswith(("/coql", "/token"))]
    assert changing == []


def test_without_webhooks_and_without_a_process_that_serves_all_may_be_well_too(calm):
    assert not_ok(calm.examine()) == {}


# this machine


def test_a_setting_that_is_missing_leaves_only_what_needs_none(calm):
    calm.tap["client_id"] = ""

    findings = calm.examine()

    assert "client_id is missing" in findings["settings"].sentence
    assert findings["settings"].mend == "meltano config list tap-freshbooks"
    assert {name for name, one in findings.items() if one.level != "not possible"} == {"settings", "network at start"}


def test_outside_a_project_the_sentence_says_where_to_go(tmp_path):
    with Subject(environment={}, folder=tmp_path) as subject:
        results = examine(CHECKS, subject)

    assert results[0].finding.level == "bad"
    assert "run this in the folder with meltano.yml" in results[0].finding.sentence


def test_a_dry_run_left_in_the_settings_is_found(calm):
    calm.target["dry_run"] = True

    found = calm.examine()["settings"]

    assert (found.level, found.mend) == ("warning", "meltano config unset target-zoho-crm dry_run")


def test_a_start_in_the_future_is_found(calm):
    calm.tap["start_date"] = "2999-01-01T00:00:00Z"

    assert calm.examine()["settings"].level == "bad"


@pytest.fixture
def versions(calm, tmp_path):
    """Gives what is found of executables that say these words; None is one that is not there."""

    def look(**words):
        said = {"meltano": "meltano, version 4.4.1", "tap": f"tap-freshbooks v{version('freshbooks-zoho')}", **words}
        for name, text in said.items():
            if text:
                (tmp_path / name).write_text(f"#!/bin/sh\n{text if text == 'exit 1' else f'echo {text}'}\n")
                (tmp_path / name).chmod(0o755)
        make_project(calm.root, {"tap-freshbooks": tmp_path / "tap", "target-zoho-crm": tmp_path / "target"})
        calm.project = Project(calm.root, tmp_path / "meltano", "dev")
        with calm.subject() as subject:
            return machine.meltano(subject)

    return look


@pytest.mark.parametrize(
    ("says", "sentence", "mend"),
    [
        ("target-zoho-crm v0.0.1, Meltano SDK v0.54.9", "target-zoho-crm 0.0.1", "meltano install --clean"),
        ("exit 1", "target-zoho-crm cannot be started", "meltano install"),
        (None, "target-zoho-crm cannot be started", "meltano install"),
    ],
    ids=["another version", "broken", "not there"],
)
def test_a_plugin_that_does_not_fit_is_found(versions, says, sentence, mend):
    found = versions(target=says)

    assert (found.level, found.mend) == ("bad", mend)
    assert sentence in found.sentence


def test_a_plugin_that_meltano_has_not_installed_is_found(versions, calm):
    versions()
    content = yaml.safe_load((calm.root / "meltano.yml").read_text())
    for kind in ("extractors", "loaders"):
        content["plugins"][kind][0].update(pip_url="somewhere", executable=content["plugins"][kind][0]["name"])
    (calm.root / "meltano.yml").write_text(yaml.safe_dump(content))
    with calm.subject() as subject:
        found = machine.meltano(subject)

    assert "tap-freshbooks and target-zoho-crm cannot be started" in found.sentence


def test_an_old_meltano_is_found(versions):
    assert versions(meltano="meltano, version 3.9.1").sentence.startswith("Meltano 3.9.1; this needs version 4")


@pytest.mark.parametrize(
    ("content", "environment", "mended"),
    [
        ({}, {}, ["cli.disable_version_check true", "send_anonymous_usage_stats false"]),
        ({"cli": {"disable_version_check": True}}, {}, ["send_anonymous_usage_stats false"]),
        ({"send_anonymous_usage_stats": False}, {"MELTANO_CLI_DISABLE_VERSION_CHECK": "true"}, []),
        ({"cli": {"disable_version_check": True}}, {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "0"}, []),
        (
            {"cli": {"disable_version_check": True}, "send_anonymous_usage_stats": False},
            {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "true"},
            ["send_anonymous_usage_stats false"],
        ),
    ],
    ids=["neither", "one", "the other by the environment", "both", "the environment counts more"],
)
def test_what_lets_runs_hang_without_a_network_is_found(tmp_path, content, environment, mended):
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(content))
    subject = Subject(environment=environment, folder=tmp_path)
    subject.project = Project(tmp_path, BIN / "meltano", "dev")

    found = machine.network_at_start(subject)

    assert found.level == ("warning" if mended else "ok")
    assert (found.mend or "").split("; ") == ([f"meltano config set meltano {one}" for one in mended] or [""])


def test_what_lets_runs_hang_may_be_switched_off_in_the_env_file(tmp_path):
    (tmp_path / "meltano.yml").write_text("cli: {disable_version_check: true}")
    (tmp_path / ".env").write_text("MELTANO_SEND_ANONYMOUS_USAGE_STATS=false\n")
    subject = Subject(environment={}, folder=tmp_path)
    subject.project = Project(tmp_path, BIN / "meltano", "dev")

    assert machine.network_at_start(subject).level == "ok"


def test_files_that_others_may_read_are_found_with_the_command_that_closes_them(calm, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    key = tmp_path / "config" / "singer-store" / "store.key"
    key.parent.mkdir(parents=True)
    key.write_text(STORE_KEY)
    files = [calm.root / ".env", key, tmp_path / "store.db"]
    files[0].touch()
    for file in files:
        file.chmod(0o644)
    folder = calm.root / ".meltano"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    calm.tap.pop("store_key")
    calm.target.pop("store_key")

    findings = calm.examine()

    assert findings["private files"].mend == f"chmod go= {' '.join(map(str, [*files, folder]))}"
    assert findings["store"].level == "bad"
    assert "mode 0644" in findings["store"].sentence
    for file in files:
        file.chmod(0o600)
    folder.chmod(0o700)
    assert not_ok(calm.examine()) == {}


def test_the_wrong_key_is_found_and_nothing_is_asked_of_what_cannot_be_opened(calm):
    calm.tap["store_key"] = calm.target["store_key"] = "9" * 43 + "="

    findings = calm.examine()

    assert "does not open the store" in findings["store"].sentence
    assert findings["business"].level == "not possible"
    assert findings["FreshBooks answers"].level == "ok"


def test_where_there_is_no_store_none_is_made(calm, tmp_path):
    calm.tap["store_url"] = calm.target["store_url"] = f"sqlite:///{tmp_path}/other/store.db"
    calm.tap["refresh_token"] = None

    found = calm.examine()["store"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho connect freshbooks")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("minutes", "level", "how"),
    [(-125, "bad", "2 hours ahead of"), (125, "bad", "2 hours behind"), (2, "warning", "behind")],
)
def test_a_wrong_clock_is_found(world, minutes, level, how):
    world.box.clock.advance(minutes=minutes)

    found = world.examine()["clock"]

    assert (found.level, found.mend) == (level, "sudo timedatectl set-ntp true")
    assert f"{how} that of FreshBooks" in found.sentence


# FreshBooks


def test_no_answer_is_found_and_blamed_on_nothing_else(calm):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        calm.tap["api_url"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        findings = calm.examine()

    assert "no answer" in findings["FreshBooks answers"].sentence
    assert {findings[name].level for name in ("business", "scopes")} == {"not possible"}
    assert findings["Zoho answers"].level == "ok"


def test_a_service_in_trouble_is_found(world):
    world.box.faults.add(service="zoho", path="/", kind="status", status=503, times=None)

    assert "answers 503: Zoho has trouble of its own" in world.examine()["Zoho answers"].sentence


def test_a_connection_that_was_never_made_is_found(calm):
    calm.tap.update(client_id="another", refresh_token=None)

    findings = calm.examine()

    assert findings["FreshBooks connection"].sentence == "FreshBooks is not connected."
    assert findings["FreshBooks connection"].mend == "freshbooks-zoho connect freshbooks"
    assert findings["organization"].level == "ok"


def test_a_consent_that_was_withdrawn_is_found(world):
    world.box.freshbooks.switches.consent_revokes_refresh_tokens = True
    world.box.freshbooks.grant()

    first, again = world.examine(), world.examine()

    assert first["business"].level == "bad"
    assert first["business"].mend == "freshbooks-zoho connect freshbooks"
    # By now the store knows.
    assert "has to be connected again" in again["FreshBooks connection"].sentence
    assert again["business"].level == "not possible"


def test_an_account_of_others_is_found(calm):
    calm.tap["account_id"] = "Nobody"

    found = calm.examine()["business"]

    assert "account_id, Nobody, is none of" in found.sentence


def test_scopes_that_are_missing_are_all_named(calm):
    calm.tap["refresh_token"] = calm.box.freshbooks.grant(["user:profile:read", "user:clients:read"])

    found = calm.examine()["scopes"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho connect freshbooks")
    assert "user:invoices:read, user:payments:read" in found.sentence


# Zoho


def test_a_consent_withdrawn_at_zoho_is_found(world):
    world.box.zoho.revoke_grants()

    findings = world.examine()

    assert findings["organization"].level == "bad"
    assert findings["organization"].mend == "freshbooks-zoho connect zoho"
    assert findings["stages"].level == "not possible"


def test_the_wrong_data_centre_is_found(calm):
    calm.target.update(accounts_url=calm.box.zoho.origins()["eu"], refresh_token=calm.box.zoho.grant())

    findings = calm.examine()

    assert (findings["data centre"].level, findings["data centre"].mend) == ("bad", "freshbooks-zoho connect zoho")
    assert findings["organization"].level == "not possible"


@pytest.mark.parametrize("lacking", ["ZohoCRM.coql.READ", "ZohoCRM.modules.contacts.READ", "ZohoCRM.notifications.ALL"])
def test_a_scope_that_is_missing_at_zoho_is_named(calm, lacking):
    calm.target["refresh_token"] = calm.box.zoho.grant([scope for scope in SCOPES if scope != lacking])

    found = calm.examine()["consent"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho connect zoho")
    assert lacking.rpartition(".")[0].lower().split(".")[-1] in found.sentence.lower()


def test_a_module_that_the_user_may_not_see_is_found(world):
    world.box.zoho.forbid("view", "Deals")

    found = world.examine()["organization"]
    assert (found.level, "Deals" in found.sentence, "may not see it" in found.sentence) == ("bad", True, True)


def test_a_module_that_is_listed_although_the_user_may_not_see_it_is_found(world):
    world.box.zoho.switches.modules_follow_profile = False
    world.box.zoho.forbid("view", "Deals")

    assert "Crm_Implied_View_Deals" in world.examine()["consent"].sentence


def test_contacts_that_the_user_may_not_see_stop_nothing_and_are_found(world):
    world.box.zoho.forbid("view", "Contacts")

    found = world.examine()["consent"]

    assert (found.level, "matched without their e-mail addresses" in found.sentence) == ("warning", True)


def test_what_zoho_refuses_to_everybody_is_said_in_its_words_and_nothing_else_is_blamed(world):
    world.box.zoho.refuse_calls("IP_NOT_ALLOWED", "Your IP address is not allowed.")

    found = world.examine()

    assert (found["organization"].level, found["organization"].mend) == ("bad", None)
    assert "“Your IP address is not allowed.”" in found["organization"].sentence
    assert found["fields and modules"].level == "not possible"


def test_what_the_user_may_not_do_with_records_is_found(world):
    world.box.zoho.forbid("edit", "Deals")

    found = [one for one in world.examine().values() if "may not edit records in Deals" in one.sentence]
    assert [one.level for one in found] == ["bad"]


@pytest.mark.parametrize(("left", "level"), [(0, "bad"), (500, "warning"), (20_000, "ok")])
def test_credits_that_run_out_are_found(world, left, level):
    zoho = world.box.zoho
    zoho.switches.credits_limit = 50_000
    zoho.credits_used = 50_000 - left - (20 if left else 0)

    findings = world.examine()

    found = findings["API credits"] if left else findings["organization"]
    assert found.level == level
    assert "credits" in found.sentence


def test_a_field_that_was_removed_is_found(world):
    del world.box.zoho.fields("Deals")["FreshBooks_Paid"]

    found = world.examine()["fields and modules"]
    world.target["create_fields"] = False
    forbidden = world.examine()["fields and modules"]

    assert (found.level, forbidden.level) == ("warning", "bad")
    assert found.mend == forbidden.mend == "freshbooks-zoho setup"
    assert "in Deals: FreshBooks Paid" in found.sentence


def test_where_the_edition_may_have_no_room_for_a_field_it_says_so(world):
    del world.box.zoho.fields("Deals")["FreshBooks_Paid"]
    world.box.zoho.edition = "free"

    found = world.examine()["fields and modules"]

    assert (found.level, found.mend) == ("warning", "freshbooks-zoho setup")
    assert "the edition free is known to allow 0" in found.sentence


def test_a_field_of_the_wrong_type_is_found(world):
    world.box.zoho.fields("Deals")["FreshBooks_Paid"].data_type = "date"

    assert world.examine()["fields and modules"].level == "bad"


def test_a_stage_that_was_removed_is_found(world):
    world.box.zoho.remove_stage("Closed Won", "Standard (Standard)")

    findings = world.examine()

    assert "'Closed Won'" in findings["stages"].sentence
    assert findings["stages"].mend.startswith("meltano config set target-zoho-crm stage_map")
    assert findings["fields and modules"].level == "ok"


def test_a_pipeline_that_can_be_made_is_left_to_setup(calm):
    calm.target["pipeline"] = "FreshBooks Invoices"

    assert calm.examine()["stages"].mend == "freshbooks-zoho setup"


# the sync


def serving(world, **options):
    with world.subject(**options) as subject:
        return sync.serving(subject)


def test_webhooks_without_a_process_that_serves_are_found(calm):
    calm.own["public_url"] = "https://sync.example.com"

    found = serving(calm)

    assert (found.level, found.mend) == ("warning", "freshbooks-zoho serve")


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (1, "ok", "host, process 17 serves"),
        (16, "warning", "not been heard of for 16 seconds"),
        (3600, "bad", "ended without a word 60 minutes ago"),
        (-3600, "bad", "whose clock was wrong"),
    ],
)
def test_a_process_that_hangs_or_has_died_is_found(calm, seconds, level, words):
    moment = now()
    with calm.store() as store:
        store.leases.acquire(lease_of(calm.box.freshbooks.account_id), "host:17:abc", TTL, moment)

    found = serving(calm, clock=lambda: moment + timedelta(seconds=seconds))

    assert found.level == level
    assert words in found.sentence


def test_a_lease_that_was_given_back_is_no_death(calm):
    with calm.store() as store:
        store.leases.release(store.leases.acquire(lease_of(calm.box.freshbooks.account_id), "host:17:abc", TTL))

    assert serving(calm).level == "ok"


def test_a_public_url_that_leads_nowhere_is_found(served):
    served.companion.stop()

    found = served.examine()["public URL"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho serve")
    assert "there is no answer" in found.sentence


def test_a_public_url_that_leads_to_something_else_is_found(served):
    served.own["public_url"] = served.box.freshbooks.url

    assert "something else answers (404)" in served.examine()["public URL"].sentence


def test_a_callback_that_freshbooks_has_lost_is_found(served):
    for callback in served.companion.api.callbacks():
        if callback.event == "invoice":
            served.companion.api.delete(callback.id)

    found = served.examine()["FreshBooks callbacks"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho serve")
    assert "none for invoice;" in found.sentence


def test_a_callback_that_freshbooks_has_switched_off_is_found(served):
    for callback in served.box.freshbooks.callbacks():
        callback.verified = callback.event != "payment"

    assert "that for payment is not verified" in served.examine()["FreshBooks callbacks"].sentence


def test_a_channel_that_has_expired_is_found(served):
    served.box.clock.advance(days=8)

    found = served.examine()["Zoho channels"]

    assert (found.level, found.mend) == ("bad", "freshbooks-zoho serve")
    assert "Zoho does not have the channel for Deals any more" in found.sentence


def test_a_channel_that_is_not_renewed_is_found_before_it_ends(served):
    late = {check.name: check for check in CHECKS}["Zoho channels"]
    with served.subject(clock=lambda: now() + timedelta(days=1)) as subject:
        found = late.look(subject)

    assert found.level == "warning"
    assert "were not renewed in time; 5 days are left" in found.sentence


def test_channels_that_were_never_made_are_found(calm):
    calm.own["public_url"] = "https://sync.example.com"
    with calm.subject() as subject:
        found = sync.zoho_channels(subject)

    assert "There is no channel for Accounts. There is no channel for Deals." in found.sentence


def test_a_run_that_failed_is_found_with_its_reason(calm):
    moment = now()
    with calm.store() as store:
        summary = {"kind": "changes", "objects": 0, "reason": "the loader failed; Zoho refused", "target": {}}
        store.runs.add("freshbooks-zoho", moment - timedelta(minutes=5), moment, "failed", summary)

    found = calm.examine()["last run"]

    assert found.level == "bad"
    assert "Zoho refused" in found.sentence


def test_no_run_for_long_is_found(calm):
    with calm.subject(clock=lambda: now() + timedelta(days=3)) as subject:
        found = sync.last_run(subject)

    assert (found.level, found.mend) == ("warning", "freshbooks-zoho serve")


def sync_again(world):
    again = Pipeline(world.box, world.root)
    again.tap, again.target = dict(world.tap), dict(world.target)
    again.run()


def test_what_cannot_be_synced_without_a_person_is_named(world):
    books, zoho = world.box.freshbooks, world.box.zoho
    for _ in range(2):
        zoho.insert("Accounts", {"Account_Name": "Birch"})
    client = books.create_client(organization="Birch")
    sync_again(world)

    found = world.examine()["objects"]

    assert (found.level, found.mend) == ("warning", "freshbooks-zoho status, then freshbooks-zoho retry")
    assert f"clients {client['id']} (ambiguous)" in found.sentence


# how checks are made and shown


def crash(_subject):
    raise RuntimeError("secret")


def test_a_check_that_crashes_is_a_finding_without_what_it_stumbled_over():
    crashing = Check("first", "sync", crash)
    (one, two, three) = examine(
        [crashing, Check("second", "sync", lambda _: ok("fine"), ("first",)), Check("third", "sync", lambda _: ok(""))],
        Subject(),
    )

    assert one.finding.level == "bad"
    assert "RuntimeError in crash" in one.finding.sentence
    assert "secret" not in one.finding.sentence
    assert (two.finding.level, two.finding.sentence) == ("not possible", "first: first")
    assert three.finding.level == "ok"


def test_every_check_needs_only_what_is_checked_before_it():
    seen = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.name
        seen.add(check.name)


levels = st.sampled_from(["ok", "warning", "bad"])


def _make(finding, _subject):
    return finding("So it is.")


@given(st.lists(levels, min_size=1, max_size=6))
def test_the_exit_code_says_whether_all_is_well(found):
    makers = {"ok": ok, "warning": warning, "bad": bad}
    checks = [Check(str(number), "sync", partial(_make, makers[level])) for number, level in enumerate(found)]
    report = DoctorReport(tuple(examine(checks, Subject())))

    assert report.exit_code == (OK if set(found) == {"ok"} else ATTENTION)
    assert report.as_json()["worst"] == next(level for level in ("bad", "warning", "ok") if level in found)


def test_findings_are_shown_by_group_with_what_mends_them():
    checks = [
        Check("clock", "this machine", lambda _: bad("The clock is wrong.", "sudo timedatectl set-ntp true")),
        Check("last run", "sync", lambda _: ok("It ended well.")),
    ]
    report, text = DoctorReport(tuple(examine(checks, Subject()))), io.StringIO()
    report.show(Console(Terminal(file=text, width=200)))

    lines = [line.strip() for line in text.getvalue().splitlines() if line.strip()]
    assert lines[0] == "this machine"
    assert "clock: sudo timedatectl set-ntp true" in lines
    assert lines[-1] == "1 of the checks needs your attention."
    assert json.loads(json.dumps(report.as_json()))["checks"][0]["group"] == "this machine"
