"""`make bench`: measures the pipe on this machine and prints the tables of docs/benchmarks.md, in Markdown.

    python tests/bench/run.py [first-load] [one-pass] [unchanged] [credits] [cpu] [memory]

Without names all six are run, which takes some five minutes. FreshBooks and Zoho CRM are the sandbox, in a process of
its own; it shares the cores with what is measured, so its own CPU is shown too. Seconds depend on the machine and on
what else it does; ratios within one run, and numbers of calls, hardly do.

first-load   20,000 records into an empty organization, 100 ms a call: against `plain_script.py`, which does the same on
             the two vendors' SDKs, one call after another, and against the least number of calls that both APIs allow.
one-pass     The calls to FreshBooks of a first load of books from which 2 % were deleted or archived, with `start_date`
             and without, against the least number of pages: at most 1.35 times as many.
unchanged    What a run costs that finds nothing to write.
credits      The API credits that Zoho counts for each kind of run: the first, one for an event, one that finds nothing.
cpu          The pipe's own CPU for each record, its start taken off, without latency.
memory       The most memory that tap and target take at 100,000 records.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from harness import chosen, project, run_script, sandbox, table
from support.pipeline import Pipeline

from sandbox import Sandbox

if TYPE_CHECKING:
    from harness import Calls, Usage

BOOKS = {"clients": 2_000, "invoices": 10_000, "payments": 8_000}
SMALL_BOOKS = {name: number // 5 for name, number in BOOKS.items()}
LARGE_BOOKS = {name: number * 5 for name, number in BOOKS.items()}
LATENCY = 0.1
PER_CALL = 100
"""Records that FreshBooks gives on a page, and that Zoho takes in a call."""


def first_load() -> None:
    """Compare the first load with the plain script, and the calls with the least that the two APIs allow."""
    records = sum(BOOKS.values())
    least = 2 * records // PER_CALL
    measured: dict[str, tuple[Usage, float, Calls]] = {}
    with sandbox(LATENCY, **BOOKS) as box:
        settings = box.settings()
        box.calls()
        before = box.cpu()
        used = run_script("plain_script.py", {"FRESHBOOKS_API_URL": settings["TAP_FRESHBOOKS_API_URL"], **settings})
        measured["plain script on the vendors' SDKs"] = used, box.cpu() - before, box.calls()
    with sandbox(LATENCY, **BOOKS) as box, project(box) as job:
        before = box.cpu()
        measured["`meltano run`"] = job.run_meltano(), box.cpu() - before, box.calls()
    with sandbox(LATENCY, **BOOKS) as box, project(box) as job:
        before = box.cpu()
        pipe = _together(*job.run_pipe())
        measured[PIPE] = pipe, box.cpu() - before, box.calls()
    plain = next(iter(measured.values()))[0].seconds
    calls = measured[PIPE][2]
    table(
        f"First load: {records:,} records into an empty organization, {LATENCY * 1000:.0f} ms a call",
        ("", "seconds", "times as fast", "calls", "of the least", "its CPU seconds", "the sandbox's"),
        (
            (
                name,
                f"{used.seconds:.1f}",
                f"{plain / used.seconds:.1f}",
                made.total,
                f"{made.total / least:.2f}",
                f"{used.cpu:.1f}",
                f"{box_cpu:.1f}",
            )
            for name, (used, box_cpu, made) in measured.items()
        ),
        f"The least number of calls is {least}: pages and writes of {PER_CALL}. The pipe's: {calls.freshbooks} to "
        f"FreshBooks; {calls.writes} writes, {calls.queries} queries and {calls.others} others to Zoho.",
    )


PIPE = "`tap-freshbooks \\| target-zoho-crm`"


def one_pass() -> None:
    """Count the calls of a first load from books that something was deleted from."""
    records = sum(BOOKS.values())
    least = records // PER_CALL
    long_ago = (datetime.now(timezone.utc) - timedelta(days=3650)).date().isoformat()
    rows = []
    for name, variables in (("without", {}), ("with", {"TAP_FRESHBOOKS_START_DATE": f"{long_ago}T00:00:00Z"})):
        with sandbox(**BOOKS, gone=2) as box, project(box) as job:
            job.run_tap(**variables)
            made = box.calls().freshbooks
        rows.append((f"{name} `start_date`", made, f"{made / least:.2f}"))
    table(
        f"One pass: {records:,} records, of which 2 % are deleted or archived",
        ("first load", "calls to FreshBooks", "of the least"),
        rows,
        f"The least number of calls is {least}: pages of {PER_CALL}.",
    )


def unchanged() -> None:
    """Count what a run costs when nothing has changed."""
    records = sum(SMALL_BOOKS.values())
    with sandbox(**SMALL_BOOKS) as box, project(box) as job:
        job.run_pipe()
        box.calls()
        job.run_pipe()
        following = box.calls()
        job.forget_state()
        job.run_pipe()
        whole = box.calls()
    table(
        "Nothing changed",
        ("run", "records it looks at", "queries to Zoho", "records a query", "writes"),
        (
            ("everything read anew", f"{records:,}", whole.queries, f"{records / whole.queries:.0f}", whole.writes),
            ("the next run", "what its window holds", following.queries, "", following.writes),
        ),
    )


def credits_of_runs() -> None:
    """Count the credits of each kind of run of a firm that is in Zoho already, tap and target together."""
    unit = {"amount": "100.00", "code": "USD"}
    rows: list[tuple[str, int]] = []
    with Sandbox() as box, tempfile.TemporaryDirectory() as folder:
        books, pipeline = box.freshbooks, Pipeline(box, Path(folder))

        def measured(name: str, **tap: object) -> None:
            before = box.zoho.credits_used
            pipeline.run(**tap)
            rows.append((name, box.zoho.credits_used - before))

        client = books.create_client(organization="Alder")["id"]
        invoice = books.create_invoice(client, [{"name": "Design", "qty": "1", "unit_cost": unit}])["id"]
        measured("the first, with fields and the module for payments")
        measured("the next one, which looks at the last few minutes once more", changes=True)
        for _ in range(2):
            # What changed up to two hours before the last run is looked at once more.
            box.clock.advance(seconds=3 * 3600)
            pipeline.run(changes=True)
        measured("one that finds nothing", changes=True)
        books.update_client(client, fax="1")
        measured("for a client that has changed", record_ids={"clients": [client]})
        books.update_invoice(invoice, lines=[{"name": "Design", "qty": "1", "unit_cost": {**unit, "amount": "90.00"}}])
        measured("for an invoice that has changed, its client's balance with it", record_ids={"invoices": [invoice]})
        books.update_invoice(invoice, due_offset_days=60)
        measured("for an invoice that has changed", record_ids={"invoices": [invoice]})
        payment = books.create_payment(invoice, {"amount": "40.00", "code": "USD"})["id"]
        measured("for a payment: it, its invoice and its client's balance", record_ids={"payments": [payment]})
        measured("for an event of something that is in Zoho as it should be", record_ids={"payments": [payment]})
    table(
        "API credits of a run", ("run", "credits"), rows, "What the organization has is read once a day (13 credits)."
    )


def cpu() -> None:
    """Measure the pipe's own overhead a record."""
    records = sum(BOOKS.values())
    with sandbox(**BOOKS) as box, project(box) as job:
        before = box.cpu()
        used = job.run_pipe()
        box_cpu = box.cpu() - before
    with sandbox(clients=1) as box, project(box) as job:
        starting = job.run_pipe()
    rows = [
        (f"CPU seconds for {records:,} records", *(one.cpu for one in used)),
        ("of which starting", *(one.cpu for one in starting)),
    ]
    own = [(all_.cpu - start.cpu) / records * 1000 for all_, start in zip(used, starting, strict=True)]
    table(
        "CPU: the pipe's own overhead, without latency",
        ("", "tap", "target", "both"),
        (
            *((name, f"{tap:.1f}", f"{target:.1f}", f"{tap + target:.1f}") for name, tap, target in rows),
            ("ms a record", *(f"{each:.2f}" for each in own), f"{sum(own):.2f}"),
        ),
        f"The sandbox took {box_cpu:.1f} s beside it.",
    )


def memory() -> None:
    """Measure the peak memory at 100,000 records."""
    with sandbox(**LARGE_BOOKS) as box, project(box) as job:
        tap, target = job.run_pipe()
    table(
        f"Memory at {sum(LARGE_BOOKS.values()):,} records",
        ("", "tap", "target"),
        (("peak MB", f"{tap.memory:.0f}", f"{target.memory:.0f}"),),
        f"It took {_together(tap, target).seconds:.0f} s, without latency.",
    )


def _together(tap: Usage, target: Usage) -> Usage:
    return type(tap)(max(tap.seconds, target.seconds), tap.cpu + target.cpu, max(tap.memory, target.memory))


BENCHES = {
    "first-load": first_load,
    "one-pass": one_pass,
    "unchanged": unchanged,
    "credits": credits_of_runs,
    "cpu": cpu,
    "memory": memory,
}


def main() -> None:
    """Run the benches named on the command line, or all."""
    names = chosen(__doc__, BENCHES)
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    print(f"Measured on {when}: {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}.\n")
    for name in names:
        BENCHES[name]()


if __name__ == "__main__":
    main()
