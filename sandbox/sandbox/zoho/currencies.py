"""The native fields Currency and Exchange_Rate of an organization with several currencies ("Multi-Currency")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import error

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record


def complete(org: Organization, values: Record, existing: Record | None, path: str) -> list[dict[str, Any]]:
    """Add a record's currency and rate: the organization's own where none is sent, the rate by the currency.

    A record's currency cannot be changed once it is made (FAQ of multi-currency); what the API does about it is a
    switch.

    Args:
        org: the organization with its currencies.
        values: the checked values of a record; changed in place.
        existing: the record as it is, for an update.
        path: JSON path of the record.

    Returns:
        Zoho's errors, empty if there are none.
    """
    if existing is None or values.get("Currency", "") is None:
        values["Currency"] = values.get("Currency") or org.iso_code
    if existing is not None and values.get("Currency", existing.get("Currency")) != existing.get("Currency"):
        if org.switches.record_currency == "refused":
            return [error("INVALID_DATA", {"api_name": "Currency", "json_path": f"{path}.Currency"})]
        if org.switches.record_currency == "ignored":
            values.pop("Currency")
            values.pop("Exchange_Rate", None)
    if "Currency" in values and values.get("Exchange_Rate") is None:
        values["Exchange_Rate"] = org.currencies[values["Currency"]].exchange_rate
    return []
