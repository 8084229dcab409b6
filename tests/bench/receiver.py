"""How much the receiver takes, how fast it promises, and what it keeps of its promises.

Run by itself: ``python tests/bench/receiver.py [throughput] [slow] [crashes]`` (all three, if none is named).
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cryptography.fernet import Fernet
from harness import chosen
from support.companion import free_port
from support.companion_process import Promises, crowd, requests_for, start, subscribe
from support.meltano_project import make_project, plugin_settings
from support.serving import Served, eventually

from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.server import run
from sandbox import Sandbox
from singer_store import open_store

EVENTS = 60_000
SENDERS = (16, 32, 48, 64)
ROUNDS = 50
SLOW_SOCKETS = 500
WANTED = {"events a second": 5_000, "p99": 0.025, "memory": 120.0, "closed within": 30.0}


@contextmanager
def receiver():
    """Run a receiver on a new SQLite store; gives the process, its port, the path and the database file."""
    with tempfile.TemporaryDirectory() as folder:
        database, key = Path(folder) / "store.db", Fernet.generate_key().decode()
        url = f"sqlite:///{database}"
        with open_store(url, key) as store:
            path = subscribe(store)
        port = free_port()
        process = start(url, key, port)
        try:
            yield process, port, path, database
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


@contextmanager
def service():
    """Run `freshbooks-zoho serve`, all of it, after its first run; gives process, port, events to send, database file.

    What is sent makes no run while it is counted, for Meltano would take the cores: events are given ten minutes to
    come to rest.
    """
    with tempfile.TemporaryDirectory() as folder, Sandbox() as box:
        database, key = Path(folder) / "store.db", Fernet.generate_key().decode()
        url, account = f"sqlite:///{database}", box.freshbooks.account_id
        project = make_project(Path(folder) / "project", **plugin_settings(box, url, key))
        with Served(project, debounce=600) as served:
            eventually(lambda: served.says("A run for what changed ended well"))
            eventually(lambda: sum(one.verified for one in box.freshbooks.callbacks()) == 3)
            with open_store(url, key) as store:
                invoices = SubscriptionStore(store, account).load()["invoice"]
            todo = requests_for(invoices.path, range(1, EVENTS + 1), account, invoices.verifier)
            yield served.process, served.port, list(todo), database


def rows(database: Path) -> set[int]:
    """Give the object ids on disk."""
    with closing(sqlite3.connect(database)) as connection:
        return {int(object_id) for (object_id,) in connection.execute("SELECT object_id FROM pending")}


def memory(pid: int) -> float:
    """Give the most memory a process has used so far, in MB; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def cpu(pid: int) -> float:
    """Give the seconds of CPU a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(seconds: list[float], share: float) -> float:
    """Give the time that this share of the answers did not exceed."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def table(title: str, header: tuple[str, ...], lines: list[tuple[object, ...]]) -> None:
    """Print a table in Markdown."""
    say(f"### {title}\n")
    for cells in (header, ["---"] * len(header), *lines):
        say(f"| {' | '.join(str(cell) for cell in cells)} |")
    say("")


def throughput() -> bool:
    """Send signed events as fast as they are acknowledged; each sender waits for its answers."""
    lines, good = [], False
    for senders in SENDERS:
        with service() as (process, port, events, database):
            warm, todo = events[:2000], events[2000:]
            run(crowd(port, iter(warm), senders))
            used, started = cpu(process.pid), time.perf_counter()
            promises: Promises = run(crowd(port, iter(todo), senders))
            took, used = time.perf_counter() - started, cpu(process.pid) - used
            lost = set(promises.acknowledged) - rows(database)
            rate, p99, most = len(promises.acknowledged) / took, quantile(promises.seconds, 0.99), memory(process.pid)
            lines.append(
                (
                    senders,
                    f"{rate:,.0f}",
                    f"{statistics.median(promises.seconds) * 1000:.1f}",
                    f"{p99 * 1000:.1f}",
                    f"{used / took:.2f}",
                    f"{most:.0f}",
                    promises.refused + promises.broken,
                    len(lost),
                )
            )
            met = rate >= WANTED["events a second"] and p99 <= WANTED["p99"] and most < WANTED["memory"]
            good |= met and not lost
    header = ("senders", "events/s", "median ms", "p99 ms", "cores used", "MB", "refused", "lost")
    title = f"{EVENTS:,} signed events to `serve`, acknowledged when on disk (SQLite, synchronous=FULL)"
    table(title, header, lines)
    return good


