"""The page that FreshBooks leads back to: one answer, to one attempt, in time, and nothing for strangers."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest
import requests
from support.companion import Companion
from support.onboarding import Onboarding
from support.postgres import on_sqlite

from freshbooks_zoho.onboarding.pending import Attempt, Attempts, new_state, takes
from freshbooks_zoho.webhooks import consent
from freshbooks_zoho.webhooks.consent import PATH
from tap_freshbooks.auth import open_broker
from tap_freshbooks.settings import Settings

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def served(box, store, monkeypatch):
    """The receiver; it looks at the store for each request."""
    monkeypatch.setattr(consent, "RELOAD_SECONDS", 0.0)
    with Companion(box, store) as service:
        yield service


@pytest.fixture
def attempt(box, store):
    """An attempt under way."""
    now = datetime.now(timezone.utc)
    made = Attempt("freshbooks", box.freshbooks.app.client_id, now + timedelta(minutes=10), {"state": new_state()})
    Attempts(store).keep(made)
    return made


def come_back(served, **query):
    return requests.get(served.url + PATH, params=query, timeout=10)


def kept(store, attempt):
    return Attempts(store).find(attempt.service, attempt.client_id, datetime.now(timezone.utc)).answer


def test_an_answer_is_kept_for_whoever_waits_and_the_person_is_sent_back_to_the_terminal(served, store, attempt):
    page = come_back(served, state=attempt.state, code="c0de")

    assert page.status_code == 200
    assert "Go back to the terminal" in page.text
    assert kept(store, attempt) == {"code": "c0de"}
    assert "c0de" not in page.text
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_it_is_taken_once(served, store, attempt):
    come_back(served, state=attempt.state, code="first")

    assert come_back(served, state=attempt.state, code="second").status_code == 400
    assert kept(store, attempt) == {"code": "first"}


def test_of_several_at_once_one_is_taken(store, attempt, monkeypatch):
    taken, together, find = [], threading.Barrier(2), Attempts.find

    def look_together(*args):
        """Let nobody go on before another has looked, unless no other can."""
        found = find(*args)
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)
        return found

    monkeypatch.setattr(Attempts, "find", look_together)

    def come(number):
        if Attempts(store).answer(attempt, attempt.state, {"code": str(number)}, datetime.now(timezone.utc)):
            taken.append({"code": str(number)})

    threads = [threading.Thread(target=come, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.setattr(Attempts, "find", find)
    assert taken == [kept(store, attempt)]


def test_a_refusal_is_an_answer_too(served, store, attempt):
    assert "consent was not given" in come_back(served, state=attempt.state, error="access_denied").text
    assert kept(store, attempt) == {"error": "access_denied"}


@on_sqlite
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "c0de"},
        {"code": "c0de", "state": ""},
        {"code": "c0de", "state": "guessed"},
        {"code": "c0de", "state": "ünïcode"},
        {"code": "c0de", "state": "x" * 3000},
        {"state": "right"},
        {"state": "right", "code": ""},
        {"state": "right", "code": "x" * 3000},
        {"state": "right", "code": "c0de", "error": "both"},
    ],
)
def test_a_stranger_leaves_nothing(served, store, attempt, query):
    if query.get("state") == "right":
        query = {**query, "state": attempt.state}

    page = come_back(served, **query)

    assert page.status_code == 400
    assert "connect freshbooks again" in page.text
    assert kept(store, attempt) is None


def test_what_is_sent_is_never_shown(served, attempt):
    page = come_back(served, state="<script>alert(1)</script>", code="<b>", error="<i>")
    assert not any(tag in page.text for tag in ("<script", "<b>", "<i>"))


def test_it_is_good_for_ten_minutes(store, attempt):
    attempts = Attempts(store)
    assert not attempts.answer(attempt, attempt.state, {"code": "late"}, attempt.expires_at)
    assert attempts.answer(attempt, attempt.state, {"code": "c"}, attempt.expires_at - timedelta(seconds=1))


def test_an_attempt_takes_the_place_of_the_one_before(store, attempt):
    Attempts(store).keep(replace(attempt, details={"state": new_state()}))
    assert not Attempts(store).answer(attempt, attempt.state, {"code": "c"}, datetime.now(timezone.utc))


def test_a_way_without_a_state_takes_no_answer():
    assert not takes(Attempt("zoho", "c", NOON, {}), "")


def test_however_many_strangers_come_the_store_is_asked_once_a_second(box, store, attempt, monkeypatch):
    found = []
    find = Attempts.find
    monkeypatch.setattr(Attempts, "find", lambda *args: found.append(1) or find(*args))
    monkeypatch.setattr(consent, "RELOAD_SECONDS", 60.0)
    with Companion(box, store) as service:
        for _ in range(20):
            come_back(service, state="guessed", code="c0de")
        assert len(found) == 1
        assert come_back(service, state=attempt.state, code="c0de").status_code == 200


@pytest.fixture
def one_click(served, store_settings, tmp_path, monkeypatch):
    """A project whose redirect URI leads to the receiver, which works over the same store."""
    # What stands before it and speaks TLS is left out.
    served.box.freshbooks.switches.allow_any_redirect_uri = True
    project = tmp_path / "project"
    project.mkdir()
    onboarding = Onboarding(served.box, project, monkeypatch)
    onboarding.know_freshbooks()
    onboarding.config["tap-freshbooks"]["redirect_uri"] = served.url + PATH
    onboarding.config["freshbooks-zoho"]["public_url"] = served.url
    for plugin in ("tap-freshbooks", "target-zoho-crm"):
        onboarding.config[plugin].update(zip(("store_url", "store_key"), store_settings, strict=True))
    onboarding.store_key = store_settings[1]
    return onboarding


def click(onboarding):
    """Agree, and let the browser follow."""
    page = requests.get(onboarding.pages[-1], timeout=10)
    assert urlsplit(page.url).path == PATH


def test_where_the_receiver_can_be_reached_one_click_is_all(one_click):
    one_click.after_wait = lambda number: click(one_click) if number == 2 else None

    done = one_click.run("connect", "freshbooks")

    assert done.exit_code == 0, done.output
    assert "Connected to FreshBooks: Northwind Studio" in done.stdout
    assert len(one_click.waits) == 2


def test_a_refusal_by_one_click_ends_the_command(one_click, box):
    box.freshbooks.switches.consent = False
    one_click.after_wait = lambda _: click(one_click)

    done = one_click.run("connect", "freshbooks")
    assert (done.exit_code, "Consent was refused" in done.stderr) == (1, True)


def test_the_address_can_be_pasted_all_the_same(one_click):
    assert one_click.run("connect", "freshbooks", "--paste", typed=(one_click.agree,)).exit_code == 0
    assert one_click.waits == []


def test_where_nothing_is_served_the_address_is_pasted(one_click, served):
    served.stop()
    assert one_click.run("connect", "freshbooks", typed=(one_click.agree,)).exit_code == 0


def test_a_script_needs_nothing_on_stdin_then(one_click):
    first = one_click.json("connect", "freshbooks", "--non-interactive")
    assert "This service takes the answer" in first["to_do"]
    one_click.pages.append(first["authorization_url"])
    click(one_click)

    assert one_click.json("connect", "freshbooks", "--complete", "--json")["connected"]


def test_nobody_waits_longer_than_ten_minutes(one_click, monkeypatch):
    ahead = [timedelta()]
    monkeypatch.setattr(
        "freshbooks_zoho.onboarding.freshbooks_consent.now", lambda: datetime.now(timezone.utc) + ahead[0]
    )
    one_click.after_wait = lambda number: ahead.__setitem__(0, timedelta(minutes=number))

    done = one_click.run("connect", "freshbooks")
    assert (done.exit_code, "Nobody has agreed within ten minutes" in done.stderr) == (1, True)


def test_who_serves_meanwhile_works_with_the_new_tokens_at_once(one_click, served, store, box):
    box.freshbooks.switches.consent_revokes_refresh_tokens = True
    app = box.freshbooks.app
    serving = open_broker(
        store, Settings(app.client_id, app.client_secret, served.url + PATH, api_url=box.freshbooks.url)
    )
    one_click.after_wait = lambda _: click(one_click)
    tokens = []
    for _ in range(2):
        assert one_click.run("connect", "freshbooks").exit_code == 0
        tokens.append(serving.token().value)
    assert tokens[0] != tokens[1]
