"""However many processes ask at once, the service is asked once."""

from __future__ import annotations

from datetime import datetime, timezone

from support.moving_clock import MovingClock
from support.store_processes import all_at_once, broker_of
from support.token_server import TokenServer, refresher

from singer_store import open_store

PROCESSES = 32


def settings_of(store_url, store_key, config_folder, server, **more):
    return {"store_url": store_url, "store_key": store_key, "config": str(config_folder), "url": server.url, **more}


def test_an_expired_token_is_refreshed_once(store_url, store_key, config_folder):
    with TokenServer(live={"seed"}) as server:
        settings = settings_of(store_url, store_key, config_folder, server, seed="seed", open_first=True)
        with open_store(store_url, store_key, clock=MovingClock(datetime(2020, 1, 1, tzinfo=timezone.utc))) as store:
            assert broker_of(store, settings).token().value == "access-1"

        assert all_at_once(PROCESSES, settings) == ["access-2"] * PROCESSES
        assert server.seen == ["seed", "refresh-1"]


def test_a_fresh_store_is_made_once_and_the_seed_spent_once(store_url, config_folder):
    with TokenServer(live={"seed"}) as server:
        # No key is given either: they also have to agree on the key file.
        settings = settings_of(store_url, None, config_folder, server, seed="seed", open_first=False)

        assert all_at_once(PROCESSES, settings) == ["access-1"] * PROCESSES
        assert server.seen == ["seed"]


def test_threads_of_one_process_refresh_once(store):
    from concurrent.futures import ThreadPoolExecutor

    with TokenServer(live={"seed"}) as server, ThreadPoolExecutor(16) as pool:
        broker = store.broker(
            service="freshbooks", client_id="client", seed="seed", refresh=refresher(server.url), rotates=True
        )
        tokens = list(pool.map(lambda _: broker.token().value, range(16)))

    assert tokens == ["access-1"] * 16
    assert server.seen == ["seed"]
