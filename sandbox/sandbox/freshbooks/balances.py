"""What a client owes, as FreshBooks adds it up: per currency, never across."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sandbox.freshbooks.money import ZERO
from sandbox.freshbooks.records import DELETED

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from sandbox.freshbooks.records import Client

NAMES = ("credit_balance", "draft_balance", "grand_total_balance", "outstanding_balance", "overdue_balance")


def balances(client: Client, today: date) -> dict[str, dict[str, Decimal]]:
    """Give a client's balances on a day, by the name of the include and by currency; what is zero is left out.

    Drafts owe nothing; overdue is what is past due of the outstanding.
    """
    if client.balances is None or client.balances[0] != today:
        client.balances = today, _add_up(client, today)
    return client.balances[1]


def _add_up(client: Client, today: date) -> dict[str, dict[str, Decimal]]:
    sums: dict[str, dict[str, Decimal]] = {name: defaultdict(lambda: ZERO) for name in NAMES}
    for invoice in client.invoices:
        if invoice.vis_state == DELETED:
            continue
        if invoice.stage == "draft":
            sums["draft_balance"][invoice.currency] += invoice.amount
            continue
        sums["grand_total_balance"][invoice.currency] += invoice.amount
        sums["outstanding_balance"][invoice.currency] += invoice.outstanding
        if invoice.due_date < today:
            sums["overdue_balance"][invoice.currency] += invoice.outstanding
    for credit in client.credits:
        sums["credit_balance"][credit.currency] += credit.amount
    return {
        name: {currency: total for currency, total in sorted(per_currency.items()) if total}
        for name, per_currency in sums.items()
    }
