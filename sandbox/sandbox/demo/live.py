"""The companion at work: what happens in one service shows in the other within seconds, by webhook."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.demo.programs import Companion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox import Sandbox
    from sandbox.demo.telling import Teller

AMOUNT = Decimal("1450.00")


def show_live(box: Sandbox, settings: Mapping[str, str], folder: Path, teller: Teller) -> None:
    """Serve, let things happen in both services, and tell how long it takes until they show.

    Raises:
        SystemExit: if something does not show, or serve does not end well.
    """
    books, zoho = box.freshbooks, box.zoho
    with Companion(settings, folder) as companion:
        seconds = companion.until(lambda: _is_ready(box, companion), "the webhooks of both services")
        teller.show(f"Both services have promised it webhooks, and a first run is made: ready after {seconds:.1f} s.")

        client = books.create_client(organization="Northlight Surveying", email="office@northlight.example.com")
        line = {"name": "Site survey", "qty": "1", "unit_cost": {"amount": str(AMOUNT), "code": "USD"}}
        invoice = books.create_invoice(client["id"], lines=[line])
        books.send_invoice(invoice["id"])

        def deal() -> dict[str, Any]:
            rows = zoho.records("Deals")
            return next((row for row in rows if str(row.get("FreshBooks_ID")).endswith(f":{invoice['id']}")), {})

        seconds = companion.until(lambda: deal().get("FreshBooks_Status") == "sent", "the invoice in Zoho")
        teller.show(
            f"In FreshBooks a new client, Northlight Surveying, is sent an invoice of {AMOUNT:,} USD.",
            f"  {seconds:.1f} s later Zoho CRM has the account, and the deal {deal()['Deal_Name']}.",
        )
        books.create_payment(invoice["id"], str(AMOUNT), box.clock.now().date().isoformat(), "Bank Transfer")
        seconds = companion.until(lambda: deal()["Stage"] == "Closed Won", "the payment in Zoho")
        teller.show("It is paid.", f"  {seconds:.1f} s later the deal is won.")

        zoho.update("Deals", deal()["id"], {"Amount": 9999, "Next_Step": "Say thank you"})
        seconds = companion.until(lambda: Decimal(str(deal()["Amount"])) == AMOUNT, "the amount set right")
        teller.show(
            "In Zoho CRM a salesperson types 9,999 over the deal's amount, and a next step.",
            f'  {seconds:.1f} s later the amount is FreshBooks\' again; "{deal()["Next_Step"]}" is theirs, and stays.',
        )
        companion.stop()
    teller.show("It stopped when told to, with exit code 0.")


def _is_ready(box: Sandbox, companion: Companion) -> bool:
    callbacks, channels = box.freshbooks.callbacks(), box.zoho.channels.alive()
    promised = len(callbacks) == 3 and all(one.verified for one in callbacks) and len(channels) == 2  # noqa: PLR2004
    return promised and companion.metrics().get("run_last_success_timestamp", 0) > 0
