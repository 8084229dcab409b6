"""What fields take: every type at its limits."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from support.zoho_api import only

ACCOUNT = {"Account_Name": "A"}
DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}
WITH_AMOUNT = '{"data": [{"Deal_Name": "D", "Stage": "Closed Won", "Amount": ?}]}'


def refused(api, module, row) -> dict:
    """Give the details of the one error of a record."""
    answer = api.insert(module, row)
    result = only(answer)
    assert (answer.status_code, result["status"]) == (400, "error"), result
    return {"code": result["code"], **result["details"]}


def kept(api, module, row) -> dict:
    """Insert a record and read it back over the API."""
    result = only(api.insert(module, row))
    assert result["code"] == "SUCCESS", result
    return api.get(f"{module}/{result['details']['id']}").json()["data"][0]


class TestText:
    def test_it_is_never_cut_off(self, api):
        assert kept(api, "Deals", {**DEAL, "Deal_Name": "x" * 120})["Deal_Name"] == "x" * 120
        assert refused(api, "Deals", {**DEAL, "Deal_Name": "x" * 121}) == {
            "code": "INVALID_DATA",
            "maximum_length": 120,
            "api_name": "Deal_Name",
            "json_path": "$.data[0].Deal_Name",
        }

    def test_the_length_is_that_of_the_metadata(self, api):
        api.box.zoho.fields("Accounts")["Account_Name"].length = 5
        assert refused(api, "Accounts", {"Account_Name": "abcdef"})["maximum_length"] == 5

    @pytest.mark.parametrize("value", [1, 1.5, True, ["a"], {"a": 1}])
    def test_only_strings_are_text(self, api, value):
        assert refused(api, "Accounts", {**ACCOUNT, "Phone": value})["api_name"] == "Phone"
        assert refused(api, "Accounts", {**ACCOUNT, "Billing_Street": value})["expected_data_type"] == "text"

    def test_an_empty_text_is_null(self, api):
        assert kept(api, "Accounts", {**ACCOUNT, "Phone": ""})["Phone"] is None
        assert refused(api, "Accounts", {"Account_Name": ""})["code"] == "MANDATORY_NOT_FOUND"

    def test_any_script_survives(self, api):
        text = 'Żółć 日本 🙂 "quoted" \\ \n\x01decimal'
        assert kept(api, "Accounts", {**ACCOUNT, "Description": text})["Description"] == text

    @pytest.mark.parametrize("value", ["nobody", "a b@example.com", "a@b", "a@example.com, b@example.com"])
    def test_an_email_is_one_address(self, api, value):
        assert refused(api, "Contacts", {"Last_Name": "A", "Email": value})["expected_data_type"] == "email"
        assert kept(api, "Contacts", {"Last_Name": "A", "Email": "o'a+b@sub.example.com"})["Email"]


class TestNumbers:
    @pytest.mark.parametrize("text", ["0", "0.01", "1200.5", "12345678901234.56", "99999999999999.99", "-5"])
    def test_amounts_keep_every_digit(self, api, text):
        created = api.call("POST", "Deals", data=WITH_AMOUNT.replace("?", text)).json()["data"][0]["details"]["id"]
        read = json.loads(api.get(f"Deals/{created}").content, parse_float=Decimal)
        assert Decimal(read["data"][0]["Amount"]) == Decimal(text)
        assert api.box.zoho.get("Deals", created)["Amount"] == Decimal(text)

    @pytest.mark.parametrize("text", ["123456789012345.67", "12345678901234567"])
    def test_sixteen_digits_are_the_most(self, api, text):
        result = only(api.call("POST", "Deals", data=WITH_AMOUNT.replace("?", text)))
        assert (result["code"], result["details"]["maximum_length"]) == ("INVALID_DATA", 16)

    def test_more_decimals_than_the_field_has_are_a_switch(self, api):
        assert refused(api, "Deals", {**DEAL, "Amount": 1.005})["maximum_decimal_places"] == 2
        assert kept(api, "Deals", {**DEAL, "Amount": 1.50})["Amount"] == 1.5
        api.box.zoho.switches.surplus_decimals = "round"
        assert kept(api, "Deals", {**DEAL, "Amount": 1.256})["Amount"] == 1.26

    @pytest.mark.parametrize("value", ["100", "1,000", True, {"amount": 1}])
    def test_an_amount_is_a_number(self, api, value):
        assert refused(api, "Deals", {**DEAL, "Amount": value})["expected_data_type"] == "double"

    def test_integers_have_nine_digits_and_no_fraction(self, api):
        assert kept(api, "Accounts", {**ACCOUNT, "Employees": 999999999})["Employees"] == 999999999
        assert refused(api, "Accounts", {**ACCOUNT, "Employees": 10**9})["maximum_length"] == 9
        assert refused(api, "Accounts", {**ACCOUNT, "Employees": 1.5})["expected_data_type"] == "integer"

    def test_booleans_are_booleans(self, api):
        name = api.field("Accounts", "Flag", "boolean")
        assert kept(api, "Accounts", {**ACCOUNT, name: True})[name] is True
        assert refused(api, "Accounts", {**ACCOUNT, name: "true"})["expected_data_type"] == "boolean"


class TestTimes:
    @pytest.mark.parametrize("value", ["2026-02-30", "2026-2-1", "01/02/2026", "2026-02-01T00:00:00+00:00", 20260201])
    def test_dates_are_real_ones_in_iso_order(self, api, value):
        assert refused(api, "Deals", {**DEAL, "Closing_Date": value})["expected_data_type"] == "date"
        assert kept(api, "Deals", {**DEAL, "Closing_Date": "2026-02-01"})["Closing_Date"] == "2026-02-01"

    @pytest.mark.parametrize(
        "value",
        [
            "2026-01-31",
            "2026-01-31T09:30:00",
            "2026-01-31 09:30:00+00:00",
            "2026-01-31T09:30:00.000+00:00",
            "2026-01-31T09:30:00+0000",
            "2026-13-31T09:30:00+00:00",
            1769851800,
        ],
    )
    def test_date_times_have_an_offset_and_no_fractions(self, api, value):
        name = api.field("Accounts", "When", "datetime")
        assert refused(api, "Accounts", {**ACCOUNT, name: value})["expected_data_type"] == "datetime"

    def test_date_times_come_back_in_the_organizations_offset(self, api):
        name = api.field("Accounts", "When", "datetime")
        assert (
            kept(api, "Accounts", {**ACCOUNT, name: "2026-01-31T09:30:00-08:00"})[name] == "2026-01-31T23:00:00+05:30"
        )

    def test_z_is_a_switch(self, api):
        name = api.field("Accounts", "When", "datetime")
        row = {**ACCOUNT, name: "2026-01-31T09:30:00Z"}
        assert refused(api, "Accounts", row)["expected_data_type"] == "datetime"
        api.box.zoho.switches.datetime_accepts_z = True
        assert kept(api, "Accounts", row)[name] == "2026-01-31T15:00:00+05:30"


class TestChoices:
    def test_a_pick_list_takes_its_values_only(self, api):
        assert kept(api, "Accounts", {**ACCOUNT, "Account_Type": "Customer"})["Account_Type"] == "Customer"
        details = refused(api, "Accounts", {**ACCOUNT, "Account_Type": "customer"})
        assert "Customer" in details["supported_values"]

    def test_a_multiselect_takes_a_list_of_its_values(self, api):
        choices = [{"display_value": each, "actual_value": each} for each in ("a", "b")]
        name = api.field("Accounts", "Tags Of Ours", "multiselectpicklist", pick_list_values=choices)
        assert kept(api, "Accounts", {**ACCOUNT, name: ["b"]})[name] == ["b"]
        assert refused(api, "Accounts", {**ACCOUNT, name: "b"})["expected_data_type"] == "jsonarray"
        assert refused(api, "Accounts", {**ACCOUNT, name: ["c"]})["supported_values"] == ["a", "b"]


class TestLookups:
    def test_they_are_set_by_id_and_read_with_the_name(self, api):
        account = api.box.zoho.insert("Accounts", {"Account_Name": "Acme"})
        row = kept(api, "Contacts", {"Last_Name": "B", "First_Name": "A", "Account_Name": {"id": account}})
        assert row["Account_Name"] == {"name": "Acme", "id": account}
        deal = kept(api, "Deals", {**DEAL, "Contact_Name": {"id": row["id"]}})
        assert deal["Contact_Name"] == {"name": "A B", "id": row["id"]}

    @pytest.mark.parametrize(("names", "api_name"), [("field", "Contact_Name"), ("id", "id")])
    def test_an_id_of_nothing_is_refused(self, api, names, api_name):
        api.box.zoho.switches.lookup_error_names = names
        details = refused(api, "Deals", {**DEAL, "Contact_Name": {"id": "554597400000999999"}})
        assert details["code"] == "INVALID_DATA"
        assert (details["api_name"], details["json_path"]) == (api_name, "$.data[0].Contact_Name.id")

    def test_an_id_of_another_module_is_an_id_of_nothing(self, api):
        account = api.box.zoho.insert("Accounts", {"Account_Name": "Acme"})
        assert refused(api, "Deals", {**DEAL, "Contact_Name": {"id": account}})["code"] == "INVALID_DATA"

    def test_a_bare_id_is_no_lookup(self, api):
        account = api.box.zoho.insert("Accounts", {"Account_Name": "Acme"})
        assert refused(api, "Deals", {**DEAL, "Account_Name": account})["expected_data_type"] == "jsonobject"

    def test_a_contact_by_name_is_refused_as_observed(self, api):
        assert refused(api, "Deals", {**DEAL, "Contact_Name": {"name": "Someone"}}) == {
            "code": "MANDATORY_NOT_FOUND",
            "api_name": "id",
            "json_path": "$.data[0].Contact_Name.id",
        }

    @pytest.mark.parametrize("by_name", [True, False])
    def test_a_deals_account_by_name_makes_an_account_unless_switched_off(self, api, by_name):
        zoho = api.box.zoho
        zoho.switches.account_by_name = by_name
        row = {**DEAL, "Account_Name": {"name": "New one"}}
        if not by_name:
            assert refused(api, "Deals", row)["json_path"] == "$.data[0].Account_Name.id"
            assert zoho.count("Accounts") == 0
            return
        made = kept(api, "Deals", row)["Account_Name"]
        assert made == {"name": "New one", "id": zoho.records("Accounts")[0]["id"]}
        assert kept(api, "Deals", {**row, "Account_Name": {"name": "new ONE"}})["Account_Name"] == made

    def test_an_owner_is_a_user(self, api):
        person = api.box.zoho.organization.person
        assert kept(api, "Accounts", {**ACCOUNT, "Owner": {"id": person.id}})["Owner"]["name"] == "CRM Person"
        assert refused(api, "Accounts", {**ACCOUNT, "Owner": {"id": "1"}})["code"] == "INVALID_DATA"


class TestDeals:
    @pytest.mark.parametrize("missing", ["Deal_Name", "Stage"])
    def test_name_and_stage_are_mandatory(self, api, missing):
        row = {name: value for name, value in DEAL.items() if name != missing}
        assert refused(api, "Deals", row) == {
            "code": "MANDATORY_NOT_FOUND",
            "api_name": missing,
            "json_path": f"$.data[0].{missing}",
        }

    def test_the_pipeline_is_mandatory_once_there_are_several(self, api):
        assert kept(api, "Deals", DEAL)["Pipeline"] == "Standard (Standard)"
        api.box.zoho.add_pipeline("FreshBooks", ["Invoiced", "Closed Won"])
        assert refused(api, "Deals", DEAL)["api_name"] == "Pipeline"
        assert kept(api, "Deals", {**DEAL, "Pipeline": "FreshBooks"})["Pipeline"] == "FreshBooks"

    def test_a_stage_belongs_to_its_pipeline(self, api):
        api.box.zoho.add_pipeline("FreshBooks", ["Invoiced", "Closed Won"])
        row = {**DEAL, "Pipeline": "FreshBooks", "Stage": "Qualification"}
        assert refused(api, "Deals", row) == {
            "code": "MAPPING_MISMATCH",
            "mapped_field": "Pipeline",
            "api_name": "Stage",
            "json_path": "$.data[0].Stage",
        }
        assert only(api.insert("Deals", row))["message"] == "Pipeline doesn't contain the Stage"
        assert kept(api, "Deals", {**row, "Stage": "Invoiced"})["Stage"] == "Invoiced"

    def test_an_update_is_checked_against_the_deals_own_pipeline(self, api):
        zoho = api.box.zoho
        zoho.add_pipeline("FreshBooks", ["Invoiced", "Closed Won"])
        deal = zoho.insert("Deals", {**DEAL, "Pipeline": "FreshBooks"})
        assert only(api.update("Deals", {"id": deal, "Stage": "Qualification"}))["code"] == "MAPPING_MISMATCH"
        assert only(api.update("Deals", {"id": deal, "Stage": "Invoiced"}))["code"] == "SUCCESS"
        assert only(api.update("Deals", {"id": deal, "Amount": 5}))["code"] == "SUCCESS"

    def test_an_unknown_stage_or_pipeline_is_refused(self, api):
        assert "Closed Won" in refused(api, "Deals", {**DEAL, "Stage": "Won"})["supported_values"]
        assert refused(api, "Deals", {**DEAL, "Pipeline": "Nowhere"})["api_name"] == "Pipeline"

    def test_after_a_rename_only_the_displayed_value_will_do(self, api):
        zoho = api.box.zoho
        zoho.rename_stage("Closed Won", "Paid")
        assert refused(api, "Deals", DEAL)["api_name"] == "Stage"
        assert kept(api, "Deals", {**DEAL, "Stage": "Paid"})["Probability"] == 100
        layout = api.get("settings/layouts", module="Deals").json()["layouts"][0]["id"]
        stages = api.get("settings/pipeline", layout_id=layout).json()["pipeline"][0]["maps"]
        assert {"display_value": "Paid", "actual_value": "Closed Won"}.items() <= stages[6].items()

    def test_a_stage_can_be_taken_from_a_pipeline_or_from_the_organization(self, api):
        api.box.zoho.remove_stage("Closed Won", "Standard (Standard)")
        assert refused(api, "Deals", DEAL)["code"] == "MAPPING_MISMATCH"
        api.box.zoho.remove_stage("Closed Lost")
        assert refused(api, "Deals", {**DEAL, "Stage": "Closed Lost"})["code"] == "INVALID_DATA"

    def test_probability_and_expected_revenue_follow(self, api):
        deal = api.box.zoho.insert("Deals", {**DEAL, "Stage": "Proposal/Price Quote", "Amount": 200})
        assert api.box.zoho.get("Deals", deal)["Probability"] == 75
        api.update("Deals", {"id": deal, "Amount": 100.5})
        assert api.box.zoho.get("Deals", deal)["Expected_Revenue"] == Decimal("75.38")
        api.update("Deals", {"id": deal, "Stage": "Closed Lost", "Amount": None})
        after = api.box.zoho.get("Deals", deal)
        assert (after["Probability"], after["Expected_Revenue"]) == (0, None)

    def test_a_layout_is_the_modules(self, api):
        layout = api.get("settings/layouts", module="Deals").json()["layouts"][0]["id"]
        assert kept(api, "Deals", {**DEAL, "Layout": {"id": layout}})
        assert refused(api, "Deals", {**DEAL, "Layout": {"id": "1"}})["api_name"] == "Layout"


class TestCurrencies:
    @pytest.fixture
    def several(self, api):
        api.box.zoho.enable_multi_currency({"EUR": Decimal("0.92"), "GBP": Decimal("0.79")})
        return api

    def test_a_record_has_the_organizations_unless_it_says_another(self, several):
        assert kept(several, "Deals", DEAL)["Currency"] == "USD"
        row = kept(several, "Deals", {**DEAL, "Currency": "EUR"})
        assert (row["Currency"], row["Exchange_Rate"]) == ("EUR", 0.92)
        row = kept(several, "Deals", {**DEAL, "Currency": "EUR", "Exchange_Rate": 0.95})
        assert row["Exchange_Rate"] == 0.95

    @pytest.mark.parametrize("code", ["GBP", "CHF", "euro"])
    def test_a_currency_that_is_not_active_is_refused(self, several, code):
        several.box.zoho.deactivate_currency("GBP")
        assert refused(several, "Deals", {**DEAL, "Currency": code})["supported_values"] == ["USD", "EUR"]

    def test_records_from_before_have_the_organizations(self, api):
        deal = api.box.zoho.insert("Deals", DEAL)
        api.box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
        assert api.box.zoho.get("Deals", deal)["Currency"] == "USD"
