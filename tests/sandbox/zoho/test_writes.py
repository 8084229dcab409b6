"""Insert, update, delete; uniqueness; what is remembered of writes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.zoho_api import only

from sandbox.zoho import RowError


@pytest.fixture
def key(box):
    return box.zoho.add_custom_field("Accounts", "Key", unique=True)


class TestInsert:
    def test_it_answers_201_without_action_and_matches_nothing(self, api):
        first = api.insert("Accounts", {"Account_Name": "A"})
        second = api.insert("Accounts", {"Account_Name": "A"})
        assert (first.status_code, second.status_code) == (201, 201)
        assert only(first).keys() == {"code", "details", "message", "status"}
        assert api.box.zoho.count("Accounts") == 2

    def test_a_unique_value_that_is_taken_is_refused_whatever_its_case(self, api, key):
        taken = api.box.zoho.insert("Accounts", {"Account_Name": "A", key: "fb:X"})
        result = only(api.insert("Accounts", {"Account_Name": "B", key: "FB:x"}))
        assert (result["code"], result["message"]) == ("DUPLICATE_DATA", "duplicate data")
        details = result["details"]
        assert (details["api_name"], details["json_path"]) == (key, f"$.data[0].{key}")
        assert (details["id"], details["more_records"]) == (taken, False)
        assert details["duplicate_record"]["id"] == taken
        assert details["duplicate_record"]["module"]["api_name"] == "Accounts"
        assert details["duplicate_record"]["Owner"].keys() == {"name", "id", "zuid"}

    def test_several_errors_of_a_record_come_as_one(self, api):
        result = only(api.insert("Accounts", {"Phone": 1, "Fax": "x" * 31}))
        assert (result["code"], result["message"]) == ("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request")
        assert [(each["code"], each["details"]["api_name"]) for each in result["details"]["errors"]] == [
            ("INVALID_DATA", "Phone"),
            ("INVALID_DATA", "Fax"),
            ("MANDATORY_NOT_FOUND", "Account_Name"),
        ]


class TestUpdate:
    def test_what_is_omitted_stays_and_null_clears(self, api):
        record_id = api.box.zoho.insert("Accounts", {"Account_Name": "A", "Phone": "1", "Fax": "2"})
        answer = api.update("Accounts", {"id": record_id, "Fax": None})
        assert (answer.status_code, only(answer)["message"]) == (200, "record updated")
        after = api.box.zoho.get("Accounts", record_id)
        assert (after["Account_Name"], after["Phone"], after["Fax"]) == ("A", "1", None)

    def test_one_record_by_its_path(self, api):
        record_id = api.box.zoho.insert("Accounts", {"Account_Name": "A"})
        answer = api.call("PUT", f"Accounts/{record_id}", json={"data": [{"Phone": "9"}]})
        assert only(answer)["details"]["id"] == record_id
        assert api.box.zoho.get("Accounts", record_id)["Phone"] == "9"

    def test_a_mandatory_field_cannot_be_cleared(self, api):
        record_id = api.box.zoho.insert("Accounts", {"Account_Name": "A"})
        assert only(api.update("Accounts", {"id": record_id, "Account_Name": None}))["code"] == "MANDATORY_NOT_FOUND"

    def test_an_unknown_id_and_no_id_are_refused(self, api):
        answer = api.update("Accounts", {"id": "1"}, {"Phone": "1"})
        unknown, missing = answer.json()["data"]
        assert answer.status_code == 400
        assert (unknown["code"], unknown["message"]) == ("INVALID_DATA", "the id given seems to be invalid")
        assert (missing["code"], missing["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "id")

    def test_it_bumps_modified_time_and_modified_by(self, api):
        zoho, clock = api.box.zoho, api.box.clock
        record_id = zoho.insert("Accounts", {"Account_Name": "A"})
        before = zoho.get("Accounts", record_id)
        assert before["Modified_By"]["name"] == "CRM Person"
        clock.advance(minutes=1)
        api.update("Accounts", {"id": record_id, "Phone": "1"})
        after = zoho.get("Accounts", record_id)
        assert after["Modified_Time"] > before["Modified_Time"]
        assert after["Created_Time"] == before["Created_Time"]
        assert (after["Modified_By"]["name"], after["Created_By"]["name"]) == ("CRM Integration", "CRM Person")

    def test_if_unmodified_since_protects_what_changed_meanwhile(self, api):
        zoho = api.box.zoho
        record_id = zoho.insert("Accounts", {"Account_Name": "A"})
        since = zoho.get("Accounts", record_id)["Modified_Time"]
        api.box.clock.advance(minutes=1)
        row, header = {"id": record_id, "Phone": "1"}, {"If-Unmodified-Since": since}
        assert api.update("Accounts", row, headers=header).status_code == 200
        answer = api.update("Accounts", row, headers=header)
        assert (answer.status_code, only(answer)["code"]) == (412, "ALREADY_MODIFIED")

    def test_a_unique_value_of_another_record_is_refused_but_ones_own_is_not(self, api, key):
        zoho = api.box.zoho
        zoho.insert("Accounts", {"Account_Name": "A", key: "1"})
        mine = zoho.insert("Accounts", {"Account_Name": "B", key: "2"})
        assert only(api.update("Accounts", {"id": mine, key: "2"}))["code"] == "SUCCESS"
        assert only(api.update("Accounts", {"id": mine, key: "1"}))["code"] == "DUPLICATE_DATA"

    def test_a_value_that_was_given_up_is_free(self, api, key):
        zoho = api.box.zoho
        first = zoho.insert("Accounts", {"Account_Name": "A", key: "1"})
        zoho.update("Accounts", first, {key: None})
        assert only(api.insert("Accounts", {"Account_Name": "B", key: "1"}))["code"] == "SUCCESS"
        zoho.delete("Accounts", zoho.records("Accounts")[1]["id"])
        assert only(api.insert("Accounts", {"Account_Name": "C", key: "1"}))["code"] == "SUCCESS"


class TestDelete:
    def test_deleted_records_are_gone_and_lookups_to_them_empty(self, api):
        zoho = api.box.zoho
        account = zoho.insert("Accounts", {"Account_Name": "A"})
        deal = zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won", "Account_Name": {"id": account}})
        answer = api.call("DELETE", f"Accounts?ids={account},1")
        gone, unknown = answer.json()["data"]
        assert (answer.status_code, gone["message"], gone["details"]) == (207, "record deleted", {"id": account})
        assert unknown["code"] == "INVALID_DATA"
        assert api.get(f"Accounts/{account}").status_code == 204
        assert zoho.get("Deals", deal)["Account_Name"] is None

    def test_one_by_its_path(self, api):
        record_id = api.box.zoho.insert("Accounts", {"Account_Name": "A"})
        assert api.call("DELETE", f"Accounts/{record_id}").status_code == 200
        assert api.call("DELETE", f"Accounts/{record_id}").status_code == 400


class TestUnknownKeys:
    @pytest.mark.parametrize("name", ["Random", "Currency"])
    def test_they_are_passed_over_unless_switched(self, api, name):
        row = {"Account_Name": "A", name: "x", "$approved": True}
        assert only(api.insert("Accounts", row))["code"] == "SUCCESS"
        api.box.zoho.switches.unknown_fields = api.box.zoho.switches.currency_without_feature = "refuse"
        refused = only(api.insert("Accounts", row))
        assert (refused["code"], refused["details"]["api_name"]) == ("INVALID_DATA", name)

    def test_read_only_fields_are_passed_over(self, api):
        api.insert("Accounts", {"Account_Name": "A", "Created_Time": "2001-01-01T00:00:00+00:00"})
        assert not api.box.zoho.records("Accounts")[0]["Created_Time"].startswith("2001")


class TestExternalIds:
    @pytest.fixture
    def field(self, api):
        return api.field("Accounts", "External", external={"type": "user", "show": False})

    def test_they_stand_for_ids_in_paths_and_lookups(self, api, field):
        account = api.box.zoho.insert("Accounts", {"Account_Name": "A", field: "fb:1"})
        named = {"X-EXTERNAL": f"Accounts.{field}"}
        assert api.call("GET", "Accounts/fb:1", headers=named).json()["data"][0]["id"] == account
        api.call("PUT", "Accounts/fb:1", json={"data": [{"Phone": "7"}]}, headers=named)
        assert api.box.zoho.get("Accounts", account)["Phone"] == "7"
        deal = {"Deal_Name": "D", "Stage": "Closed Won", "Account_Name": {field: "fb:1"}}
        looked_up = {"X-EXTERNAL": f"Deals.Account_Name.{field}"}
        answer = api.call("POST", "Deals", json={"data": [deal]}, headers=looked_up)
        assert answer.status_code == 201
        assert api.box.zoho.records("Deals")[0]["Account_Name"]["id"] == account
        assert only(api.insert("Deals", deal))["code"] == "MANDATORY_NOT_FOUND"

    def test_a_wrong_one_is_refused(self, api, field):
        deal = {"Deal_Name": "D", "Stage": "Closed Won", "Account_Name": {field: "fb:2"}}
        answer = api.call("POST", "Deals", json={"data": [deal]}, headers={"X-EXTERNAL": f"Deals.Account_Name.{field}"})
        assert only(answer)["message"].startswith("The external ID of the lookup field")
        assert api.call("GET", "Accounts/1", headers={"X-EXTERNAL": "Accounts.Phone"}).status_code == 400


class TestLog:
    def test_every_change_is_remembered_with_what_was_sent_and_what_changed(self, api):
        zoho = api.box.zoho
        api.upsert("Accounts", {"Account_Name": "A", "Phone": "1", "Random": "x"})
        record_id = zoho.records("Accounts")[0]["id"]
        api.upsert("Accounts", {"Account_Name": "A", "Phone": "2"})
        zoho.update("Accounts", record_id, {"Phone": "3"})
        zoho.delete("Accounts", record_id)
        assert [tuple(each) for each in zoho.writes] == [
            ("Accounts", "insert", record_id, ("Account_Name", "Phone"), ("Account_Name", "Phone"), "api"),
            ("Accounts", "update", record_id, ("Account_Name", "Phone"), ("Phone",), "api"),
            ("Accounts", "update", record_id, ("Phone",), ("Phone",), "person"),
            ("Accounts", "delete", record_id, (), ("Modified_By", "Record_Status__s"), "person"),
        ]

    def test_what_is_refused_is_not_in_it(self, api):
        api.upsert("Accounts", {"Phone": "1"})
        assert api.box.zoho.writes == []


class TestRefusals:
    def test_chosen_records_are_refused_until_that_ends(self, api):
        zoho = api.box.zoho
        zoho.refuse("Accounts", "RECORD_LOCKED", when={"Account_Name": "B"})
        answer = api.upsert("Accounts", {"Account_Name": "A"}, {"Account_Name": "B"})
        assert [each["code"] for each in answer.json()["data"]] == ["SUCCESS", "RECORD_LOCKED"]
        zoho.allow()
        assert api.upsert("Accounts", {"Account_Name": "B"}).status_code == 200

    def test_by_a_predicate_with_a_whole_error(self, api):
        error = {"code": "INVALID_DATA", "details": {"api_name": "Phone", "maximum_length": 3}}
        api.box.zoho.refuse("Accounts", error, when=lambda row: len(row.get("Phone", "")) > 3)
        refused = only(api.upsert("Accounts", {"Account_Name": "A", "Phone": "1234"}))
        assert refused == {
            "code": "INVALID_DATA",
            "details": {"api_name": "Phone", "maximum_length": 3, "json_path": "$.data[0].Phone"},
            "message": "invalid data",
            "status": "error",
        }

    @pytest.mark.parametrize(
        ("action", "method", "path", "body"),
        [
            ("create", "POST", "Accounts", {"data": [{"Account_Name": "A"}]}),
            ("create", "POST", "Accounts/upsert", {"data": [{"Account_Name": "A"}]}),
            ("edit", "PUT", "Accounts", {"data": [{"id": "1"}]}),
            ("delete", "DELETE", "Accounts?ids=1", None),
            ("view", "GET", "Accounts?fields=id", None),
            ("view", "POST", "coql", {"select_query": "select id from Accounts where id is not null"}),
        ],
    )
    def test_without_permission_the_whole_call_is_refused(self, api, action, method, path, body):
        api.box.zoho.forbid(action, "Accounts")
        answer = api.call(method, path, json=body)
        assert answer.status_code == 403
        assert answer.json() == {
            "code": "NO_PERMISSION",
            "details": {"permissions": [f"Crm_Implied_{action.capitalize()}_Accounts"]},
            "message": "permission denied",
            "status": "error",
        }


def test_a_person_is_bound_by_the_rules_too(box):
    with pytest.raises(RowError, match="MANDATORY_NOT_FOUND"):
        box.zoho.insert("Accounts", {"Phone": "1"})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["insert", "update", "delete", "upsert"]),
            st.integers(0, 3),
            st.sampled_from(["a", "A", "b", "B", "c", None]),
        ),
        max_size=12,
    )
)
def test_no_sequence_of_writes_makes_a_unique_value_twice(box, steps):
    """Property: unique values stay unique without case, and the index finds exactly the records that have them."""
    zoho = box.zoho
    name = next((each for each in zoho.fields("Accounts") if each == "Key"), None) or zoho.add_custom_field(
        "Accounts", "Key", unique=True
    )
    for record in zoho.records("Accounts"):
        zoho.delete("Accounts", record["id"])
    writer, batch = zoho._writer, zoho._by_person("Accounts")
    for action, which, value in steps:
        ids = [each["id"] for each in zoho.records("Accounts")]
        row = {"Account_Name": "x", name: value}
        if action in ("update", "delete") and not ids:
            continue
        try:
            if action == "insert":
                zoho.insert("Accounts", row)
            elif action == "upsert":
                batch.order = [name]
                writer.upsert(batch, row, 0)
            elif action == "update":
                zoho.update("Accounts", ids[which % len(ids)], row)
            else:
                zoho.delete("Accounts", ids[which % len(ids)])
        except RowError as refused:
            assert refused.code == "DUPLICATE_DATA"  # noqa: PT017
        held = [each[name] for each in zoho.records("Accounts") if each[name] is not None]
        assert len({each.casefold() for each in held}) == len(held)
        table = zoho.organization.tables["Accounts"]
        for text in "abc":
            assert len(table.find(name, text)) == sum(each.casefold() == text for each in held)
