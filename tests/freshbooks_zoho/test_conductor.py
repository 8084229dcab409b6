"""Runs of a real Meltano, with plugins that do what they are told."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from support.meltano_project import BIN, make_project
from support.postgres import on_sqlite
from support.processes import is_alive, kill_group
from support.stub_plugins import ACCOUNT, Diary, make_plugins

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.conductor import Conductor
from freshbooks_zoho.runs.history import SWEEPS
from freshbooks_zoho.runs.leadership import MARGIN_SECONDS, TTL, Leadership, lease_of
from freshbooks_zoho.runs.meltano_run import command, environment
from freshbooks_zoho.settings import read
from singer_store import SET_ASIDE, StoreError, open_store

PATIENCE = 100
pytestmark = pytest.mark.timeout(300)


def utc_now():
    return datetime.now(timezone.utc)


class Stage:
    """A project with stub plugins, a store, and a conductor."""

    def __init__(self, folder, store_settings):
        self.store_settings = dict(zip(("store_url", "store_key"), store_settings, strict=True))
        plugins = make_plugins(folder / "plugins")
        self.diary = Diary(folder / "plugins")
        client = {"client_id": "c", "client_secret": "s", "redirect_uri": "https://example.com"}
        tap = {**client, **self.store_settings, "account_id": ACCOUNT}
        root = make_project(folder / "project", plugins, tap_freshbooks=tap, target_zoho_crm={**tap})
        self.project = Project(root, BIN / "meltano", "dev")
        self.settings = read(self.project, own={"debounce": "0.2"}, tap=tap, target={**client, **self.store_settings})
        self.store = open_store(**self.store_settings)
        self.metrics = Metrics()
        self.conductor = None

    def queue(self, *ids, reason="event", stream="invoices"):
        self.store.pending.queue(ACCOUNT, stream, map(str, ids), reason, now=utc_now())
        if self.conductor is not None:
            self.changed.set()

    def pending(self):
        return {row.object_id: row for row in self.store.pending.all(ACCOUNT)}

    def runs(self):
        """What each run of the tap was asked for; None for what changed."""
        return [entry["ids"] for entry in self.diary.entries("began")]

    @asynccontextmanager
    async def conducting(self):
        self.changed, stop = asyncio.Event(), asyncio.Event()
        self.conductor = Conductor(self.settings, self.store, ACCOUNT, metrics=self.metrics, changed=self.changed)
        task = asyncio.create_task(self.conductor.conduct(stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE)
            self.conductor = None


async def until(condition):
    async def poll():
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), PATIENCE)


@pytest.fixture
def stage(tmp_path, store_settings):
    stage = Stage(tmp_path, store_settings)
    with stage.store:
        yield stage


def test_the_backlog_comes_first_then_events_in_runs_of_their_own(stage):
    async def play():
        async with stage.conducting():
            await until(lambda: len(stage.store.runs.latest("freshbooks-zoho", 9)) == 1)
            stage.queue(*range(1, 31))
            stage.queue(7, stream="clients")
            # Replays of what is queued already.
            for _ in range(1000):
                stage.changed.set()
                stage.store.pending.queue_many([(ACCOUNT, "invoices", "5", "event", utc_now())])
            await until(lambda: not stage.pending())
            await until(lambda: len(stage.store.runs.latest("freshbooks-zoho", 9)) >= 2)

    asyncio.run(play())
    first, *others = stage.runs()
    assert first is None
    assert len(others) <= 2
    assert {stream: sorted(ids) for stream, ids in others[0].items()} == {"invoices": [*range(1, 31)], "clients": [7]}
    # The backlog has left a state; the run for objects has neither seen nor changed it.
    states = [entry["state"] for entry in stage.diary.entries("began")]
    assert states[1:] == [None] * len(others)
    kinds = [run.summary["kind"] for run in stage.store.runs.latest("freshbooks-zoho", 9)]
    assert kinds == ["objects"] * len(others) + ["changes"]
    arguments = " ".join(stage.diary.entries("began")[1]["argv"])
    assert "17" not in arguments.split()


@on_sqlite
def test_runs_that_people_start_meanwhile_do_not_meet_its_own(stage):
    """Two runs of a plugin in one folder of Meltano's may fail: one removes, or has half written, what the other reads.

    That is a matter of moments, so what shows is that no file is used by both.
    """

    def started_by_hand():
        return subprocess.Popen(
            [str(stage.project.meltano), "run", "--no-install", "tap-freshbooks", "target-zoho-crm"],
            cwd=stage.project.root,
            env=environment({"PATH": str(BIN)}, stage.project, {}),
            stderr=subprocess.PIPE,
        )

    async def play():
        async with stage.conducting():
            await until(lambda: len(stage.store.runs.latest("freshbooks-zoho", 9)) == 1)
            stage.diary.order(hold=True)
            stage.queue(1)
            run = started_by_hand()
            await until(lambda: len(stage.runs()) == 3)
            stage.diary.order()
            _, said = await asyncio.to_thread(run.communicate)
            assert run.returncode == 0, said.decode()
            await until(lambda: not stage.pending())

    asyncio.run(play())
    assert [run.outcome for run in stage.store.runs.latest("freshbooks-zoho", 9)] == ["ok", "ok"]
    folder = f"{stage.project.root}/"
    files = {
        entry["ids"] is None: {part for part in entry["argv"] if part.startswith(folder)}
        for entry in stage.diary.entries("began")
    }
    assert files[True]
    assert files[False]
    assert files[True].isdisjoint(files[False])


@on_sqlite
def test_what_a_failed_run_did_not_bring_keeps_the_reason_and_is_tried_again(stage, monkeypatch):
    monkeypatch.setattr("freshbooks_zoho.runs.schedule._FIRST_WAIT", timedelta(seconds=1))
    stage.diary.order(fail_for=13)

    async def play():
        async with stage.conducting():
            await until(lambda: stage.runs() == [None])
            stage.queue(13, 14, 15)
            await until(lambda: stage.pending()["13"].attempts == 1)
            row = stage.pending()["13"]
            stage.diary.order()
            await until(lambda: not stage.pending())
            return row

    row = asyncio.run(play())
    assert row.error["code"] == "RUN_FAILED"
    assert "the extractor failed" in row.error["message"]
    assert "example.com" not in row.error["message"]
    assert row.next_try is not None
    outcomes = [run.outcome for run in reversed(stage.store.runs.latest("freshbooks-zoho", 9))]
    assert outcomes[:2] == ["ok", "failed"]
    assert set(outcomes[2:]) == {"ok"}


@on_sqlite
def test_what_a_run_passed_over_is_seen_and_set_aside_after_the_last_try(stage):
    stage.diary.order(leave=[13])
    stage.queue(13, 14)
    # It has been tried nine times before.
    for _ in range(9):
        stage.store.pending.defer([stage.pending()["13"]], until=utc_now() - timedelta(hours=1), error={"code": "X"})

    async def play():
        async with stage.conducting():
            await until(lambda: stage.pending().get("13") and stage.pending()["13"].next_try == SET_ASIDE)
            await until(lambda: "14" not in stage.pending())
            aside = stage.pending()["13"]
            # Asked for again, it comes.
            stage.diary.order()
            stage.queue(13, reason="retry")
            await until(lambda: not stage.pending())
            return aside

    aside = asyncio.run(play())
    assert (aside.attempts, aside.error["code"]) == (10, "NOT_BROUGHT")


@on_sqlite
def test_once_a_day_everything_is_read_whatever_the_state_says_and_what_changed_at_each_interval(stage):
    def runs():
        return [run.summary["kind"] for run in reversed(stage.store.runs.latest("freshbooks-zoho", 9))]

    async def play():
        async with stage.conducting():
            await until(lambda: runs() == ["changes"])
        long_ago = utc_now() - timedelta(days=2)
        stage.store.runs.add(SWEEPS, long_ago, long_ago, "ok", {})
        stage.settings = replace(stage.settings, poll_interval=1)
        async with stage.conducting():
            await until(lambda: len(runs()) == 3)

    asyncio.run(play())
    assert runs()[:3] == ["changes", "sweep", "changes"]
    states = [entry["state"] for entry in stage.diary.entries("began")]
    assert (states[:2], states[2] is None) == ([None, None], False)


def test_a_lost_lease_ends_the_run_and_another_process_may_lead(stage, monkeypatch):
    stage.diary.order(hold=True)
    for module in ("leadership", "conductor"):
        monkeypatch.setattr(f"freshbooks_zoho.runs.{module}.RENEW_SECONDS", 0.3)

    async def play():
        async with stage.conducting():
            await until(lambda: stage.runs() == [None])
            mine = stage.store.leases.holder(lease_of(ACCOUNT))
            # Its time passed without a renewal, as far as another process can tell.
            later = mine.expires_at + timedelta(seconds=1)
            theirs = stage.store.leases.acquire(lease_of(ACCOUNT), "another", TTL, later)
            await until(lambda: not stage.conductor.leadership.is_held)
            pids = [entry["pid"] for entry in stage.diary.entries("began")]
            await until(lambda: not any(is_alive(pid) for pid in pids))
            stage.diary.order()
            stage.store.leases.release(theirs)
            await until(lambda: stage.diary.entries("wrote"))
            return theirs

    theirs = asyncio.run(play())
    assert theirs.fence == 2


@on_sqlite
def test_what_a_leader_has_started_ends_before_its_lease_when_that_cannot_be_renewed(stage, monkeypatch):
    stage.diary.order(hold=True)
    for module in ("leadership", "conductor"):
        monkeypatch.setattr(f"freshbooks_zoho.runs.{module}.RENEW_SECONDS", 0.5)
    monkeypatch.setattr("freshbooks_zoho.runs.leadership.TTL", timedelta(seconds=12))
    renew, down = stage.store.leases.renew, threading.Event()

    def unless_down(*given):
        if down.is_set():
            raise StoreError("The store is not there.")
        return renew(*given)

    monkeypatch.setattr(stage.store.leases, "renew", unless_down)

    async def play():
        async with stage.conducting():
            await until(lambda: stage.runs() == [None])
            down.set()
            lease = stage.store.leases.holder(lease_of(ACCOUNT))
            pids = [entry["pid"] for entry in stage.diary.entries("began")]
            await until(lambda: not any(is_alive(pid) for pid in pids))
            ended = utc_now()
            # The next leader, and the test, need not wait.
            stage.diary.order()
            down.clear()
            return lease, ended

    lease, ended = asyncio.run(play())
    assert ended < lease.expires_at


def test_however_slow_the_store_is_what_a_leader_starts_may_not_outlast_its_lease(store, monkeypatch):
    """The lease lasts from when the store wrote it, which may be long before its answer is here."""
    monkeypatch.setattr("freshbooks_zoho.runs.leadership.RENEW_SECONDS", 0.05)
    for name in ("acquire", "renew"):
        asked = getattr(store.leases, name)
        monkeypatch.setattr(store.leases, name, lambda *given, asked=asked: (asked(*given), time.sleep(0.7))[0])
    renewed = threading.Event()
    leadership = Leadership(store, ACCOUNT, renewed.set)

    def outlasts():
        ends = utc_now() + timedelta(seconds=leadership.seconds_left)
        return ends > store.leases.holder(lease_of(ACCOUNT)).expires_at - timedelta(seconds=MARGIN_SECONDS)

    async def lead():
        assert await leadership.acquire()
        found = [outlasts()]
        keeping = asyncio.create_task(leadership.keep())
        await until(renewed.is_set)
        found.append(outlasts())
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return found

    assert asyncio.run(lead()) == [False, False]


def test_a_lease_that_cannot_be_asked_for_is_a_problem_until_it_can(store, monkeypatch):
    def down(*_):
        raise StoreError("The store is not there.")

    async def lead():
        leadership, said = Leadership(store, ACCOUNT), []
        with monkeypatch.context() as patch:
            patch.setattr(store.leases, "acquire", down)
            said.append((await leadership.acquire(), leadership.problem))
        said.append((await leadership.acquire(), leadership.problem))
        await leadership.release()
        return said

    assert asyncio.run(lead()) == [(False, "The lease cannot be asked for: The store is not there."), (True, None)]


def test_a_process_of_this_machine_that_has_died_is_not_waited_for(store):
    own = Leadership(store, ACCOUNT).owner
    with subprocess.Popen(["true"]) as process:
        process.wait()
    host, _, place = own.split(":")
    elsewhere = f"{host}:{process.pid}:{'0' * 12}.{place.partition('.')[2]}"

    async def lead(owner):
        leadership = Leadership(store, ACCOUNT)
        theirs = store.leases.acquire(lease_of(ACCOUNT), owner, TTL)
        found = [await leadership.acquire() for _ in range(3)]
        await leadership.release()
        store.leases.release(theirs)
        return found

    # At the first look, what it has started may still be dying.
    assert asyncio.run(lead(f"{host}:{process.pid}:{place}")) == [False, True, True]
    assert asyncio.run(lead(own)) == [False] * 3
    assert asyncio.run(lead(elsewhere)) == [False] * 3
    assert asyncio.run(lead("another")) == [False] * 3


@on_sqlite
def test_a_run_that_was_killed_does_not_keep_meltano_from_running_for_five_minutes(stage):
    """Meltano takes the killed run for alive; its heart does not beat, so the next one is forced."""
    stage.diary.order(hold=True)
    killed = subprocess.Popen(
        command(stage.project, "changes", uuid.uuid4()),
        cwd=stage.project.root,
        env=environment({"PATH": str(BIN)}, stage.project, {}),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    async def play():
        await until(stage.runs)
        kill_group(killed)
        stage.diary.order()
        async with stage.conducting():
            await until(lambda: stage.store.runs.latest("freshbooks-zoho"))

    asyncio.run(play())
    assert stage.store.runs.latest("freshbooks-zoho")[0].outcome == "ok"


@on_sqlite
def test_the_order_to_stop_lets_a_short_run_end(stage, monkeypatch):
    monkeypatch.setattr("freshbooks_zoho.runs.conductor.GRACE_SECONDS", 60)
    stage.diary.order(hold=True)

    async def play():
        async with stage.conducting():
            await until(lambda: stage.runs() == [None])
            asyncio.get_running_loop().call_later(0.5, stage.diary.order)

    asyncio.run(play())
    assert len(stage.diary.entries("wrote")) == 1
    assert [run.outcome for run in stage.store.runs.latest("freshbooks-zoho")] == ["ok"]


@on_sqlite
def test_the_order_to_stop_ends_a_long_run(stage, monkeypatch):
    monkeypatch.setattr("freshbooks_zoho.runs.conductor.GRACE_SECONDS", 0.2)
    stage.diary.order(hold=True)

    async def play():
        async with stage.conducting():
            await until(lambda: stage.runs() == [None])

    asyncio.run(play())
    assert not any(is_alive(entry["pid"]) for entry in stage.diary.entries("began"))
    assert stage.store.leases.holder(lease_of(ACCOUNT)) is None
