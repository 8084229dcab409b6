"""Who is logged in, and the businesses that person belongs to.

Source: https://www.freshbooks.com/api/me_endpoint and a recorded answer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.texts import object_uuid
from sandbox.freshbooks.times import iso_z

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.freshbooks.books import Books

IDENTITY_ID = 14_468_001
_PERMISSIONS = {
    "staff.limit": -1,
    "client.limit": -1,
    "retainers.limit": -1,
    "attachments.access": True,
    "emails_page.access": True,
    "advanced_accounting.access": True,
    "partial_payments.access": True,
    "accountant_partner.limit": 10,
    "business_accountant.limit": 10,
}


@dataclass
class Business:
    """A business and what the person is in it: owner, business_manager, client, ..."""

    id: int
    name: str
    timezone: str
    role: str
    books: Books | None
    """None where the business has no accounting account."""
    since: datetime
    status: str = "active"
    """Of the subscription: active, active_trial, suspended, trial_expired, cancelled."""

    @property
    def is_inactive(self) -> bool:
        """Whether nothing of the books is given before the subscription is renewed."""
        return self.status not in {"active", "active_trial"}

    @property
    def account_id(self) -> str | None:
        """The id in the paths of the accounting API."""
        return None if self.books is None else self.books.account_id


def me(businesses: list[Business], *, tells_status: bool = True) -> dict[str, Any]:
    """Write the answer of ``/auth/api/v1/users/me``; its tokens are to be kept secret by whoever reads them.

    Args:
        businesses: of the person.
        tells_status: whether it says that a subscription has ended.
    """
    if not tells_status:
        businesses = [replace(business, status="active") for business in businesses]
    first = businesses[0]
    accounts = [business.account_id for business in businesses if business.account_id is not None]
    statuses = {business.account_id: business.status for business in businesses if business.account_id is not None}
    uuid = object_uuid("identity", IDENTITY_ID)
    return {
        "id": IDENTITY_ID,
        "identity_id": IDENTITY_ID,
        "identity_uuid": uuid,
        "first_name": "Robin",
        "last_name": "Owner",
        "email": "owner@example.com",
        "language": "en",
        "confirmed_at": None,
        "created_at": iso_z(first.since),
        "unconfirmed_email": None,
        "setup_complete": True,
        "phone_numbers": [{"title": "", "phone_number": None}],
        "addresses": [None],
        "profession": None,
        "links": {
            "me": f"/service/auth/api/v1/users?id={IDENTITY_ID}",
            "roles": f"/service/auth/api/v1/users/role/{IDENTITY_ID}",
        },
        "profile": {
            "setup_complete": True,
            "first_name": "Robin",
            "last_name": "Owner",
            "phone_number": None,
            "address": None,
            "profession": None,
            "professions": [],
            "has_password": False,
            "is_email_confirmed": True,
            "timezone": first.timezone,
            "time_format": 0,
        },
        "permissions": dict.fromkeys(accounts, _PERMISSIONS),
        "groups": [_group(business, uuid) for business in businesses],
        "subscription_statuses": statuses,
        "business_statuses": statuses,
        "integrations": {},
        "business_memberships": [_membership(business) for business in businesses],
        "identity_origin": "magnum",
        "timezone": first.timezone,
        "otp_required_for_login": True,
        "otp_delivery_method": "email",
        "roles": [_role(business) for business in businesses if business.books is not None],
    }


def _group(business: Business, uuid: str) -> dict[str, Any]:
    return {
        "id": business.id + 25_000_000,
        "group_id": business.id + 13_000_000,
        "role": business.role,
        "identity_id": IDENTITY_ID,
        "identity_uuid": uuid,
        "business_id": business.id,
        "active": True,
    }


def _membership(business: Business) -> dict[str, Any]:
    return {
        "id": business.id + 25_000_000,
        "role": business.role,
        "unacknowledged_change": False,
        "fasttrack_token": secrets.token_urlsafe(64),
        "business": {
            "id": business.id,
            "business_uuid": object_uuid("business", business.id),
            "name": business.name,
            "account_id": business.account_id,
            "number_format": None,
            "date_format": "yyyy-mm-dd",
            "first_day_of_week": 0,
            "active": True,
            "timezone": business.timezone,
            "status": business.status,
            "advanced_accounting_enabled": False,
            "industry": None,
            "billing_country_code": "USA",
            "business_type": None,
            "address": {
                "id": business.id + 1_000_000,
                "street": "",
                "street2": "",
                "city": "",
                "province": "",
                "country": "" if business.books is None else business.books.country,
                "postal_code": "",
            },
            "phone_number": {"id": business.id - 9_000_000, "phone_number": "+15550100"},
            "business_clients": [],
        },
    }


def _role(business: Business) -> dict[str, Any]:
    number = business.id + 500_000
    return {
        "id": number,
        "role": "client" if business.role == "client" else "admin",
        "systemid": business.id - 4_000_000,
        "userid": 1,
        "created_at": iso_z(business.since),
        "links": {"destroy": f"/service/auth/api/v1/users/role/{number}"},
        "accountid": business.account_id,
    }
