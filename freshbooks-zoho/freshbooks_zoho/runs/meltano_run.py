"""One Meltano run: its command line, its log, its outcome.

The command line is a fixed list; all that a run is told about what has changed is ids, digits only, in a variable of
its environment. The log is Meltano's JSON on stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from freshbooks_zoho.project import variable, variables
from freshbooks_zoho.runs import leash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freshbooks_zoho.project import Project

RECORD_IDS = "TAP_FRESHBOOKS_RECORD_IDS"
"""For the tap itself; it counts for plugins that inherit from it, too."""
STREAMS = ("clients", "invoices", "payments")
LINE_BYTES = 1024 * 1024
TERMINATE_SECONDS = 3.0
"""How long a run that is told to stop may take; the target writes what it has, and the state stays as it was."""
_BUSY = re.compile(r"is already running\b(?:.*\bWait until (\S+ \S+) when\b)?", re.DOTALL)
_ID = re.compile(r"[0-9]{1,18}")

logger = logging.getLogger(__name__)

Kind = Literal["changes", "objects", "sweep"]
"""What a run reads: what changed since the last one, just some objects, or everything."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: "busy" is Meltano's refusal because it takes another run of the same pair for alive.
        seconds: how long it took.
        reason: why it failed, in words that hold nothing of a record.
        busy_until: as Meltano says: five minutes after the other run was last heard of.
        failed: which of "extractor" and "loader" failed, as far as Meltano says.
    """

    status: Literal["ok", "failed", "busy"]
    seconds: float
    reason: str = ""
    busy_until: datetime | None = None
    failed: tuple[str, ...] = ()


def command(
    project: Project, kind: Kind, run_id: uuid.UUID, *, force: bool = False, suffix: str | None = None
) -> list[str]:
    """Give the command line.

    Args:
        project: where it runs.
        kind: what is read. A run for some objects neither reads nor writes state, and so takes no lock of Meltano's.
        run_id: shows in Meltano's history.
        force: run although Meltano takes another run for alive.
        suffix: gives the run a state, and a lock, of its own.
    """
    options = ["--no-install", "--run-id", str(run_id)]
    if kind == "objects":
        # `meltano install` does not know the folder of these runs (`system_folder`): an old catalog would stay there.
        options += ["--no-state-update", "--refresh-catalog"]
    elif kind == "sweep":
        options.append("--full-refresh")
    if force:
        options.append("--force")
    if suffix:
        options += ["--state-id-suffix", suffix]
    return [str(project.meltano), "--log-format=json", "--log-level=info", "run", *options, *project.blocks]


def environment(given: Mapping[str, str], project: Project, ids: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give the variables of a run.

    Args:
        given: the variables of this process.
        project: where it runs.
        ids: which objects to read, by stream; empty for what changed.

    Raises:
        ValueError: if an id is more than digits, or a stream none of FreshBooks'.
    """
    record_ids = variable(project.extractor, "record_ids")
    kept = {name: value for name, value in variables(given).items() if name not in {RECORD_IDS, record_ids}}
    kept["MELTANO_PROJECT_ROOT"] = str(project.root)
    if not any(ids.values()):
        return kept
    for stream, numbers in ids.items():
        if stream not in STREAMS or not all(_ID.fullmatch(number) for number in numbers):
            raise ValueError("Only ids, in digits, of clients, invoices and payments are handed to a run.")
    return {**kept, record_ids: json.dumps({stream: [int(n) for n in numbers] for stream, numbers in ids.items()})}


