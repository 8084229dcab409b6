"""Which business is read: `/users/me` against the setting `account_id`.

https://www.freshbooks.com/api/me_endpoint: the accounting API wants ``business_memberships[].business.account_id``,
which is null for a business without accounting. The answer also holds personal data and a ``fasttrack_token``: nothing
but ids, names of businesses, time zones, roles and states of subscriptions leaves this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tap_freshbooks.errors import SettingError, inactive

INACTIVE = {"suspended", "trial_expired", "cancelled", "canceled", "expired", "inactive"}
FULL_ROLES = {"owner", "business_partner", "admin"}
"""An accountant or a manager may see less; which rows are hidden from each role is not documented."""


@dataclass(frozen=True)
class Business:
    """A business of the user."""

    account_id: str
    name: str
    time_zone: str | None = None
    business_id: int | None = None
    role: str | None = None
    """The user's: owner, business_partner, business_manager, business_accountant, client, ..."""
    status: str | None = None
    """Of the subscription: active, active_trial, suspended, trial_expired, cancelled, ..."""

    @property
    def is_inactive(self) -> bool:
        """Whether the subscription has ended or is suspended, so that FreshBooks gives nothing of the books."""
        return (self.status or "").lower() in INACTIVE

    @property
    def may_see_all(self) -> bool:
        """Whether the user's role sees all clients with their invoices and payments; True where it is not known."""
        return self.role is None or self.role in FULL_ROLES

    @property
    def zone(self) -> ZoneInfo | None:
        """The business' own zone, None where FreshBooks names none that is known here."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None


def businesses(payload: Any) -> list[Business]:
    """Return the businesses with an accounting account in the answer of `/users/me`, in its order.

    A membership that is null, or of no business, is passed over.
    """
    found: dict[str, Business] = {}
    memberships = ((payload or {}).get("response") or {}).get("business_memberships") or []
    for membership in memberships:
        business = membership.get("business") if isinstance(membership, dict) else None
        account_id = business.get("account_id") if isinstance(business, dict) else None
        if isinstance(business, dict) and isinstance(account_id, str) and account_id:
            found.setdefault(
                account_id,
                Business(
                    account_id,
                    business.get("name") or "",
                    business.get("timezone"),
                    business.get("id"),
                    _text(membership.get("role")),
                    _text(business.get("status")),
                ),
            )
    return list(found.values())


def _text(value: Any) -> str | None:
    """Return a word that FreshBooks says, None where it is none."""
    return value if isinstance(value, str) and value.isprintable() and value else None


def check_active(business: Business) -> None:
    """Let a business pass whose books can be read.

    Raises:
        InactiveAccountError: if its subscription has ended or is suspended.
    """
    if business.is_inactive:
        raise inactive(business.account_id, business.status)


def choose(found: list[Business], account_id: str | None) -> Business:
    """Return the business to read.

    The setting may be written in another case, or with blanks around it, where that leaves no doubt which is meant.

    Raises:
        SettingError: if there is none, or not the one that is asked for, or several and none is asked for.
    """
    listed = ", ".join(f"{business.account_id} ({business.name})" for business in found)
    if not found:
        raise SettingError(
            "The FreshBooks user who connected has no business with an accounting account: connect as a user who has."
        )
    if account_id is None:
        if len(found) == 1:
            return found[0]
        raise SettingError(f"The FreshBooks user has several businesses: set account_id to one of {listed}.")
    wanted = account_id.strip()
    alike = [business for business in found if business.account_id.casefold() == wanted.casefold()]
    meant = [business for business in alike if business.account_id == wanted] or alike
    if len(meant) == 1:
        return meant[0]
    raise SettingError(f"The setting account_id, {account_id}, is none of the FreshBooks user's businesses: {listed}.")
