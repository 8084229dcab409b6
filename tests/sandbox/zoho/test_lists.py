"""Lists of records, single ones, deleted ones, and search."""

from __future__ import annotations

import pytest
from support.zoho_api import only


def fill(api, number, module="Accounts"):
    """Insert so many accounts, a hundred a call."""
    for start in range(0, number, 100):
        rows = ({"Account_Name": f"A{start + each:04}"} for each in range(min(100, number - start)))
        api.insert(module, *rows)


class TestGetRecords:
    def test_fields_must_be_said(self, api):
        answer = api.get("Accounts")
        assert (answer.status_code, answer.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
        assert answer.json()["details"] == {"param_name": "fields"}
        assert api.get("Accounts", fields=",".join(["Phone"] * 51)).json()["code"] == "LIMIT_EXCEEDED"

    def test_an_empty_module_is_204(self, api):
        assert api.get("Accounts", fields="id").status_code == 204

    def test_rows_have_the_fields_that_were_asked_for_and_the_id(self, api):
        fill(api, 2)
        body = api.get("Accounts", fields="Account_Name,Phone").json()
        assert [row["Account_Name"] for row in body["data"]] == ["A0001", "A0000"]
        assert body["data"][0].keys() == {"Account_Name", "Phone", "id"}
        assert body["info"].keys() == {
            "per_page",
            "next_page_token",
            "count",
            "sort_by",
            "page",
            "previous_page_token",
            "page_token_expiry",
            "sort_order",
            "more_records",
        }

    def test_they_are_sorted_as_asked(self, api):
        fill(api, 3)
        rows = api.get("Accounts", fields="Account_Name", sort_by="id", sort_order="asc").json()["data"]
        assert [row["Account_Name"] for row in rows] == ["A0000", "A0001", "A0002"]
        assert api.get("Accounts", fields="id", sort_by="Phone").status_code == 400

    def test_200_a_page_and_pages_up_to_2000_records_then_tokens(self, api):
        fill(api, 2100)
        assert api.get("Accounts", fields="id", per_page=201).status_code == 400
        last = api.get("Accounts", fields="id", per_page=200, page=10).json()
        assert (last["info"]["count"], last["info"]["more_records"]) == (200, True)
        beyond = api.get("Accounts", fields="id", per_page=200, page=11)
        assert beyond.json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
        token = last["info"]["next_page_token"]
        rest = api.get("Accounts", fields="id", per_page=200, page_token=token).json()
        assert (rest["info"]["count"], rest["info"]["more_records"]) == (100, False)

    def test_a_token_is_bound_to_its_list_and_lives_a_day(self, api):
        fill(api, 3)
        token = api.get("Accounts", fields="id", per_page=2).json()["info"]["next_page_token"]
        other = api.get("Accounts", fields="Phone", per_page=2, page_token=token)
        assert other.json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
        both = api.get("Accounts", fields="id", per_page=2, page_token=token, page=2)
        assert both.json()["code"] == "AMBIGUITY_DURING_PROCESSING"
        assert api.get("Accounts", fields="id", per_page=2, page_token="made up").json()["code"] == "INVALID_DATA"
        api.box.clock.advance(hours=24)
        api.authorize()
        assert api.get("Accounts", fields="id", per_page=2, page_token=token).json()["code"] == "EXPIRED_VALUE"

    def test_if_modified_since_gives_what_is_newer_or_304(self, api):
        fill(api, 2)
        newest = api.box.zoho.records("Accounts")[0]["Modified_Time"]
        header = {"If-Modified-Since": newest}
        assert api.call("GET", "Accounts?fields=id", headers=header).status_code == 304
        api.box.clock.advance(seconds=2)
        changed = api.box.zoho.records("Accounts")[1]["id"]
        api.box.zoho.update("Accounts", changed, {"Phone": "1"})
        rows = api.call("GET", "Accounts?fields=id", headers=header).json()["data"]
        assert [row["id"] for row in rows] == [changed]

    def test_by_ids(self, api):
        fill(api, 3)
        ids = [each["id"] for each in api.box.zoho.records("Accounts")]
        rows = api.get("Accounts", fields="id", ids=f"{ids[0]},{ids[2]},1").json()["data"]
        assert {row["id"] for row in rows} == {ids[0], ids[2]}

    @pytest.mark.parametrize("status", [204, 404, 400])
    def test_one_that_is_not_there(self, api, status):
        api.box.zoho.switches.unknown_id_status = status
        assert api.get("Accounts/554597400000000001").status_code == status


class TestDeleted:
    def test_they_are_listed_for_120_days(self, api):
        zoho, clock = api.box.zoho, api.box.clock
        assert api.get("Accounts/deleted").status_code == 204
        record_id = zoho.insert("Accounts", {"Account_Name": "Gone"})
        zoho.delete("Accounts", record_id)
        before = zoho.credits_used
        (row,) = api.get("Accounts/deleted", type="all").json()["data"]
        assert zoho.credits_used - before == 2
        assert row.keys() == {"deleted_by", "id", "display_name", "type", "created_by", "deleted_time"}
        assert (row["id"], row["display_name"], row["type"]) == (record_id, "Gone", "recycle")
        assert api.get("Accounts/deleted", type="permanent").status_code == 204
        clock.advance(days=61)
        api.authorize()
        assert api.get("Accounts/deleted", type="permanent").json()["data"][0]["type"] == "permanent"
        clock.advance(days=60)
        api.authorize()
        assert api.get("Accounts/deleted").status_code == 204


class TestSearch:
    @pytest.fixture(autouse=True)
    def accounts(self, api):
        for name, phone, revenue in (("Acme", "123", 10), ("Acme West", "456", 20), ("Zeta (Old), Inc", "12", 30)):
            api.box.zoho.insert("Accounts", {"Account_Name": name, "Phone": phone, "Annual_Revenue": revenue})

    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({"criteria": "(Account_Name:equals:acme)"}, ["Acme", "Acme West"]),
            ({"criteria": "(Account_Name:starts_with:acme w)"}, ["Acme West"]),
            ({"criteria": "((Account_Name:equals:acme)and(Phone:equals:456))"}, ["Acme West"]),
            ({"criteria": "((Account_Name:equals:west)or(Phone:equals:12))"}, ["Acme", "Acme West", "Zeta (Old), Inc"]),
            ({"criteria": "(Account_Name:equals:Zeta \\(Old\\)\\, Inc)"}, ["Zeta (Old), Inc"]),
            ({"criteria": "(Annual_Revenue:greater_equal:20)"}, ["Acme West", "Zeta (Old), Inc"]),
            ({"criteria": "(Annual_Revenue:between:5,15)"}, ["Acme"]),
            ({"phone": "456"}, ["Acme West"]),
            ({"word": "inc"}, ["Zeta (Old), Inc"]),
            ({"criteria": "(Phone:equals:456)", "word": "inc"}, ["Acme West"]),
            ({"word": "nothing"}, []),
        ],
        ids=str,
    )
    def test_equal_means_contains(self, api, params, found):
        answer = api.get("Accounts/search", **params)
        assert answer.status_code == (200 if found else 204)
        assert [row["Account_Name"] for row in (answer.json()["data"] if found else [])] == found

    def test_the_index_may_lag_behind(self, api):
        api.box.clock.advance(seconds=60)
        api.box.zoho.switches.search_delay = 30
        record_id = only(api.upsert("Accounts", {"Account_Name": "Brand new"}))["details"]["id"]
        assert api.get("Accounts/search", word="brand").status_code == 204
        api.box.clock.advance(seconds=31)
        assert api.get("Accounts/search", word="brand").json()["data"][0]["id"] == record_id

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({}, "REQUIRED_PARAM_MISSING"),
            ({"criteria": "Account_Name:equals:a"}, "INVALID_QUERY"),
            ({"criteria": "(Nothing:equals:a)"}, "INVALID_QUERY"),
            ({"criteria": "(Account_Name:like:a)"}, "INVALID_QUERY"),
            ({"criteria": "((Phone:equals:1)and(Phone:equals:2)"}, "INVALID_QUERY"),
            ({"criteria": "(" + "and".join(["(Phone:equals:1)"] * 11) + ")"}, "LIMIT_EXCEEDED"),
            ({"word": "a", "page": "11"}, "LIMIT_REACHED"),
        ],
        ids=range(7),
    )
    def test_what_it_refuses(self, api, params, code):
        answer = api.get("Accounts/search", **params)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
