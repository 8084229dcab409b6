"""What tests see and do themselves: the CRM as a person has it, and answers that get lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
import requests
from support.zoho_api import only

DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}


def test_records_have_every_field_and_exact_amounts(box):
    account = box.zoho.insert("Accounts", {"Account_Name": "A"})
    box.zoho.insert("Deals", {**DEAL, "Amount": Decimal("10.10"), "Account_Name": {"id": account}})
    (row,) = box.zoho.records("Deals")
    assert row.keys() == box.zoho.fields("Deals").keys()
    assert row["Amount"] == Decimal("10.1")
    assert row["Account_Name"] == {"name": "A", "id": account}
    assert row["Description"] is None


def test_records_are_found_by_value_and_lookups_by_id(box):
    accounts = box.zoho.insert_many("Accounts", [{"Account_Name": name} for name in ("A", "B")])
    for account in accounts:
        box.zoho.insert("Deals", {**DEAL, "Account_Name": {"id": account}})
    assert [row["Account_Name"]["id"] for row in box.zoho.find("Deals", Account_Name=accounts[1])] == [accounts[1]]
    assert [row["id"] for row in box.zoho.find("Accounts", Account_Name="B", Phone=None)] == [accounts[1]]
    assert box.zoho.find("Accounts", Account_Name="C") == []
    assert box.zoho.count("Accounts") == 2


def test_no_automation_runs_for_persons(box):
    box.zoho.insert("Accounts", {"Account_Name": "A"})
    assert box.zoho.workflows_fired == []


def test_an_answer_lost_after_the_commit_leaves_the_record(api):
    api.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", method="POST", kind="reset_after")
    with pytest.raises(requests.ConnectionError):
        api.upsert("Accounts", {"Account_Name": "A"})
    assert api.box.zoho.count("Accounts") == 1
    assert only(api.upsert("Accounts", {"Account_Name": "A"}))["action"] == "update"


def test_a_call_that_never_arrived_leaves_nothing(api):
    api.box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", method="POST", kind="reset")
    with pytest.raises(requests.ConnectionError):
        api.upsert("Accounts", {"Account_Name": "A"})
    assert api.box.zoho.count("Accounts") == 0


def test_a_connection_that_was_removed_cannot_be_refreshed(api):
    api.box.zoho.revoke_grants()
    assert api.get("org").json()["code"] == "INVALID_TOKEN"
    assert api.refresh().json() == {"error": "invalid_code"}


def test_a_renamed_pipeline_is_known_by_its_new_name_only(api):
    zoho = api.box.zoho
    deal = zoho.insert("Deals", DEAL)
    zoho.rename_pipeline("Standard (Standard)", "Sales")
    assert zoho.get("Deals", deal)["Pipeline"] == "Sales"
    assert only(api.insert("Deals", {**DEAL, "Pipeline": "Sales"}))["code"] == "SUCCESS"
    assert only(api.insert("Deals", {**DEAL, "Pipeline": "Standard (Standard)"}))["status"] == "error"


def test_deals_follow_when_their_stage_is_renamed(box):
    deal = box.zoho.insert("Deals", DEAL)
    box.zoho.rename_stage("Closed Won", "Paid")
    assert box.zoho.get("Deals", deal)["Stage"] == "Paid"


def test_an_unknown_edition_is_refused(box):
    with pytest.raises(ValueError, match="gold"):
        box.zoho.edition = "gold"


def test_no_device_no_login(box):
    with pytest.raises(LookupError):
        box.zoho.approve_device()
