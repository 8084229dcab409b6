"""What the benches share: a sandbox of its own process, and programs whose time, CPU and memory are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from sandbox.settings import environment

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TAP = ROOT / ".meltano/extractors/tap-freshbooks/venv/bin/tap-freshbooks"
TARGET = ROOT / ".meltano/loaders/target-zoho-crm/venv/bin/target-zoho-crm"


class Box:
    """A sandbox that runs as a process, by its control API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str = "", body: object = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read() or b"{}")

    def settings(self) -> dict[str, str]:
        """Give the plugins' settings with fresh tokens."""
        return environment(self.call("GET"), self.call("POST", "/grants"))

    def count_calls(self) -> dict[str, int]:
        """Give the calls since the last time: FreshBooks', Zoho's, Zoho's writes and reads, and all."""
        rows = self.call("GET", "/calls")["calls"]
        self.call("DELETE", "/calls")
        zoho = [row for row in rows if row["service"] == "zoho"]
        reads = [row for row in zoho if row["method"] == "GET" or row["path"].endswith("/coql")]
        records = [
            row for row in zoho if row not in reads and "/settings/" not in row["path"] and "/oauth" not in row["path"]
        ]
        return {
            "freshbooks": sum(row["count"] for row in rows if row["service"] == "freshbooks"),
            "zoho": sum(row["count"] for row in zoho),
            "coql": sum(row["count"] for row in zoho if row["path"].endswith("/coql")),
            "writes": sum(row["count"] for row in records),
            "total": sum(row["count"] for row in rows),
        }


@contextmanager
def sandbox(latency: float = 0.0, **records: int):
    """Run a sandbox with so many clients, invoices and payments."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [BIN / "sandbox", "serve", "--port", "0", "--ready-file", ready]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not ready.exists():
                    if process.poll() is not None:
                        raise SystemExit("the sandbox did not start")
                    time.sleep(0.05)
                box = Box(json.loads(ready.read_text())["freshbooks"]["url"])
                if records:
                    box.call("POST", "/load", records)
                box.call("POST", "/latency", {"seconds": latency})
                yield box
            finally:
                process.terminate()


@dataclass(frozen=True)
class Usage:
    """What a program took."""

    seconds: float
    cpu: float
    """Seconds of one core, user and system."""
    memory: float
    """Peak resident megabytes."""


@contextmanager
def project(box: Box):
    """Give the environment and the folder of a pipe with a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, **box.settings()}
        key = Fernet.generate_key().decode()
        for plugin in ("TAP_FRESHBOOKS", "TARGET_ZOHO_CRM"):
            variables[f"{plugin}_STORE_URL"] = f"sqlite:///{folder}/store.db"
            variables[f"{plugin}_STORE_KEY"] = key
        variables["MELTANO_DATABASE_URI"] = f"sqlite:///{folder}/meltano.db"
        yield variables, Path(folder)


def run_pipe(variables: dict[str, str], folder: Path) -> tuple[float, Usage, Usage]:
    """Run ``tap | target`` with the state of the last time; gives the seconds, and what each of the two took."""
    state = folder / "state.json"
    options = ["--state", str(state)] if state.exists() else []
    logs = [(folder / name).open("w") for name in ("tap.log", "target.log")]
    start = time.perf_counter()
    with (folder / "new-state.json").open("w") as output:
        tap = subprocess.Popen([TAP, "--config=ENV", *options], env=variables, stdout=subprocess.PIPE, stderr=logs[0])
        target = subprocess.Popen(
            [TARGET, "--config=ENV"], env=variables, stdin=tap.stdout, stdout=output, stderr=logs[1]
        )
        tap.stdout.close()
        usages = [_wait(process, start) for process in (tap, target)]
    seconds = time.perf_counter() - start
    for log in logs:
        log.close()
    last = (folder / "new-state.json").read_text().splitlines()
    if last:
        state.write_text(last[-1])
    return seconds, *usages


def run_meltano(variables: dict[str, str]) -> float:
    """Run the main job; gives the seconds."""
    start = time.perf_counter()
    done = subprocess.run(
        [BIN / "meltano", "run", "--no-install", "tap-freshbooks", "target-zoho-crm"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-5000:])
    return time.perf_counter() - start


def _wait(process: subprocess.Popen, start: float) -> Usage:
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{process.args[0]} failed with exit code {process.returncode}")
    return Usage(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
