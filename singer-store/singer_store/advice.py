"""What to do when the database cannot be used, from what it says."""

from __future__ import annotations

_AGAIN = "then run again: what has been stored is not lost"

# Words that the reason holds, in small letters, and what to do then; the first line that fits counts. SQLite's are in
# https://www.sqlite.org/rescode.html, PostgreSQL's are its server's and its client library's.
_ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("disk is full", "no space left", "disk i/o error", "file too large", "quota exceeded", "disk full"),
        f"Make room on its disk, or replace one that is broken, {_AGAIN}.",
    ),
    (
        ("malformed", "not a database"),
        "The file is damaged, or no store. Put a copy from a backup in its place, or move it away and connect again.",
    ),
    (
        ("readonly database", "unable to open database file", "permission denied:", "read-only file system"),
        "The user who runs this needs to own the file and its folder, on a disk that can be written.",
    ),
    (("database is locked",), f"Another process has been writing for a minute: wait until it is done, {_AGAIN}."),
    (("password authentication failed", "no password supplied"), "Correct user and password in the setting store_url."),
    (("does not exist",), "Create it on the server, or correct the setting store_url."),
    (
        ("read-only transaction", "recovery mode"),
        "The server is a standby: let the setting store_url name the one that can be written.",
    ),
    (
        ("permission denied for", "must be owner"),
        "The role in the setting store_url needs to own the schema singer_store, or to be allowed to create it.",
    ),
    (
        ("too many clients", "too many connections", "connection slots", "no more connections"),
        f"Let the server, or a pooler before it, take more connections, {_AGAIN}.",
    ),
)
_SERVER = f"See that the database server runs and can be reached, {_AGAIN}."
_FILE = f"See that its folder is there and can be written, {_AGAIN}."


def what_to_do(reason: str, *, server: bool) -> str:
    """Return a sentence that says what to do about a database that cannot be used.

    Args:
        reason: what the database's driver, or the operating system, says.
        server: whether it is one, and no file.
    """
    said = f"{reason.lower()}:"
    fitting = (advice for words, advice in _ADVICE if any(word in said for word in words))
    return next(fitting, _SERVER if server else _FILE)
