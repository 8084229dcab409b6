"""What is measured of the connections: how old the tokens are, and refreshes that fail."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.companion import settings_of
from support.moving_clock import MovingClock
from support.postgres import on_sqlite

from freshbooks_zoho.admin.connections import counting_failures, measure_connections
from freshbooks_zoho.admin.metrics import Metrics
from singer_store import ConnectAgainError, open_store
from tap_freshbooks.auth import open_broker


@pytest.fixture
def metrics():
    return Metrics()


def sample(metrics, name, service="freshbooks"):
    return metrics.registry.get_sample_value(name, {"service": service})


def test_the_age_of_a_token_is_read_when_the_metrics_are_asked_for(box, store_settings, metrics):
    clock = MovingClock(box.clock.now())
    tap = settings_of(box)
    with open_store(*store_settings, clock=clock) as store:
        measure_connections(metrics, SimpleNamespace(tap=tap, target=tap), store, clock)
        assert math.isnan(sample(metrics, "token_age_seconds"))
        # Another process makes a token.
        open_broker(store, tap).token()
        clock.advance(minutes=10)
        assert sample(metrics, "token_age_seconds") == pytest.approx(600, abs=30)
        assert math.isnan(sample(metrics, "token_age_seconds", "zoho"))


@on_sqlite
def test_a_store_that_cannot_be_read_does_not_take_the_other_metrics_away(box, store, metrics):
    tap = settings_of(box)
    measure_connections(metrics, SimpleNamespace(tap=tap, target=tap), store)
    with store._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE tokens RENAME TO elsewhere")
    assert math.isnan(sample(metrics, "token_age_seconds"))


def test_a_refresh_that_fails_is_counted(box, store, metrics):
    tap = settings_of(box)
    measure_connections(metrics, SimpleNamespace(tap=tap, target=tap), store)
    counting_failures(open_broker(store, tap), metrics).token()
    assert sample(metrics, "token_refresh_failures_total") == 0
    never_granted = replace(tap, refresh_token="never granted")
    with pytest.raises(ConnectAgainError):
        counting_failures(open_broker(store, never_granted), metrics).token()
    assert sample(metrics, "token_refresh_failures_total") == 1
