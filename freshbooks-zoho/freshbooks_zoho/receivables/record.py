"""What is remembered of a reconciliation: in the store's history, where `serve` finds it for its metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from freshbooks_zoho.receivables.reconciled import Reconciled
    from singer_store import Store

RECONCILIATIONS = "freshbooks-zoho reconcile"
MOST = 100


def note(store: Store, account: str, started: datetime, ended: datetime, found: Reconciled) -> None:
    """Note a reconciliation; its outcome is "ok" if all was equal."""
    summary = {
        "account": account,
        "difference_cents": found.difference_cents,
        "records": dict(Counter(one.kind for one in found.differences)),
        "healed": found.healed,
    }
    store.runs.add(RECONCILIATIONS, started, ended, "ok" if found.is_equal else "failed", summary)


def latest_differences(store: Store, account: str) -> dict[str, int]:
    """Give what the last reconciliation found to differ, in hundredths, by currency; empty if there was none."""
    runs = (run for run in store.runs.latest(RECONCILIATIONS, MOST) if run.summary.get("account") in (None, account))
    return next((dict(run.summary["difference_cents"]) for run in runs), {})
