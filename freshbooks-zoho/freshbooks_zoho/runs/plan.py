"""The dry run of the main job: the same Meltano run of the same plugins, which tells what it would do and does nothing.

Nothing is written to Zoho, to the store (but for renewed access tokens) or to Meltano's state: the run has a state of
its own, which stays empty, and is handed the bookmarks of the real one.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.project import ProjectError, variable
from freshbooks_zoho.runs.meltano_run import RunProcess
from freshbooks_zoho.runs.system_folder import separate_folder
from freshbooks_zoho.secret_files import PLAN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freshbooks_zoho.project import Project
    from freshbooks_zoho.runs.meltano_run import Kind, Outcome

SUFFIX = "plan"
LONGEST_SECONDS = 24 * 3600.0
Entry = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        entries: what would be created first ("set-up") and what would become of each record, as the target tells it;
            those that are as they should be are only counted.
        streams: per stream, how often each outcome was met.
        credits: what a run would cost in API credits, reading included.
        seconds: about how long it would take.
    """

    entries: tuple[Entry, ...]
    streams: Mapping[str, Mapping[str, int]]
    credits: int = 0
    seconds: float = 0.0

    def of(self, kind: str) -> list[Entry]:
        """Give the entries of a kind."""
        return [entry for entry in self.entries if entry["kind"] == kind]


def read_plan(lines: Iterable[str]) -> Plan:
    """Read what the target wrote; nothing is a plan too: there was no record to look at.

    Raises:
        ValueError: if it is no plan.
    """
    entries = _folded(json.loads(line) for line in lines)
    total: Entry = entries.pop() if entries else {"kind": "total", "streams": {}, "credits": 0, "seconds": 0.0}
    if total["kind"] != "total":
        raise ValueError("the plan breaks off")
    return Plan(tuple(entries), total["streams"], total["credits"], total["seconds"])


def _folded(entries: Iterable[Entry]) -> list[Entry]:
    """Put the last payment of an invoice, which its payments bring, beside what the invoice itself changes."""
    found: list[Entry] = []
    written: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        writes = entry["kind"] in {"create", "update", "link"}
        first = written.setdefault((entry["stream"], entry["key"]), entry) if writes else entry
        if first is entry:
            found.append(entry)
        else:
            first["changes"] |= entry["changes"]
    return found


def make_plan(project: Project, *, everything: bool = False) -> Plan:
    """Make the dry run.

    Args:
        project: where it runs.
        everything: as the first run would, and not only what changed since the last one.

    Raises:
        ProjectError: if the run fails; the text says why.
    """
    with TemporaryDirectory(prefix=PLAN_PREFIX) as name:
        folder = Path(name)
        settings = {
            variable(project.extractor, "dry_run"): "true",
            variable(project.loader, "dry_run"): "true",
            variable(project.loader, "plan_file"): str(folder / "plan.jsonl"),
            **separate_folder(project, os.environ, folder / "meltano"),
        }
        if not everything and project.environment and (state := _state(project)):
            _write_private(folder / "state.json", json.dumps(state))
            # Meltano's own setting of an extractor, hence two underscores.
            settings[variable(project.extractor, "_state")] = str(folder / "state.json")
        outcome = asyncio.run(_run(project, "sweep" if everything else "changes", settings))
        if outcome.status != "ok":
            raise ProjectError(f"The plan could not be made: {outcome.reason}")
        file = folder / "plan.jsonl"
        try:
            with file.open(encoding="utf-8") if file.exists() else open(os.devnull) as lines:  # noqa: PTH123
                return read_plan(lines)
        except (ValueError, KeyError, TypeError):
            raise ProjectError(
                f"{project.loader} wrote no plan that can be read: its version and that of this command differ. Run: "
                "meltano install"
            ) from None


def _state(project: Project) -> dict[str, Any]:
    return project.state(f"{project.environment}:{'-to-'.join(project.blocks)}")


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


async def _run(project: Project, kind: Kind, settings: Mapping[str, str]) -> Outcome:
    run = await RunProcess.start(project, kind, {}, seconds=LONGEST_SECONDS, force=True, suffix=SUFFIX, extra=settings)
    try:
        return await run.wait()
    except asyncio.CancelledError:
        await run.end()
        raise
