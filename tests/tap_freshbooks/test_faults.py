"""When FreshBooks, or the way to it, misbehaves: what can help is tried, and what cannot is said in one sentence."""

from __future__ import annotations

import logging

import pytest

from sandbox.freshbooks import RateLimit
from singer_store import ClientRefusedError, ConnectAgainError, RefreshUnavailableError, authorizer
from tap_freshbooks import client
from tap_freshbooks.client import MAX_TRIES
from tap_freshbooks.errors import AccessDeniedError, FreshBooksError, InactiveAccountError, UnauthorizedError

CLIENTS = r"/accounting/account/\w+/users/clients"
CANARY = "canary@example.com"


@pytest.fixture(autouse=True)
def somebody(freshbooks):
    return freshbooks.create_client(organization="Larch and Sons", email=CANARY)["id"]


@pytest.fixture
def waits(monkeypatch):
    """What the client waited for, instead of waiting for it."""
    waited = []

    def wait(self, seconds):
        if seconds > 0:
            waited.append(seconds)

    monkeypatch.setattr(client.FreshBooksClient, "_wait", wait)
    return waited


def answered(box):
    return [call.status for call in box.calls("freshbooks", "/accounting") if "clients" in call.path]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "truncate"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 502, "body": b"<html>Bad Gateway</html>"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 408},
        {"kind": "status", "status": 200, "body": b"<html>Sign in</html>"},
        {"kind": "status", "status": 200, "body": b'{"response": {"result": {"clients": ['},
        {"kind": "status", "status": 200, "body": {"response": {"result": {}}}},
        {"kind": "status", "status": 200, "body": {"response": {"errors": [{"errno": 500, "message": CANARY}]}}},
    ],
    ids=lambda fault: "-".join(str(value)[:20] for value in fault.values()),
)
def test_what_passes_is_tried_again(box, tap, somebody, fault):
    box.faults.add(service="freshbooks", path=CLIENTS, times=2, **fault)
    assert tap().ids("clients") == [somebody]
    assert len(answered(box)) == 4, "two that failed, the page, and the deleted ones"


@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "status", "status": 500, "body": {"message": CANARY}}])
def test_trying_again_has_an_end(box, tap, waits, fault):
    box.faults.add(service="freshbooks", path=CLIENTS, times=None, **fault)
    with pytest.raises(FreshBooksError, match=rf"clients, page 1.*{MAX_TRIES} times") as caught:
        tap()
    assert CANARY not in str(caught.value)
    assert len(answered(box)) == MAX_TRIES
    assert len(waits) == MAX_TRIES - 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(box, tap, somebody, waits, status):
    box.faults.add(service="freshbooks", path=CLIENTS, kind="status", status=status, headers={"Retry-After": "17"})
    assert tap().ids("clients") == [somebody]
    assert len(waits) == 1
    assert 17 <= waits[0] <= 18


def test_too_long_a_retry_after_is_said_instead_of_slept(box, tap, waits):
    box.faults.add(service="freshbooks", path=CLIENTS, kind="status", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(FreshBooksError, match=r"429.*wait 3600 s"):
        tap()
    assert waits == []


def test_retry_after_on_a_good_answer_means_nothing(freshbooks, tap, somebody, waits):
    freshbooks.rate_limit = RateLimit()
    assert tap().ids("clients") == [somebody]
    assert waits == []


def test_near_the_rate_limit_requests_wait_for_the_next_window(freshbooks, tap, somebody, waits):
    freshbooks.rate_limit = RateLimit(requests=9)
    assert tap().ids("clients") == [somebody]
    assert waits
    assert max(waits) <= 62


def test_past_the_rate_limit_nothing_is_lost(box, freshbooks, tap):
    freshbooks.load(clients=450)
    box.faults.add(
        service="freshbooks", path=CLIENTS, kind="status", status=429, headers={"Retry-After": "0"}, after=1, times=6
    )
    assert len(tap().ids("clients")) == 451


def test_a_401_renews_the_token_once_and_goes_on(box, tap, somebody):
    box.faults.add(service="freshbooks", path=CLIENTS, kind="status", status=401, body={"error": "unauthenticated"})
    assert tap().ids("clients") == [somebody]
    assert len(box.calls("freshbooks", "/auth/oauth/token")) == 2


def test_a_401_on_several_pages_at_once_renews_once(box, tap, freshbooks):
    freshbooks.load(clients=700)
    freshbooks.between_pages(freshbooks.oauth._by_access.clear, "clients")
    assert len(tap().ids("clients")) == 701
    assert len(box.calls("freshbooks", "/auth/oauth/token")) == 2


@pytest.mark.parametrize("shape", ["auth", "classic", "new"])
def test_a_token_that_is_refused_even_when_new_is_a_clear_error(box, tap, freshbooks, shape):
    freshbooks.switches.accounting_401 = shape
    box.faults.add(service="freshbooks", path=CLIENTS, kind="status", status=401, times=None)
    with pytest.raises(UnauthorizedError, match=r"clients, page 1.*401.*Connect to FreshBooks again"):
        tap()
    assert len(box.calls("freshbooks", "/auth/oauth/token")) == 2


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (["user:clients:read", "user:invoices:read"], "payments"),
        (["user:clients:read", "user:payments:read"], "invoices"),
        (["user:invoices:read"], "clients"),
    ],
)
def test_a_missing_scope_is_named_by_what_freshbooks_refuses(tap, freshbooks, scopes, missing):
    freshbooks.switches.token_names_scope = False
    with pytest.raises(AccessDeniedError, match=rf"{missing}, page 1.*403.*scope user:{missing}:read"):
        tap(refresh_token=freshbooks.grant(scopes))


