"""Refusals that a test orders, in each of the shapes that Zoho declares for them."""

from __future__ import annotations

import pytest
from support.zoho_api import only

PHONE = {"code": "INVALID_DATA", "details": {"api_name": "Phone", "maximum_length": 30}}
ROWS = [{"Account_Name": name} for name in ("A", "B", "C")]


def upserted(api, rows=ROWS):
    return api.upsert("Accounts", *rows)


def inserted(api, rows=ROWS):
    return api.insert("Accounts", *rows)


def updated(api, rows=ROWS):
    ids = api.box.zoho.insert_many("Accounts", [{"Account_Name": "before"} for _ in rows])
    return api.update("Accounts", *({**row, "id": each} for row, each in zip(rows, ids, strict=True)))


def names(api):
    return {row["Account_Name"] for row in api.box.zoho.records("Accounts")} - {"before"}


def test_a_record_is_refused_in_its_place_and_the_others_land(api):
    api.box.zoho.refuse("Accounts", PHONE, when={"Account_Name": "B"})
    results = upserted(api).json()["data"]
    assert [each["code"] for each in results] == ["SUCCESS", "INVALID_DATA", "SUCCESS"]
    assert results[1]["details"]["json_path"] == "$.data[1].Phone"


@pytest.mark.parametrize("write", [upserted, inserted, updated])
def test_a_flat_refusal_names_the_record_and_nothing_of_the_call_is_written(api, write):
    api.box.zoho.refuse("Accounts", PHONE, when=lambda row: row["Account_Name"] in "BC", answered="flat")
    answer = write(api)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "code": "INVALID_DATA",
            "details": {"api_name": "Phone", "maximum_length": 30, "json_path": "$.data[1].Phone"},
            "message": "invalid data",
            "status": "error",
        },
    )
    assert names(api) == set()


def test_a_flat_refusal_of_no_field_names_the_record_alone(api):
    api.box.zoho.refuse("Accounts", "NOT_APPROVED", when={"Account_Name": "C"}, answered="flat", status=403)
    answer = upserted(api)
    assert (answer.status_code, answer.json()["details"]) == (403, {"json_path": "$.data[2]"})


def test_an_unnamed_refusal_does_not_say_which_record(api):
    api.box.zoho.refuse("Accounts", PHONE, when={"Account_Name": "B"}, answered="unnamed")
    answer = upserted(api)
    assert (answer.status_code, answer.json()["details"]) == (400, PHONE["details"])
    assert names(api) == set()


def test_a_record_that_breaks_zoho_is_not_named(api):
    api.box.zoho.refuse("Accounts", "INTERNAL_ERROR", when={"Account_Name": "B"}, answered="flat", status=500)
    answer = upserted(api)
    assert (answer.status_code, answer.json()["details"]) == (500, {})
    assert upserted(api, ROWS[::2]).status_code == 200
    assert names(api) == {"A", "C"}


@pytest.mark.parametrize(("code", "status"), [("LIMIT_EXCEEDED", None), ("NO_PERMISSION", 403)])
def test_a_refusal_of_the_request_is_one_item_however_many_records_were_sent(api, code, status):
    api.box.zoho.refuse("Accounts", {"code": code, "message": "no"}, answered="one_item", status=status)
    answer = upserted(api)
    assert answer.status_code == (status or 400)
    assert answer.json() == {"data": [{"code": code, "details": {}, "message": "no", "status": "error"}]}
    assert names(api) == set()


def test_a_call_without_a_chosen_record_goes_through(api):
    api.box.zoho.refuse("Accounts", PHONE, when={"Account_Name": "B"}, answered="flat")
    assert upserted(api, ROWS[:1]).status_code == 200
    api.box.zoho.allow()
    assert upserted(api).status_code == 200


def test_several_errors_of_one_record_each_have_their_path(api):
    rule = {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Fax", "layout_rule": {"name": "Export"}}}
    error = {"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": [PHONE, rule]}, "message": "Within the quarter"}
    api.box.zoho.refuse("Accounts", error, when={"Account_Name": "B"})
    refused = upserted(api).json()["data"][1]
    assert refused["message"] == "Within the quarter"
    assert [each["details"]["json_path"] for each in refused["details"]["errors"]] == [
        "$.data[1].Phone",
        "$.data[1].Fax",
    ]
    assert refused["details"]["errors"][1]["details"]["layout_rule"] == {"name": "Export"}


def test_a_refusal_in_an_unknown_shape_is_a_mistake_of_the_test(box):
    with pytest.raises(ValueError, match="sideways"):
        box.zoho.refuse("Accounts", answered="sideways")


def test_a_refused_call_costs_what_it_would_have_cost(api):
    api.box.zoho.refuse("Accounts", PHONE, answered="flat")
    before = api.box.zoho.credits_used
    upserted(api, ROWS * 5)
    assert api.box.zoho.credits_used - before == 2


def test_only_records_of_the_module_are_refused(api):
    api.box.zoho.refuse("Contacts", PHONE, answered="flat")
    assert only(upserted(api, ROWS[:1]))["code"] == "SUCCESS"