@dataclass
class Log:
    """What Meltano's log says about a run.

    Attributes:
        blocks: names of the plugins.
        errors: the plugins' own last words.
    """

    blocks: tuple[str, str] = ("tap-freshbooks", "target-zoho-crm")
    failure: str = ""
    failed: tuple[str, ...] = ()
    busy: re.Match[str] | None = None
    errors: list[str] = field(default_factory=list)

    def read(self, line: bytes) -> tuple[int, str] | None:
        """Read one line.

        Returns:
            Level and text for the companion's own log; None for what is not to be repeated.
        """
        try:
            entry = json.loads(line)
        except ValueError:
            return None
        if not isinstance(entry, dict):
            return None
        event = str(entry.get("event", ""))
        level = logging.getLevelName(str(entry.get("level", "info")).upper())
        if event == "Block run completed" and not entry.get("success"):
            self._block_failed(entry)
            return None
        # Lines that a plugin did not log but wrote, such as a traceback, may hold anything: only its log is repeated.
        if entry.get("name") not in self.blocks or "plugin_logger" not in entry or not isinstance(level, int):
            return None
        if level >= logging.ERROR:
            self.errors = [*self.errors[-4:], event]
        return (level if level >= logging.WARNING else logging.DEBUG), f"{entry['name']}: {event}"

    def _block_failed(self, entry: Mapping[str, Any]) -> None:
        text = str(entry.get("err") or "")
        self.busy = self.busy or _BUSY.search(text)
        # "Extractor failed" and its like; what else may stand there is Meltano's, and may quote a setting.
        self.failed = tuple(kind.removesuffix("s") for kind, code in (entry.get("exit_codes") or {}).items() if code)
        self.failure = f"the {' and the '.join(self.failed)} failed" if self.failed else "Meltano could not run it"

    def outcome(self, code: int, seconds: float) -> Outcome:
        """Judge the run.

        Args:
            code: Meltano's exit code.
            seconds: how long it took.
        """
        if code == 0:
            return Outcome("ok", seconds)
        if self.busy:
            return Outcome("busy", seconds, "another run is alive, says Meltano", _moment(self.busy[1]))
        reason = self.failure or f"Meltano ended with {code}"
        return Outcome("failed", seconds, "; ".join([reason, *self.errors[-1:]]), failed=self.failed)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


class RunProcess:
    """A run under way. It ends with the companion, and when nobody says for how long it may go on."""

    def __init__(self, process: asyncio.subprocess.Process, started: float, blocks: tuple[str, str]) -> None:
        self._process = process
        self._started = started
        self._log = Log(blocks)

    @classmethod
    async def start(  # noqa: PLR0913 - what makes a run
        cls,
        project: Project,
        kind: Kind,
        ids: Mapping[str, Sequence[str]],
        *,
        seconds: float,
        force: bool = False,
        suffix: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> RunProcess:
        """Start a run.

        Args:
            project: where it runs.
            kind: what is read.
            ids: for the kind "objects".
            seconds: for how long it may go on, unless `allow` says longer.
            force: see `command`.
            suffix: see `command`.
            extra: variables of its environment: settings of the plugins, a system folder.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            leash.__file__,
            *command(project, kind, uuid.uuid4(), force=force, suffix=suffix),
            cwd=project.root,
            env={**environment(os.environ, project, ids), **(extra or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            # A group of its own: Ctrl-C reaches the companion, which then decides about the run.
            start_new_session=True,
        )
        run = cls(process, time.monotonic(), project.blocks)
        run.allow(seconds)
        return run

    def allow(self, seconds: float) -> None:
        """Let the run go on for so many seconds from now."""
        self._say(f"{max(seconds, 0.0):.3f}")

    def stop(self) -> None:
        """Ask the run to end; what was read so far is still written."""
        self._say("stop")

    def kill(self) -> None:
        """End the run at once, with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def wait(self) -> Outcome:
        """Wait for the end, passing the plugins' log lines on."""
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:
                # Longer than anything Meltano writes; the rest comes as lines that are no JSON.
                continue
            if not line:
                break
            if (said := self._log.read(line)) is not None:
                logger.log(*said)
        code = await self._process.wait()
        self._close()
        return self._log.outcome(code, time.monotonic() - self._started)

    async def end(self) -> None:
        """End the run, kindly if it takes the hint in time."""
        self.stop()
        try:
            await asyncio.wait_for(self._process.wait(), TERMINATE_SECONDS)
        except asyncio.TimeoutError:
            self.kill()
            await self._process.wait()

    def _say(self, line: str) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(f"{line}\n".encode())

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
