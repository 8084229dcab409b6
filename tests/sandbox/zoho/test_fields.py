"""Fields and modules as people leave them: unique in place, unused, read-only, kept from the API, hidden, gone."""

from __future__ import annotations

import pytest
from support.zoho_api import UNIQUE, only

from sandbox.zoho import RowError

DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}


def listed(api, module, kind=None):
    answer = api.get("settings/fields", module=module, **({"type": kind} if kind else {}))
    return {each["api_name"]: each for each in answer.json()["fields"]} if answer.status_code == 200 else {}


class TestUniqueInPlace:
    def test_a_standard_field_becomes_a_key_that_every_upsert_looks_at(self, api):
        key = api.field("Accounts", "Key", unique=UNIQUE)
        first = api.box.zoho.insert("Accounts", {"Account_Name": "A", "Phone": "1", key: "a"})
        api.box.zoho.make_unique("Accounts", "Phone")
        assert listed(api, "Accounts")["Phone"]["unique"] == {"case_sensitive": False}
        result = only(api.upsert("Accounts", {"Account_Name": "B", "Phone": "1", key: "b"}, by=[key]))
        assert (result["action"], result["duplicate_field"], result["details"]["id"]) == ("update", "Phone", first)
        refused = only(api.insert("Accounts", {"Account_Name": "C", "Phone": "1"}))
        assert (refused["code"], refused["details"]["duplicate_record"]["id"]) == ("DUPLICATE_DATA", first)

    @pytest.mark.parametrize(
        ("api_name", "allowed"),
        [
            ("Account_Name", True),
            ("Website", True),
            ("Account_Number", True),
            ("Employees", True),
            ("Industry", False),
            ("Annual_Revenue", False),
            ("Description", False),
        ],
    )
    def test_texts_phones_numbers_and_websites_can_be_unique(self, box, api_name, allowed):
        if allowed:
            box.zoho.make_unique("Accounts", api_name)
        else:
            with pytest.raises(RowError):
                box.zoho.make_unique("Accounts", api_name)
        assert box.zoho.fields("Accounts")[api_name].unique is allowed


class TestUnused:
    def test_it_is_listed_only_where_all_or_the_unused_are_asked_for(self, api):
        key = api.field("Deals", "FreshBooks ID", unique=UNIQUE)
        api.box.zoho.set_unused("Deals", key)
        assert key not in listed(api, "Deals")
        assert key not in listed(api, "Deals", "used")
        assert listed(api, "Deals", "unused").keys() == {key}
        unused = listed(api, "Deals", "all")[key]
        assert (unused["type"], unused["layout_associations"]) == ("unused", [])
        assert "Amount" in listed(api, "Deals", "all")

    def test_its_label_is_taken_and_it_keeps_its_values(self, api):
        key = api.field("Deals", "FreshBooks ID")
        deal = api.box.zoho.insert("Deals", {**DEAL, key: "a:1"})
        api.box.zoho.set_unused("Deals", key)
        sent = {"fields": [{"field_label": "FreshBooks ID", "data_type": "text"}]}
        assert only(api.post("settings/fields?module=Deals", sent), "fields")["code"] == "DUPLICATE_DATA"
        assert api.query(f"select {key} from Deals where id is not null") == [{key: "a:1", "id": deal}]

    def test_a_layout_made_later_does_not_show_it_either(self, api):
        api.box.zoho.set_unused("Deals", "Next_Step")
        api.box.zoho.add_layout("Deals", "Billing")
        assert "Next_Step" not in listed(api, "Deals")


def test_a_field_that_the_profile_only_reads_says_so_and_takes_nothing(api):
    api.box.zoho.set_read_only("Deals", "Next_Step")
    field = listed(api, "Deals")["Next_Step"]
    assert (field["read_only"], field["field_read_only"], field["operation_type"]["api_update"]) == (True, False, False)
    deal = only(api.insert("Deals", {**DEAL, "Next_Step": "call"}))["details"]["id"]
    assert api.box.zoho.get("Deals", deal)["Next_Step"] is None


