"""kill -9 of the whole service in the midst of its work: what was acknowledged is in Zoho, once."""

from __future__ import annotations

import pytest
from support.killed_service import kill_and_start
from support.meltano_project import make_project, plugin_settings

from sandbox import Sandbox
from singer_store import open_store

ROUNDS = 10


@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_in_zoho_once_however_often_the_service_is_killed(tmp_path, store_settings):
    with Sandbox(latency=0.02) as box, open_store(*store_settings) as store:
        project = make_project(tmp_path / "project", **plugin_settings(box, *store_settings))
        survived = kill_and_start(box, store, project, ROUNDS)

    assert survived.acknowledged <= survived.deals.keys()
    assert set(survived.deals.values()) | set(survived.accounts.values()) == {1}
    # What was not acknowledged is found, too: FreshBooks itself has it.
    assert survived.deals.keys() == survived.made
    assert len(survived.accounts) == 1 + ROUNDS // 2
    assert survived.amounts
