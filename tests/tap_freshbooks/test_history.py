"""What the tap leaves in the history of runs: whether it read to the end, and how much."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.freshbooks import LINE

from tap_freshbooks.errors import FreshBooksError


def latest(store):
    [run] = store.runs.latest("tap-freshbooks")
    return run.outcome, run.summary


def test_a_run_to_the_end_is_noted_also_one_that_had_nothing_to_emit(freshbooks, tap, store, box):
    with freshbooks.at(box.clock.now() - timedelta(days=30)):
        client = freshbooks.create_client(organization="Alder Ltd", email="a@example.com")
        freshbooks.create_invoice(client["id"], [LINE])
    state = tap().state
    counts = {"clients": 1, "invoices": 1, "payments": 0}
    assert latest(store) == ("ok", {"account": freshbooks.account_id, "kind": "changes", "streams": counts})

    box.clock.advance(hours=5)
    tap(state)
    assert latest(store)[1]["streams"] == dict.fromkeys(counts, 0)
    assert "example.com" not in repr(store.runs.latest("tap-freshbooks", 9))


def test_a_run_for_some_objects_is_told_from_one_for_what_changed(freshbooks, tap, store):
    client = freshbooks.create_client(organization="Alder Ltd")
    tap(record_ids={"clients": [client["id"]]})
    outcome, summary = latest(store)
    assert (outcome, summary["kind"], summary["streams"]["clients"]) == ("ok", "objects", 1)


def test_a_run_that_broke_off_is_noted_as_failed(box, tap, store):
    box.faults.add(service="freshbooks", path="/accounting/.*payments.*", kind="status", status=403)
    with pytest.raises(FreshBooksError):
        tap()
    assert latest(store)[0] == "failed"


def test_a_dry_run_notes_nothing(box, tap, store, freshbooks):
    freshbooks.create_client(organization="Alder Ltd")
    store.pending.queue(freshbooks.account_id, "invoices", ["999"], "event", now=box.clock.now())
    before = store.pending.all()

    assert tap(dry_run=True).ids("clients")

    assert store.runs.latest("tap-freshbooks") == []
    assert store.pending.all() == before
