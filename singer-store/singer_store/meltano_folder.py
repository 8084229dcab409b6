"""Meltano's own folder in a project, closed to other users of the machine.

Meltano writes the settings of each plugin of a run, secrets among them, into this folder (``run/*/*.config.json``),
with whatever mode the umask leaves, and removes them at the run's end, unless it is killed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_paths(root: Path, environment: Mapping[str, str]) -> list[Path]:
    """Return what of Meltano's in a project only its owner may enter or read.

    Args:
        root: the project's folder.
        environment: its MELTANO_SYS_DIR_ROOT names a folder that may hold other things, too; of that one, only what
            holds settings is named.
    """
    usual = root / ".meltano"
    # Meltano tells its plugins always.
    folder = root / (environment.get("MELTANO_SYS_DIR_ROOT") or usual)
    if folder.resolve() == usual.resolve():
        return [usual]
    return [folder / name for name in ("run", "meltano.db", "meltano.db-wal", "meltano.db-shm")]


def is_open_to_others(path: Path) -> bool:
    """Return whether the mode of a file or folder lets other users in; never where there are no modes, or no file."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def close_to_others(environment: Mapping[str, str], root: Path | None = None) -> None:
    """Close the project's folder of Meltano's, before anything else is written there.

    Plugins call this at their start: whoever runs Meltano has its umask, which is nothing that a plugin could change.
    What belongs to somebody else is left to the checks.

    Args:
        environment: as Meltano gives it to plugins.
        root: the project's folder; MELTANO_PROJECT_ROOT, if not given. Without either nothing is done.
    """
    given = environment.get("MELTANO_PROJECT_ROOT")
    folder = root or (Path(given) if given else None)
    if folder is None:
        return
    for path in private_paths(folder, environment):
        if is_open_to_others(path):
            with contextlib.suppress(OSError):
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
