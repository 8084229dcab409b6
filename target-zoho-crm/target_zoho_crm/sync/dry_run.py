"""The plan, printed instead of carried out.

The person who asked for it sees the values, so it goes to the terminal (stderr) and never through the log, which others
may read; stdout carries Singer's state only.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from target_zoho_crm.sync.planning import Action, Create, Delete, Link, Reject, Update, Wait
from target_zoho_crm.sync.writing import RECORDS_A_CALL, Outcome, Written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_zoho_crm.mapping.layout import Destination
    from target_zoho_crm.org.preflight import Ready

SECONDS_A_CALL = 2.0
"""About what a write of a hundred records takes; for the estimate only."""
RECORDS_A_CREDIT = 10
NOT_YET = "new:"
"""What the pretended id of a record begins with."""


class DryRun:
    """Prints plans, and pretends that they worked, so that what depends on them can be planned too.

    Args:
        terminal: where to.
    """

    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal
        self._writes: Counter[str] = Counter()

    def begin(self, ready: Ready) -> None:
        """Say what would be created before the first record."""
        self._print("Dry run: nothing is written, neither to Zoho nor to the store.")
        for sentence in ready.to_create:
            self._print(f"would first create {sentence}")

    def carry_out(self, to: Destination, actions: Sequence[Action]) -> dict[str, Outcome]:
        """Print actions; give each that would write as done, a new record with an id that says so."""
        outcomes: dict[str, Outcome] = {}
        for action in actions:
            line = describe(to, action)
            if line:
                self._print(line)
            if isinstance(action, Create):
                outcomes[action.key] = Written(f"{NOT_YET}{action.key}", "created")
            elif isinstance(action, Link):
                outcomes[action.key] = Written(action.id, "linked")
            elif isinstance(action, Update):
                outcomes[action.key] = Written(action.id, "updated")
            elif isinstance(action, Delete):
                outcomes[action.key] = Written(action.id, "deleted")
            else:
                continue
            self._writes[f"{to.module} {isinstance(action, Create)}"] += 1
        return outcomes

    def end(self, parallel: int) -> None:
        """Say what it would cost."""
        records = sum(self._writes.values())
        calls = sum(-(-number // RECORDS_A_CALL) for number in self._writes.values())
        credits_ = sum(-(-number // RECORDS_A_CREDIT) for number in self._writes.values())
        seconds = SECONDS_A_CALL * -(-calls // parallel)
        self._print(
            f"would write {records} records: {calls} calls, {credits_} API credits, about {seconds:.0f} seconds"
        )

    def _print(self, line: str) -> None:
        self._terminal.write(line + "\n")


def describe(to: Destination, action: Action) -> str:
    """Give an action as a line with what it would change; "" where nothing would happen."""
    what = f"{to.stream} {action.key}"
    if isinstance(action, Create):
        return f"create {to.module} for {what}: {_values(action.values)}"
    if isinstance(action, (Update, Link)):
        verb = "update" if isinstance(action, Update) else "link"
        changes = "; ".join(
            f"{name}: {_shown(action.held.get(name))} → {_shown(value)}" for name, value in action.changes.items()
        )
        return f"{verb} {to.module} {action.id} with {what}: {changes}"
    if isinstance(action, Delete):
        return f"delete {to.module} {action.id} with {what}"
    if isinstance(action, Wait):
        waits_for = f"one of {', '.join(action.candidates)}" if action.candidates else action.waits_for
        return f"wait {what}: {action.reason}, {waits_for}"
    if isinstance(action, Reject):
        return f"reject {what}: {action.error}"
    return f"leave {what}: Zoho holds something newer" if action.reason == "older" else ""


def _values(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id"))
    if isinstance(value, (Decimal, bool, int)):
        return str(value)
    text = " ⏎ ".join(str(value).splitlines())
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a line of the terminal
