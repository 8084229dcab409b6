"""The four statuses of an invoice, as FreshBooks shows them at the moment it is read.

Source: https://www.freshbooks.com/api/invoices (status codes) and recorded answers: passing the due date changes
`v3_status` alone, and no change of the invoice goes with it.
"""

from __future__ import annotations

from typing import NamedTuple

DISPUTED, DRAFT, SENT, VIEWED, PAID = range(5)


class Statuses(NamedTuple):
    """What the four fields say."""

    status: int
    display_status: str
    payment_status: str
    v3_status: str


class Standing(NamedTuple):
    """What the statuses follow from."""

    stage: str
    """draft, sent or viewed."""
    disputed: bool
    paid_something: bool
    settled: bool
    """Something was paid and nothing is outstanding."""
    past_due: bool


def statuses(standing: Standing) -> Statuses:
    """Give the statuses: a draft stays one, paid wins, then disputed, overdue, partial, and last viewed or sent."""
    if standing.stage == "draft":
        return Statuses(DRAFT, "draft", "unpaid", "draft")
    if standing.settled:
        return Statuses(PAID, standing.stage, "paid", "paid")
    payment = "partial" if standing.paid_something else "unpaid"
    if standing.disputed:
        return Statuses(DISPUTED, standing.stage, payment, "disputed")
    number = VIEWED if standing.stage == "viewed" else SENT
    if standing.past_due:
        return Statuses(number, standing.stage, payment, "overdue")
    return Statuses(number, standing.stage, payment, "partial" if standing.paid_something else standing.stage)
