"""`make bench`: prints the tables of docs/benchmarks.md, measured now on this machine.

python tests/bench/run.py [first-load] [unchanged] [cpu] [memory]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import BIN, project, run_meltano, run_pipe, sandbox

BOOKS = {"clients": 2_000, "invoices": 10_000, "payments": 8_000}
LATENCY = 0.1


def first_load() -> None:
    """Compare the first load with the plain script, and the calls with the least that the two APIs allow."""
    records = sum(BOOKS.values())
    least = 2 * records // 100
    with sandbox(LATENCY, **BOOKS) as box:
        settings = {**os.environ, **box.settings()}
        settings["FRESHBOOKS_API_URL"] = settings["TAP_FRESHBOOKS_API_URL"]
        box.call("DELETE", "/calls")
        script = Path(__file__).parent / "plain_script.py"
        done = subprocess.run([BIN / "python", script], env=settings, stdout=subprocess.PIPE, check=True)
        plain, plain_calls = float(done.stdout), box.count_calls()["total"]
    with sandbox(LATENCY, **BOOKS) as box, project(box) as (variables, _):
        box.call("DELETE", "/calls")
        meltano, meltano_calls = run_meltano(variables), box.count_calls()["total"]
    with sandbox(LATENCY, **BOOKS) as box, project(box) as (variables, folder):
        box.call("DELETE", "/calls")
        pipe, *_ = run_pipe(variables, folder)
        pipe_calls = box.count_calls()
    print(f"### First load: {records:,} records into an empty organization, {LATENCY * 1000:.0f} ms a call\n")
    print("| | seconds | calls | times as fast | calls, of the least |")
    print("|---|---|---|---|---|")
    print(f"| plain script on the vendors' SDKs | {plain:.1f} | {plain_calls} | 1 | {plain_calls / least:.2f} |")
    for name, seconds, calls in (
        ("`meltano run`", meltano, meltano_calls),
        ("`tap-freshbooks \\| target-zoho-crm`", pipe, pipe_calls["total"]),
    ):
        print(f"| {name} | {seconds:.1f} | {calls} | {plain / seconds:.1f} | {calls / least:.2f} |")
    print(f"\nLeast number of calls: {least} (pages and writes of 100). The pipe's: {_calls(pipe_calls)}.\n")


def unchanged() -> None:
    """Count what a run costs when nothing has changed."""
    books = {"clients": 400, "invoices": 2_000, "payments": 1_600}
    with sandbox(**books) as box, project(box) as (variables, folder):
        run_pipe(variables, folder)
        box.count_calls()
        run_pipe(variables, folder)
        again = box.count_calls()
        (folder / "state.json").unlink()
        run_pipe(variables, folder)
        whole = box.count_calls()
    print("### Nothing changed\n")
    print("| run | records in the window | Zoho reads by query | writes | records a read |")
    print("|---|---|---|---|---|")
    print(
        f"| everything read anew | {sum(books.values())} | {whole['coql']} | {whole['writes']} | "
        f"{sum(books.values()) / whole['coql']:.0f} |"
    )
    print(f"| the next run | by the state | {again['coql']} | {again['writes']} | |\n")


def cpu() -> None:
    """Measure the pipe's own overhead a record."""
    with sandbox(**BOOKS) as box, project(box) as (variables, folder):
        _, tap, target = run_pipe(variables, folder)
    with sandbox(clients=1) as box, project(box) as (variables, folder):
        _, bare_tap, bare_target = run_pipe(variables, folder)
    records = sum(BOOKS.values())
    per = (tap.cpu + target.cpu - bare_tap.cpu - bare_target.cpu) / records * 1000
    print("### CPU: the pipe's own overhead, without latency\n")
    print("| | tap | target | both |")
    print("|---|---|---|---|")
    print(f"| CPU seconds for {records:,} records | {tap.cpu:.1f} | {target.cpu:.1f} | {tap.cpu + target.cpu:.1f} |")
    print(f"| of which starting | {bare_tap.cpu:.1f} | {bare_target.cpu:.1f} | {bare_tap.cpu + bare_target.cpu:.1f} |")
    print(
        f"| ms a record | {(tap.cpu - bare_tap.cpu) / records * 1000:.2f} | "
        f"{(target.cpu - bare_target.cpu) / records * 1000:.2f} | {per:.2f} |\n"
    )


def memory() -> None:
    """Measure the peak memory at 100,000 records."""
    with sandbox(clients=10_000, invoices=50_000, payments=40_000) as box, project(box) as (variables, folder):
        box.call("POST", "/rate_limit", None)
        seconds, tap, target = run_pipe(variables, folder)
    print("### Memory at 100,000 records\n")
    print("| | tap | target |")
    print("|---|---|---|")
    print(f"| peak MB | {tap.memory:.0f} | {target.memory:.0f} |")
    print(f"\nIt took {seconds:.0f} s without latency.\n")


def _calls(calls: dict[str, int]) -> str:
    return (
        f"{calls['freshbooks']} to FreshBooks, {calls['writes']} writes, {calls['coql']} queries and "
        f"{calls['zoho'] - calls['writes'] - calls['coql']} others to Zoho"
    )


BENCHES = {"first-load": first_load, "unchanged": unchanged, "cpu": cpu, "memory": memory}


def main() -> None:
    """Run the benches named on the command line, or all."""
    cores = os.cpu_count()
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    print(f"Measured on {when}: {cores} cores, Python {platform.python_version()}, {platform.system()}.\n")
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main()
