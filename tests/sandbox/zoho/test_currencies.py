"""Currencies of records: given when a record is made, kept when they go out of use."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.zoho_api import only


@pytest.fixture
def account(api):
    """An account in EUR, of an organization with USD, EUR and CAD."""
    api.box.zoho.enable_multi_currency({"EUR": Decimal("0.92"), "CAD": Decimal("1.4")})
    return api.box.zoho.insert("Accounts", {"Account_Name": "A", "Currency": "EUR"})


@pytest.mark.parametrize(
    ("reading", "code", "currency"),
    [
        ("ignored", "SUCCESS", ("EUR", Decimal("0.92"))),
        ("refused", "INVALID_DATA", ("EUR", Decimal("0.92"))),
        ("changed", "SUCCESS", ("CAD", Decimal("1.5"))),
    ],
)
def test_whether_a_record_can_be_given_another_currency_is_a_switch(api, account, reading, code, currency):
    zoho = api.box.zoho
    zoho.switches.record_currency = reading
    sent = {"id": account, "Currency": "CAD", "Exchange_Rate": 1.5, "Annual_Revenue": 7}
    assert only(api.update("Accounts", sent))["code"] == code
    row = zoho.get("Accounts", account)
    assert (row["Currency"], row["Exchange_Rate"]) == currency
    assert row["Annual_Revenue"] == (None if reading == "refused" else 7)


@pytest.mark.parametrize("how", ["deactivated", "downgraded"])
def test_a_currency_out_of_use_stays_where_it_is_and_goes_nowhere_else(api, account, how):
    zoho = api.box.zoho
    if how == "deactivated":
        zoho.deactivate_currency("EUR")
    else:
        zoho.edition = "free"
    active = {each["iso_code"] for each in api.get("org/currencies").json()["currencies"] if each["is_active"]}
    assert active == ({"USD", "CAD"} if how == "deactivated" else {"USD"})
    assert only(api.update("Accounts", {"id": account, "Currency": "EUR", "Annual_Revenue": 7}))["code"] == "SUCCESS"
    assert zoho.get("Accounts", account)["Currency"] == "EUR"
    refused = only(api.insert("Accounts", {"Account_Name": "B", "Currency": "EUR"}))
    assert (refused["code"], refused["details"]["api_name"]) == ("INVALID_DATA", "Currency")


def test_an_amount_without_decimals_refuses_them(api):
    api.box.zoho.fields("Deals")["Amount"].decimals = 0
    deal = {"Deal_Name": "D", "Stage": "Closed Won"}
    results = api.insert("Deals", {**deal, "Amount": 7.5}, {**deal, "Amount": 7}).json()["data"]
    assert [each["code"] for each in results] == ["INVALID_DATA", "SUCCESS"]
    assert results[0]["details"]["maximum_decimal_places"] == 0
