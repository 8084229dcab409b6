"""What `/readyz` calls a problem: each part's, while it lasts, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.fernet import Fernet
from support.companion import Companion
from support.meltano_project import make_project, plugin_settings
from support.postgres import on_sqlite
from support.serving import Served, eventually

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.admin.readiness import Readiness
from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.conductor import Conductor
from freshbooks_zoho.runs.meltano_run import Outcome
from freshbooks_zoho.settings import read
from freshbooks_zoho.webhooks.inbox import Event, InboxUnavailableError
from singer_store import StoreError

REVOKED = {"error": "invalid_grant", "error_description": "The consent was withdrawn."}


class Channels:
    """Zoho's side, whose own problems are told in `test_channels`."""

    def __init__(self):
        self.sentences = []

    def problems(self):
        return self.sentences


class Pending:
    """A table that can be told to break."""

    def __init__(self, pending):
        self.broken = False
        self._pending = pending

    def queue_many(self, rows):
        if self.broken:
            raise StoreError("The disk is full.")
        self._pending.queue_many(rows)


class Parts:
    """The parts of a service, which leads."""

    def __init__(self, box, store, store_settings, folder):
        given = plugin_settings(box, *store_settings)
        self.settings = read(
            Project(folder, folder / "meltano", "dev"),
            own={},
            tap=given["tap_freshbooks"],
            target=given["target_zoho_crm"],
        )
        self.box, self.pending, self.zoho = box, Pending(store.pending), Channels()
        # Nobody is at that address, so no handshake will come.
        self.companion = Companion(
            box, store, settings=self.settings.tap, public_url="http://127.0.0.1:9", pending=self.pending
        )
        self.conductor = Conductor(self.settings, store, box.freshbooks.account_id, metrics=Metrics())
        assert asyncio.run(self.conductor.leadership.acquire())

    def problems(self, store):
        found = Readiness(
            self.settings,
            store,
            inbox=self.companion.inbox,
            callbacks=self.companion.callbacks,
            conductor=self.conductor,
            zoho=self.zoho,
        )
        return found.problems()


@pytest.fixture
def parts(box, store, store_settings, tmp_path):
    parts = Parts(box, store, store_settings, tmp_path)
    with parts.companion:
        yield parts


@on_sqlite
def test_a_handshake_that_does_not_come_is_a_problem_after_two_minutes(parts, box, store):
    parts.companion.callbacks.ensure()
    box.deliveries.wait()
    assert parts.problems(store) == []

    box.clock.advance(seconds=119)
    assert parts.problems(store) == []
    box.clock.advance(seconds=1)
    nouns = ("client", "invoice", "payment")
    sentence = "FreshBooks has sent no handshake for 2 minutes: see that http://127.0.0.1:9 leads here."
    assert parts.problems(store) == [f"FreshBooks' callback for {noun} is not verified: {sentence}" for noun in nouns]


@on_sqlite
def test_events_that_cannot_be_stored_are_a_problem_until_some_are(parts, store):
    async def add():
        try:
            await parts.companion.inbox.add([Event("ZyQ04o", "invoices", "1")])
        except InboxUnavailableError:
            return False
        return True

    def added():
        return asyncio.run_coroutine_threadsafe(add(), parts.companion._loop).result(30)

    parts.pending.broken = True
    assert not added()
    assert parts.problems(store) == ["Events cannot be stored: The disk is full."]
    parts.pending.broken = False
    assert added()
    assert parts.problems(store) == []


@on_sqlite
def test_runs_and_channels_are_problems_of_the_process_that_leads(parts, box, store):
    now = box.clock.now()
    parts.conductor.history.note("changes", now, now, Outcome("failed", 1.0, "the extractor failed"), 0)
    parts.zoho.sentences = ["Zoho's channel for Deals is not alive."]
    assert parts.problems(store) == [
        "The last run failed: the extractor failed",
        "Zoho's channel for Deals is not alive.",
    ]

    asyncio.run(parts.conductor.leadership.release())
    assert parts.problems(store) == []
    parts.conductor.leadership.problem = "The lease cannot be asked for: the store is not there."
    assert parts.problems(store) == ["The lease cannot be asked for: the store is not there."]


@on_sqlite
def test_a_connection_that_a_person_has_to_renew_is_a_problem(parts, box, store):
    parts.companion.callbacks.ensure()
    box.faults.add(service="freshbooks", path="/auth/oauth/token", kind="status", status=400, body=REVOKED)
    box.clock.advance(days=1)
    with pytest.raises(StoreError):
        parts.companion.callbacks.ensure()
    assert "run freshbooks-zoho connect freshbooks" in parts.problems(store)[0]


@pytest.mark.timeout(300)
def test_channels_that_cannot_be_had_are_seen_in_readiness_log_and_metrics(box, tmp_path):
    box.faults.add(service="zoho", path=".*/actions/watch", kind="status", status=500, times=None)
    settings = plugin_settings(box, f"sqlite:///{tmp_path}/store/store.db", Fernet.generate_key().decode())
    project = make_project(tmp_path / "project", **settings)

    with Served(project) as served:
        eventually(lambda: served.says("A run for what changed ended well"))
        eventually(lambda: served.says("Zoho's channel for Deals is not alive"))
        answer = served.ready()
        assert answer.status_code == 503
        assert answer.json()["problems"] == [
            f"Zoho's channel for {module} is not alive: what changes there is asked for at each run."
            for module in ("Accounts", "Deals")
        ]
        alarms = [one["message"] for one in served.lines() if one["level"] == "error"]
        assert alarms == answer.json()["problems"]
        measured = served.metrics()
        assert [measured[f'channel_expiry_seconds{{channel="{module}"}}'] for module in ("Accounts", "Deals")] == [0, 0]
        assert served.stop() == 0
