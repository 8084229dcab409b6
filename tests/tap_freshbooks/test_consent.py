"""Connecting to FreshBooks: what is asked, what is taken for an answer, and the first tokens."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from singer_store import ClientRefusedError, RefreshRefused
from tap_freshbooks.auth import refresher
from tap_freshbooks.consent import (
    SCOPES,
    ConsentError,
    PasteError,
    authorization_url,
    exchange,
    missing_scopes,
    read_pasted,
    revoke,
)
from tap_freshbooks.settings import Settings

BACK = "https://localhost/freshbooks/callback"
STATE = "the-state"


def settings_of(box, **changes):
    app = box.freshbooks.app
    found = Settings(
        client_id=app.client_id,
        client_secret=app.client_secret,
        redirect_uri=app.redirect_uri,
        api_url=box.freshbooks.url,
        auth_url=box.freshbooks.url,
    )
    return replace(found, **changes)


def agree(url):
    """Be the person: open the page, agree, and give what the address bar shows then."""
    return requests.get(url, allow_redirects=False, timeout=10).headers["Location"]


def read(text, redirect_uri=BACK):
    return read_pasted(text, redirect_uri=redirect_uri, state=STATE)


def address(base=BACK, **query):
    return f"{base}?{urlencode({'code': 'c0de', 'state': STATE, **query})}"


def test_consent_leads_to_tokens_that_can_read_and_no_more(box):
    settings = settings_of(box)
    url = authorization_url(settings, STATE)

    grant = exchange(settings, read_pasted(agree(url), redirect_uri=settings.redirect_uri, state=STATE))

    assert grant.details["scope"].split() == list(SCOPES)
    assert all(scope.endswith(":read") for scope in SCOPES)
    assert refresher(settings)(grant.refresh_token, {}).access_token


def test_a_process_that_runs_on_with_another_redirect_uri_keeps_working(box):
    """`serve` has read its settings before the connection was made by another way."""
    settings = settings_of(box)
    before = refresher(replace(settings, redirect_uri="https://example.com/former"))
    first = exchange(settings, box.freshbooks.authorize())

    second = before(first.refresh_token, first.details)
    assert before(second.refresh_token, second.details).access_token


def test_a_code_is_good_once_and_for_five_minutes(box):
    settings = settings_of(box)
    code = box.freshbooks.authorize()
    exchange(settings, code)
    with pytest.raises(ConsentError, match=r"good once.*connect freshbooks` again"):
        exchange(settings, code)

    late = box.freshbooks.authorize()
    box.clock.advance(minutes=5)
    with pytest.raises(ConsentError, match="five minutes"):
        exchange(settings, late)


def test_a_wrong_secret_is_told_from_a_dead_code(box):
    with pytest.raises(ClientRefusedError, match="invalid_client"):
        exchange(settings_of(box, client_secret="wrong"), box.freshbooks.authorize())


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "reset"}])
def test_no_answer_is_a_sentence_without_the_code(box, fault):
    box.faults.add(service="freshbooks", path="/auth/oauth/token", times=1, **fault)
    code = box.freshbooks.authorize()

    with pytest.raises(ConsentError, match="again") as raised:
        exchange(settings_of(box), code)
    assert code not in str(raised.value)


def test_revoking_ends_the_tokens_and_may_be_done_twice(box):
    settings = settings_of(box)
    token = box.freshbooks.grant()

    revoke(settings, token)
    revoke(settings, token)

    with pytest.raises(RefreshRefused):
        refresher(settings)(token, {})


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "reset"}])
def test_a_connection_that_could_not_be_ended_says_how_to_end_it(box, fault):
    box.faults.add(service="freshbooks", path="/auth/oauth/revoke", times=1, **fault)

    with pytest.raises(ConsentError, match="Settings, Integrations"):
        revoke(settings_of(box), "token")


@pytest.mark.parametrize(
    "pasted",
    [
        address(),
        f'  "{address()}"\n',
        address("http://localhost/freshbooks/callback"),
        address("https://localhost:443/freshbooks/callback/"),
        f"{BACK}?state={STATE}&code=c0de&more=1#",
    ],
)
def test_the_address_is_taken_as_browsers_and_terminals_hand_it_over(pasted):
    assert read(pasted) == "c0de"


@pytest.mark.parametrize("base", ["https://localhost", "https://localhost/"])
def test_a_redirect_uri_without_a_path_comes_back_with_one(base):
    assert read(address("https://localhost/"), redirect_uri=base) == "c0de"


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("", "not a whole address"),
        ("c0de", "not a whole address.*code alone"),
        ("localhost/freshbooks/callback?code=c0de", "not a whole address"),
        ("https://[", "not an address"),
        ("https://auth.freshbooks.com/oauth/authorize/?client_id=c&state=s", "Agree there first"),
        (address("https://localhost/another"), f"begins with {BACK}"),
        (address("https://localhost:8443/freshbooks/callback"), "another page"),
        (address("https://localhost.example.com/freshbooks/callback"), "another page"),
        (f"{BACK}?code=c0de", "no state"),
        (f"{BACK}?code=c0de&state={STATE}&state=x", "no state"),
        (address(state="another"), "another attempt"),
        (address(state="ünïcode"), "another attempt"),
        (address(state="another", error="access_denied"), "another attempt"),
        (f"{BACK}?state={STATE}", "no code"),
        (f"{BACK}?state={STATE}&code=", "no code"),
        (f"{BACK}?state={STATE}&code=c0de&code=other", "no code"),
        (address(code="x" * 5000), "no code"),
    ],
)
def test_what_is_not_the_answer_to_this_question_may_be_pasted_anew(pasted, says):
    with pytest.raises(PasteError, match=says) as raised:
        read(pasted)
    assert "c0de" not in str(raised.value)


def test_a_refusal_is_final(box):
    box.freshbooks.switches.consent = False
    settings = settings_of(box)

    with pytest.raises(ConsentError, match="refused on FreshBooks' page") as raised:
        read_pasted(agree(authorization_url(settings, STATE)), redirect_uri=settings.redirect_uri, state=STATE)
    assert not isinstance(raised.value, PasteError)


def test_a_refusal_for_scopes_names_them():
    with pytest.raises(ConsentError, match=r"user:payments:read.*developer portal"):
        read(f"{BACK}?error=invalid_scope&state={STATE}")


@given(st.text())
def test_whatever_is_pasted_nothing_but_a_sentence_comes_of_it(text):
    try:
        assert read(text)
    except ConsentError as error:
        assert str(error).endswith(".")  # noqa: PT017


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text and text.isprintable()))
def test_any_code_comes_out_as_it_went_in(code):
    assert read(address(code=code)) == code


def test_scopes_are_what_the_answer_says_and_the_old_scope_for_everything_will_do():
    assert missing_scopes(" ".join(SCOPES[:-1])) == ("user:payments:read",)
    assert missing_scopes("user:clients:write admin:all:legacy") == ()
    assert missing_scopes(None) == ()


def test_the_question_names_the_app_the_way_back_and_the_scopes(box):
    query = parse_qs(urlsplit(authorization_url(settings_of(box), STATE)).query)

    assert query["scope"] == [" ".join(SCOPES)]
    assert query["redirect_uri"] == [box.freshbooks.app.redirect_uri]
    assert (query["response_type"], query["state"]) == (["code"], [STATE])
