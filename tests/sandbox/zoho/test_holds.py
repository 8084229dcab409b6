"""Records that may not be changed as one likes, records for which there is no room, and calls that go nowhere."""

from __future__ import annotations

import pytest
from support.zoho_api import UNIQUE, only

DEAL = {"Deal_Name": "D", "Stage": "Negotiation/Review"}


@pytest.fixture
def deal(api):
    return api.box.zoho.insert("Deals", DEAL)


def test_a_blueprint_holds_its_field_and_no_other(api, deal):
    zoho = api.box.zoho
    zoho.hold_in_blueprint("Deals", deal, "Stage")
    refused = only(api.update("Deals", {"id": deal, "Stage": "Closed Won", "Amount": 5}))
    assert (refused["code"], refused["details"]["json_path"]) == ("RECORD_IN_BLUEPRINT", "$.data[0].Stage")
    assert zoho.get("Deals", deal)["Amount"] is None
    assert only(api.update("Deals", {"id": deal, "Amount": 5}))["code"] == "SUCCESS"
    zoho.release("Deals", deal)
    assert only(api.update("Deals", {"id": deal, "Stage": "Closed Won"}))["code"] == "SUCCESS"


def test_a_lock_by_rule_holds_every_field_but_those_excepted(api, deal):
    zoho = api.box.zoho
    zoho.lock_record("Deals", deal, except_fields=["Amount"])
    for sent in ({"Next_Step": "x"}, {"Next_Step": "x", "Amount": 5}):
        refused = only(api.upsert("Deals", {"id": deal, **sent}))
        assert (refused["code"], refused["details"]["id"]) == ("RECORD_LOCKED", deal)
    assert only(api.upsert("Deals", {"id": deal, "Amount": 5}))["code"] == "SUCCESS"
    zoho.release("Deals", deal)
    assert only(api.upsert("Deals", {"id": deal, "Next_Step": "x"}))["code"] == "SUCCESS"


def test_a_person_with_the_transition_may_change_what_is_held(api, deal):
    api.box.zoho.hold_in_blueprint("Deals", deal, "Stage")
    api.box.zoho.update("Deals", deal, {"Stage": "Closed Won"})
    assert api.box.zoho.get("Deals", deal)["Stage"] == "Closed Won"


class TestRoom:
    """There is one record, and room for one more."""

    @pytest.fixture(autouse=True)
    def key(self, api):
        key = api.field("Accounts", "Key", unique=UNIQUE)
        api.box.zoho.insert("Accounts", {"Account_Name": "A", key: "1"})
        return key

    def upsert(self, api, key, *keys):
        return api.upsert("Accounts", *({"Account_Name": "B", key: each} for each in keys), by=[key])

    def test_rows_beyond_it_are_refused_and_updates_are_not(self, api, key):
        api.box.zoho.limit_records(2)
        results = self.upsert(api, key, "2", "1", "3").json()["data"]
        assert [each["code"] for each in results] == ["SUCCESS", "SUCCESS", "MAX_RECORDS_LIMIT_REACHED"]
        assert results[2]["details"] == {"max_no_of_records": 2}

    @pytest.mark.parametrize("shape", ["flat", "one_item"])
    def test_a_call_beyond_it_may_be_refused_as_a_whole(self, api, key, shape):
        api.box.zoho.limit_records(2, shape)
        answer = self.upsert(api, key, "2", "1", "3")
        body = answer.json() if shape == "flat" else only(answer)
        assert (answer.status_code, body["code"]) == (400, "MAX_RECORDS_LIMIT_REACHED")
        assert api.insert("Accounts", *[{"Account_Name": "C"}] * 2).status_code == 400
        assert [row["Account_Name"] for row in api.box.zoho.records("Accounts")] == ["A"]
        assert self.upsert(api, key, "2", "1").status_code == 200
        api.box.zoho.limit_records(0, shape)
        first = api.box.zoho.records("Accounts")[0]["id"]
        assert api.upsert("Accounts", {"id": first, "Account_Name": "Z"}).status_code == 200
        assert api.update("Accounts", {"id": first, "Phone": "1"}).status_code == 200
        assert (
            api.update("Accounts", {"id": api.box.zoho.records("Accounts")[0]["id"], "Phone": "1"}).status_code == 200
        )
        api.box.zoho.allow()
        assert self.upsert(api, key, "3").status_code == 200

    def test_an_unknown_shape_is_a_mistake_of_the_test(self, box):
        with pytest.raises(ValueError, match="sideways"):
            box.zoho.limit_records(2, "sideways")


def test_every_call_may_be_refused_in_zohos_words(api):
    api.box.zoho.refuse_calls("SUBSCRIPTION_LOCKED", "Your subscription has ended", 403)
    for answer in (api.get("org"), api.coql("select id from Deals where id is not null"), api.insert("Deals", DEAL)):
        assert (answer.status_code, answer.json()["code"]) == (403, "SUBSCRIPTION_LOCKED")
    api.box.zoho.allow()
    assert api.get("org").status_code == 200
