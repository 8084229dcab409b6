"""Consent, tokens that rotate, and what an app without the right token gets."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support.freshbooks import Api, access_token, token_request


def refresh(box, token, **more):
    return token_request(box, grant_type="refresh_token", refresh_token=token, **more)


def me(box, access):
    return requests.get(
        f"{box.freshbooks.url}/auth/api/v1/users/me", headers={"Authorization": f"Bearer {access}"}, timeout=10
    )


def authorize(box, **changes):
    app = box.freshbooks.app
    query = {"client_id": app.client_id, "response_type": "code", "redirect_uri": app.redirect_uri, "state": "x y"}
    query = {key: value for key, value in (query | changes).items() if value is not None}
    return requests.get(f"{box.freshbooks.url}/oauth/authorize/", params=query, allow_redirects=False, timeout=10)


def code_of(answer):
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def test_consent_sends_the_person_back_with_a_code_that_becomes_tokens(box):
    answer = authorize(box)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(box.freshbooks.app.redirect_uri + "?")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["state"] == ["x y"]

    tokens = token_request(box, grant_type="authorization_code", code=code_of(answer)).json()
    assert list(tokens) == [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
        "created_at",
        "direct_buy_tokens",
    ]
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 43200)
    assert tokens["created_at"] == int(box.clock.now().timestamp())
    assert len(tokens["refresh_token"]) == 64
    assert 800 < len(tokens["access_token"]) < 1400
    assert tokens["access_token"].count(".") == 2
    assert me(box, tokens["access_token"]).status_code == 200


def test_a_code_is_good_once(box):
    code = box.freshbooks.authorize()
    assert token_request(box, grant_type="authorization_code", code=code).status_code == 200
    again = token_request(box, grant_type="authorization_code", code=code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_good_for_five_minutes(box):
    early, late = box.freshbooks.authorize(), box.freshbooks.authorize()
    box.clock.advance(minutes=4, seconds=59)
    assert token_request(box, grant_type="authorization_code", code=early).status_code == 200
    box.clock.advance(seconds=1)
    assert token_request(box, grant_type="authorization_code", code=late).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("encoding", ["form", "json", "multipart"])
def test_the_token_endpoint_reads_forms_json_and_multipart_and_no_authorization(box, encoding):
    app = box.freshbooks.app
    fields = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
        "grant_type": "refresh_token",
        "refresh_token": box.freshbooks.grant(),
    }
    body = {
        "form": {"data": fields},
        "json": {"json": fields},
        "multipart": {"files": {name: (None, value) for name, value in fields.items()}},
    }[encoding]
    answer = requests.post(
        f"{box.freshbooks.url}/auth/oauth/token", headers={"Authorization": "Bearer undefined"}, timeout=10, **body
    )
    assert answer.status_code == 200
    assert me(box, answer.json()["access_token"]).status_code == 200


def test_every_refresh_gives_a_new_refresh_token_and_the_old_one_is_dead(box):
    first = box.freshbooks.grant()
    second = refresh(box, first).json()["refresh_token"]
    assert second != first
    again = refresh(box, first)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(box, second).status_code == 200


def test_an_answer_that_is_lost_burns_the_token(box):
    token = box.freshbooks.grant()
    box.faults.add(kind="reset_after", service="freshbooks", path="/auth/oauth/token")
    with pytest.raises(requests.ConnectionError):
        refresh(box, token)
    assert refresh(box, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("switch", [True, False])
def test_a_refresh_ends_the_access_token_before_it_by_switch(box, switch):
    box.freshbooks.switches.refresh_revokes_access_token = switch
    first = refresh(box, box.freshbooks.grant()).json()
    refresh(box, first["refresh_token"])
    assert me(box, first["access_token"]).status_code == (401 if switch else 200)


@pytest.mark.parametrize("switch", [True, False])
def test_a_new_consent_ends_earlier_ones_by_switch(box, switch):
    box.freshbooks.switches.consent_revokes_refresh_tokens = switch
    earlier = box.freshbooks.grant()
    box.freshbooks.grant()
    assert refresh(box, earlier).status_code == (400 if switch else 200)


def test_a_refresh_may_tell_the_age_of_the_token_before_it(box):
    box.freshbooks.switches.refresh_keeps_created_at = True
    first = refresh(box, box.freshbooks.grant()).json()
    box.clock.advance(hours=6)
    second = refresh(box, first["refresh_token"]).json()
    assert (second["created_at"], second["expires_in"]) == (first["created_at"], 43199)


def test_an_access_token_lives_twelve_hours(box):
    token = access_token(box)
    box.clock.advance(hours=11, minutes=59)
    assert me(box, token).status_code == 200
    box.clock.advance(minutes=1)
    answer = me(box, token)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "unauthenticated",
        "error_description": "This action requires authentication to continue.",
    }


@pytest.mark.parametrize("wrong", [{"client_secret": "no"}, {"client_id": "no"}])
def test_a_wrong_client_is_401_and_burns_nothing(box, wrong):
    token = box.freshbooks.grant()
    answer = refresh(box, token, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert set(answer.json()) == {"error", "error_description"}
    assert refresh(box, token).status_code == 200


def test_a_refresh_needs_the_redirect_uri_by_switch(box):
    token = box.freshbooks.grant()
    assert refresh(box, token, redirect_uri="").status_code == 400
    box.freshbooks.switches.refresh_needs_redirect_uri = False
    assert refresh(box, token, redirect_uri="").status_code == 200


@pytest.mark.parametrize(
    "uri", ["http://localhost/callback", "https://elsewhere.example/", "https://localhost/freshbooks/callback?a=b"]
)
def test_redirect_uris_are_registered_https_and_without_a_query(box, uri):
    box.freshbooks.app.redirect_uris += [uri] if not uri.startswith("https://elsewhere") else []
    assert authorize(box, redirect_uri=uri).status_code == 400
    box.freshbooks.switches.allow_any_redirect_uri = True
    assert authorize(box, redirect_uri=uri).status_code == 302


@pytest.mark.parametrize(
    "scope", ["user:clients:read user:unheard:read", "user:notifications:write", "user:bills:read"]
)
def test_one_scope_that_the_app_does_not_have_ends_the_whole_consent(box, scope):
    answer = authorize(box, scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_consent_is_for_the_scopes_asked_for(box):
    code = code_of(authorize(box, scope="user:clients:read"))
    scope = token_request(box, grant_type="authorization_code", code=code).json()["scope"]
    assert scope.split() == ["user:clients:read", "user:profile:read"]


def test_a_person_may_decline(box):
    box.freshbooks.switches.consent = False
    query = parse_qs(urlsplit(authorize(box).headers["Location"]).query)
    assert (query["error"], query["state"]) == (["access_denied"], ["x y"])


def test_a_revoked_token_is_of_no_use(box):
    app = box.freshbooks.app
    tokens = refresh(box, box.freshbooks.grant()).json()
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": tokens["access_token"]}
    answer = requests.post(f"{box.freshbooks.url}/auth/oauth/revoke", data=form, timeout=10)
    assert (answer.status_code, answer.json()) == (200, {})
    assert me(box, tokens["access_token"]).status_code == 401
    requests.post(f"{box.freshbooks.url}/auth/oauth/revoke", data=form | {"token": tokens["refresh_token"]}, timeout=10)
    assert refresh(box, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_401_is_written_as_each_family_writes_it(box, api):
    api.session.headers["Authorization"] = "Bearer nothing"
    assert api.page("clients").json()["error"] == "unauthenticated"
    events = api.request("GET", f"/events/account/{api.account}/events/callbacks")
    assert (events.status_code, events.json()["errno"]) == (401, 401)
    box.freshbooks.switches.accounting_401 = "classic"
    assert api.page("clients").json()["response"]["errors"][0]["errno"] == 1003
    box.freshbooks.switches.accounting_401 = "new"
    assert api.page("clients").json()["code"] == 16


def test_each_stream_needs_its_scope_and_writing_another_one(box):
    api = Api(box, ["user:clients:read"])
    assert api.page("clients").status_code == 200
    refused = api.page("invoices")
    assert refused.status_code == 403
    assert "user:invoices:read" in refused.text
    assert "user:clients:read" in refused.text
    assert api.create("clients", fname="A").status_code == 403
    api.close()
