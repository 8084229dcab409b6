"""The stage that each of FreshBooks' statuses is to land in, written down a second time."""

from __future__ import annotations

PROPOSAL, NEGOTIATION, WON, LOST = "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"

EXPECTED = {
    "draft": PROPOSAL,
    "created": PROPOSAL,
    "sent": NEGOTIATION,
    "viewed": NEGOTIATION,
    "partial": NEGOTIATION,
    "overdue": NEGOTIATION,
    "deposit-partial": NEGOTIATION,
    "deposit-paid": NEGOTIATION,
    "pending": NEGOTIATION,
    "retry": NEGOTIATION,
    "failed": NEGOTIATION,
    "declined": NEGOTIATION,
    "resolved": NEGOTIATION,
    "disputed": NEGOTIATION,
    "paid": WON,
    "autopaid": WON,
    "success": WON,
}