def slow() -> bool:
    """Hold sockets open in every slow way, with the product's own limits, while honest events come in."""
    with receiver() as (_, port, path, _database):
        head = f"POST /freshbooks/{path} HTTP/1.1\r\nHost: localhost\r\n".encode()
        openings = {"idle": b"", "slow header": head, "slow body": head + b"Content-Length: 999\r\n\r\n"}
        sockets = []
        for number in range(SLOW_SOCKETS):
            kind = list(openings)[number % len(openings)]
            opened = socket.create_connection(("127.0.0.1", port))
            opened.sendall(openings[kind])
            sockets.append((kind, opened, time.perf_counter()))
        todo = list(requests_for(path, range(1, 20_001)))
        promises = run(crowd(port, iter(todo), 16))
        closed: dict[str, float] = {}
        pending = list(sockets)
        while pending and time.perf_counter() - sockets[0][2] < 60:
            still = []
            for kind, opened, since in pending:
                try:
                    if kind != "idle":
                        opened.send(b"a")
                    opened.setblocking(False)
                    gone = opened.recv(1000) == b"" or kind == "slow body"
                except BlockingIOError:
                    gone = False
                except OSError:
                    gone = True
                if gone:
                    closed[kind] = max(closed.get(kind, 0.0), time.perf_counter() - since)
                    opened.close()
                else:
                    still.append((kind, opened, since))
            pending = still
            time.sleep(0.5)
        for _, opened, _ in pending:
            opened.close()
        p99 = quantile(promises.seconds, 0.99)
        lines = [(kind, f"{seconds:.1f}") for kind, seconds in closed.items()]
        table(f"{SLOW_SOCKETS} slow sockets: closed after at most", ("kind", "seconds"), lines)
        say(f"Honest senders meanwhile: {len(promises.acknowledged):,} acknowledged, p99 {p99 * 1000:.1f} ms.\n")
        return not pending and max(closed.values()) <= WANTED["closed within"] and len(promises.acknowledged) == 20_000


def crashes() -> bool:
    """Kill the receiver under load, again and again."""
    chance, acknowledged = random.Random(3), set()
    with tempfile.TemporaryDirectory() as folder:
        database, key = Path(folder) / "store.db", Fernet.generate_key().decode()
        url = f"sqlite:///{database}"
        with open_store(url, key) as store:
            path = subscribe(store)
        for number in range(ROUNDS):
            port = free_port()
            process = start(url, key, port)
            left = chance.randrange(100, 3000)

            def on_answer(process=process):
                nonlocal left
                left -= 1
                if left == 0:
                    process.kill()

            todo = requests_for(path, range(1 + number * 10_000, (number + 1) * 10_000))
            promises = run(crowd(port, todo, 48, on_answer))
            assert process.wait(30) == -signal.SIGKILL
            process.stdout.close()
            acknowledged.update(promises.acknowledged)
        on_disk = rows(database)
    lost = acknowledged - on_disk
    table(
        f"kill -9 under load, {ROUNDS} rounds",
        ("acknowledged", "on disk", "lost"),
        [(f"{len(acknowledged):,}", f"{len(on_disk):,}", len(lost))],
    )
    return not lost


if __name__ == "__main__":
    benches = {"throughput": throughput, "slow": slow, "crashes": crashes}
    results = {name: benches[name]() for name in chosen(__doc__, benches)}
    say(", ".join(f"{name}: {'as wanted' if good else 'NOT as wanted'}" for name, good in results.items()))
    sys.exit(0 if all(results.values()) else 1)
