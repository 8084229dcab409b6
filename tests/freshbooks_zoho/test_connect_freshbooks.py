"""`connect freshbooks`: what is asked, what is kept, what is shown."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest
from support.onboarding import Onboarding

from freshbooks_zoho.settings import collect
from singer_store import ConnectAgainError
from tap_freshbooks.auth import open_broker
from tap_freshbooks.settings import Settings

BACK = "https://localhost/freshbooks/callback"


@pytest.fixture
def onboarding(box, tmp_path, monkeypatch):
    """A project whose FreshBooks app is registered with the way back that is suggested."""
    box.freshbooks.app.redirect_uris = [BACK]
    return Onboarding(box, tmp_path, monkeypatch)


@pytest.fixture
def known(onboarding):
    """The same, its credentials known already."""
    onboarding.know_freshbooks()
    return onboarding


def token(onboarding):
    """Give an access token, as tap and serve get it."""
    with onboarding.store() as store:
        return open_broker(store, Settings.from_config(collect().tap)).token()


def invoices(box, *amounts):
    client = box.freshbooks.create_client(organization="Alder Ltd")
    for amount in amounts:
        line = {"name": "Design", "unit_cost": {"amount": amount, "code": "USD"}, "qty": 1}
        box.freshbooks.create_invoice(client["id"], [line], action_mark_as_sent=True)


def test_from_nothing_to_the_latest_invoices(onboarding, box):
    app = box.freshbooks.app
    invoices(box, "10.00", "20.00", "30.00", "40.00", "50.00", "60.00")

    done = onboarding.run("connect", "freshbooks", typed=(app.client_id, app.client_secret, BACK, onboarding.agree))

    assert done.exit_code == 0, done.output
    assert "Connected to FreshBooks: Northwind Studio" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if "Alder Ltd" in line]
    assert len(rows) == 5
    assert all(row[1:3] + row[4:] == ["Alder", "Ltd", "USD", "sent"] for row in rows)
    assert onboarding.dotenv == {
        "TAP_FRESHBOOKS_CLIENT_ID": app.client_id,
        "TAP_FRESHBOOKS_CLIENT_SECRET": app.client_secret,
        "TAP_FRESHBOOKS_REDIRECT_URI": BACK,
    }
    assert stat.S_IMODE((onboarding.folder / ".env").stat().st_mode) == 0o600
    assert token(onboarding)


def test_neither_the_secret_nor_a_token_is_shown(onboarding, box, caplog):
    caplog.set_level("DEBUG")
    app, pasted = box.freshbooks.app, []

    def paste():
        pasted.append(onboarding.agree())
        return pasted[0]

    done = onboarding.run("connect", "freshbooks", typed=(app.client_id, app.client_secret, BACK, paste))

    code = pasted[0].partition("code=")[2].partition("&")[0]
    typed_in = {app.client_id, app.client_secret, BACK, *pasted}
    spoken = "\n".join(line for line in done.output.splitlines() if line.strip() not in typed_in) + caplog.text
    secrets = [app.client_secret, code, token(onboarding).value, *box.freshbooks.oauth._by_refresh]
    assert [secret for secret in secrets if secret in spoken] == []


def test_where_whole_lines_are_passed_on_as_meltano_does_a_question_is_one(known):
    assert "\nAddress:\n" in known.run("connect", "freshbooks", typed=(known.agree,)).stderr


def test_another_time_only_the_address_is_asked_for(known):
    typed = (known.agree,)
    assert known.run("connect", "freshbooks", typed=typed).exit_code == 0
    first = token(known)
    assert known.run("connect", "freshbooks", typed=(known.agree,)).exit_code == 0
    assert token(known) != first
    assert known.dotenv == {}


def test_a_wrong_paste_is_explained_and_asked_for_again(known):
    wrong = ("c0de", lambda: known.pages[-1], f"{BACK}?code=c0de&state=another")

    done = known.run("connect", "freshbooks", typed=(*wrong, known.agree))

    assert done.exit_code == 0
    for sentence in ("not a whole address", "Agree there first", "belongs to another attempt"):
        assert sentence in done.stderr


def test_who_goes_away_leaves_nothing_behind(onboarding):
    done = onboarding.run("connect", "freshbooks", typed=("client id",))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "Nobody is here to answer. For two steps that ask nothing, add --non-interactive" in done.stderr
    assert not (onboarding.folder / ".env").exists()


def test_a_redirect_uri_that_freshbooks_does_not_take_is_asked_for_again(onboarding, box):
    app = box.freshbooks.app
    typed = (app.client_id, app.client_secret, "http://localhost/back", f"{BACK}?a=b", BACK, onboarding.agree)

    assert onboarding.run("connect", "freshbooks", typed=typed).exit_code == 0
    assert onboarding.dotenv["TAP_FRESHBOOKS_REDIRECT_URI"] == BACK


def test_who_refuses_is_not_connected(known, box):
    box.freshbooks.switches.consent = False

    done = known.run("connect", "freshbooks", typed=(known.agree,))

    assert done.exit_code == 1
    assert "Consent was refused on FreshBooks' page" in done.stderr
    with pytest.raises(ConnectAgainError):
        token(known)


def test_a_wrong_secret_is_one_sentence(known):
    known.config["tap-freshbooks"]["client_secret"] = "wrong"

    done = known.run("connect", "freshbooks", typed=(known.agree,))

    assert done.exit_code == 1
    assert "check client_id, client_secret" in done.stderr.splitlines()[-1]


# businesses


def test_of_several_businesses_one_is_chosen_and_kept(known, box):
    second = box.freshbooks.add_business("Second Studio")

    done = known.run("connect", "freshbooks", typed=(known.agree, "7", "2"))

    assert done.exit_code == 0, done.output
    assert "Type a number from 1 to 2." in done.stderr
    assert f"Second Studio (account {second})" in done.stdout
    assert known.dotenv == {"TAP_FRESHBOOKS_ACCOUNT_ID": second}


def test_a_business_can_be_named_beforehand(known, box):
    second = box.freshbooks.add_business("Second Studio")

    outcome = known.json("connect", "freshbooks", "--json", "--account-id", second, typed=(known.agree,))

    assert outcome["account_id"] == second
    assert [one["name"] for one in outcome["businesses"]] == ["Northwind Studio", "Second Studio"]
    assert known.dotenv == {"TAP_FRESHBOOKS_ACCOUNT_ID": second}


def test_a_script_that_names_none_of_several_is_told_which_there_are_and_connected(known, box):
    second = box.freshbooks.add_business("Second Studio")
    page = known.json("connect", "freshbooks", "--non-interactive")["authorization_url"]

    outcome = known.json(
        "connect", "freshbooks", "--complete", "--json", exit_code=3, typed=(lambda: known.agree(page),)
    )

    assert (outcome["connected"], outcome["account_id"]) == (True, None)
    (problem,) = outcome["problems"]
    assert second in problem
    assert "set account_id" in problem


def test_an_account_id_of_the_settings_that_is_not_the_users_is_replaced(known, box):
    known.config["tap-freshbooks"]["account_id"] = "Gone01"

    done = known.run("connect", "freshbooks", typed=(known.agree,))

    assert done.exit_code == 3
    assert "another one than before (Gone01)" in done.stdout
    assert known.dotenv == {"TAP_FRESHBOOKS_ACCOUNT_ID": box.freshbooks.account_id}


def test_what_the_environment_says_counts_more_and_that_is_said(known, box):
    box.freshbooks.add_business("Second Studio")
    known.patch.setenv("TAP_FRESHBOOKS_ACCOUNT_ID", "Other1")

    outcome = known.json(
        "connect", "freshbooks", "--json", "--account-id", box.freshbooks.account_id, exit_code=3, typed=(known.agree,)
    )

    assert any("counts more than .env: unset it" in problem for problem in outcome["problems"])


# scopes


def test_a_missing_scope_is_one_sentence_that_says_where_to_add_it(known, box):
    some = [scope for scope in box.freshbooks.app.scopes if "payments" not in scope]

    def address():
        query = {"code": box.freshbooks.authorize(some, BACK), "state": known.state()}
        return f"{BACK}?{urlencode(query)}"

    outcome = known.json("connect", "freshbooks", "--json", exit_code=3, typed=(address,))

    (problem,) = outcome["problems"]
    assert "add user:payments:read to the app in FreshBooks' developer portal" in problem


def test_a_role_that_may_not_read_is_said_although_the_scopes_are_there(known, box):
    path = r"/accounting/account/.*/payments/payments"
    box.faults.add(service="freshbooks", path=path, kind="status", status=403)

    outcome = known.json("connect", "freshbooks", "--json", exit_code=3, typed=(known.agree,))

    (problem,) = outcome["problems"]
    assert "The latest payments" in problem
    assert "whose role may read it" in problem


# two steps


def test_two_steps_for_a_script(known, box):
    invoices(box, "12.34")
    first = known.json("connect", "freshbooks", "--non-interactive")
    assert first.keys() == {"authorization_url", "to_do", "expires_at", "next_step"}
    assert first["next_step"] == "freshbooks-zoho connect freshbooks --complete"
    state = known.state(first["authorization_url"])
    assert state not in (known.folder / "store" / "store.db").read_bytes().decode("latin-1")

    done = known.run("connect", "freshbooks", "--complete", typed=("https://localhost/wrong",))
    assert done.exit_code == 1
    assert "another page" in done.stderr
    second = known.json(
        "connect", "freshbooks", "--complete", "--json", typed=(known.agree(first["authorization_url"]),)
    )

    assert second["invoices"][0] == {
        "number": "0000001",
        "customer": "Alder Ltd",
        "amount": "12.34",
        "currency": "USD",
        "status": "sent",
    }
    assert "No consent is under way" in known.run("connect", "freshbooks", "--complete").stderr


def test_an_address_is_awaited_for_ten_minutes(known, monkeypatch):
    first = known.json("connect", "freshbooks", "--non-interactive")
    ends = datetime.fromisoformat(first["expires_at"])
    assert ends - datetime.now(timezone.utc) <= timedelta(minutes=10)

    monkeypatch.setattr("freshbooks_zoho.onboarding.freshbooks_consent.now", lambda: ends + timedelta(seconds=1))
    done = known.run("connect", "freshbooks", "--complete", typed=(known.agree(first["authorization_url"]),))
    assert done.exit_code == 1
    assert "older than ten minutes" in done.stderr


def test_a_script_that_lacks_credentials_is_told_the_variables(onboarding):
    done = onboarding.run("connect", "freshbooks", "--non-interactive")

    assert (done.exit_code, done.stdout) == (1, "")
    assert (
        "set TAP_FRESHBOOKS_CLIENT_ID and TAP_FRESHBOOKS_CLIENT_SECRET and TAP_FRESHBOOKS_REDIRECT_URI" in done.stderr
    )
    assert not (onboarding.folder / ".env").exists()


# again, and the end


def everything_else(store):
    """Give what the store holds beside tokens and attempts."""
    return {
        "documents": {kind: store.secrets.all(kind) for kind in ("channel", "callback", "companion")},
        "pending": store.pending.all(),
        "runs": store.runs.latest("tap-freshbooks", 9),
    }


def test_connecting_again_loses_nothing_else(known, box):
    known.run("connect", "freshbooks", typed=(known.agree,))
    now = datetime.now(timezone.utc)
    with known.store() as store:
        store.secrets.put("channel", "1", {"token": "t"})
        store.secrets.put("callback", "2", {"verifier": "v"})
        store.pending.queue_many([(box.freshbooks.account_id, "invoices", "17", "rejected", now)])
        store.runs.add("tap-freshbooks", now, now, "ok", {})
        before = everything_else(store)

    assert known.run("connect", "freshbooks", typed=(known.agree,)).exit_code == 0

    with known.store() as store:
        assert everything_else(store) == before
        assert store.secrets.all("consent") == {}


def test_disconnecting_revokes_and_forgets(known, box):
    known.run("connect", "freshbooks", typed=(known.agree,))
    access = token(known)

    assert known.run("disconnect", "freshbooks", typed=("n",)).exit_code == 1
    nobody = known.run("disconnect", "freshbooks")
    assert (nobody.exit_code, "freshbooks-zoho disconnect freshbooks --yes" in nobody.stderr) == (2, True)
    assert token(known) == access
    done = known.run("disconnect", "freshbooks", typed=("y",))

    assert (done.exit_code, done.stdout) == (0, "Disconnected: the tokens are revoked and forgotten.\n")
    assert not box.freshbooks.oauth._by_refresh
    with pytest.raises(ConnectAgainError, match="disconnected"):
        token(known)
    again = known.json("disconnect", "freshbooks", "--yes", "--json")
    assert again == {"service": "freshbooks", "connected": False, "revoked": False, "problem": None}
    assert known.run("connect", "freshbooks", typed=(known.agree,)).exit_code == 0
    assert token(known)


def test_tokens_that_the_service_does_not_revoke_are_forgotten_all_the_same_and_that_is_said(known, box):
    known.run("connect", "freshbooks", typed=(known.agree,))
    box.faults.add(service="freshbooks", path="/auth/oauth/revoke", kind="status", status=500)

    done = known.run("disconnect", "freshbooks", "--yes")

    assert done.exit_code == 3
    assert "Remove the app in FreshBooks" in done.stdout
    with pytest.raises(ConnectAgainError, match="disconnected"):
        token(known)
