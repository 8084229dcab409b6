"""The native fields Currency and Exchange_Rate of an organization with several currencies ("Multi-Currency")."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record


def complete(org: Organization, values: Record, existing: Record | None) -> None:
    """Give a record its currency and rate: the organization's own where none is sent, the rate by the currency.

    Args:
        org: the organization with its currencies.
        values: the checked values of a record; changed in place.
        existing: the record as it is, for an update.
    """
    if existing is None or values.get("Currency", "") is None:
        values["Currency"] = values.get("Currency") or org.iso_code
    if "Currency" in values and values.get("Exchange_Rate") is None:
        values["Exchange_Rate"] = org.currencies[values["Currency"]].exchange_rate
