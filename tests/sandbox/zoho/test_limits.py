"""API credits and simultaneous calls."""

from __future__ import annotations

import json

import pytest

from sandbox.http import Request
from sandbox.zoho.limits import credits_of

QUERY = {"select_query": "select id from Accounts where id is not null"}


class TestCredits:
    @pytest.mark.parametrize(("records", "credits_"), [(1, 1), (10, 1), (11, 2), (100, 10)])
    @pytest.mark.parametrize("path", ["Accounts", "Accounts/upsert"])
    def test_ten_records_written_cost_one(self, api, path, records, credits_):
        before = api.box.zoho.credits_used
        api.post(path, {"data": [{"Account_Name": f"A{number}"} for number in range(records)]})
        assert api.box.zoho.credits_used - before == credits_

    def test_other_calls_cost_one_and_refusals_at_the_gate_nothing(self, api):
        before = api.box.zoho.credits_used
        api.get("org")
        api.get("Accounts", fields="id")
        assert api.box.zoho.credits_used - before == 2
        api.box.zoho.revoke_access_tokens()
        api.get("org")
        assert api.box.zoho.credits_used - before == 2

    def test_what_is_left_is_told_once_half_is_spent(self, api):
        zoho = api.box.zoho
        zoho.switches.credits_limit = 10
        zoho.credits_used = 3
        assert "X-API-CREDITS-REMAINING" not in api.get("org").headers
        assert api.get("org").headers["X-API-CREDITS-REMAINING"] == "5"

    def test_when_they_are_spent_everything_is_refused_for_a_day(self, api):
        zoho = api.box.zoho
        zoho.edition = "free"
        zoho.credits_used = 5000
        answer = api.get("org")
        assert answer.status_code == 429
        assert answer.json() == {
            "code": "TOO_MANY_REQUESTS",
            "details": {},
            "message": "Many requests fired than the allowed limit for the past 24 hours.",
            "status": "error",
        }
        assert "Retry-After" not in answer.headers
        api.box.clock.advance(hours=24)
        api.authorize()
        assert api.get("org").status_code == 200

    def test_the_older_body_and_a_wait_are_switches(self, api):
        zoho = api.box.zoho
        zoho.credits_used = 10**9
        zoho.switches.old_429, zoho.switches.retry_after = True, 120
        answer = api.get("org")
        assert answer.headers["Retry-After"] == "120"
        assert answer.json() == {
            "code": 429,
            "error": "TOO_MANY_REQUESTS",
            "error_info": "Many requests fired than the allowed limit for the past 24 hours.",
        }

    @pytest.mark.parametrize(
        ("edition", "users", "credits_"),
        [
            ("free", 3, 5_000),
            ("standard", 10, 52_500),
            ("standard", 1000, 100_000),
            ("professional", 10, 55_000),
            ("enterprise", 10, 60_000),
            ("enterprise", 10_000, 5_000_000),
            ("ultimate", 10_000, 20_050_000),
        ],
    )
    def test_each_edition_has_its_number(self, edition, users, credits_):
        assert credits_of(edition, users) == credits_


class TestSimultaneousCalls:
    @pytest.fixture
    def under_way(self, box):
        """Begin calls that do not end; gives which of them were let in."""
        centre = box.zoho.data_centres["us"]

        def begin(number, method="GET", path="/crm/v8/org", body=None, query=()):
            sent = b"" if body is None else json.dumps(body).encode()
            calls.extend(new := [Request(method, path, query, {}, sent) for _ in range(number)])
            return [centre.enter(each) is None for each in new]

        calls: list[Request] = []
        yield begin
        for each in calls:
            centre.leave(each)

    @pytest.mark.parametrize(
        ("edition", "most"), [("free", 5), ("standard", 10), ("professional", 15), ("enterprise", 20), ("ultimate", 25)]
    )
    def test_each_edition_has_its_number(self, box, under_way, edition, most):
        box.zoho.edition = edition
        assert under_way(most + 2) == [True] * most + [False] * 2

    def test_one_more_is_told_so_until_another_ends(self, api, under_way):
        api.box.zoho.edition = "free"
        under_way(4)
        assert api.get("org").status_code == 200
        under_way(1)
        answer = api.get("org")
        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "concurrent" in answer.json()["message"]

    def test_a_refused_call_takes_no_place(self, box, under_way):
        box.zoho.edition = "free"
        centre = box.zoho.data_centres["us"]
        request = Request("GET", "/crm/v8/org")
        assert centre.enter(request) is None
        under_way(9)
        centre.leave(request)
        assert under_way(2) == [True, False]

    @pytest.mark.parametrize(
        "call",
        [
            {"method": "POST", "path": "/crm/v8/coql", "body": QUERY},
            {"path": "/crm/v8/Accounts/search", "query": (("word", "a"),)},
            {"path": "/crm/v8/Accounts", "query": (("sort_by", "id"),)},
            {"path": "/crm/v8/Accounts", "query": (("cvid", "1"),)},
            {"method": "POST", "path": "/crm/v8/Accounts/upsert", "body": {"data": [{}] * 11}},
            {"method": "POST", "path": "/crm/v8/Accounts", "body": {"data": [{}] * 11}},
            {"method": "PUT", "path": "/crm/v8/Accounts", "body": {"data": [{}] * 11}},
        ],
        ids=lambda call: call["path"] + call.get("method", "") + str(call.get("query", "")),
    )
    def test_ten_heavy_calls_whatever_the_edition(self, box, under_way, call):
        box.zoho.edition = "ultimate"
        assert under_way(12, **call) == [True] * 10 + [False] * 2
        assert under_way(15) == [True] * 15

    def test_ten_records_are_no_heavy_write(self, box, under_way):
        box.zoho.edition = "ultimate"
        body = {"data": [{"Account_Name": {"id": "1"}}] * 10}
        assert under_way(20, "POST", "/crm/v8/Deals/upsert", body) == [True] * 20

    def test_it_can_be_switched_off(self, box, under_way):
        box.zoho.switches.enforce_concurrency = False
        assert under_way(50) == [True] * 50

    def test_tokens_are_not_counted(self, api, under_way):
        under_way(20)
        assert "access_token" in api.refresh().json()
