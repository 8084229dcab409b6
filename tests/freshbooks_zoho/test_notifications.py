"""Who may send Zoho's notifications, and what is taken from them: ids, durably, and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from datetime import datetime, timedelta, timezone

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from support.companion import Companion
from support.postgres import on_sqlite

from freshbooks_zoho.webhooks.inbox import Inbox
from freshbooks_zoho.webhooks.notifications import Notifications, authenticate, ids_of
from freshbooks_zoho.zoho import channels
from freshbooks_zoho.zoho.watch import KIND, ZOHO

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
DEALS, ACCOUNTS = (channels.new_channel(module, "connection") for module in ("Deals", "Accounts"))


def body(channel=DEALS, **changes):
    """A notification as Zoho sends it."""
    return {
        "server_time": 1750102639787, "query_params": {}, "module": channel.module, "resource_uri": "https://evil.example",
        "ids": ["5545974000000005001"], "affected_fields": [{"5545974000000005001": ["Amount"]}], "operation": "update",
        "channel_id": channel.channel_id, "token": channel.token, **changes,
    }  # fmt: skip


def test_a_notification_with_its_channels_token_is_taken():
    assert authenticate(body(), [ACCOUNTS, DEALS], NOW) is DEALS
    assert authenticate(body(channel_id=int(DEALS.channel_id)), [ACCOUNTS, DEALS], NOW) is DEALS


@pytest.mark.parametrize(
    "changes",
    [
        {"token": None},
        {"token": ""},
        {"token": DEALS.token[:-1]},
        {"token": DEALS.token + "x"},
        {"token": ACCOUNTS.token},
        {"token": [DEALS.token]},
        {"token": "ä"},
        {"token": "\ud800"},
        {"token": int(DEALS.channel_id)},
        {"channel_id": "1"},
        {"channel_id": 1},
        {"channel_id": float(DEALS.channel_id)},
        {"channel_id": "\ud800"},
        {"channel_id": {"id": DEALS.channel_id}},
        {"channel_id": [DEALS.channel_id]},
        {"channel_id": True},
        {"channel_id": None},
        {"channel_id": ACCOUNTS.channel_id},
        {"module": "Accounts"},
        {"module": None},
        {"module": "\ud800"},
        {"module": ["Deals"]},
    ],
)
def test_anything_else_is_not(changes):
    assert authenticate(body(**changes), [ACCOUNTS, DEALS], NOW) is None


def test_a_channel_nobody_has_heard_of_is_not():
    assert authenticate(body(), [], NOW) is None


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=5)))
def test_of_a_body_only_ids_get_through(ids):
    found = ids_of({"ids": ids})

    assert found is None or all(one.isascii() and one.isdecimal() and len(one) <= 19 for one in found)


def test_ids_come_once_and_not_by_the_million():
    assert ids_of({"ids": ["1", 1, "2"]}) == ["1", "2"]
    assert ids_of({"ids": [str(number) for number in range(1001)]}) is None
    assert ids_of({}) is None


def handled(store, *bodies, then=None):
    async def handle():
        inbox = Inbox(store.pending)
        try:
            handler = Notifications(store, inbox, clock=lambda: NOW)
            statuses = [await handler.handle(one) for one in bodies]
            return (*statuses, *(await then(handler) if then else ()))
        finally:
            await inbox.close()

    return asyncio.run(handle())


def keep(store, *some):
    for one in some:
        store.secrets.put(KIND, one.module, channels.to_document(one))


def queued(store):
    return {(row.account, row.stream, row.object_id) for row in store.pending.all()}


def test_the_ids_are_on_disk_before_the_answer(store):
    keep(store, DEALS, ACCOUNTS)

    assert (
        handled(store, body(ids=["1", "2"]), body(ACCOUNTS, ids=["3"], operation="delete"), body(ids=["1"]))
        == (200,) * 3
    )
    assert queued(store) == {(ZOHO, "Deals", "1"), (ZOHO, "Deals", "2"), (ZOHO, "Accounts", "3")}


def test_what_is_refused_leaves_nothing(store):
    keep(store, DEALS)

    assert handled(store, body(token="guessed"), body(ACCOUNTS), body(ids="all"), body(ids=["1; drop"])) == (
        401,
        401,
        400,
        400,
    )
    assert queued(store) == set()


def test_a_token_that_another_process_has_renewed_is_known_at_once(store):
    keep(store, DEALS)
    renewed = channels.starting(DEALS, NOW)

    async def renew(handler):
        keep(store, renewed)
        return (
            await handler.handle(body(renewed)),
            await handler.is_path(DEALS.path),
            await handler.is_path("another"),
        )

    assert handled(store, body(), then=renew) == (200, 200, True, False)
    assert handled(store, body(), body(renewed)) == (200, 200)
    late = channels.granted(renewed, NOW + timedelta(days=6), NOW - timedelta(hours=2), "")
    keep(store, late)
    assert handled(store, body(), body(late)) == (401, 200)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800")
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@on_sqlite
def test_whatever_is_sent_to_a_channels_path_is_taken_or_refused_and_never_an_error(box, store, caplog):
    keep(store, DEALS, ACCOUNTS)
    whole = body()

    @given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(whole, JSON)).map(lambda odd: {**whole, **odd}))
    @settings(deadline=None)
    def check(sent):
        answer = requests.post(f"{companion.url}/zoho/{DEALS.path}", json.dumps(sent), timeout=10)
        assert answer.status_code in {200, 400, 401, 413}

    with Companion(box, store, handler=lambda inbox: Notifications(store, inbox, clock=lambda: NOW)) as companion:
        check()
        assert requests.get(f"{companion.admin_url}/metrics", timeout=10).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@on_sqlite
def test_whoever_asks_for_any_path_keeps_nobody_waiting(store, monkeypatch):
    read = threading.Event()

    def slowly(_):
        assert read.wait(30), "the loop was kept"
        return []

    monkeypatch.setattr("freshbooks_zoho.webhooks.notifications.load_channels", slowly)

    async def ask():
        asked = asyncio.create_task(Notifications(store, None).is_path("any"))
        await asyncio.sleep(0)
        read.set()
        return await asked

    assert asyncio.run(ask()) is False
