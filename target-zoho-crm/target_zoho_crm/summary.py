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
LANDED = frozenset(OUTCOMES) - {"waiting", "rejected"}
"""What has become of a record that is in Zoho as it should be."""
REMARKS = {
    "foreign_currency": "amounts in a currency that cannot be shown",
    "fitted": "values shortened, rounded or left out",
    "rolled_up": "deals with a new last payment",
    "alarms": "written into another record",
    "kept": "for which Zoho has no room",
    "twins": "there more than once",
}
NAMED_FOR_A_CAUSE = 5
"""Records that are named in the log for one cause; the others are counted."""


@dataclass
class Summary:
    """Counts of one run.

    Attributes:
        streams: per stream, how often each of `OUTCOMES` and `REMARKS` was met.
        unknown_statuses: FreshBooks statuses that are not in the table of stages.
        causes: how many records of a stream met one fate for one cause, by stream, fate and cause.
        refused: the streams of which nothing has landed, where the run has ended with that.
        storage_full: the sentence that Zoho has no room for new records; None while it has.
        usage: calls and credits.
    """

    streams: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unknown_statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refused: tuple[str, ...] = ()
    storage_full: str | None = None
    usage: Usage | None = None
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def count(self, stream: str, what: str, number: int = 1) -> None:
        """Count something of a stream."""
        with self._lock:
            self.streams[stream][what] += number

    def names(self, stream: str, fate: str, cause: str) -> bool:
        """Count a record that is worth a line in the log; return whether it is among the few that are named there.

        Args:
            stream: whose record it is.
            fate: what became of it: ``rejected``, or ``landed without`` something.
            cause: why, in the same words for all records that have one cause.
        """
        with self._lock:
            self.causes[stream, fate, cause] += 1
            return self.causes[stream, fate, cause] <= NAMED_FOR_A_CAUSE

    def landed(self, stream: str) -> int:
        """Return how many records of a stream are in Zoho as they should be, as far as this run has met them."""
        counts = self.streams.get(stream, Counter())
        return sum(counts[outcome] for outcome in LANDED)

    def conclude(self) -> str | None:
        """Note of which streams nothing has landed in a run that has come to its end, and return a sentence about them.

        Those are the streams of which records were rejected, while none landed and none waits; None if there are none.
        What Zoho has no room for counts only where nothing at all has landed.
        """
        landed = {stream for stream in self.streams if self.landed(stream)}
        if self.storage_full and not landed:
            self.refused = tuple(stream for stream, counts in self.streams.items() if counts["rejected"])
            return self.storage_full
        streams = [
            stream
            for stream, counts in self.streams.items()
            if counts["rejected"] > counts["kept"] and not counts["waiting"] and stream not in landed
        ]
        self.refused = tuple(streams)
        if not streams:
            return None
        named = " and ".join(f"{stream} ({self.streams[stream]['rejected']} rejected)" for stream in streams)
        return (
            f"Nothing of {named} has landed in Zoho; the reasons stand above. What is kept to be tried again, and what "
            "to do, is in: freshbooks-zoho status"
        )

    def total(self) -> Counter[str]:
        """Return the counts of all streams together."""
        return sum(self.streams.values(), Counter())

    def lines(self) -> list[str]:
        """Return the summary to read: streams, what is worth a remark, all together."""
        said = [
            f"{stream}: {number - NAMED_FOR_A_CAUSE} more {fate}: {cause}"
            for (stream, fate, cause), number in self.causes.items()
            if number > NAMED_FOR_A_CAUSE
        ]
        said += [f"{stream}: {_line(counts)}" for stream, counts in self.streams.items()]
        if self.unknown_statuses:
            statuses = ", ".join(f"{status or '(none)'} ({n})" for status, n in sorted(self.unknown_statuses.items()))
            said.append(f"invoice statuses that stage_map does not know: {statuses}")
        total = _line(self.total())
        if self.usage is not None:
            total += f"; {self.usage.calls} calls, {self.usage.credits} API credits"
        return [*said, f"total: {total}"]

    def as_json(self) -> dict[str, Any]:
        """Return the counts for the run history."""
        return {
            "streams": {stream: {k: n for k, n in counts.items() if n} for stream, counts in self.streams.items()},
            "total": {outcome: self.total()[outcome] for outcome in OUTCOMES},
            "unknown_statuses": dict(self.unknown_statuses),
            "refused": list(self.refused),
            "calls": self.usage.calls if self.usage else 0,
            "credits": self.usage.credits if self.usage else 0,
            "credits_remaining": self.usage.credits_remaining if self.usage else None,
        }


def _line(counts: Counter[str]) -> str:
    outcomes = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]] or ["nothing to do"]
    remarks = [f"{counts[name]} {words}" for name, words in REMARKS.items() if counts[name]]
    return ", ".join(outcomes) + (f" ({', '.join(remarks)})" if remarks else "")
