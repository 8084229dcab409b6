"""What a run did, in numbers: one line for each stream, and one for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_zoho_crm.api.client import Usage

OUTCOMES = (
    "created",
    "updated",
    "linked",
    "deleted",
    "unchanged",
    "older",
    "waiting",
    "rejected",
)
"""What becomes of a record; each is counted once."""
REMARKS = {
    "foreign_currency": "amounts in a currency that cannot be shown",
    "fitted": "values shortened or left out",
    "rolled_up": "deals with a new last payment",
    "alarms": "written into another record",
}


@dataclass
class Summary:
    """Counts of one run.

    Attributes:
        streams: per stream, how often each of `OUTCOMES` and `REMARKS` was met.
        unknown_statuses: FreshBooks statuses that are not in the table of stages.
        usage: calls and credits.
    """

    streams: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unknown_statuses: Counter[str] = field(default_factory=Counter)
    usage: Usage | None = None
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def count(self, stream: str, what: str, number: int = 1) -> None:
        """Count something of a stream."""
        with self._lock:
            self.streams[stream][what] += number

    def total(self) -> Counter[str]:
        """Give the counts of all streams together."""
        return sum(self.streams.values(), Counter())

    def lines(self) -> list[str]:
        """Give the summary to read: streams, what is worth a remark, all together."""
        said = [f"{stream}: {_line(counts)}" for stream, counts in self.streams.items()]
        if self.unknown_statuses:
            statuses = ", ".join(f"{status or '(none)'} ({n})" for status, n in sorted(self.unknown_statuses.items()))
            said.append(f"invoice statuses that stage_map does not know: {statuses}")
        total = _line(self.total())
        if self.usage is not None:
            total += f"; {self.usage.calls} calls, {self.usage.credits} API credits"
        return [*said, f"total: {total}"]

    def as_json(self) -> dict[str, Any]:
        """Give the counts for the run history."""
        return {
            "streams": {stream: {k: n for k, n in counts.items() if n} for stream, counts in self.streams.items()},
            "total": {outcome: self.total()[outcome] for outcome in OUTCOMES},
            "unknown_statuses": dict(self.unknown_statuses),
            "calls": self.usage.calls if self.usage else 0,
            "credits": self.usage.credits if self.usage else 0,
            "credits_remaining": self.usage.credits_remaining if self.usage else None,
        }


def _line(counts: Counter[str]) -> str:
    outcomes = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]] or ["nothing to do"]
    remarks = [f"{counts[name]} {words}" for name, words in REMARKS.items() if counts[name]]
    return ", ".join(outcomes) + (f" ({', '.join(remarks)})" if remarks else "")
