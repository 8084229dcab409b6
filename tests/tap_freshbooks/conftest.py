from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from support.tap import TapRunner

from sandbox import Sandbox
from singer_store import open_store
from tap_freshbooks import client, run

# No test may depend on how fast the machine is.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture
def box():
    with Sandbox() as box:
        box.freshbooks.rate_limit = None
        yield box


@pytest.fixture
def freshbooks(box):
    return box.freshbooks


@pytest.fixture
def noon(box):
    """Noon in New York, or an hour before: hours may pass without another day beginning, which would be read about."""
    now = box.clock.now()
    moment = now.replace(hour=16, minute=0, second=0, microsecond=0)
    box.clock.set(moment if moment > now else moment + timedelta(days=1))


@pytest.fixture
def tap(box, tmp_path, monkeypatch):
    """A tap connected to the sandbox; its tokens live by the sandbox's clock."""
    monkeypatch.setattr(run, "open_store", partial(open_store, clock=box.clock.now))
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    return TapRunner(box, tmp_path)


@pytest.fixture
def store(box, tap):
    with open_store(tap.config["store_url"], tap.config["store_key"], clock=box.clock.now) as store:
        yield store