def test_a_scope_that_the_token_is_known_to_lack_stops_the_run_before_anything_is_read(box, tap, freshbooks):
    with pytest.raises(AccessDeniedError, match=r"add user:payments:read to the app.*connect freshbooks"):
        tap(refresh_token=freshbooks.grant(["user:clients:read", "user:invoices:read"]))
    assert box.calls("freshbooks", "/accounting/") == []


def test_errors_under_200_are_errors(tap, freshbooks):
    freshbooks.switches.refused_with_200 = {"invoices"}
    with pytest.raises(AccessDeniedError, match=r"invoices, page 1.*200 \(1003 access denied\)"):
        tap()


def test_an_account_whose_subscription_has_ended_is_named(tap, freshbooks):
    freshbooks.change_business(status="suspended")
    sentence = rf"account {freshbooks.account_id} is inactive \(suspended\): renew the subscription at FreshBooks"
    with pytest.raises(InactiveAccountError, match=sentence):
        tap()


@pytest.mark.parametrize("shape", ["classic", "new"])
@pytest.mark.parametrize("status", [200, 401, 402, 403, 410, 423])
def test_so_it_is_where_only_the_books_say_so(tap, freshbooks, shape, status):
    freshbooks.switches.inactive_identity, freshbooks.switches.inactive_status = False, status
    freshbooks.switches.error_shape = shape
    freshbooks.change_business(status="cancelled")
    for settings in ({}, {"record_ids": {"clients": [1]}}):
        with pytest.raises(InactiveAccountError, match=rf"account {freshbooks.account_id} is inactive: renew the sub"):
            tap(**settings)


@pytest.mark.parametrize("shape", ["classic", "new"])
def test_a_missing_object_is_understood_in_both_shapes(tap, freshbooks, shape, caplog):
    freshbooks.switches.error_shape = shape
    assert tap(record_ids={"clients": [1]}).ids("clients") == []
    assert "client 1" in caplog.text


def test_redirects_are_not_followed(box, tap):
    box.faults.add(
        service="freshbooks", path=CLIENTS, kind="status", status=302, headers={"Location": "https://example.com/"}
    )
    with pytest.raises(FreshBooksError, match=r"302.*redirect.*api_url"):
        tap()


def test_credentials_of_the_machine_are_not_used(tap, somebody, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert tap().ids("clients") == [somebody]


def test_an_unreachable_host_is_said_without_a_token_and_with_one(tap, waits):
    with pytest.raises(RefreshUnavailableError, match="could not be reached"):
        tap(api_url="http://127.0.0.1:9", refresh_token="f" * 64)
    tap()
    with pytest.raises(FreshBooksError, match=r"user's identity: no answer from FreshBooks .ConnectionError"):
        tap(api_url="http://127.0.0.1:9")


def test_wrong_credentials_a_dead_consent_and_a_busy_token_endpoint_are_told_apart(box, tap, monkeypatch):
    with pytest.raises(ClientRefusedError):
        tap(client_secret="wrong")
    with pytest.raises(ConnectAgainError):
        tap(refresh_token="f" * 64)
    monkeypatch.setattr(authorizer, "PATIENCE", 0)
    box.faults.add(service="freshbooks", path="/auth/oauth/token", kind="status", status=503, times=None)
    with pytest.raises(RefreshUnavailableError):
        tap()


def test_a_failed_run_raises_no_bookmark(box, tap, capsys):
    box.faults.add(service="freshbooks", path=r".*/payments/payments", kind="status", status=422, times=None)
    with pytest.raises(FreshBooksError):
        tap()
    assert "replication_key_value" not in capsys.readouterr().out


def test_neither_urls_nor_bodies_nor_tokens_are_logged(box, tap, caplog):
    caplog.set_level(logging.DEBUG)
    for fault in ({"kind": "reset"}, {"kind": "status", "status": 500, "body": {"message": CANARY}}):
        box.faults.add(service="freshbooks", path=CLIENTS, **fault)
    tap()
    assert CANARY not in caplog.text
    assert tap.config["refresh_token"] not in caplog.text
    assert tap.config["client_secret"] not in caplog.text
    assert "Bearer" not in caplog.text
