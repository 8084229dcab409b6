"""How soon a change is in Zoho, how few runs many changes take, how much memory that takes, and what kills do.

Run by itself: ``python tests/bench/companion.py [latency] [burst] [crashes]`` (all, if none is named). Everything is
real but the two services: `freshbooks-zoho serve` with its default settings, Meltano, and the plugins as installed
here.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cryptography.fernet import Fernet
from harness import chosen
from receiver import memory, quantile, say, table
from support.killed_service import kill_and_start
from support.meltano_project import make_project, plugin_settings
from support.serving import Served, eventually

from sandbox import Sandbox
from singer_store import open_store

EVENTS, MANY, SPREAD, ROUNDS = 30, 1_000, 60.0, 50
WANTED = {"median": 5.0, "95 %": 8.0, "runs": 6, "memory": 120.0}


def lines(amount: str) -> list[dict]:
    """Give the lines of an invoice of that amount."""
    return [{"name": "Design", "qty": "1", "unit_cost": {"amount": amount, "code": "USD"}}]


@contextmanager
def served(invoices: int):
    """Serve over so many invoices that are in Zoho already; gives the sandbox, the invoices, the process, the store."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as box:
        key, url = Fernet.generate_key().decode(), f"sqlite:///{folder}/store/store.db"
        project = make_project(Path(folder) / "project", **plugin_settings(box, url, key))
        books = box.freshbooks
        clients = [
            books.create_client(organization=f"Client {number}")["id"] for number in range(max(invoices // 10, 1))
        ]
        ids = [
            books.create_invoice(clients[number % len(clients)], lines=lines("10.25"))["id"]
            for number in range(invoices)
        ]
        with open_store(url, key) as store, Served(project) as process:
            eventually(lambda: process.says("A run for what changed ended well"), 600)
            eventually(lambda: sum(one.verified for one in books.callbacks()) == 3)
            # What the backlog's own writes have caused in Zoho is looked at before anything is measured.
            box.deliveries.wait()
            eventually(lambda: not store.pending.all())
            yield box, ids, process, store


def amounts(box: Sandbox) -> dict[int, str]:
    """Give what the deals say, by invoice."""
    return {int(row["FreshBooks_ID"].rpartition(":")[2]): str(row["Amount"]) for row in box.zoho.records("Deals")}


def latency() -> bool:
    """Change one invoice after the other, and see when its deal shows it."""
    chance, seconds = random.Random(3), []
    with served(invoices=EVENTS) as (box, ids, process, _):
        for invoice in ids:
            started = time.perf_counter()
            box.freshbooks.update_invoice(invoice, lines=lines("20.25"))
            eventually(lambda invoice=invoice: amounts(box)[invoice] == "20.25")
            seconds.append(time.perf_counter() - started)
            time.sleep(chance.random())
        used = memory(process.process.pid)
    middle, high = statistics.median(seconds), quantile(seconds, 0.95)
    table(
        f"{EVENTS} single changes in FreshBooks, each until it shows in Zoho (default debounce, no added latency)",
        ("median s", "95 % s", "longest s", "serve's memory MB"),
        [(f"{middle:.1f}", f"{high:.1f}", f"{max(seconds):.1f}", f"{used:.0f}")],
    )
    return middle <= WANTED["median"] and high <= WANTED["95 %"] and used < WANTED["memory"]


def burst() -> bool:
    """Change a thousand invoices within a minute, and count the runs that takes."""
    with served(invoices=MANY) as (box, ids, process, store):
        before = len(store.runs.latest("freshbooks-zoho", 99))
        started = time.monotonic()
        for number, invoice in enumerate(ids):
            box.freshbooks.update_invoice(invoice, lines=lines("20.25"))
            time.sleep(max(started + SPREAD * (number + 1) / MANY - time.monotonic(), 0))
        box.deliveries.wait()
        changed = time.monotonic()
        eventually(lambda: not store.pending.all(box.freshbooks.account_id), 600)
        took = time.monotonic() - changed
        # What Zoho tells of these writes must make no run either.
        box.deliveries.wait()
        eventually(lambda: not store.pending.all() and process.metrics()["inbox_pending"] == 0)
        runs = len(store.runs.latest("freshbooks-zoho", 99)) - before
        right = sum(amount == "20.25" for amount in amounts(box).values())
        used = memory(process.process.pid)
    table(
        f"{MANY:,} invoices changed within a minute",
        ("runs", "deals right", "seconds from the last change to the last deal", "serve's memory MB"),
        [(runs, f"{right:,}", f"{took:.1f}", f"{used:.0f}")],
    )
    return runs <= WANTED["runs"] and right == MANY and used < WANTED["memory"]


def crashes() -> bool:
    """Kill the service fifty times while it takes events and makes runs, and see what Zoho has."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(latency=0.02) as box:
        key, url = Fernet.generate_key().decode(), f"sqlite:///{folder}/store/store.db"
        project = make_project(Path(folder) / "project", **plugin_settings(box, url, key))
        with open_store(url, key) as store:
            found = kill_and_start(box, store, project, ROUNDS)
    lost, twice = len(found.acknowledged - found.deals.keys()), sum((found.deals + found.accounts).values())
    twice -= len(found.deals) + len(found.accounts)
    table(
        f"kill -9 of the whole service, {ROUNDS} rounds, a third of them while a run writes",
        ("invoices made", "acknowledged", "deals", "lost", "twice in Zoho"),
        [(len(found.made), len(found.acknowledged), len(found.deals), lost, twice)],
    )
    return found.deals.keys() == found.made and found.amounts and not lost and not twice


if __name__ == "__main__":
    benches = {"latency": latency, "burst": burst, "crashes": crashes}
    results = {name: benches[name]() for name in chosen(__doc__, benches)}
    say(", ".join(f"{name}: {'as wanted' if good else 'NOT as wanted'}" for name, good in results.items()))
    sys.exit(0 if all(results.values()) else 1)
