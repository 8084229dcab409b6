"""Tokens come from Zoho's own servers only, and every way Zoho says no is told apart."""

from __future__ import annotations

import json

import pytest

from sandbox import Sandbox
from singer_store import ClientRefusedError, RefreshRefused, RefreshUnavailableError
from target_zoho_crm.api.auth import (
    DATA_CENTRES,
    check_accounts_url,
    check_api_domain,
    read_answer,
    read_grant,
    refresher,
)
from target_zoho_crm.errors import ConfigurationError

US = "https://accounts.zoho.com"


@pytest.fixture(scope="module")
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("host", DATA_CENTRES)
def test_every_data_centre_has_its_accounts_server(host):
    assert check_accounts_url(f"https://{host}/") == f"https://{host}"


@pytest.mark.parametrize(
    "url",
    [
        "http://accounts.zoho.com",
        "https://accounts.zoho.com.evil.example",
        "https://evil.example/accounts.zoho.com",
        "https://accounts.zoho.com@evil.example",
        "https://user:pass@accounts.zoho.com",
        "https://accounts.zoho.com:8443",
        "https://accounts.zoho.com/oauth",
        "https://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "http://[::1",
        "",
    ],
)
def test_nothing_else_is_an_accounts_server(url):
    with pytest.raises(ConfigurationError, match="accounts_url"):
        check_accounts_url(url)


def test_loopback_is_one():
    assert check_accounts_url("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
    assert check_accounts_url("http://localhost:8000/") == "http://localhost:8000"
    assert check_accounts_url("http://[::1]:8000") == "http://[::1]:8000"


@pytest.mark.parametrize(
    "domain",
    [
        "https://www.zohoapis.com",
        "https://www.zohoapis.eu",
        "https://www.zohoapis.com.au",
        "https://www.zohoapis.com.cn",
        "https://www.zohoapis.ca",
        "https://www.zohocloud.ca",
        "https://www.zohoapis.sa",
        "https://www.zohoapis.ae",
        "https://www.zohoapis.sg",
        "https://zohoapis.uk",
        "https://sandbox.zohoapis.in",
        "https://developer.zohoapis.jp/",
    ],
)
def test_an_api_server_of_zohos(domain):
    assert check_api_domain(domain, US) == domain.rstrip("/")


@pytest.mark.parametrize(
    "domain",
    [
        "http://www.zohoapis.com",
        "https://www.zohoapis.com.evil.example",
        "https://evilzohoapis.com",
        "https://www.zohoapis.com@evil.example",
        "https://www.zohoapis.com:444",
        "https://www.zohoapis.com/crm",
        "https://content.zohoapis.com",
        "https://zohocloud.ca",
        "https://zoho.com",
        "http://127.0.0.1:8000",
        "",
    ],
)
def test_a_token_is_sent_to_no_other_server(domain):
    with pytest.raises(ConfigurationError, match="api_domain"):
        check_api_domain(domain, US)


def test_a_loopback_api_needs_a_loopback_accounts_server():
    assert check_api_domain("http://127.0.0.1:9000", "http://127.0.0.1:8000") == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("lives", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": 3600000, "expires_in_sec": 3600}, 3600),
        ({"expires_in": 1800000, "expires_in_sec": 1800}, 1800),
    ],
)
def test_beside_expires_in_sec_expires_in_is_milliseconds(lives, seconds):
    answer = {"access_token": "a", "api_domain": "https://www.zohoapis.com", **lives}

    assert read_grant(answer, US).expires_in == seconds


@pytest.mark.parametrize("old", [False, True])
def test_a_refresh_gives_an_access_token_and_the_api_domain(box, old):
    box.zoho.switches.old_expiry = old
    app = box.zoho.app

    grant = refresher(app.client_id, app.client_secret, box.zoho.accounts_url)(box.zoho.grant(), {})

    assert grant.access_token
    assert grant.refresh_token is None
    assert grant.expires_in == 3600
    assert grant.details["api_domain"] == box.zoho.api_domain


def test_the_scopes_of_a_consent_are_kept_when_a_refresh_does_not_name_them(box):
    refresh = refresher(box.zoho.app.client_id, box.zoho.app.client_secret, box.zoho.accounts_url)
    box.zoho.switches.refresh_names_scopes = False
    token = box.zoho.grant()
    assert "scope" not in refresh(token, {}).details
    assert refresh(token, {"scope": "ZohoCRM.modules.ALL"}).details["scope"] == "ZohoCRM.modules.ALL"
    box.zoho.switches.refresh_names_scopes = True
    assert refresh(token, {"scope": "another"}).details["scope"] != "another"


def test_a_refresh_token_is_sent_to_the_accounts_server_that_made_it_whatever_the_settings_say(box):
    app, europe = box.zoho.app, box.zoho.data_centres["eu"].accounts_url
    refresh = refresher(app.client_id, app.client_secret, box.zoho.accounts_url)

    first = refresh(box.zoho.grant(data_centre="eu"), {"accounts_url": europe})
    again = refresh(box.zoho.grant(data_centre="eu"), first.details)

    assert again.details["accounts_url"] == europe
    assert again.details["api_domain"] == box.zoho.data_centres["eu"].api_domain


