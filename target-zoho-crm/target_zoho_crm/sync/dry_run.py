"""The plan, told instead of carried out.

The person who asked for it sees the values, so it goes to the terminal (stderr) or into a file that only its owner may
read, and never through the log, which others may read; stdout carries Singer's state only.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from target_zoho_crm.api.limits import RECORDS_PER_CREDIT
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.values import clean
from target_zoho_crm.sync.planning import Action, Create, Delete, Link, Reject, Rejection, Update, Wait
from target_zoho_crm.sync.writing import RECORDS_A_CALL, Outcome, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_zoho_crm.mapping.layout import Destination
    from target_zoho_crm.org.preflight import Ready
    from target_zoho_crm.summary import Summary
    from target_zoho_crm.sync.planning import Values

SECONDS_A_CALL = 2.0
"""About what a write of a hundred records takes; for the estimate only."""
NOT_YET = "new:"
"""What the pretended id of a record begins with."""
NAMES = ("Account_Name", "Deal_Name", "Name")
"""API names of the field that people know a record by."""

Entry = dict[str, Any]
"""One line of a plan: set-up, limit, note, each action that is more than "unchanged", and total at the end; see `kind`.
"""
Tell = Callable[[Entry], None]


class DryRun:
    """Tells plans, and pretends that they worked, so that what depends on them can be planned too.

    Args:
        tell: is given each entry.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began = time.monotonic()
        self._calls = self._credits = self._records = self._first = 0

    def begin(self, ready: Ready, spared: int = 0) -> None:
        """Report what would be created before the first record, and what is to be known about it.

        Args:
            ready: what the records would be written into.
            spared: credits that looking at that has cost, and that a run would not spend.
        """
        self._first -= spared
        for creation in ready.to_create:
            self._first += creation.credits
            self._tell({"kind": "set-up", "what": str(creation), "credits": creation.credits})
        for kind, sentences in (("limit", ready.shortages), ("note", ready.notes)):
            for sentence in sentences:
                self._tell({"kind": kind, "what": sentence})

    def carry_out(self, to: Destination, actions: Sequence[Action], values: Mapping[str, Values]) -> dict[str, Outcome]:
        """Tell actions; give each that would write as done, a new record with an id that says so.

        Args:
            to: where they would be written.
            actions: of one batch.
            values: what the records would hold, by FreshBooks ID; their names are taken from it.
        """
        outcomes: dict[str, Outcome] = {}
        for action in actions:
            if found := entry_of(to, action, name_of(values.get(action.key, {}))):
                self._tell(found)
            if isinstance(action, Create):
                outcomes[action.key] = Written(f"{NOT_YET}{action.key}", "created")
            elif isinstance(action, Link):
                outcomes[action.key] = Written(action.id, "linked")
            elif isinstance(action, Update):
                outcomes[action.key] = Written(action.id, "updated")
            elif isinstance(action, Delete):
                outcomes[action.key] = Written(action.id, "deleted")
        self._count(actions)
        return outcomes

    def end(self, summary: Summary, parallel: int, reads_left_out: int) -> None:
        """Tell what all would come to.

        Args:
            summary: of the dry run, with what reading has cost.
            parallel: how many calls a real run makes at a time.
            reads_left_out: calls that the dry run did without, because what they ask for is not there yet.
        """
        took = time.monotonic() - self._began
        read = summary.usage.credits if summary.usage else 0
        self._tell(
            {
                "kind": "total",
                "streams": {
                    stream: {k: n for k, n in counts.items() if n} for stream, counts in summary.streams.items()
                },
                "unknown_statuses": dict(summary.unknown_statuses),
                "records": self._records,
                "write_calls": self._calls,
                "credits": self._first + read + reads_left_out + self._credits,
                "seconds": round(took + SECONDS_A_CALL * -(-self._calls // parallel), 1),
            }
        )

    def _count(self, actions: Sequence[Action]) -> None:
        """Add up the calls that a batch would be written with, and their credits."""
        for kinds in ((Create,), (Update, Link), (Delete,)):
            number = sum(isinstance(action, kinds) for action in actions)
            calls = -(-number // RECORDS_A_CALL)
            self._records += number
            self._calls += calls
            self._credits += calls if kinds == (Delete,) else -(-number // RECORDS_PER_CREDIT)


def entry_of(to: Destination, action: Action, name: str = "") -> Entry | None:
    """Give what an action would change; None where nothing would happen."""
    entry: Entry = {"kind": "", "stream": to.stream, "key": action.key, "module": to.module, "name": name}
    if isinstance(action, Create):
        return entry | {"kind": "create", "changes": {field: [None, value] for field, value in action.values.items()}}
    if isinstance(action, (Update, Link)):
        changes = {field: [action.held.get(field), value] for field, value in action.changes.items()}
        return entry | {"kind": "update" if isinstance(action, Update) else "link", "id": action.id, "changes": changes}
    if isinstance(action, Delete):
        return entry | {"kind": "delete", "id": action.id}
    if isinstance(action, Wait):
        waits = {"reason": action.reason, "waits_for": action.waits_for, "candidates": list(action.candidates)}
        return entry | {"kind": "wait", **waits}
    if isinstance(action, Reject):
        error = action.error
        return entry | {"kind": "reject", "code": error.code, "field": error.field, "expected": error.expected}
    return entry | {"kind": "older", "id": action.id} if action.reason == "older" else None


def name_of(values: Mapping[str, Any]) -> str:
    """Give what people know a record by."""
    return next((str(values[field]) for field in NAMES if isinstance(values.get(field), str)), "")


def in_words(entry: Entry) -> str:
    """Give an entry as a line."""
    return _WORDS[entry["kind"]](entry)


def _what(entry: Entry) -> str:
    return f"{entry['stream']} {entry['key']}" + (f" ({entry['name']})" if entry["name"] else "")


def _create_in_words(entry: Entry) -> str:
    values = (f"{field}: {shown(value)}" for field, (_, value) in entry["changes"].items())
    return f"create {entry['module']} for {_what(entry)}: {'; '.join(values)}"


def _update_in_words(entry: Entry) -> str:
    changes = (f"{field}: {shown(old)} → {shown(new)}" for field, (old, new) in entry["changes"].items())
    return f"{entry['kind']} {entry['module']} {entry['id']} with {_what(entry)}: {'; '.join(changes)}"


def _wait_in_words(entry: Entry) -> str:
    waits_for = f"one of {', '.join(entry['candidates'])}" if entry["candidates"] else entry["waits_for"]
    return f"wait {_what(entry)}: {entry['reason']}, {waits_for}"


def _reject_in_words(entry: Entry) -> str:
    return f"reject {_what(entry)}: {Rejection(entry['code'], entry['field'], entry['expected'])}"


def _total_in_words(entry: Entry) -> str:
    return (
        f"would write {entry['records']} records in {entry['write_calls']} calls; with reading, {entry['credits']} API "
        f"credits, about {entry['seconds']:.0f} seconds"
    )


_WORDS: dict[str, Callable[[Entry], str]] = {
    "set-up": lambda entry: f"would first create {entry['what']}",
    "limit": lambda entry: entry["what"],
    "note": lambda entry: entry["what"],
    "create": _create_in_words,
    "update": _update_in_words,
    "link": _update_in_words,
    "delete": lambda entry: f"delete {entry['module']} {entry['id']} with {_what(entry)}",
    "wait": _wait_in_words,
    "reject": _reject_in_words,
    "older": lambda entry: f"leave {_what(entry)}: Zoho holds something newer",
    "total": _total_in_words,
}


def shown(value: Any) -> str:
    """Give a value as it stands in a line."""
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id"))
    if isinstance(value, (Decimal, bool, int)):
        return str(value)
    text = " ⏎ ".join(str(value).splitlines())
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a line of the terminal


def to_terminal(terminal: IO[str]) -> Tell:
    """Tell a person, line by line."""
    terminal.write("Dry run: nothing is written, neither to Zoho nor to the store.\n")
    # What people typed into Zoho may hold a terminal's control sequence.
    return lambda entry: _write(terminal, clean(in_words(entry)))


@contextmanager
def to_file(path: str) -> Iterator[Tell]:
    """Tell a program: JSON lines in a file of mode 0600, amounts as text; what was in the file before is gone.

    Raises:
        ConfigurationError: if the file cannot be written.
    """
    try:
        # A name that leads elsewhere is not followed: what is written is nobody else's business.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if os.name == "posix":
            os.fchmod(number, 0o600)
    except OSError as error:
        raise ConfigurationError(f"The file of the setting plan_file cannot be written: {error.strerror}.") from None
    with os.fdopen(number, "w", encoding="utf-8") as file:
        yield lambda entry: _write(file, json.dumps(entry, ensure_ascii=False, default=str))


def _write(file: IO[str], line: str) -> None:
    file.write(line + "\n")
