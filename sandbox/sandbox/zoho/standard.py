"""A new organization as Zoho ships it: the modules this sandbox has, with their standard fields."""

from __future__ import annotations

from typing import Any, NamedTuple

OPEN, WON, LOST = KINDS = ("Open", "Closed Won", "Closed Lost")
"""The kinds of stages, as `forecast_type` says them ("Get Pipelines")."""


class Stage(NamedTuple):
    """One stage as Zoho ships it."""

    display_value: str
    actual_value: str
    probability: int
    forecast_type: str


STAGES = (
    Stage("Qualification", "Qualification", 10, OPEN),
    Stage("Needs Analysis", "Needs Analysis", 20, OPEN),
    Stage("Value Proposition", "Value Proposition", 40, OPEN),
    Stage("Identify Decision Makers", "Id. Decision Makers", 60, OPEN),
    Stage("Proposal/Price Quote", "Proposal/Price Quote", 75, OPEN),
    Stage("Negotiation/Review", "Negotiation/Review", 90, OPEN),
    Stage("Closed Won", "Closed Won", 100, WON),
    Stage("Closed Lost", "Closed Lost", 0, LOST),
    Stage("Closed Lost to Competition", "Closed Lost to Competition", 0, LOST),
)
PIPELINE = "Standard (Standard)"

_SOURCES = (
    "Advertisement",
    "Cold Call",
    "Employee Referral",
    "External Referral",
    "Online Store",
    "Partner",
    "Web Research",
)
_INDUSTRIES = (
    "Communications",
    "Consulting",
    "Education",
    "Manufacturing",
    "Service Provider",
    "Small/Medium Enterprise",
)


class Standard(NamedTuple):
    """One standard field."""

    api_name: str
    label: str
    data_type: str
    length: int | None = None
    options: dict[str, Any] = {}  # noqa: RUF012  (never changed)


def _address(*kinds: str) -> list[Standard]:
    return [
        Standard(f"{kind}_{part}", f"{kind} {part}", "text", length)
        for kind in kinds
        for part, length in (("Street", 250), ("City", 100), ("State", 100), ("Code", 30), ("Country", 100))
    ]


_OWNER = Standard("Owner", "Owner", "ownerlookup", 120)
_CURRENCY = {"decimals": 2}


def audit_fields() -> list[Standard]:
    """Return the fields that Zoho keeps itself in every module."""
    return [
        Standard("id", "Record Id", "bigint", 100, {"read_only": True}),
        Standard("Created_By", "Created By", "ownerlookup", 120, {"read_only": True}),
        Standard("Modified_By", "Modified By", "ownerlookup", 120, {"read_only": True}),
        Standard("Created_Time", "Created Time", "datetime", 120, {"read_only": True}),
        Standard("Modified_Time", "Modified Time", "datetime", 120, {"read_only": True}),
        Standard("Last_Activity_Time", "Last Activity Time", "datetime", 120, {"read_only": True}),
    ]


MODULES: dict[str, tuple[str, str, list[Standard]]] = {
    "Leads": (
        "Lead",
        "Leads",
        [
            _OWNER,
            Standard("Company", "Company", "text", 200),
            Standard("First_Name", "First Name", "text", 40),
            Standard("Last_Name", "Last Name", "text", 80, {"mandatory": True}),
            Standard("Full_Name", "Full Name", "text", 120, {"read_only": True}),
            Standard("Email", "Email", "email", 100),
            Standard("Phone", "Phone", "phone", 30),
            Standard("Mobile", "Mobile", "phone", 30),
            Standard("Website", "Website", "website", 450),
            Standard("Lead_Source", "Lead Source", "picklist", 120, {"choices": _SOURCES}),
            Standard("Description", "Description", "textarea", 32000),
        ],
    ),
    "Accounts": (
        "Account",
        "Accounts",
        [
            _OWNER,
            Standard("Account_Name", "Account Name", "text", 200, {"mandatory": True}),
            Standard("Phone", "Phone", "phone", 30),
            Standard("Fax", "Fax", "text", 30),
            Standard("Website", "Website", "website", 450),
            Standard("Parent_Account", "Parent Account", "lookup", 120, {"lookup": "Accounts"}),
            Standard("Account_Number", "Account Number", "bigint", 18),
            Standard("Account_Site", "Account Site", "text", 80),
            Standard(
                "Account_Type",
                "Account Type",
                "picklist",
                120,
                {
                    "choices": (
                        "Analyst",
                        "Competitor",
                        "Customer",
                        "Partner",
                        "Prospect",
                        "Supplier",
                        "Vendor",
                        "Other",
                    )
                },
            ),
            Standard("Industry", "Industry", "picklist", 120, {"choices": _INDUSTRIES}),
            Standard("Annual_Revenue", "Annual Revenue", "currency", 16, _CURRENCY),
            Standard("Employees", "Employees", "integer", 9),
            *_address("Billing", "Shipping"),
            Standard("Description", "Description", "textarea", 32000),
        ],
    ),
    "Contacts": (
        "Contact",
        "Contacts",
        [
            _OWNER,
            Standard("First_Name", "First Name", "text", 40),
            Standard("Last_Name", "Last Name", "text", 80, {"mandatory": True}),
            Standard("Full_Name", "Full Name", "text", 120, {"read_only": True}),
            Standard("Account_Name", "Account Name", "lookup", 120, {"lookup": "Accounts"}),
            Standard("Email", "Email", "email", 100),
            Standard("Secondary_Email", "Secondary Email", "email", 100),
            Standard("Phone", "Phone", "phone", 30),
            Standard("Mobile", "Mobile", "phone", 30),
            Standard("Lead_Source", "Lead Source", "picklist", 120, {"choices": _SOURCES}),
            *_address("Mailing", "Other"),
            Standard("Description", "Description", "textarea", 32000),
        ],
    ),
    "Deals": (
        "Deal",
        "Deals",
        [
            _OWNER,
            Standard("Deal_Name", "Deal Name", "text", 120, {"mandatory": True}),
            Standard("Account_Name", "Account Name", "lookup", 120, {"lookup": "Accounts"}),
            Standard("Contact_Name", "Contact Name", "lookup", 120, {"lookup": "Contacts"}),
            Standard("Amount", "Amount", "currency", 16, _CURRENCY),
            Standard("Closing_Date", "Closing Date", "date", 20),
            Standard("Pipeline", "Pipeline", "picklist", 120),
            Standard("Stage", "Stage", "picklist", 120, {"mandatory": True, "choices": STAGES}),
            Standard("Probability", "Probability (%)", "integer", 3),
            Standard("Expected_Revenue", "Expected Revenue", "currency", 16, {"decimals": 2, "read_only": True}),
            Standard("Type", "Type", "picklist", 120, {"choices": ("Existing Business", "New Business")}),
            Standard("Next_Step", "Next Step", "text", 100),
            Standard("Lead_Source", "Lead Source", "picklist", 120, {"choices": _SOURCES}),
            Standard("Description", "Description", "textarea", 32000),
        ],
    ),
}