def test_the_secrets_are_in_the_body_and_never_in_the_url(box):
    app = box.zoho.app
    refresher(app.client_id, app.client_secret, box.zoho.accounts_url)(box.zoho.grant(), {})

    assert [call.query for call in box.calls("zoho", "/oauth/v2/token")][-1] == ()


def test_a_dead_refresh_token_is_told_from_a_refused_client(box):
    app = box.zoho.app
    with pytest.raises(RefreshRefused):
        refresher(app.client_id, app.client_secret, box.zoho.accounts_url)("1000.dead", {})
    with pytest.raises(ClientRefusedError, match=r"invalid_client_secret.*data centre"):
        refresher(app.client_id, "wrong", box.zoho.accounts_url)(box.zoho.grant(), {})
    with pytest.raises(ClientRefusedError, match=r"invalid_client\b.*accounts_url"):
        refresher("unknown", app.client_secret, box.zoho.accounts_url)(box.zoho.grant(), {})


@pytest.mark.parametrize("status", [200, 400])
def test_the_throttle_asks_for_ten_minutes_whatever_its_status(box, status):
    box.zoho.switches.throttle_status = status
    app, token = box.zoho.app, box.zoho.grant()
    refresh = refresher(app.client_id, app.client_secret, box.zoho.accounts_url)
    for _ in range(10):
        refresh(token, {})

    with pytest.raises(RefreshUnavailableError) as error:
        refresh(token, {})

    assert error.value.retry_after == 600


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>Bad Gateway</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"access_token": null, "error": null}'),
        (500, b'{"error": "general_error"}'),
        (429, b'{"error": "too_many"}'),
    ],
)
def test_an_answer_that_says_nothing_or_later_is_no_refusal(status, body):
    with pytest.raises(RefreshUnavailableError):
        read_answer(status, body, US)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["other_dc", "general_error", "invalid_scope", "one nobody has heard of"])
def test_an_error_that_does_not_say_later_is_final_and_its_code_is_said(status, code):
    with pytest.raises(ClientRefusedError, match=rf"{code}\b.*connect zoho"):
        read_answer(status, json.dumps({"error": code}).encode(), US)


@pytest.mark.parametrize("error", ["<script>1000.hidden</script>", ["hidden"], {"code": "hidden"}, "\x1b[2Jhidden"])
def test_what_someone_else_wrote_is_not_repeated(error):
    with pytest.raises(ClientRefusedError, match="unknown error") as raised:
        read_answer(400, json.dumps({"error": error}).encode(), US)

    assert "hidden" not in str(raised.value)


def test_a_foreign_api_domain_is_refused_with_a_hint():
    body = b'{"access_token": "a", "api_domain": "https://evil.example", "expires_in": 3600}'

    with pytest.raises(ClientRefusedError, match=r"none of Zoho's.*accounts_url"):
        read_answer(200, body, US)


@pytest.mark.parametrize("missing", [{}, {"api_domain": None}, {"api_domain": ""}])
def test_without_an_api_domain_the_one_before_counts_and_else_the_data_centres_own(missing):
    answer = {"access_token": "a", **missing}

    assert read_grant(answer, "https://accounts.zohocloud.ca").details["api_domain"] == "https://www.zohoapis.ca"
    for host, domain in DATA_CENTRES.items():
        assert read_grant(answer, f"https://{host}").details["api_domain"] == f"https://www.{domain}"
    former = {"api_domain": "https://sandbox.zohoapis.com"}
    assert read_grant(answer, US, former).details["api_domain"] == "https://sandbox.zohoapis.com"
    named = {"access_token": "a", "api_domain": "https://www.zohoapis.eu"}
    assert read_grant(named, US, former).details["api_domain"] == "https://www.zohoapis.eu"
    with pytest.raises(ConfigurationError, match="none of Zoho's"):
        read_grant(answer, US, {"api_domain": "https://evil.example"})


def test_an_api_domain_that_nobody_knows_is_said_to_be_missing_and_not_to_be_foreign(box):
    app, token = box.zoho.app, box.zoho.grant()
    refresh = refresher(app.client_id, app.client_secret, box.zoho.accounts_url)
    known = refresh(token, {}).details
    unnamed = {"access_token": "1000.a", "expires_in": 3600}
    box.faults.add(service="zoho", path="/oauth/v2/token", kind="status", status=200, body=unnamed, times=2)

    assert refresh(token, known).details["api_domain"] == box.zoho.api_domain
    with pytest.raises(ClientRefusedError, match=r"names no API server.*accounts_url"):
        refresh(token, {})


@pytest.mark.parametrize("life", [{"expires_in": "an hour"}, {"expires_in": -1}, {"expires_in_sec": [1]}, {}])
def test_a_token_whose_life_cannot_be_read_lives_an_hour(life):
    assert read_grant({"access_token": "a", **life}, US).expires_in == 3600
