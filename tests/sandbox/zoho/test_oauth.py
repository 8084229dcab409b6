"""Tokens: who gets them, how long they live, and what comes back instead."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests


def test_a_token_is_revoked_where_it_was_made(box):
    token, urls = box.zoho.grant(data_centre="eu"), [box.zoho.data_centres[name].accounts_url for name in ("us", "eu")]
    said = [requests.post(f"{url}/oauth/v2/token/revoke", data={"token": token}, timeout=10).json() for url in urls]
    assert said == [{"error": "invalid_token"}, {"status": "success"}]


def test_a_refresh_gives_an_hour_a_domain_and_no_new_refresh_token(api):
    answer = api.refresh()
    body = answer.json()
    assert answer.status_code == 200
    assert body["expires_in"] == 3600
    assert body["token_type"] == "Bearer"
    assert body["api_domain"] == api.box.zoho.api_domain
    assert "refresh_token" not in body


def test_parameters_come_in_the_query_or_in_a_form_but_not_as_json(api):
    app = api.box.zoho.app
    sent = {
        "grant_type": "refresh_token",
        "refresh_token": api.refresh_token,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    url = f"{api.box.zoho.accounts_url}/oauth/v2/token"
    assert "access_token" in requests.post(url, params=sent).json()
    assert "access_token" in requests.post(url, data=sent).json()
    assert requests.post(url, json=sent).json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
        ({"client_secret": "guessed"}, "invalid_client_secret"),
        ({"refresh_token": "1000.a.b"}, "invalid_code"),
        ({"grant_type": "password"}, "general_error"),
    ],
)
def test_errors_of_the_token_endpoint_come_with_status_200(api, wrong, error):
    answer = api.token(**{"grant_type": "refresh_token", "refresh_token": api.refresh_token, **wrong})
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_the_life_may_come_in_milliseconds_as_it_once_did(api):
    api.box.zoho.switches.old_expiry = True
    body = api.refresh().json()
    assert (body["expires_in"], body["expires_in_sec"]) == (3_600_000, 3600)


def test_a_token_answer_may_lack_the_api_domain(api):
    api.box.zoho.switches.token_without_api_domain = True
    body = api.refresh().json()
    assert "api_domain" not in body
    assert body["access_token"]


def test_a_token_request_may_meet_an_error_that_nobody_has_listed(api):
    api.box.zoho.switches.token_error = "other_dc"
    answer = api.refresh()
    assert (answer.status_code, answer.json()) == (200, {"error": "other_dc"})


@pytest.mark.parametrize("status", [400, 200])
def test_the_eleventh_refresh_in_ten_minutes_is_denied_until_they_are_over(api, status):
    api.box.zoho.switches.throttle_status = status
    for _ in range(9):  # the tenth, with the one that the caller began with
        assert "access_token" in api.refresh().json()
    denied = api.refresh()
    assert denied.status_code == status
    assert denied.json() == {
        "error_description": "You have made too many requests continuously. Please try again after some time.",
        "error": "Access Denied",
        "status": "failure",
    }
    api.box.clock.advance(minutes=9)
    assert api.refresh().json()["error"] == "Access Denied"
    api.box.clock.advance(minutes=1, seconds=1)
    assert "access_token" in api.refresh().json()


def test_the_throttle_is_each_refresh_tokens_own(api):
    for _ in range(9):
        api.refresh()
    other = api.box.zoho.grant()
    assert "access_token" in api.token(grant_type="refresh_token", refresh_token=other).json()


def test_the_sixteenth_access_token_ends_the_first(api):
    first = api.session.headers["Authorization"]
    for _ in range(15):
        assert api.get("org").status_code == 200
        api.box.clock.advance(minutes=2)
        api.refresh()
    refused = requests.get(f"{api.domain}/crm/v8/org", headers={"Authorization": first})
    assert (refused.status_code, refused.json()["code"]) == (401, "INVALID_TOKEN")


def test_the_twenty_first_refresh_token_ends_the_first_and_its_access_tokens(api):
    for _ in range(19):
        api.box.zoho.grant()
    assert api.get("org").status_code == 200
    api.box.zoho.grant()
    assert api.get("org").json()["code"] == "INVALID_TOKEN"
    assert api.refresh().json() == {"error": "invalid_code"}


def test_an_access_token_ends_after_an_hour_and_says_when(api):
    api.box.clock.freeze()
    api.authorize()
    api.box.clock.advance(seconds=3599)
    answer = api.get("org")
    assert answer.status_code == 200
    assert answer.headers["X-ACCESSTOKEN-RESET"].endswith("+05:30")
    api.box.clock.advance(seconds=1)
    assert api.get("org").status_code == 401


def test_revoking_ends_the_refresh_token_and_its_access_tokens(api):
    url = f"{api.box.zoho.accounts_url}/oauth/v2/token/revoke"
    assert requests.post(url, data={"token": api.refresh_token}).json() == {"status": "success"}
    assert api.get("org").json()["code"] == "INVALID_TOKEN"
    assert api.refresh().json() == {"error": "invalid_code"}


def test_a_test_can_end_access_tokens_in_mid_run(api):
    api.box.zoho.revoke_access_tokens()
    assert api.get("org").json()["code"] == "INVALID_TOKEN"
    api.authorize()
    assert api.get("org").status_code == 200


class TestDataCentres:
    def test_a_token_is_for_one_data_centre(self, api):
        other = api.box.zoho.data_centres["eu"].api_domain
        answer = requests.get(f"{other}/crm/v8/org", headers=dict(api.session.headers))
        assert (answer.status_code, answer.json()) == (
            401,
            {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"},
        )

    def test_a_refresh_token_of_another_data_centre_is_an_invalid_code(self, api):
        api.centre = api.box.zoho.data_centres["eu"]
        assert api.refresh().json() == {"error": "invalid_code"}

    def test_both_show_the_same_organization(self, api, box):
        from support.zoho_api import ZohoApi

        box.zoho.insert("Accounts", {"Account_Name": "Seen from both"})
        eu = ZohoApi(box, data_centre="eu")
        query = "select Account_Name from Accounts where id is not null"
        assert eu.query(query) == api.query(query)
        eu.close()

    def test_an_organization_that_moved_is_found_through_the_api_domain_of_the_next_refresh(self, api):
        api.box.zoho.move_to("eu")
        assert api.get("org").json()["code"] == "INVALID_TOKEN"
        assert api.authorize()["api_domain"] == api.box.zoho.data_centres["eu"].api_domain
        assert api.get("org").status_code == 200

    def test_serverinfo_names_the_accounts_servers(self, box):
        answer = requests.get(f"{box.zoho.accounts_url}/oauth/serverinfo").json()
        assert answer["locations"] == {
            "us": box.zoho.accounts_url,
            "eu": box.zoho.data_centres["eu"].accounts_url,
        }


class TestAuthorizationCode:
    @pytest.fixture
    def consent(self, box):
        def ask(**changes):
            sent = {
                "client_id": box.zoho.app.client_id,
                "redirect_uri": box.zoho.app.redirect_uri,
                "response_type": "code",
                "scope": "ZohoCRM.modules.ALL,ZohoCRM.org.READ",
                "access_type": "offline",
                "prompt": "consent",
                "state": "s-1",
                **changes,
            }
            return requests.get(f"{box.zoho.accounts_url}/oauth/v2/auth", params=sent, allow_redirects=False)

        return ask

    @staticmethod
    def answer(response) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}

    def test_consent_leads_back_with_code_location_accounts_server_and_state(self, consent, box):
        sent_back = self.answer(consent())
        assert sent_back.keys() == {"code", "location", "accounts-server", "state"}
        assert sent_back["accounts-server"] == box.zoho.accounts_url
        assert (sent_back["location"], sent_back["state"]) == ("us", "s-1")

    def exchange(self, api, code, **changes):
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": api.box.zoho.app.redirect_uri}
        return api.token(**{**sent, **changes}).json()

    def test_a_code_is_good_once(self, consent, api):
        code = self.answer(consent())["code"]
        body = self.exchange(api, code)
        assert {"access_token", "refresh_token", "api_domain", "expires_in", "scope"} <= body.keys()
        assert self.exchange(api, code) == {"error": "invalid_code"}

    def test_a_code_is_good_for_three_minutes(self, consent, api):
        code = self.answer(consent())["code"]
        api.box.clock.advance(minutes=3, seconds=1)
        assert self.exchange(api, code) == {"error": "invalid_code"}

    def test_a_code_is_exchanged_where_the_user_lives(self, consent, api):
        api.box.zoho.switches.user_location = "eu"
        sent_back = self.answer(consent())
        assert sent_back["location"] == "eu"
        assert self.exchange(api, sent_back["code"]) == {"error": "invalid_code"}
        api.centre = api.box.zoho.data_centres["eu"]
        assert "refresh_token" in self.exchange(api, sent_back["code"])

    def test_the_redirect_uri_is_that_of_the_consent(self, consent, api):
        code = self.answer(consent())["code"]
        assert self.exchange(api, code, redirect_uri="http://elsewhere") == {"error": "invalid_redirect_uri"}
        assert consent(redirect_uri="http://elsewhere").status_code == 400

    def test_online_access_gives_no_refresh_token(self, consent, api):
        assert "refresh_token" not in self.exchange(api, self.answer(consent(access_type="online"))["code"])

    @pytest.mark.parametrize("omits", [True, False])
    def test_a_second_consent_without_prompt_may_give_no_refresh_token(self, consent, api, omits):
        api.box.zoho.switches.repeat_consent_omits_refresh_token = omits
        self.exchange(api, self.answer(consent(prompt=""))["code"])
        assert ("refresh_token" not in self.exchange(api, self.answer(consent(prompt=""))["code"])) is omits
        assert "refresh_token" in self.exchange(api, self.answer(consent())["code"])

    def test_a_refusal_says_so(self, consent, box):
        box.zoho.switches.consent_denied = True
        assert self.answer(consent()) == {"error": "access_denied", "state": "s-1"}

    def test_ten_codes_in_ten_minutes(self, consent):
        for _ in range(10):
            assert consent().status_code == 302
        assert consent().json()["error"] == "Access Denied"

    def test_a_self_client_brings_its_code_from_the_console(self, api):
        app = api.box.zoho.register("self")
        code = api.box.zoho.grant_code(["ZohoCRM.org.READ"], client=app)
        secret = {"client_id": app.client_id, "client_secret": app.client_secret}
        assert "refresh_token" in api.token(grant_type="authorization_code", code=code, **secret).json()
