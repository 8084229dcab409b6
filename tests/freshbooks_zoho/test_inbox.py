"""The inbox: what it has taken is on disk, and what it cannot take it refuses."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timezone

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import Engine
from support.other_client import rows, writing
from support.postgres import on_sqlite

from freshbooks_zoho.webhooks.inbox import BATCH, Event, Inbox, InboxUnavailableError
from singer_store import open_store


def events(number, *, stream="invoices", first=1):
    return [Event("Abc123", stream, str(object_id)) for object_id in range(first, first + number)]


def rows_on_disk(store_settings):
    """Count the rows as another process would see them."""
    return len(rows(store_settings[0], "pending"))


class Commits:
    """The table of objects still to sync, with its commits counted, and held back while `gate` is closed."""

    def __init__(self, pending):
        self.sizes = []
        self.gate = threading.Event()
        self.gate.set()
        self.under_way = threading.Event()
        self._pending = pending

    def queue_many(self, rows):
        self.under_way.set()
        assert self.gate.wait(20)
        self._pending.queue_many(rows)
        self.sizes.append(len(rows))


def run(pending, scenario, **options):
    """Run a scenario with an inbox, and close the inbox."""

    async def main():
        inbox = Inbox(pending, **options)
        try:
            return await scenario(inbox)
        finally:
            await inbox.close()

    return asyncio.run(main())


def test_an_event_is_on_disk_when_it_is_taken(store, store_settings):
    async def scenario(inbox):
        assert not inbox.changed.is_set()
        await inbox.add(events(3))
        assert rows_on_disk(store_settings) == 3
        assert inbox.changed.is_set()

    run(store.pending, scenario, clock=lambda: datetime(2026, 3, 2, 12, tzinfo=timezone.utc))
    (first, *_) = store.pending.all()
    assert (first.account, first.stream, first.object_id, first.reason) == ("Abc123", "invoices", "1", "event")
    assert first.queued_at == datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


@on_sqlite
def test_sqlite_writes_through_to_the_disk(store):
    """Anything less than FULL may lose commits when the power goes (https://sqlite.org/pragma.html#pragma_synchronous)."""
    with store._database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


def test_many_senders_share_a_commit(store):
    commits = Commits(store.pending)

    async def scenario(inbox):
        commits.gate.clear()
        first = asyncio.create_task(inbox.add(events(1)))
        await asyncio.to_thread(commits.under_way.wait)
        others = [asyncio.create_task(inbox.add([event])) for event in events(1000, stream="clients")]
        await asyncio.sleep(0)
        commits.gate.set()
        await asyncio.gather(first, *others)

    run(commits, scenario)
    assert commits.sizes == [1, 1000]


def test_a_commit_is_not_larger_than_a_batch(store):
    commits = Commits(store.pending)

    async def scenario(inbox):
        commits.gate.clear()
        tasks = [asyncio.create_task(inbox.add(events(BATCH // 2, first=number * BATCH))) for number in range(5)]
        await asyncio.sleep(0)
        commits.gate.set()
        await asyncio.gather(*tasks)

    run(commits, scenario)
    assert max(commits.sizes) <= BATCH
    assert sum(commits.sizes) == 5 * (BATCH // 2)


def test_under_load_commits_are_few(store, monkeypatch):
    monkeypatch.setattr("freshbooks_zoho.webhooks.inbox.PAUSE", 0.5)
    commits = Commits(store.pending)

    async def scenario(inbox):
        await inbox.add(events(1))
        # These come one by one, long before the next commit.
        tasks = []
        for event in events(50, stream="clients"):
            tasks.append(asyncio.create_task(inbox.add([event])))
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)

    run(commits, scenario)
    assert len(commits.sizes) <= 3


def test_a_thousand_replays_are_one_row(store):
    async def scenario(inbox):
        await asyncio.gather(*(inbox.add(events(1)) for _ in range(1000)))

    run(store.pending, scenario)
    assert len(store.pending.all()) == 1


def test_an_event_makes_an_object_due_that_was_put_off(store):
    now = datetime.now(timezone.utc)
    for _ in range(5):
        store.pending.fail("Abc123", "invoices", "1", "rejected", error={"code": "INVALID_DATA"}, now=now)
    assert store.pending.due("Abc123", now) == []
    run(store.pending, lambda inbox: inbox.add(events(1)))
    (row,) = store.pending.due("Abc123", now)
    assert (row.reason, row.attempts) == ("event", 5)


def test_more_than_fits_is_refused_at_once_and_nothing_that_was_taken_is_lost(store, store_settings):
    commits = Commits(store.pending)

    async def scenario(inbox):
        commits.gate.clear()
        first = asyncio.create_task(inbox.add(events(1)))
        await asyncio.to_thread(commits.under_way.wait)
        waiting = asyncio.create_task(inbox.add(events(10, first=100)))
        await asyncio.sleep(0)
        with pytest.raises(InboxUnavailableError) as refused:
            await inbox.add(events(1, first=200))
        assert refused.value.retry_after > 0
        commits.gate.set()
        await asyncio.gather(first, waiting)
        await inbox.add(events(1, first=200))

    run(commits, scenario, capacity=11)
    assert rows_on_disk(store_settings) == 12


def test_a_store_that_somebody_else_is_writing_to_for_long_is_not_waited_for(store, store_settings):
    async def scenario(inbox):
        with writing(store_settings[0]):
            with pytest.raises(InboxUnavailableError, match="too long"):
                await inbox.add(events(1))
            assert rows_on_disk(store_settings) == 0
        await inbox.add(events(1, first=2))

    run(store.pending, scenario, longest_wait=0.2)
    assert rows_on_disk(store_settings) == 2


@pytest.fixture
def small_disk():
    """Let SQLite files grow to so many pages and no further; the number may be changed for what is opened later."""
    limit = {"pages": 0}

    def restrict(connection, _record):
        if limit["pages"]:
            connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    sqlalchemy_event.listen(Engine, "connect", restrict)
    yield limit
    sqlalchemy_event.remove(Engine, "connect", restrict)


@on_sqlite
def test_a_full_disk_is_reported_and_what_was_acknowledged_is_there(store, store_settings, small_disk):
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    small_disk["pages"] = pages + 3
    acknowledged = 0

    async def scenario(inbox):
        nonlocal acknowledged
        with pytest.raises(InboxUnavailableError, match="full"):  # noqa: PT012 - one of the many fails
            for number in range(1000):
                await inbox.add(events(50, first=1 + number * 50))
                acknowledged += 50
        assert "full" in (inbox.problem or "")
        small_disk["pages"] = pages + 300
        restricted._database._engine.dispose()
        await inbox.add(events(50, first=1_000_000))
        assert inbox.problem is None
        acknowledged += 50

    with open_store(*store_settings) as restricted:
        run(restricted.pending, scenario)
    assert acknowledged >= 100
    assert rows_on_disk(store_settings) == acknowledged


def test_whatever_goes_wrong_is_no_acknowledgement(store):
    class Broken:
        def queue_many(self, rows):
            raise ZeroDivisionError

    async def scenario(inbox):
        with pytest.raises(InboxUnavailableError, match="ZeroDivisionError"):
            await inbox.add(events(1))
        assert not inbox.changed.is_set()

    run(Broken(), scenario)


def test_at_the_end_what_was_taken_is_stored_and_nothing_more_is_taken(store, store_settings):
    async def scenario():
        inbox = Inbox(store.pending)
        tasks = [asyncio.create_task(inbox.add([event])) for event in events(100)]
        await asyncio.sleep(0)
        await inbox.close()
        await asyncio.gather(*tasks)
        with pytest.raises(InboxUnavailableError):
            await inbox.add(events(1))

    asyncio.run(scenario())
    assert rows_on_disk(store_settings) == 100


def test_a_sender_that_goes_away_takes_nothing_with_it(store, store_settings):
    commits = Commits(store.pending)

    async def scenario(inbox):
        commits.gate.clear()
        gone, staying = (asyncio.create_task(inbox.add(events(1, first=first))) for first in (1, 2))
        await asyncio.to_thread(commits.under_way.wait)
        gone.cancel()
        commits.gate.set()
        await staying

    run(commits, scenario)
    assert rows_on_disk(store_settings) == 2


def test_on_postgresql_through_the_loss_of_its_connections(postgres_url):
    with open_store(postgres_url, Fernet.generate_key().decode()) as store:
        # Whatever the server's own setting is.
        with store._database.write() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        with store._database.write_directly() as cursor:
            assert cursor.execute("SHOW synchronous_commit").fetchone() == ("on",)

        async def scenario(inbox):
            await asyncio.gather(*(inbox.add([event]) for event in [*events(300), *events(300)]))
            with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await inbox.add(events(1, first=1000))

        run(store.pending, scenario)
        assert len(store.pending.all()) == 301
