"""Upsert: which record is meant, what is answered, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.zoho_api import only

from sandbox.zoho.matching import check_order, ineligible, match


@pytest.fixture
def contacts(box):
    """Contacts as in Zoho's own table: the system's Email, and two unique fields."""
    box.zoho.add_custom_field("Contacts", "unique1", unique=True)
    box.zoho.add_custom_field("Contacts", "unique2", unique=True)
    ids = {}
    for name, values in {
        "mail": {"Email": "a@example.com"},
        "one": {"unique1": "1"},
        "two": {"unique2": "2"},
    }.items():
        ids[name] = box.zoho.insert("Contacts", {"Last_Name": name, **values})
    return ids


class TestOrder:
    """The documented table: which field is looked at first."""

    @pytest.mark.parametrize(
        ("sent", "order"),
        [
            (None, ["Email", "unique1", "unique2"]),
            (["unique1"], ["unique1", "unique2"]),
            (["unique2"], ["unique2", "unique1"]),
            (["unique1", "unique2"], ["unique1", "unique2"]),
            (["Email"], ["Email", "unique1", "unique2"]),
            (["unique2", "Email"], ["unique2", "Email", "unique1"]),
        ],
    )
    def test_the_table(self, sent, order):
        assert check_order(sent, "Email", ["unique1", "unique2"]) == order

    @pytest.mark.parametrize(
        "case",
        [
            (None, ["Email", "unique1"], "mail", "one"),
            (["Email"], ["Email", "unique2"], "mail", "two"),
            (["unique1"], ["unique1", "unique2"], "one", "two"),
            (["unique2"], ["unique1", "unique2"], "two", "one"),
            (["unique1", "unique2"], ["unique1", "unique2"], "one", "two"),
            (["unique1"], ["Email", "unique1"], "one", None),
            (["Email"], ["Email"], "mail", None),
        ],
        ids=str,
    )
    def test_the_first_field_that_hits_decides(self, api, contacts, case):
        sent, hits, chosen, taken_from = case
        values = {"Email": "A@example.com", "unique1": "1", "unique2": "2"}
        row = {"Last_Name": "changed", **{name: values[name] for name in hits}}
        result = only(api.upsert("Contacts", row, by=sent))
        if taken_from is None:
            assert (result["action"], result["details"]["id"]) == ("update", contacts[chosen])
        else:  # the record that was chosen would take a unique value that is another record's
            assert (result["code"], result["details"]["id"]) == ("DUPLICATE_DATA", contacts[taken_from])

    def test_a_unique_field_that_was_not_listed_matches_too(self, api, contacts):
        row = {"Last_Name": "x", "unique1": "new", "unique2": "2"}
        result = only(api.upsert("Contacts", row, by=["unique1"]))
        assert (result["action"], result["duplicate_field"]) == ("update", "unique2")
        assert result["details"]["id"] == contacts["two"]

    def test_the_systems_field_does_not_match_unless_it_is_listed(self, api, contacts):
        row = {"Last_Name": "x", "unique1": "new", "Email": "a@example.com"}
        assert only(api.upsert("Contacts", row, by=["unique1"]))["action"] == "insert"

    def test_an_empty_key_matches_nothing(self, api, box):
        key = box.zoho.add_custom_field("Accounts", "Key", unique=True)
        box.zoho.insert("Accounts", {"Account_Name": "Same"})
        for empty in (None, ""):
            assert only(api.upsert("Accounts", {"Account_Name": "Same", key: empty}, by=[key]))["action"] == "insert"

    @given(
        unique=st.lists(st.sampled_from("abcd"), unique=True),
        chosen=st.none() | st.lists(st.sampled_from(["S", "a", "b", "c", "d"])),
    )
    def test_every_unique_field_is_looked_at_once_and_chosen_ones_first(self, unique, chosen):
        if chosen and ineligible(chosen, "S", unique) is not None:
            return
        order = check_order(chosen, "S", unique)
        first = list(dict.fromkeys(chosen)) if chosen else ["S"]
        assert order[: len(first)] == first
        assert sorted(order[len(first) :]) == sorted(set(unique) - set(first))

    @given(
        rows=st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3", "", None])), max_size=5),
        sent=st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3", "", None])),
        order=st.permutations(["a", "b", "c"]),
    )
    def test_a_match_is_that_of_the_first_field_with_a_hit(self, rows, sent, order):
        def find(name, value):
            return [str(position) for position, row in enumerate(rows) if row.get(name) == value]

        name, ids = match(order, sent, find)
        hits = [(each, find(each, sent[each])) for each in order if sent.get(each)]
        assert (name, list(ids)) == next(((each, found) for each, found in hits if found), (None, []))


class TestKeys:
    @pytest.mark.parametrize("keys", [["Phone"], ["Nothing"], ["Account_Name", "Phone"], [1]])
    def test_only_the_systems_field_and_unique_ones_are_keys(self, api, keys):
        answer = api.upsert("Accounts", {"Account_Name": "A"}, by=keys)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
        assert answer.json()["details"]["api_name"] == "duplicate_check_fields"
        assert api.box.zoho.count("Accounts") == 0

    def test_keys_are_a_list(self, api):
        answer = api.upsert("Accounts", {"Account_Name": "A"}, by="Account_Name")
        assert answer.json()["details"]["expected_data_type"] == "jsonarray"

    def test_without_keys_deals_of_one_name_merge(self, api):
        deal = {"Deal_Name": "Invoice 1", "Stage": "Closed Won"}
        answer = api.upsert("Deals", deal, {**deal, "Deal_Name": "invoice 1"})
        assert [(each["action"], each["duplicate_field"]) for each in answer.json()["data"]] == [
            ("insert", None),
            ("update", "Deal_Name"),
        ]

    @pytest.mark.parametrize("choice", ["oldest", "newest", "refuse"])
    def test_which_of_several_is_a_switch(self, api, choice):
        zoho = api.box.zoho
        zoho.switches.several_match = choice
        ids = [zoho.insert("Accounts", {"Account_Name": "Twice"}) for _ in range(2)]
        result = only(api.upsert("Accounts", {"Account_Name": "twice"}, by=["Account_Name"]))
        if choice == "refuse":
            assert (result["code"], result["details"]["more_records"]) == ("DUPLICATE_DATA", True)
        else:
            assert result["details"]["id"] == ids[0 if choice == "oldest" else 1]

    @pytest.mark.parametrize("wins", [True, False])
    def test_an_id_beside_keys_is_a_switch(self, api, wins):
        zoho = api.box.zoho
        zoho.switches.id_wins = wins
        first, second = (zoho.insert("Accounts", {"Account_Name": name}) for name in ("First", "Second"))
        row = {"id": first, "Account_Name": "Second"}
        assert only(api.upsert("Accounts", row, by=["Account_Name"]))["details"]["id"] == (first if wins else second)

    @pytest.mark.parametrize("sees", [True, False])
    def test_the_same_new_key_twice_in_a_call_is_a_switch(self, api, sees):
        zoho = api.box.zoho
        zoho.switches.batch_sees_itself = sees
        key = zoho.add_custom_field("Accounts", "Key", unique=True)
        results = api.upsert("Accounts", {"Account_Name": "A", key: "1"}, {"Account_Name": "B", key: "1"}, by=[key])
        second = results.json()["data"][1]
        assert zoho.count("Accounts") == 1
        assert second.get("action") == "update" if sees else second["code"] == "DUPLICATE_DATA"

    def test_the_same_existing_key_twice_updates_twice(self, api):
        record_id = api.box.zoho.insert("Accounts", {"Account_Name": "A"})
        results = api.upsert("Accounts", {"Account_Name": "A", "Fax": "1"}, {"Account_Name": "A", "Fax": "2"})
        assert [(each["action"], each["details"]["id"]) for each in results.json()["data"]] == [
            ("update", record_id)
        ] * 2
        assert api.box.zoho.records("Accounts")[0]["Fax"] == "2"


class TestAnswers:
    def test_results_are_positional_and_shaped_as_documented(self, api):
        box = api.box
        box.clock.freeze()
        box.zoho.insert("Deals", {"Deal_Name": "Old", "Stage": "Qualification"})
        box.clock.advance(minutes=30)
        answer = api.upsert(
            "Deals",
            {"Deal_Name": "Old", "Stage": "Closed Won"},
            {"Deal_Name": "New", "Stage": "Closed Won"},
            {"Deal_Name": "Bad"},
        )
        assert answer.status_code == 207
        old, new, bad = answer.json()["data"]
        assert (old["code"], old["action"], old["duplicate_field"]) == ("SUCCESS", "update", "Deal_Name")
        assert (old["message"], old["status"]) == ("record updated", "success")
        assert old["details"]["Created_Time"] != old["details"]["Modified_Time"]
        assert (new["action"], new["duplicate_field"], new["message"]) == ("insert", None, "record added")
        assert new["details"].keys() == {
            "Modified_Time",
            "Modified_By",
            "Created_Time",
            "id",
            "Created_By",
            "$approval_state",
        }
        assert new["details"]["Created_By"].keys() == {"name", "id"}
        assert bad == {
            "code": "MANDATORY_NOT_FOUND",
            "details": {"api_name": "Stage", "json_path": "$.data[2].Stage"},
            "message": "required field not found",
            "status": "error",
        }

    def test_an_insert_may_name_a_duplicate_field_all_the_same(self, api):
        api.box.zoho.switches.insert_names_duplicate_field = "Phone"
        made, found = (only(api.upsert("Accounts", {"Account_Name": "A"})) for _ in range(2))
        assert (made["action"], made["duplicate_field"]) == ("insert", "Phone")
        assert (found["action"], found["duplicate_field"]) == ("update", "Account_Name")

    def test_ids_are_strings_of_18_digits(self, api):
        record_id = only(api.upsert("Accounts", {"Account_Name": "A"}))["details"]["id"]
        assert isinstance(record_id, str)
        assert (len(record_id), record_id.isdigit()) == (18, True)

    @pytest.mark.parametrize(
        ("zone", "offset"), [("Asia/Kolkata", "+05:30"), ("America/New_York", "-04:00"), ("UTC", "+00:00")]
    )
    def test_times_have_the_organizations_offset_and_no_fractions(self, api, zone, offset):
        from datetime import datetime, timezone

        api.box.zoho.organization.time_zone = zone
        api.box.clock.freeze(datetime(2026, 7, 1, 12, 0, 0, 999, tzinfo=timezone.utc))
        api.authorize()
        moment = only(api.upsert("Accounts", {"Account_Name": "A"}))["details"]["Modified_Time"]
        assert moment.endswith(offset)
        assert datetime.fromisoformat(moment) == datetime(2026, 7, 1, 12, tzinfo=timezone.utc)

    @pytest.mark.parametrize("mixed", [207, 200])
    def test_the_status_tells_how_many_succeeded(self, api, mixed):
        api.box.zoho.switches.mixed_status = mixed
        good, bad = {"Account_Name": "A"}, {"Account_Name": None}
        assert api.upsert("Accounts", good).status_code == 200
        assert api.upsert("Accounts", good, bad).status_code == mixed
        refused = api.upsert("Accounts", bad, bad)
        assert refused.status_code == 400
        assert [each["code"] for each in refused.json()["data"]] == ["MANDATORY_NOT_FOUND"] * 2
        api.box.zoho.switches.all_failed_status = 202
        assert api.upsert("Accounts", bad).status_code == 202
        api.box.zoho.refuse("Accounts", "NO_PERMISSION")
        assert api.upsert("Accounts", good).status_code == 403

    def test_a_hundred_records_and_no_more(self, api):
        rows = [{"Account_Name": f"A{number}"} for number in range(101)]
        answer = api.upsert("Accounts", *rows)
        assert (answer.status_code, answer.json()["details"]["maximum_length"]) == (400, 100)
        assert api.box.zoho.count("Accounts") == 0
        assert api.upsert("Accounts", *rows[:100]).status_code == 200
        assert api.box.zoho.count("Accounts") == 100

    @pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"Account_Name": "A"}}])
    def test_data_is_a_list_that_is_not_empty(self, api, body):
        assert api.post("Accounts/upsert", body).status_code == 400

    def test_a_row_that_is_no_object_is_refused_by_itself(self, api):
        answer = api.upsert("Accounts", "A", {"Account_Name": "B"})
        assert [each["code"] for each in answer.json()["data"]] == ["INVALID_DATA", "SUCCESS"]


class TestTriggers:
    @pytest.mark.parametrize(
        ("more", "fired"),
        [
            ({}, {"workflow", "approval", "blueprint"}),
            ({"trigger": []}, set()),
            ({"trigger": ["workflow"]}, {"workflow"}),
        ],
    )
    def test_automations_run_unless_they_are_left_out(self, api, more, fired):
        api.upsert("Accounts", {"Account_Name": "A"}, **more)
        assert {each.trigger for each in api.box.zoho.workflows_fired} == fired

    def test_an_unknown_trigger_is_refused(self, api):
        assert api.upsert("Accounts", {"Account_Name": "A"}, trigger=["mail"]).status_code == 400

    @pytest.mark.parametrize("skipped", [(), ("insert",), ("update",), ("insert", "update")])
    def test_cadences_run_unless_they_are_skipped_at_that_action(self, api, skipped):
        skip = [{"name": "cadences", "action": action} for action in skipped]
        for _ in range(2):
            api.upsert("Accounts", {"Account_Name": "A"}, skip_feature_execution=skip)
        fired = [each.action for each in api.box.zoho.cadences_fired]
        assert fired == [action for action in ("insert", "update") if action not in skipped]

    def test_inserts_and_updates_skip_cadences_by_name_alone(self, api):
        skip = {"skip_feature_execution": [{"name": "cadences"}]}
        account = only(api.insert("Accounts", {"Account_Name": "A"}, **skip))["details"]["id"]
        api.update("Accounts", {"id": account, "Phone": "1"}, **skip)
        assert api.box.zoho.cadences_fired == []

    def test_features_to_skip_need_name_and_action(self, api):
        skip = [{"name": "cadences", "action": "insert"}]
        assert api.upsert("Accounts", {"Account_Name": "A"}, skip_feature_execution=skip).status_code == 200
        assert api.box.zoho.skipped_features == skip
        refused = api.upsert("Accounts", {"Account_Name": "A"}, skip_feature_execution=[{"name": "cadences"}])
        assert refused.json()["details"]["json_path"] == "$.skip_feature_execution[0].action"
