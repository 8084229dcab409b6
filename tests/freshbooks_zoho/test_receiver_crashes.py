"""kill -9 while events come in: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest
from support.companion import free_port
from support.companion_process import crowd, requests_for, start, subscribe

from singer_store import open_store

ROUNDS = 10


def stored(url, key):
    with open_store(url, key) as store:
        return [int(row.object_id) for row in store.pending.all()]


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(store_settings):
    url, key = store_settings
    with open_store(url, key) as store:
        path = subscribe(store)
    chance, acknowledged, cut_off = random.Random(3), set(), 0
    for number in range(ROUNDS):
        port = free_port()
        process = start(url, key, port)
        left = chance.randrange(100, 600)

        def on_answer():
            nonlocal left
            left -= 1
            if left == 0:
                process.kill()  # noqa: B023 - called in this round only

        requests = range(1 + number * 10_000, (number + 1) * 10_000)
        promises = asyncio.run(crowd(port, requests_for(path, requests), 24, on_answer))
        assert process.wait(20) == -signal.SIGKILL
        process.stdout.close()
        acknowledged.update(promises.acknowledged)
        cut_off += promises.broken
        on_disk = stored(url, key)
        assert acknowledged <= set(on_disk), f"lost in round {number}"
        assert len(on_disk) == len(set(on_disk))
    assert len(acknowledged) >= ROUNDS * 100
    # They were killed in the middle of it.
    assert cut_off >= ROUNDS


def test_when_told_to_stop_it_answers_what_it_has_taken_and_ends_well(store_settings):
    url, key = store_settings
    with open_store(url, key) as store:
        path = subscribe(store)
    port, answers = free_port(), 0
    process = start(url, key, port)

    def on_answer():
        nonlocal answers
        answers += 1
        if answers == 200:
            process.terminate()

    promises = asyncio.run(crowd(port, requests_for(path, range(1, 5000)), 24, on_answer))
    assert process.wait(20) == 0
    process.stdout.close()
    on_disk = set(stored(url, key))
    assert set(promises.acknowledged) <= on_disk
    assert len(on_disk - set(promises.acknowledged)) <= 24
