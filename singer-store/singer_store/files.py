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
    """Refuse a file that another user of the machine may read or write, or owns, and a link that leads nowhere.

    Modes and owners are a matter of POSIX only. A missing file passes, and one of root's: nothing is safe from root.

    Raises:
        InsecureFileError: With what puts it right.
    """
    if os.name != "posix":
        return
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise InsecureFileError(
                f"{what} {path} is a link to {path.readlink()}, which is not there. Bring that back, or remove the "
                "link."
            ) from None
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        raise InsecureFileError(
            f"{what} {path} is open to other users of this machine (mode {mode:04o}). Close it with: chmod 600 {path}"
        )
    if status.st_uid not in {os.geteuid(), 0}:
        raise InsecureFileError(
            f"{what} {path} belongs to another user of this machine ({_name_of(status.st_uid)}). Run this as that "
            f"user, or make the file your own with: chown {_name_of(os.geteuid())} {path}"
        )


def check_folder(folder: Path, what: str) -> None:
    """Refuse a folder in which any user of the machine may put another file in the place of one (POSIX only).

    Raises:
        InsecureFileError: With the command that puts it right.
    """
    if os.name != "posix":
        return
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:
        return
    # Where the sticky bit is set, as in /tmp, each user may replace only what is their own.
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise InsecureFileError(
            f"{what} {folder} may be written by other users of this machine (mode {mode:04o}). "
            f"Close it with: chmod 700 {folder}"
        )


def _name_of(user: int) -> str:
    """Return a user's name, or the number of one that has none."""
    import pwd  # noqa: PLC0415 - there is none on Windows

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


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
