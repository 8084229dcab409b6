"""Other processes: whether they live, and how they end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def is_alive(pid: int | str) -> bool:
    """Say whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a process that leads a group, with all of it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
