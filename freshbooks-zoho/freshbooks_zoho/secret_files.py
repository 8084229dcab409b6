"""Files of Meltano's with secrets: never readable by other users, and removed where a killed run has left them.

Meltano writes the settings of the plugins for each run into its folder and removes them at the end, but a run that is
killed removes nothing (measured with Meltano 4.4).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from freshbooks_zoho.project import find_root, system_folder
from freshbooks_zoho.runs.system_folder import NAME
from singer_store import close_to_others

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UMASK = 0o077
PLAN_PREFIX = "freshbooks-zoho-plan-"
"""Of the temporary folders of plans."""
LONGEST_RUN_SECONDS = 24 * 3600.0
"""How old a file is taken for left over where the machine's processes cannot be seen (only Linux shows them)."""
_PROC = Path("/proc")


def protect(environment: Mapping[str, str], folder: Path) -> None:
    """Keep secrets from other users: in what this process and those that it starts write, and in the project's folder.

    Args:
        environment: variables of the process.
        folder: where to look for the project, upwards.
    """
    os.umask(UMASK)
    if (root := find_root(environment, folder)) is None:
        return
    system = system_folder(root, environment)
    with contextlib.suppress(OSError):
        # Meltano would make both open to others at its first run.
        (system / "run").mkdir(parents=True, exist_ok=True)
    close_to_others(environment, root)
    sweep(root, system)
    sweep_plans(Path(tempfile.gettempdir()), time.time())


def sweep(root: Path, system: Path) -> None:
    """Remove the settings that killed runs of a project have left in Meltano's folder, as far as they are this user's.

    Args:
        root: the project's folder.
        system: Meltano's.
    """
    files = {file: status for file in _settings_files(system) if (status := _own(file)) is not None}
    if not files:
        return
    processes = _meltano_processes(root)
    for file, status in files.items():
        if is_left_over(status.st_mtime, processes, time.time()):
            # A folder that may only be read keeps it.
            with contextlib.suppress(OSError):
                file.unlink()


def sweep_plans(folder: Path, now: float) -> None:
    """Remove the folders, with values and settings in them, of plans that were killed, as far as they are this user's.

    Args:
        folder: for temporary files.
        now: in seconds since 1970.
    """
    for left in folder.glob(f"{PLAN_PREFIX}*"):
        status = _own(left)
        if status is not None and stat.S_ISDIR(status.st_mode) and is_left_over(status.st_mtime, None, now):
            shutil.rmtree(left, ignore_errors=True)


def is_left_over(written_at: float, processes: list[float] | None, now: float) -> bool:
    """Return whether the run that a file of settings was written for is over.

    Args:
        written_at: when.
        processes: since when each of the project's Meltano processes runs; None where that cannot be known.
        now: as the others in seconds since 1970.
    """
    if processes is None:
        return now - written_at > LONGEST_RUN_SECONDS
    return all(written_at < started_at for started_at in processes)


def _settings_files(system: Path) -> Iterator[Path]:
    for folder in (system / "run", system / NAME):
        yield from folder.glob("**/*.config.json")


def _own(file: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        status = file.lstat()
        if os.name != "posix" or status.st_uid == os.geteuid():
            return status
    return None


def _meltano_processes(root: Path) -> list[float] | None:
    """Return since when each process of Meltano's runs that may be the project's; None where nobody says."""
    try:
        boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        numbers = [entry.name for entry in _PROC.iterdir() if entry.name.isdecimal()]
    except (AttributeError, OSError):
        return None
    found = []
    for number in numbers:
        # It may have ended meanwhile.
        with contextlib.suppress(OSError):
            process = _PROC / number
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if _is_meltano(arguments) and _may_be_of(process, root):
                # After the name, which may hold anything, the 20th field: in ticks since the machine was started.
                ticks = (process / "stat").read_text().rpartition(")")[2].split()[19]
                found.append(boot + int(ticks) / os.sysconf("SC_CLK_TCK"))
    return found


def _is_meltano(arguments: list[bytes]) -> bool:
    """Return whether a command line is Meltano's: its script, with the interpreter before it, or ``-m meltano``."""
    first = [argument.rpartition(b"/")[2] for argument in arguments[:4]]
    return b"meltano" in first


def _may_be_of(process: Path, root: Path) -> bool:
    """Return whether a process may work in a project; of another user's that cannot be known."""
    try:
        folder = (process / "cwd").readlink()
        return root in (folder, *folder.parents) or os.fsencode(root) in (process / "environ").read_bytes()
    except PermissionError:
        return True
