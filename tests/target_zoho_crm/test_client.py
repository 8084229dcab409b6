"""Every call ends with an answer or an error that says what to do; nothing is done twice, no limit is passed."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.zoho import FAST, broker_of, client_of

from sandbox import Sandbox
from target_zoho_crm.api.answers import encode, judge
from target_zoho_crm.api.client import ZohoClient
from target_zoho_crm.api.coql import equals_any, select
from target_zoho_crm.api.limits import calls_at_a_time
from target_zoho_crm.errors import (
    AuthenticationError,
    LostAnswerError,
    PermissionDeniedError,
    QuotaError,
    RequestError,
    ScopeError,
    UnavailableError,
)

TOKENS = "/oauth/v2/token"
ORG = "/crm/v8/org"


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box, tmp_path):
    with client_of(box, tmp_path) as client:
        yield client


def upsert(client: ZohoClient, *names: str):
    body = {
        "data": [{"Account_Name": name} for name in names],
        "duplicate_check_fields": ["Account_Name"],
        "trigger": [],
    }
    return client.request("POST", "Accounts/upsert", json=body)


def insert(client: ZohoClient, *names: str):
    return client.request("POST", "Accounts", json={"data": [{"Account_Name": name} for name in names]})


# tokens


@pytest.mark.parametrize("code", ["INVALID_TOKEN", "INVALID_OAUTHTOKEN"])
def test_a_token_that_dies_in_mid_run_is_renewed(box, client, code):
    box.zoho.switches.dead_credential_code = code
    client.request("GET", "org")
    box.zoho.revoke_access_tokens()

    assert client.request("GET", "org").status == 200
    assert [call.status for call in box.calls("zoho", ORG)] == [200, 401, 200]


def test_sixteen_tokens_of_others_do_no_harm(box, tmp_path):
    token = box.zoho.grant()
    with client_of(box, tmp_path, refresh_token=token) as client:
        client.request("GET", "org")
        for _ in range(2):
            box.clock.advance(minutes=11)
            for _ in range(9):
                box.zoho.accounts.refresh(box.zoho.app, token, "us")

        assert client.request("GET", "org").status == 200


def test_a_token_refused_for_good_stops_after_two_renewals(box, client):
    body = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
    box.faults.add(service="zoho", path=ORG, kind="status", status=401, body=body, times=None)

    with pytest.raises(AuthenticationError, match=r"data centre.*accounts_url"):
        client.request("GET", "org")

    assert len(box.calls("zoho", TOKENS)) == 3


def test_a_missing_scope_is_named_and_no_token_is_wasted_on_it(box, tmp_path):
    with client_of(box, tmp_path, scopes=["ZohoCRM.org.READ"]) as client:
        client.request("GET", "org")
        for call, scope in {
            ("POST", "coql"): "ZohoCRM.coql.READ",
            ("GET", "settings/fields"): "ZohoCRM.settings.fields.READ",
            ("GET", "org/currencies"): "ZohoCRM.settings.currencies.READ",
            ("POST", "Accounts/upsert"): "ZohoCRM.modules.Accounts.CREATE",
        }.items():
            with pytest.raises(ScopeError, match=rf"{scope}.*consent"):
                client.request(*call, params={"module": "Deals"}, json={"select_query": "", "data": [{}]})

    assert len(box.calls("zoho", TOKENS)) == 1


def test_a_wrong_secret_and_a_withdrawn_consent_are_authentication_errors(box, tmp_path):
    with (
        client_of(box, tmp_path, client_secret="wrong") as client,
        pytest.raises(AuthenticationError, match="client_secret"),
    ):
        client.request("GET", "org")
    with (
        client_of(box, tmp_path, refresh_token="1000.withdrawn") as client,
        pytest.raises(AuthenticationError, match="onsent"),
    ):
        client.request("GET", "org")
    assert box.calls("zoho", "/crm") == []


@pytest.mark.parametrize("status", [200, 400])
def test_the_throttle_of_the_token_endpoint_stops_the_run_at_once(box, tmp_path, status):
    box.zoho.switches.throttle_status = status
    token = box.zoho.grant()
    for _ in range(10):
        box.zoho.accounts.refresh(box.zoho.app, token, "us")
    with client_of(box, tmp_path, refresh_token=token) as client, pytest.raises(UnavailableError, match="Try again in"):
        client.request("GET", "org")

    assert len(box.calls("zoho", TOKENS)) == 1


@pytest.mark.parametrize("code", ["other_dc", "general_error", "invalid_scope"])
def test_a_token_that_is_refused_for_good_stops_the_run_at_once_with_zohos_code(box, tmp_path, code):
    box.faults.add(service="zoho", path=TOKENS, kind="status", status=200, body={"error": code}, times=None)
    with client_of(box, tmp_path) as client, pytest.raises(AuthenticationError, match=code):
        client.request("GET", "org")

    assert len(box.calls("zoho", TOKENS)) == 1


def test_a_netrc_file_does_not_take_the_tokens_place(box, client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    assert client.request("GET", "org").status == 200


# data centres


def test_the_api_domain_is_taken_anew_from_every_refresh(box, tmp_path):
    with broker_of(box, tmp_path) as broker, ZohoClient(broker, max_parallel=4, user_agent="t", retries=FAST) as client:
        assert client.request("GET", "org").status == 200
        box.zoho.move_to("eu")

        assert client.request("GET", "org").status == 200
        assert broker.token().details["api_domain"] == box.zoho.data_centres["eu"].api_domain != box.zoho.api_domain


@pytest.mark.parametrize("domain", ["https://evil.example", "http://www.zohoapis.com", "", "https://127.0.0.1"])
def test_no_call_goes_to_a_foreign_api_domain(box, client, domain):
    body = {"access_token": "1000.a.b", "api_domain": domain, "expires_in": 3600, "token_type": "Bearer"}
    box.faults.add(service="zoho", path=TOKENS, kind="status", status=200, body=body, times=None)

    with pytest.raises(AuthenticationError, match="accounts_url"):
        client.request("GET", "org")


def test_redirects_are_not_followed(box, client):
    box.faults.add(
        service="zoho", path=ORG, kind="status", status=302, headers={"Location": f"{box.zoho.api_domain}/crm/v8/coql"}
    )

    with pytest.raises(RequestError, match="302"):
        client.request("GET", "org")
    assert [call.path for call in box.calls("zoho", "/crm")] == [ORG]


# failures on the way

PASSING = {
    "500": {"kind": "status", "body": {"code": "INTERNAL_ERROR", "details": {}, "message": "", "status": "error"}},
    "502 in HTML": {"kind": "status", "status": 502, "body": b"<html>Bad Gateway</html>"},
    "503": {"kind": "status", "status": 503},
    "200 in HTML": {"kind": "status", "status": 200, "body": b"<html>Maintenance</html>"},
    "429": {"kind": "status", "status": 429, "body": {"code": "TOO_MANY_REQUESTS", "details": {}, "status": "error"}},
    "429, older": {"kind": "status", "status": 429, "body": {"code": 429, "error": "TOO_MANY_REQUESTS"}},
    "429, notifications": {"kind": "status", "status": 429, "body": {"code": "RATE_LIMIT_EXCEEDED", "status": "error"}},
    "reset": {"kind": "reset"},
    "reset after": {"kind": "reset_after"},
    "truncated": {"kind": "truncate"},
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(box, client, fault):
    box.zoho.insert("Accounts", {"Account_Name": "Acme"})
    box.faults.add(service="zoho", path="/crm/.*", times=2, **fault)

    assert client.query("select Account_Name from Accounts where Account_Name = 'Acme'")[0]["Account_Name"] == "Acme"
    assert len(box.calls("zoho", "/crm")) == 3


def test_a_slow_answer_is_given_up_and_asked_for_again(box, tmp_path):
    with client_of(box, tmp_path, retries=replace(FAST, read_timeout=0.2)) as client:
        client.request("GET", "org")
        box.faults.add(service="zoho", path=ORG, kind="slow", delay=1.0)

        assert client.request("GET", "org").status == 200


@pytest.mark.parametrize("fault", [{"kind": "reset"}, {"kind": "status", "status": 500}], ids=["reset", "500"])
def test_what_does_not_pass_ends_after_a_few_attempts(box, client, fault):
    box.faults.add(service="zoho", path=ORG, times=None, **fault)

    with pytest.raises(UnavailableError, match="GET org"):
        client.request("GET", "org")
    assert len(box.calls("zoho", ORG)) == FAST.attempts


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "reset"])
def test_an_upsert_whose_answer_is_lost_is_repeated_and_makes_one_record(box, client, kind):
    box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind=kind)

    assert upsert(client, "Acme").body["data"][0]["status"] == "success"
    assert box.zoho.count("Accounts") == 1


@pytest.mark.parametrize("fault", [{"kind": "reset_after"}, {"kind": "truncate"}, {"kind": "status", "status": 500}])
def test_an_insert_without_an_answer_is_never_repeated(box, client, fault):
    box.faults.add(service="zoho", path="/crm/v8/Accounts", **fault)

    with pytest.raises(LostAnswerError, match="POST Accounts"):
        insert(client, "Acme")
    assert len(box.calls("zoho", "/crm")) == 1


def test_an_upsert_that_names_no_key_is_not_repeatable(box, client):
    box.faults.add(service="zoho", path="/crm/v8/Accounts/upsert", kind="reset_after")

    with pytest.raises(LostAnswerError):
        client.request("POST", "Accounts/upsert", json={"data": [{"Account_Name": "Acme"}]})


def test_an_insert_that_never_left_is_no_lost_answer(tmp_path):
    box = Sandbox()
    with client_of(box, tmp_path) as client:
        try:
            client.request("GET", "org")
        finally:
            box.stop()

        with pytest.raises(UnavailableError, match="could not be reached"):
            insert(client, "Acme")


def test_an_insert_that_was_throttled_is_made_again(box, client):
    box.faults.add(service="zoho", path="/crm/v8/Accounts", kind="status", status=429)

    insert(client, "Acme")
    assert box.zoho.count("Accounts") == 1


# limits


@pytest.mark.parametrize("old", [True, False])
def test_a_day_without_credits_stops_at_once(box, client, old):
    box.zoho.switches.old_429 = old
    box.zoho.credits_used = 10**7

    with pytest.raises(QuotaError, match="24 hours"):
        client.request("GET", "org")
    assert len(box.calls("zoho", ORG)) == 1


def test_too_many_at_a_time_are_told_apart_from_it(box, client):
    body = {
        "code": 429,
        "error": "TOO_MANY_REQUESTS",
        "error_info": "Many requests fired in concurrent than the allowed",
    }
    box.faults.add(service="zoho", path=ORG, kind="status", status=429, body=body, times=None)

    with pytest.raises(QuotaError, match=r"lower max_parallel_requests\.$"):
        client.request("GET", "org")
    assert len(box.calls("zoho", ORG)) == FAST.attempts


def test_where_zoho_does_not_tell_both_are_named(box, client):
    box.faults.add(service="zoho", path=ORG, kind="status", status=429, body={"code": "TOO_MANY_REQUESTS"}, times=None)

    with pytest.raises(QuotaError, match=r"max_parallel_requests.*credits of the day"):
        client.request("GET", "org")


def test_no_credits_left_by_the_header_is_a_day_without_credits(box, client):
    headers = {"X-API-CREDITS-REMAINING": "0"}
    box.faults.add(service="zoho", path=ORG, kind="status", status=429, headers=headers, times=None)

    with pytest.raises(QuotaError, match="24 hours"):
        client.request("GET", "org")
    assert client.usage.credits_remaining == 0


def test_retry_after_is_waited_for(box, client):
    box.faults.add(service="zoho", path=ORG, kind="status", status=429, headers={"Retry-After": "1"})
    client.query("select id from Accounts where id is not null")
    begun = time.monotonic()

    client.request("GET", "org")
    assert time.monotonic() - begun >= 1


def test_a_long_retry_after_is_not_waited_for(box, client):
    box.faults.add(service="zoho", path=ORG, kind="status", status=503, headers={"Retry-After": "3600"}, times=None)

    with pytest.raises(UnavailableError):
        client.request("GET", "org")
    assert len(box.calls("zoho", ORG)) == 1


class Peak:
    """Watches how many calls the sandbox has under way at once, all of them and the heavy ones."""

    def __init__(self, box: Sandbox) -> None:
        self.calls = self.heavy = 0
        limits, enter = box.zoho.limits, box.zoho.limits.enter

        def watch(key: int, *, sub: bool):
            refusal = enter(key, sub=sub)
            self.calls = max(self.calls, len(limits._in_flight))
            self.heavy = max(self.heavy, sum(limits._in_flight.values()))
            return refusal

        limits.enter = watch


def at_once(work, number: int) -> None:
    """Call a function from thirty threads, which know nothing of any limit."""
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(work, range(number)))


@pytest.mark.parametrize("edition", ["free", "standard", "professional", "enterprise", "ultimate"])
def test_never_more_calls_at_a_time_than_the_edition_allows_less_one(box, client, edition):
    box.zoho.edition = edition
    box.latency = 0.02
    client.set_edition(edition)
    peak = Peak(box)

    at_once(lambda _: client.request("GET", "org"), 80)

    allowed = {"free": 4, "standard": 9, "professional": 14, "enterprise": 19, "ultimate": 24}[edition]
    assert 1 < peak.calls <= allowed
    assert all(call.status == 200 for call in box.calls("zoho", "/crm"))


def test_never_more_than_ten_heavy_calls_at_a_time(box, client):
    box.latency = 0.2
    client.set_edition("enterprise")
    peak = Peak(box)

    def work(number: int) -> None:
        if number % 2:
            client.query("select id from Accounts where id is not null")
        else:
            upsert(client, *[f"{number}-{index}" for index in range(11)])

    at_once(work, 40)

    assert 1 < peak.heavy <= 10
    assert {call.status for call in box.calls("zoho", "/crm")} <= {200, 204}


def test_the_setting_caps_both(box, tmp_path):
    with client_of(box, tmp_path, max_parallel=2) as client:
        client.set_edition("ultimate")
        box.latency = 0.02
        peak = Peak(box)

        at_once(lambda _: client.query("select id from Accounts where id is not null"), 12)

        assert peak.calls <= 2


@pytest.mark.parametrize(("edition", "most"), [("Free", 4), ("Enterprise", 19), ("zohoone", 19), ("unheard of", 4)])
def test_an_edition_that_nobody_knows_is_taken_for_the_smallest(edition, most):
    assert calls_at_a_time(edition, 25) == most


def test_map_works_side_by_side_and_keeps_the_order(box, client):
    together = threading.Barrier(4, timeout=20)

    def work(number: int) -> int:
        together.wait()
        return number * number

    assert client.map(work, range(4)) == [0, 1, 4, 9]
    assert client.map(work, []) == []


def test_map_begins_nothing_after_the_first_error_and_raises_it_when_the_others_have_ended(box, client):
    begun, another = threading.Barrier(4, timeout=20), threading.Event()
    ended = []

    def work(number: int) -> None:
        if number > 3:
            another.set()
            return
        begun.wait()
        if number == 1:
            raise QuotaError(str(number))
        another.wait(0.5)
        ended.append(number)

    with pytest.raises(QuotaError, match="1"):
        client.map(work, range(1000))
    assert sorted(ended) == [0, 2, 3]
    assert not another.is_set()


# what is sent and what comes back


@pytest.mark.parametrize("amount", ["0.10", "1234567890123.45", "100", "-0.01", "1E+3"])
def test_amounts_are_exact_there_and_back(box, client, amount):
    record = {"Deal_Name": "INV-1", "Stage": "Closed Won", "Amount": Decimal(amount)}
    client.request("POST", "Deals/upsert", json={"data": [record], "duplicate_check_fields": ["Deal_Name"]})

    (row,) = client.query("select Amount from Deals where Deal_Name = 'INV-1'")
    assert isinstance(row["Amount"], (Decimal, int))
    assert row["Amount"] == Decimal(amount) == box.zoho.records("Deals")[0]["Amount"]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=9))
def test_a_decimal_is_written_with_its_own_digits(amount):
    assert encode([amount]) == b"[" + format(amount, "f").encode() + b"]"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_not_sent(value):
    with pytest.raises(ValueError, match=r"\w"):
        encode({"Amount": value})


@pytest.mark.parametrize(("some", "all_"), [(207, 400), (200, 202)])
def test_results_per_record_are_an_answer_whatever_the_status(box, client, some, all_):
    box.zoho.switches.mixed_status, box.zoho.switches.all_failed_status = some, all_
    box.zoho.refuse("Accounts", "RECORD_LOCKED", when={"Account_Name": "Locked"})

    mixed, failed = upsert(client, "Acme", "Locked"), upsert(client, "Locked")

    assert (mixed.status, [row["status"] for row in mixed.body["data"]]) == (some, ["success", "error"])
    assert (failed.status, [row["code"] for row in failed.body["data"]]) == (all_, ["RECORD_LOCKED"])


def test_a_refused_request_says_code_and_place(box, client):
    with pytest.raises(RequestError, match="POST Nonsense/upsert with INVALID_MODULE") as error:
        client.request("POST", "Nonsense/upsert", json={"data": [{}], "duplicate_check_fields": ["Name"]})
    assert (error.value.status, error.value.code) == (400, "INVALID_MODULE")
    with pytest.raises(RequestError, match="INVALID_URL_PATTERN"):
        client.request("GET", "no/such/path/at/all")


def test_a_missing_permission_is_named(box, client):
    box.zoho.organization.forbidden.add("Crm_Implied_Create_Accounts")

    with pytest.raises(PermissionDeniedError, match=r"Crm_Implied_Create_Accounts.*profile"):
        insert(client, "Acme")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_wrapped_in_results_that_is_about_the_caller_is_raised(status):
    body = b'{"data":[{"code":"OAUTH_SCOPE_MISMATCH","details":{},"message":"Unauthorized","status":"error"}]}'

    with pytest.raises(ScopeError):
        judge("POST", "Deals/upsert", status, {}, body)


def test_a_query_gives_all_rows_and_few_calls(box, client):
    for number in range(450):
        box.zoho.insert("Accounts", {"Account_Name": f"Customer {number}"})

    rows = client.query(select(["id", "Account_Name"], "Accounts", "Account_Name is not null"))

    assert sorted(row["Account_Name"] for row in rows) == sorted(f"Customer {number}" for number in range(450))
    assert len(box.calls("zoho", "/crm/v8/coql")) == 2
    assert client.query(select(["id"], "Accounts", "Account_Name = 'nobody'")) == []


def test_two_hundred_ids_cost_one_credit(box, client):
    names = [f"Customer {number}" for number in range(200)]
    for name in names:
        box.zoho.insert("Accounts", {"Account_Name": name})

    assert len(client.query(select(["id"], "Accounts", equals_any("Account_Name", names)))) == 200
    assert client.usage.credits == box.zoho.credits_used == 1


def test_the_account_of_what_was_spent_is_zohos_own(box, client):
    upsert(client, *[f"Customer {number}" for number in range(100)])
    upsert(client, "One")
    client.query("select id from Accounts where id is not null")
    client.request("GET", "settings/modules")
    with pytest.raises(RequestError):
        client.request("GET", "no/such/module/or/path")

    assert client.usage.calls == len(box.calls("zoho", "/crm")) == 5
    assert client.usage.writes == 2
    assert client.usage.credits - 1 == box.zoho.credits_used == 10 + 1 + 1 + 1


def test_credits_remaining_is_known_once_zoho_tells(box, client):
    client.request("GET", "org")
    assert client.usage.credits_remaining is None
    box.zoho.switches.credits_limit = 10
    box.zoho.credits_used = 5

    client.request("GET", "org")
    assert client.usage.credits_remaining == 4


def test_no_secret_and_no_person_in_any_log_or_error(box, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    # Another test may have quietened it.
    caplog.set_level(logging.DEBUG, logger="urllib3")
    canaries = {"Canary Company", "canary@example.com", "4815162342"}
    errors = []

    def attempt(client: ZohoClient, *call, **body) -> None:
        try:
            client.request(*call, **body)
        except (RequestError, UnavailableError, LostAnswerError, AuthenticationError) as error:
            errors.append(f"{error!s} {error!r} {error.__cause__!r} {error.__context__!r}")

    with broker_of(box, tmp_path) as broker, ZohoClient(broker, max_parallel=4, user_agent="t", retries=FAST) as client:
        record = {"Account_Name": "Canary Company", "Phone": "4815162342", "Website": "canary@example.com"}
        attempt(client, "POST", "Accounts", json={"data": [record]})
        canaries |= {broker.token().value}
        box.zoho.revoke_access_tokens()
        attempt(
            client, "POST", "coql", json={"select_query": "select 'Canary Company' 'canary@example.com' 4815162342"}
        )
        for kind in ("reset_after", "truncate"):
            box.faults.add(service="zoho", path="/crm/.*", kind=kind, times=1)
            attempt(client, "POST", "Accounts", json={"data": [record]})
            box.faults.add(service="zoho", path="/crm/.*", kind=kind, times=4)
            attempt(client, "PUT", "Accounts", json={"data": [record]})
        canaries |= {broker.token().value, box.zoho.app.client_secret, *box.zoho.accounts.refresh_tokens}
    with client_of(box, tmp_path, client_secret="canary-secret-value") as other:
        attempt(other, "GET", "org")
        canaries.add("canary-secret-value")

    assert len(errors) == 6
    said = caplog.text + "\n".join(errors)
    assert "urllib3" in said
    assert [canary for canary in canaries if canary in said] == []
