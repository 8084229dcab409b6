"""The history of runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from singer_store import runs as runs_module

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


def test_the_last_run_of_a_plugin(store):
    store.runs.add("tap", NOW, NOW + timedelta(seconds=3), "ok", {"records": 5})
    store.runs.add("target", NOW, NOW, "failed", {})
    store.runs.add("tap", NOW, NOW, "failed", {"records": 0})

    [run] = store.runs.latest("tap")
    assert (run.outcome, dict(run.summary)) == ("failed", {"records": 0})
    assert [run.outcome for run in store.runs.latest("tap", limit=5)] == ["failed", "ok"]
    assert store.runs.latest("tap", limit=5)[1].finished_at == NOW + timedelta(seconds=3)
    assert store.runs.latest("nobody") == []


def test_the_runs_since_a_moment_are_those_that_ended_after_it(store):
    for hour in range(4):
        store.runs.add("tap", NOW + timedelta(hours=hour), NOW + timedelta(hours=hour, minutes=5), "ok", {"n": hour})

    found = store.runs.latest("tap", limit=9, since=NOW + timedelta(hours=1, minutes=5))
    assert [run.summary["n"] for run in found] == [3, 2]


def test_only_the_last_ones_of_each_plugin_are_kept(store, monkeypatch):
    monkeypatch.setattr(runs_module, "_KEEP", 3)
    store.runs.add("target", NOW, NOW, "ok", {})
    for number in range(5):
        store.runs.add("tap", NOW, NOW, "ok", {"number": number})

    assert [run.summary["number"] for run in store.runs.latest("tap", limit=100)] == [4, 3, 2]
    assert len(store.runs.latest("target")) == 1


def test_a_thousand_are_kept():
    assert runs_module._KEEP == 1000
