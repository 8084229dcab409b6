"""FreshBooks' errors, in every shape they come in, become one sentence that gives nothing away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_freshbooks.errors import (
    AccessDeniedError,
    FreshBooksError,
    NotFoundError,
    Problem,
    TryAgainError,
    UnauthorizedError,
    error_of,
    problems,
)

CLASSIC = {"errno": 1012, "field": "userid", "message": "Client not found.", "object": "client", "value": "12345"}
NEWER = {
    "code": 5,
    "message": "Request failed with status_code: 404",
    "details": [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "1012",
            "domain": "accounting.api.freshbooks.com",
            "metadata": {"object": "client", "message": "Client not found.", "value": "12345", "field": "userid"},
        }
    ],
}


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"response": {"errors": [CLASSIC]}}, [Problem("1012", "userid")]),
        ({"response": {"errors": CLASSIC}}, [Problem("1012", "userid")]),
        ({"response": {"errors": [CLASSIC, {"errno": 1004}]}}, [Problem("1012", "userid"), Problem("1004")]),
        (NEWER, [Problem("1012", "userid")]),
        ({"code": 3, "message": "bad", "details": [{"fieldViolations": []}]}, [Problem("3")]),
        ({"errno": 404, "message": "Requested resource could not be found."}, [Problem("404")]),
        ({"errno": 2001, "error": {"title": "x"}}, [Problem("2001")]),
        ({"error": "unauthenticated", "error_description": "..."}, [Problem("unauthenticated")]),
        ({"error": "Requested resource could not be found."}, [Problem("unknown")]),
        ({"error_type": "not_found", "message": "..."}, [Problem("not_found")]),
        ({"errors": {"message": "...", "status": "NOT_FOUND", "details": []}}, [Problem("NOT_FOUND")]),
        ({"errors": {"details": [{"reason": "1012", "metadata": {"field": "id"}}]}}, [Problem("1012", "id")]),
        ({"response": {"errors": ["text"]}}, [Problem("unknown")]),
        ({"response": {"result": {"clients": []}}}, []),
        ({"response": {"errors": []}}, []),
        ([], []),
        (None, []),
    ],
)
def test_every_shape_is_understood(payload, found):
    assert list(problems(payload)) == found


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (401, None, UnauthorizedError),
        (401, {"response": {"errors": [{"errno": 1003}]}}, UnauthorizedError),
        (200, {"error": "invalid_token"}, UnauthorizedError),
        (403, None, AccessDeniedError),
        (200, {"response": {"errors": [{"errno": 1003}]}}, AccessDeniedError),
        (200, {"response": {"errors": [{"errno": 12001}]}}, AccessDeniedError),
        (404, None, NotFoundError),
        (200, {"response": {"errors": [CLASSIC]}}, NotFoundError),
        (429, {"message": "slow down"}, TryAgainError),
        (500, None, TryAgainError),
        (502, None, TryAgainError),
        (503, None, TryAgainError),
        (200, {"response": {"errors": [{"errno": 500}]}}, TryAgainError),
    ],
)
def test_what_can_be_done_about_it_decides_the_class(status, payload, kind):
    assert type(error_of(status, payload, what="clients, page 2", scope="user:clients:read")) is kind


@pytest.mark.parametrize(
    ("status", "payload"), [(422, {"response": {"errors": [{"errno": 1004}]}}), (400, None), (302, None)]
)
def test_other_refusals_are_not_tried_again(status, payload):
    assert type(error_of(status, payload, what="clients", scope="x")) is FreshBooksError


def test_a_good_answer_is_none():
    assert error_of(200, {"response": {"result": {}}}, what="clients", scope="x") is None


def test_a_sentence_names_what_was_read_the_status_the_code_and_the_field():
    error = error_of(404, {"response": {"errors": [CLASSIC]}}, what="client 12345", scope="user:clients:read")
    assert str(error) == (
        "client 12345: FreshBooks answered 404 (1012 unknown resource in userid): "
        "there is no such object in this account."
    )


def test_a_missing_scope_is_named():
    assert "user:payments:read" in str(error_of(403, None, what="payments, page 1", scope="user:payments:read"))


@given(st.text(min_size=1), st.sampled_from([400, 401, 403, 404, 422, 500]))
def test_the_text_of_an_error_never_gets_into_a_sentence(text, status):
    canary = f"canary {text}"
    payloads = [
        {"response": {"errors": [{"errno": 1, "message": canary, "value": canary, "field": canary, "object": canary}]}},
        {"error": canary, "error_description": canary},
        {"code": canary, "message": canary, "details": [{"reason": canary, "metadata": {"field": canary}}]},
        {"errors": {"message": canary, "status": canary, "details": [{"reason": canary}]}},
        {"errno": canary, "message": canary},
    ]
    for payload in payloads:
        assert "canary" not in str(error_of(status, payload, what="clients", scope="x"))
