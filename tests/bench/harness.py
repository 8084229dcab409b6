"""What the benches share: a sandbox as a process, programs whose time, CPU and memory are read, and tables."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from sandbox.settings import environment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TAP = ROOT / ".meltano/extractors/tap-freshbooks/venv/bin/tap-freshbooks"
TARGET = ROOT / ".meltano/loaders/target-zoho-crm/venv/bin/target-zoho-crm"
MELTANO = (BIN / "meltano", "run", "--no-install", "tap-freshbooks", "target-zoho-crm")


@dataclass(frozen=True)
class Calls:
    """How often the services were called."""

    freshbooks: int
    writes: int
    """Calls that write records to Zoho."""
    queries: int
    """COQL."""
    others: int
    """Zoho's other ones: sign-in, and what the organization has."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.freshbooks + self.writes + self.queries + self.others


@dataclass(frozen=True)
class Usage:
    """What a program took, with the programs it started.

    Attributes:
        seconds: from its start to its end.
        cpu: seconds of one core, user and system.
        memory: peak resident megabytes.
    """

    seconds: float
    cpu: float
    memory: float


class Box:
    """A sandbox that runs as a process, by its control API."""

    def __init__(self, url: str, pid: int) -> None:
        self._url = url
        self._stat = Path(f"/proc/{pid}/stat")

    def call(self, method: str, path: str = "", body: object = None) -> dict:
        """Make a call of the control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/_sandbox{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read() or b"{}")

    def settings(self) -> dict[str, str]:
        """Give the plugins' settings with fresh tokens."""
        return environment(self.call("GET"), self.call("POST", "/grants"))

    def calls(self) -> Calls:
        """Count the calls since the last time."""
        counts = {"freshbooks": 0, "writes": 0, "queries": 0, "others": 0}
        for row in self.call("GET", "/calls")["calls"]:
            counts[_kind(row["service"], row["method"], row["path"])] += row["count"]
        self.call("DELETE", "/calls")
        return Calls(**counts)

    def cpu(self) -> float:
        """Give the seconds of one core that the sandbox took so far; 0 where the system does not tell."""
        if not self._stat.exists():
            return 0.0
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _kind(service: str, method: str, path: str) -> str:
    if service == "freshbooks":
        return "freshbooks"
    if path.endswith("/coql"):
        return "queries"
    return "others" if method == "GET" or "/settings/" in path or "/oauth" in path else "writes"


@contextmanager
def sandbox(latency: float = 0.0, **records: int) -> Iterator[Box]:
    """Run a sandbox with so many clients, invoices and payments, each call of which takes so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [BIN / "sandbox", "serve", "--port", "0", "--ready-file", ready]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not ready.exists():
                    if process.poll() is not None:
                        raise SystemExit("the sandbox did not start")
                    time.sleep(0.05)
                box = Box(json.loads(ready.read_text())["freshbooks"]["url"], process.pid)
                box.call("POST", "/load", records)
                box.call("POST", "/latency", {"seconds": latency})
                yield box
            finally:
                process.terminate()


class Project:
    """Plugins with a store, a state and a folder of their own."""

    def __init__(self, box: Box, folder: Path) -> None:
        key = Fernet.generate_key().decode()
        self._folder = folder
        self._state = folder / "state.json"
        self._variables = {**os.environ, **box.settings(), "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db"}
        for plugin in ("TAP_FRESHBOOKS", "TARGET_ZOHO_CRM"):
            self._variables[f"{plugin}_STORE_URL"] = f"sqlite:///{folder}/store.db"
            self._variables[f"{plugin}_STORE_KEY"] = key
        box.calls()

    def forget_state(self) -> None:
        """Let the next run read everything."""
        self._state.unlink()

    def run_pipe(self) -> tuple[Usage, Usage]:
        """Run ``tap-freshbooks | target-zoho-crm`` with the state of the last time; give what each of the two took."""
        state = ["--state", self._state] if self._state.exists() else []
        states = self._folder / "states.jsonl"
        with states.open("w") as output:
            tap = self._start([TAP, "--config=ENV", *state], stdout=subprocess.PIPE)
            target = self._start([TARGET, "--config=ENV"], stdin=tap.process.stdout, stdout=output)
            tap.process.stdout.close()
            usages = tap.wait(), target.wait()
        if last := states.read_text().splitlines():
            self._state.write_text(last[-1])
        return usages

    def run_tap(self, **variables: str) -> Usage:
        """Run ``tap-freshbooks`` alone, without a state, with further variables in its environment."""
        self._variables |= variables
        return self._start([TAP, "--config=ENV"], stdout=subprocess.DEVNULL).wait()

    def run_meltano(self) -> Usage:
        """Run the main job; give what Meltano and the plugins took together."""
        return self._start(MELTANO, cwd=ROOT, stdout=subprocess.DEVNULL).wait()

    def _start(self, command: Sequence[object], **options: object) -> Running:
        log = self._folder / f"{Path(command[0]).name}.log"
        return Running(command, log, env=self._variables, **options)


@contextmanager
def project(box: Box) -> Iterator[Project]:
    """Give a project for a sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        yield Project(box, Path(folder))


class Running:
    """A program that runs, its log in a file."""

    def __init__(self, command: Sequence[object], log: Path, **options: object) -> None:
        self._start = time.perf_counter()
        self._log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(command, stderr=stderr, **options)

    def wait(self) -> Usage:
        """Wait for its end; one that fails ends the bench, with the last it said."""
        _, status, used = os.wait4(self.process.pid, 0)
        seconds = time.perf_counter() - self._start
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode:
            said = self._log.read_text()[-3000:]
            raise SystemExit(f"{self.process.args[0]} failed with exit code {self.process.returncode}:\n{said}")
        return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def run_script(script: str, variables: dict[str, str]) -> Usage:
    """Run one of the Python files beside this one; it says itself how many seconds its work took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [BIN / "python", Path(__file__).parent / script]
        running = Running(command, Path(folder) / "log", env={**os.environ, **variables}, stdout=subprocess.PIPE)
        said = running.process.stdout.read()
        used = running.wait()
    return replace(used, seconds=float(said))


def table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]], remark: str = "") -> None:
    """Print a table in Markdown."""
    lines = [headers, ["---", *("---:" for _ in headers[1:])], *rows]
    print(f"### {title}\n")
    print("\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines))
    print(f"\n{remark}\n" if remark else "", flush=True)


def chosen(about: str | None, benches: Collection[str]) -> list[str]:
    """Give the benches that the command line names; all, if it names none."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(benches))
    names: list[str] = parser.parse_args().names or list(benches)
    if unknown := set(names) - set(benches):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(benches)}")
    return names
