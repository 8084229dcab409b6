"""Refusals in all their shapes, the headers of every answer, and the rate limit."""

from __future__ import annotations

import pytest
import requests
from support.freshbooks import errno

from sandbox.freshbooks import ApiError, RateLimit


def test_the_classic_shape(api):
    answer = api.request("GET", api.path("clients", 12345))
    assert answer.status_code == 404
    assert answer.json() == {
        "response": {
            "errors": [
                {"errno": 1012, "field": "userid", "message": "Client not found.", "object": "client", "value": "12345"}
            ]
        }
    }


def test_the_new_shape_comes_with_the_alpha_version_or_by_switch(box, api):
    def ask(**headers):
        return api.request("GET", api.path("clients", 12345), headers=headers).json()

    new = ask(**{"Api-Version": "alpha"})
    assert (new["code"], new["message"]) == (5, "Request failed with status_code: 404")
    (detail,) = new["details"]
    assert detail["reason"] == "1012"
    assert detail["metadata"] == {
        "object": "client",
        "message": "Client not found.",
        "value": "12345",
        "field": "userid",
    }
    assert "response" in ask(**{"X-API-VERSION": "2023-02-20"})
    box.freshbooks.switches.error_shape = "new"
    assert ask() == new
    box.freshbooks.switches.error_shape = "classic"
    assert "response" in ask(**{"Api-Version": "alpha"})


def test_errors_may_come_with_status_200(box, api):
    box.freshbooks.switches.refused_with_200 = {"payments"}
    answer = api.page("payments")
    assert answer.status_code == 200
    assert answer.json()["response"]["errors"][0]["errno"] == 1003
    assert "result" not in answer.json()["response"]
    assert api.result("clients")["total"] == 0


def test_bodies_that_cannot_be_read_are_refused(api):
    for body in (b"{", b"[]", b'{"invoice": {}}', b'{"client": []}'):
        assert errno(api.request("POST", api.path("clients"), data=body)) == (400, 1005)


def test_paths_and_methods_that_do_not_exist(api):
    assert api.request("GET", f"/accounting/account/{api.account}/clients/clients").status_code == 404
    assert api.request("GET", "/nothing").status_code == 404
    assert api.request("PATCH", api.path("clients")).status_code == 405


def test_the_python_api_refuses_what_http_refuses(books):
    with pytest.raises(ApiError, match="7012"):
        books.create_client(note="nobody")
    with pytest.raises(ApiError, match="404"):
        books.update_invoice(1, notes="x")


def test_every_answer_has_the_services_headers(box, api):
    for answer in (
        api.page("clients"),
        api.request("GET", "/nothing"),
        requests.get(f"{api.url}/auth/api/v1/users/me", timeout=10),
    ):
        assert answer.headers["Server"] == "nginx"
        assert answer.headers["X-API-Version"] == "2023-02-20"
        assert answer.headers["Date"] == "Tue, 30 Jun 2026 16:00:00 GMT"
        assert answer.headers["X-RateLimit-Limit"] == "600"
        assert "Retry-After" in answer.headers
    assert api.page("clients").headers["Content-Type"] == "application/json"
    me = api.request("GET", "/auth/api/v1/users/me")
    assert me.headers["Content-Type"] == "application/json; charset=utf-8"


def test_retry_after_comes_with_success_too_and_counts_down_to_the_reset(box, api):
    headers = api.page("clients").headers
    now = int(box.clock.now().timestamp())
    ahead = int(headers["X-RateLimit-Reset"]) - now
    assert 0 < ahead <= 61
    assert abs(int(headers["Retry-After"]) - (ahead - 1)) <= 1
    remaining = int(headers["X-RateLimit-Remaining"])
    assert int(api.page("clients").headers["X-RateLimit-Remaining"]) == remaining - 1


def test_posts_to_accounting_have_a_limit_of_their_own(api):
    first, second = api.create("clients", fname="A"), api.create("clients", fname="A")
    assert [answer.headers["X-RateLimit-Limit"] for answer in (first, second)] == ["250", "250"]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in (first, second)] == ["249", "248"]
    assert api.update("clients", 1).headers["X-RateLimit-Limit"] == "600"


def test_beyond_the_limit_there_is_429_until_the_window_ends(box, api):
    box.freshbooks.rate_limit = RateLimit(requests=4, accounting_posts=1, window=60)
    assert api.create("clients", fname="A").status_code == 200
    refused = api.create("clients", fname="A")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert len(box.freshbooks.records("clients")) == 1
    box.freshbooks.rate_limit = None
    answer = api.create("clients", fname="A")
    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers


def test_a_window_that_has_ended_is_forgotten(box, api):
    box.freshbooks.rate_limit = RateLimit(requests=1, window=0.0)
    assert {api.page("clients").status_code for _ in range(5)} == {200}


@pytest.mark.parametrize(("status", "number_of_error"), [(400, 1011), (403, 1003), (409, 409), (500, 500), (200, 1003)])
def test_a_record_that_is_refused_is_listed_and_not_given(books, api, status, number_of_error):
    number = books.create_client(organization="Larch and Sons")["id"]
    books.refuse("clients", number, status, number_of_error)
    answer = api.request("GET", api.path("clients", number))
    assert (answer.status_code, answer.json()["response"]["errors"][0]["errno"]) == (status, number_of_error)
    assert api.ids("clients") == [number]
    books.reveal("clients", number)
    assert api.get("clients", number)["id"] == number


@pytest.mark.parametrize(("counted", "total"), [(True, 2), (False, 1)])
def test_a_record_that_is_hidden_is_counted_or_not_and_never_shown(books, api, counted, total):
    hidden, shown = (books.create_client(organization=name)["id"] for name in ("Larch", "Maple"))
    books.hide("clients", hidden, counted=counted)
    result = api.result("clients")
    assert (result["total"], [row["id"] for row in result["clients"]]) == (total, [shown])
    assert errno(api.request("GET", api.path("clients", hidden))) == (403, 1003)
