"""Files and folders that only their owner may read, made and replaced atomically."""

from __future__ import annotations

import os
import secrets
import stat
import threading
from typing import TYPE_CHECKING

from singer_store.errors import InsecureFileError

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Closing any descriptor of a file drops the POSIX locks this process holds on it, SQLite's too: nobody may lock a file
# in one thread while another is still making it.
_making = threading.Lock()


def make_private_folder(folder: Path) -> None:
    """Make a folder of mode 0700 if it is missing; one that exists is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file of mode 0600 if it is missing; it is never readable by others, not even for a moment."""
    with _making:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return


def check_private(path: Path, what: str) -> None:
    """Refuse a file that other users of the machine may read or write (POSIX only; a missing file passes).

    Raises:
        InsecureFileError: With the command that puts it right.
    """
    if os.name != "posix":
        return
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & _OTHERS:
        raise InsecureFileError(
            f"{what} {path} is open to other users of this machine (mode {mode:04o}). Close it with: chmod 600 {path}"
        )


def write_once(path: Path, text: str) -> bool:
    """Write a file of mode 0600 unless it exists: readers see nothing or all of it, and of several writers one wins.

    Returns:
        Whether this call wrote it.
    """
    draft = _draft(path, text)
    try:
        # os.link refuses to replace; where there are no hard links (Windows), os.rename refuses too.
        (os.link if os.name == "posix" else os.rename)(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def replace(path: Path, text: str) -> None:
    """Write a file of mode 0600 in place of the old one; a crash leaves either the old or the new."""
    draft = _draft(path, text)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