def test_a_field_kept_from_the_api_reads_as_empty_and_is_written(api):
    account = api.box.zoho.insert("Accounts", {"Account_Name": "A", "Phone": "1"})
    api.box.zoho.restrict_for_api("Accounts", "Phone")
    described = listed(api, "Accounts")
    assert described["Phone"]["private"]["restricted"] is True
    assert described["Fax"]["private"] is None
    assert only(api.update("Accounts", {"id": account, "Phone": "2"}))["code"] == "SUCCESS"
    queried = api.query("select Phone from Accounts where id is not null")
    (read,) = api.get(f"Accounts/{account}").json()["data"]
    assert [row["Phone"] for row in (*queried, read)] == [None, None]
    assert api.box.zoho.get("Accounts", account)["Phone"] == "2"


class TestHiddenModules:
    CALLS = (
        ("GET", "Contacts?fields=id", None),
        ("POST", "Contacts", {"data": [{"Last_Name": "N"}]}),
        ("GET", "settings/fields?module=Contacts", None),
        ("GET", "settings/modules/Contacts", None),
    )

    @pytest.mark.parametrize(("code", "status"), [("NO_PERMISSION", 403), ("INVALID_MODULE", 400)])
    def test_a_module_that_the_profile_does_not_see_is_not_listed_and_refused(self, api, code, status):
        zoho = api.box.zoho
        zoho.switches.hidden_module_refusal = code
        zoho.forbid("view", "Contacts")
        assert "Contacts" not in {each["api_name"] for each in api.get("settings/modules").json()["modules"]}
        for method, path, body in self.CALLS:
            answer = api.call(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        queried = api.coql("select id from Contacts where id is not null")
        assert queried.json()["code"] == ("INVALID_QUERY" if code == "INVALID_MODULE" else code)
        zoho.permit()
        assert api.get("settings/fields", module="Contacts").status_code == 200

    def test_metadata_that_do_not_follow_the_profile_show_it(self, api):
        api.box.zoho.switches.modules_follow_profile = False
        api.box.zoho.forbid("view", "Contacts")
        assert api.get("settings/fields", module="Contacts").status_code == 200


class TestDeletedModules:
    def test_a_module_goes_with_its_records_its_lookups_and_its_channels(self, api):
        zoho = api.box.zoho
        zoho.add_custom_module("Receipts", "Receipt", "Receipts")
        zoho.add_custom_field("Deals", "Last Receipt", "lookup", lookup={"module": {"api_name": "Receipts"}})
        before = zoho.organization.modules["Receipts"].id
        zoho.insert("Receipts", {"Name": "1"})
        watch = {"channel_id": "1", "events": ["Receipts.all", "Deals.all"], "notify_url": "https://hooks.example.com"}
        assert api.post("actions/watch", {"watch": [watch]}).status_code == 201
        zoho.delete_module("Receipts")
        assert api.get("settings/modules/Receipts").json()["code"] == "INVALID_MODULE"
        assert "Last_Receipt" not in listed(api, "Deals")
        assert [each["resource_name"] for each in api.get("actions/watch").json()["watch"]] == ["Deals"]
        zoho.add_custom_module("Receipts", "Receipt", "Receipts")
        assert zoho.count("Receipts") == 0
        assert zoho.organization.modules["Receipts"].id != before

    def test_an_organization_may_sell_to_persons_and_have_no_accounts(self, api):
        api.box.zoho.delete_module("Accounts")
        assert api.get("settings/fields", module="Accounts").json()["code"] == "INVALID_MODULE"
        assert api.coql("select id from Accounts where id is not null").json()["code"] == "INVALID_QUERY"
        assert "Account_Name" not in listed(api, "Deals")
        assert only(api.insert("Deals", {**DEAL, "Account_Name": {"name": "A"}}))["code"] == "SUCCESS"


def test_another_pipeline_may_become_the_default(api):
    zoho = api.box.zoho
    zoho.add_pipeline("Sales", ["Closed Won"])
    zoho.make_default_pipeline("Sales")
    shown = api.get("settings/pipeline", layout_id=zoho.organization.modules["Deals"].layout_id).json()["pipeline"]
    assert {each["display_value"]: each["default"] for each in shown} == {"Standard (Standard)": False, "Sales": True}
    with pytest.raises(LookupError):
        zoho.make_default_pipeline("Nothing")
