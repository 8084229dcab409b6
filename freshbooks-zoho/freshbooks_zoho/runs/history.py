"""What is kept of the runs: in the store for people, in the metrics for monitoring, in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.receivables.record import latest_differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from freshbooks_zoho.admin.metrics import Metrics
    from freshbooks_zoho.runs.meltano_run import Kind, Outcome
    from singer_store import Run, Store, Tally

RUNS, SWEEPS, TARGET = "freshbooks-zoho", "freshbooks-zoho sweep", "target-zoho-crm"
MOST = 100
"""How many runs are looked through for the last one of an account."""
_ABOUT = {"changes": "what changed", "sweep": "everything"}
_WRITTEN = ("created", "updated", "linked", "deleted")

logger = logging.getLogger(__name__)


def is_of(run: Run, account: str | None) -> bool:
    """Return whether a run is an account's; one that does not say counts for all, and None asks for any."""
    return account is None or run.summary.get("account") in (None, account)


class History:
    """Notes runs.

    Args:
        store: keeps them.
        account: the FreshBooks account that they are of; other businesses in the same store have their own.
        metrics: count them.
        invoices_module: where invoices go; clients and payments have one place each.

    Attributes:
        last_success: when a run last ended well.
        problem: a sentence, if the last one did not.
    """

    def __init__(self, store: Store, account: str, metrics: Metrics, invoices_module: str) -> None:
        self.last_success: datetime | None = None
        self.problem: str | None = None
        self._store, self._account = store, account
        self._metrics = metrics
        self._modules = {"clients": "Accounts", "invoices": invoices_module, "payments": "FreshBooks Payments"}

    def last_sweep(self) -> datetime | None:
        """Give when everything was read the last time."""
        return next((run.started_at for run in self._latest(SWEEPS)), None)

    def note_sweep(self, started: datetime, ended: datetime) -> None:
        """Remember that everything was read."""
        self._store.runs.add(SWEEPS, started, ended, "ok", {"account": self._account})

    def note(self, kind: Kind, started: datetime, ended: datetime, outcome: Outcome, objects: int) -> None:
        """Note a run that has ended."""
        ok = outcome.status == "ok"
        self.problem = None if ok else f"The last run failed: {outcome.reason}"
        if ok:
            self.last_success = ended
            self._metrics.run_last_success.set(ended.timestamp())
        self._metrics.run_seconds.observe(outcome.seconds)
        summary = self._of_target(started)
        self._count(summary)
        logger.log(
            logging.INFO if ok else logging.ERROR,
            "A run for %s %s after %.1f s: %s",
            _ABOUT.get(kind, f"{objects} objects"),
            "ended well" if ok else "failed",
            outcome.seconds,
            _in_words(summary) if ok else outcome.reason,
        )
        summary = {"kind": kind, "objects": objects, "reason": outcome.reason, "target": summary}
        summary["account"] = self._account
        self._store.runs.add(RUNS, started, ended, "ok" if ok else "failed", summary)

    def measure(self, pending: Tally, now: datetime) -> None:
        """Measure what is still to be synced, and what the last reconciliation found."""
        self._metrics.inbox_pending.set(pending.waiting)
        self._metrics.dead_letters.set(pending.aside)
        self._metrics.inbox_oldest_seconds.set(max((now - (pending.oldest or now)).total_seconds(), 0.0))
        for currency, cents in latest_differences(self._store, self._account).items():
            self._metrics.reconcile_difference_cents.labels(currency).set(cents)

    def was_refused(self, started: datetime) -> bool:
        """Return whether a run came to its end, but of some stream Zoho refused all that it brought."""
        return bool(self._of_target(started).get("refused"))

    def _of_target(self, started: datetime) -> dict[str, Any]:
        """Give what the target says of its run."""
        return next((dict(run.summary) for run in self._latest(TARGET) if run.started_at >= started), {})

    def _latest(self, plugin: str) -> Iterator[Run]:
        """Return the account's last runs of a plugin."""
        return (run for run in self._store.runs.latest(plugin, MOST) if is_of(run, self._account))

    def _count(self, summary: Mapping[str, Any]) -> None:
        if (credits_left := summary.get("credits_remaining")) is not None:
            self._metrics.zoho_credits_remaining.set(credits_left)
        for stream, counts in (summary.get("streams") or {}).items():
            for action in _WRITTEN:
                if counts.get(action):
                    written = self._metrics.records_written.labels(self._modules.get(stream, stream), action)
                    written.inc(counts[action])
            self._metrics.records_unchanged.inc(counts.get("unchanged", 0))


def _in_words(summary: Mapping[str, Any]) -> str:
    total = summary.get("total") or {}
    return ", ".join(f"{number} {what}" for what, number in total.items() if number) or "nothing to do"
