"""`connect zoho`: a login on a device, a self client's code, a redirect; and what the organization turns out to be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote

import pytest
from support.onboarding import Onboarding

from freshbooks_zoho.commands.connect import DATA_CENTRES
from freshbooks_zoho.onboarding import zoho as after_consent
from freshbooks_zoho.settings import collect
from singer_store import ConnectAgainError
from target_zoho_crm.api.auth import open_broker
from target_zoho_crm.api.consent import LOCATIONS
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.org.home import Homes
from target_zoho_crm.settings import read_settings

BACK = "https://sync.example.com/zoho"


@pytest.fixture
def onboarding(box, tmp_path, monkeypatch):
    """A project in which Zoho's client is not known yet; what waits moves the sandbox's clock, which stands still."""
    box.clock.freeze()
    return Onboarding(box, tmp_path, monkeypatch)


@pytest.fixture
def known(onboarding):
    """The same, with a client for limited-input devices known."""
    onboarding.know_zoho()
    return onboarding


def agree_after(onboarding, waits, data_centre=None):
    """Let the person agree when so many polls have been waited for."""

    def look(number):
        if number == waits:
            onboarding.box.zoho.approve_device(data_centre=data_centre)

    onboarding.after_wait = look


def token(onboarding):
    """Give an access token, as target and serve get it."""
    with onboarding.store() as store:
        return open_broker(store, read_settings(collect().target)).token()


def test_from_nothing_to_what_the_organization_is(onboarding, box):
    client = box.zoho.register("device")
    agree_after(onboarding, 2)

    done = onboarding.run("connect", "zoho", typed=(client.client_id, client.client_secret))

    assert done.exit_code == 0, done.output
    (request,) = box.calls("zoho", "/oauth/v3/device/code")
    assert {("access_type", "offline"), ("prompt", "consent"), ("scope", ",".join(SCOPES))} <= set(request.query)
    assert f"{box.zoho.accounts_url}/oauth/v3/device" in done.stderr
    for said in ("Sandbox Company", "Enterprise", "USD", box.zoho.api_domain, "more than half of the day's"):
        assert said in done.stdout
    assert [line.split()[-1] for line in done.stdout.split("May read")[1].splitlines()[1:]] == ["yes"] * 9
    assert onboarding.dotenv == {
        "TARGET_ZOHO_CRM_CLIENT_ID": client.client_id,
        "TARGET_ZOHO_CRM_CLIENT_SECRET": client.client_secret,
    }
    assert token(onboarding).details["api_domain"] == box.zoho.api_domain


def test_polls_are_thirty_seconds_apart(known, box):
    agree_after(known, 4)

    assert known.run("connect", "zoho").exit_code == 0
    assert all(30 < waited <= 31 for waited in known.waits)
    assert len(box.calls("zoho", "/oauth/v3/device/token")) == len(known.waits) == 4


def test_the_outcome_for_a_program(known, box):
    box.zoho.organization.enable_currencies({"EUR": Decimal("0.9"), "CAD": Decimal("1.4")})
    box.zoho.credits_used = 40_000
    agree_after(known, 1)

    outcome = known.json("connect", "zoho", "--json")

    assert outcome.pop("permissions") == [{"what": check.what, "problem": None} for check in after_consent.CHECKS]
    assert outcome.pop("credits_left") == 15_000 - len(after_consent.CHECKS)
    assert outcome == {
        "service": "zoho",
        "connected": True,
        "organization": "Sandbox Company",
        "organization_id": box.zoho.organization.zgid,
        "edition": "enterprise",
        "currency": "USD",
        "currencies": ["USD", "EUR", "CAD"],
        "data_centre": box.zoho.accounts_url.removeprefix("http://"),
        "accounts_url": box.zoho.accounts_url,
        "api_domain": box.zoho.api_domain,
        "problems": [],
    }


def test_another_organization_than_the_one_that_records_were_written_to_is_said_at_once(known):
    with known.store() as store:
        Homes(store).settle("ZyQ04o", "700000001")
    agree_after(known, 1)

    done = known.run("connect", "zoho", "--json")

    assert done.exit_code == 3
    assert "another Zoho organization (698244000) than the one that FreshBooks ZyQ04o was synced to" in done.output


def test_what_zoho_refuses_to_everybody_is_said_once_in_its_words(known, box):
    box.zoho.refuse_calls("LICENSE_EXPIRED", "The subscription of this organization is locked.")
    agree_after(known, 1)

    done = known.run("connect", "zoho", "--json")

    assert done.exit_code == 3
    (problem,) = json.loads(done.stdout)["problems"]
    assert "“The subscription of this organization is locked.”" in problem


def test_a_user_of_another_data_centre_is_followed_there_and_the_settings_with_them(known, box):
    agree_after(known, 1, "eu")
    europe = box.zoho.data_centres["eu"]

    outcome = known.json("connect", "zoho", "--json")

    assert outcome["api_domain"] == europe.api_domain
    assert known.dotenv == {"TARGET_ZOHO_CRM_ACCOUNTS_URL": europe.accounts_url}
    first = token(known)
    with known.store() as store:
        assert (
            open_broker(store, read_settings(collect().target)).renew(first).details["api_domain"] == europe.api_domain
        )


def test_a_client_made_in_another_data_centre_is_found_there_unless_one_is_named(known, box):
    (client,) = [each for each in box.zoho.accounts.clients.values() if each.kind == "device"]
    client.data_centres = {"eu"}
    known.after_wait = lambda _: box.zoho.approve_device()

    named = known.run("connect", "zoho", "--data-centre", "us")
    assert (named.exit_code, "invalid_client" in named.stderr) == (1, True)
    assert known.json("connect", "zoho", "--json")["accounts_url"] == box.zoho.data_centres["eu"].accounts_url


def test_a_process_that_runs_on_with_the_former_data_centre_keeps_working(known, box):
    """`serve` has read its settings before; its token is renewed where it was made all the same."""
    before = read_settings(collect_of(known))
    agree_after(known, 1, "eu")
    known.run("connect", "zoho")

    with known.store() as store:
        broker = open_broker(store, before)
        renewed = broker.renew(broker.token())
    assert renewed.details["api_domain"] == box.zoho.data_centres["eu"].api_domain


def collect_of(onboarding):
    """Give the target's configuration as it is now."""
    return onboarding.config["target-zoho-crm"]


def test_an_accounts_server_of_the_environment_counts_more_and_that_is_said(known, box):
    known.patch.setenv("TARGET_ZOHO_CRM_ACCOUNTS_URL", box.zoho.accounts_url)
    agree_after(known, 1, "eu")

    outcome = known.json("connect", "zoho", "--json", exit_code=3)
    assert "sets TARGET_ZOHO_CRM_ACCOUNTS_URL to another server" in outcome["problems"][0]


def test_who_refuses_is_not_connected(known, box):
    known.after_wait = lambda _: box.zoho.deny_device()

    done = known.run("connect", "zoho")

    assert done.exit_code == 1
    assert "Consent was refused on Zoho's page" in done.stderr
    with pytest.raises(ConnectAgainError):
        token(known)


def test_who_does_not_come_is_not_waited_for_longer_than_the_code_lives(known):
    done = known.run("connect", "zoho")

    assert done.exit_code == 1
    assert "not typed in in time" in done.stderr
    assert len(known.waits) == 10


@pytest.mark.parametrize("kind", ["self", "server"])
def test_a_client_of_another_kind_is_shown_its_own_way(onboarding, kind):
    onboarding.know_zoho(kind)

    done = onboarding.run("connect", "zoho")

    assert done.exit_code == 1
    assert "`freshbooks-zoho connect zoho --self-client`" in done.stderr
    assert "--redirect" in done.stderr


# a self client


def test_a_self_client_connects_with_the_code_of_the_console(onboarding, box):
    client = onboarding.know_zoho("self")

    done = onboarding.run("connect", "zoho", "--self-client", typed=(box.zoho.grant_code(SCOPES, client=client),))

    assert done.exit_code == 0, done.output
    assert ",".join(SCOPES) in done.stderr
    assert token(onboarding)


def test_the_code_of_a_script_comes_on_stdin(onboarding, box):
    client = onboarding.know_zoho("self")
    way = ("connect", "zoho", "--self-client", "--non-interactive")

    assert onboarding.json(*way, "--json", typed=(box.zoho.grant_code(SCOPES, client=client),))["connected"]
    none = onboarding.run(*way)
    assert (none.exit_code, "no code on stdin" in none.stderr) == (1, True)


def test_a_code_of_another_data_centre_is_taken_there_when_that_is_said(onboarding, box):
    client = onboarding.know_zoho("self")
    way = ("connect", "zoho", "--self-client", "--non-interactive", "--json")

    refused = onboarding.run(*way, typed=(box.zoho.grant_code(SCOPES, "eu", client=client),))
    assert refused.exit_code == 1
    assert "--data-centre" in refused.stderr
    code = box.zoho.grant_code(SCOPES, "eu", client=client)
    outcome = onboarding.json(*way, "--data-centre", "eu", typed=(code,))

    assert outcome["accounts_url"] == box.zoho.data_centres["eu"].accounts_url
    assert onboarding.dotenv == {"TARGET_ZOHO_CRM_ACCOUNTS_URL": outcome["accounts_url"]}


def test_a_code_with_too_few_scopes_is_one_sentence_and_shows_what_may_not_be_read(onboarding, box):
    client = onboarding.know_zoho("self")
    some = [scope for scope in SCOPES if "coql" not in scope and "notifications" not in scope]
    code = box.zoho.grant_code(some, client=client)

    outcome = onboarding.json("connect", "zoho", "--self-client", "--json", exit_code=3, typed=(code,))

    (problem,) = outcome["problems"]
    assert "lacks ZohoCRM.notifications.ALL, ZohoCRM.coql.READ" in problem
    refused = [one["what"] for one in outcome["permissions"] if one["problem"]]
    assert refused == ["Accounts", "Deals", "Contacts", "Notifications"]


def test_a_permission_the_users_profile_lacks_is_named(known, box):
    box.zoho.forbid("view", "Deals")
    agree_after(known, 1)

    outcome = known.json("connect", "zoho", "--json", exit_code=3)
    assert "Crm_Implied_View_Deals" in outcome["problems"][0]


# a redirect


def test_a_server_based_client_connects_by_its_redirect_uri(onboarding, box):
    onboarding.know_zoho("server", redirect_uri=BACK)
    box.zoho.switches.user_location = "eu"

    done = onboarding.run("connect", "zoho", "--redirect", BACK, typed=("wrong", onboarding.agree))

    assert done.exit_code == 0, done.output
    assert "not the address that Zoho leads to" in done.stderr
    assert onboarding.dotenv == {"TARGET_ZOHO_CRM_ACCOUNTS_URL": box.zoho.data_centres["eu"].accounts_url}


def test_the_secret_is_sent_to_no_server_but_zohos(onboarding, box):
    onboarding.know_zoho("server", redirect_uri=BACK)

    def address():
        server = quote("https://accounts.zoho.com.evil.example", safe="")
        return f"{BACK}?code=c&state={onboarding.state()}&accounts-server={server}"

    done = onboarding.run("connect", "zoho", "--redirect", BACK, typed=(address,))

    assert done.exit_code == 1
    assert "none of Zoho's" in done.stderr


# two steps


def test_two_steps_for_a_script(known, box):
    first = known.json("connect", "zoho", "--non-interactive")
    assert first.keys() == {"verification_url", "user_code", "to_do", "expires_at", "next_step"}
    assert first["next_step"] == "freshbooks-zoho connect zoho --complete"
    (login,) = box.zoho.devices.requests.values()
    assert login.device_code not in (known.folder / "store" / "store.db").read_bytes().decode("latin-1")
    box.zoho.approve_device(first["user_code"])

    assert known.json("connect", "zoho", "--complete", "--json")["connected"]
    assert 25 < known.waits[0] <= 31
    assert "No consent is under way" in known.run("connect", "zoho", "--complete").stderr


def test_a_second_step_that_was_broken_off_goes_on(known, box):
    class InterruptedByTestError(Exception):
        pass

    def interrupt(number):
        if number == 2:
            raise InterruptedByTestError

    known.json("connect", "zoho", "--non-interactive")
    box.zoho.approve_device(data_centre="eu")
    known.after_wait = interrupt
    with pytest.raises(InterruptedByTestError):
        known.run("connect", "zoho", "--complete")

    outcome = known.json("connect", "zoho", "--complete", "--json")
    assert outcome["api_domain"] == box.zoho.data_centres["eu"].api_domain
    # The data centre that was learned before is not asked for again.
    assert [call.status for call in box.calls("zoho", "/oauth/v3/device/token")] == [200, 200]
    assert all(25 < waited <= 31 for waited in known.waits)


def test_two_steps_by_a_redirect(onboarding):
    onboarding.know_zoho("server", redirect_uri=BACK)
    page = onboarding.json("connect", "zoho", "--redirect", BACK, "--non-interactive")["authorization_url"]

    assert onboarding.run("connect", "zoho", "--complete", typed=("wrong",)).exit_code == 1
    assert onboarding.json("connect", "zoho", "--complete", "--json", typed=(onboarding.agree(page),))["connected"]


def test_a_login_that_is_over_is_said_once(known, box):
    known.json("connect", "zoho", "--non-interactive")
    box.clock.advance(minutes=6)

    assert "not typed in in time" in known.run("connect", "zoho", "--complete").stderr
    assert "No consent is under way" in known.run("connect", "zoho", "--complete").stderr


def test_a_script_that_lacks_credentials_is_told_the_variables(onboarding):
    done = onboarding.run("connect", "zoho", "--non-interactive")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "set TARGET_ZOHO_CRM_CLIENT_ID and TARGET_ZOHO_CRM_CLIENT_SECRET" in done.stderr


# again, and the end


def test_connecting_again_takes_the_place_of_the_tokens_and_of_nothing_else(known):
    now = datetime.now(timezone.utc)
    agree_after(known, 1)
    known.run("connect", "zoho")
    first = token(known)
    with known.store() as store:
        store.secrets.put("channel", "1", {"token": "t"})
        store.pending.queue_many([("Z", "invoices", "17", "rejected", now)])
        store.runs.add("target-zoho-crm", now, now + timedelta(seconds=1), "ok", {})
        before = (store.secrets.all("channel"), store.pending.all(), store.runs.latest("target-zoho-crm", 9))
        # `serve` runs on meanwhile.
        serving = open_broker(store, read_settings(collect().target))
        assert serving.token() == first

        known.after_wait = lambda _: known.box.zoho.approve_device()
        assert known.run("connect", "zoho").exit_code == 0

        assert serving.token() != first
        assert before == (store.secrets.all("channel"), store.pending.all(), store.runs.latest("target-zoho-crm", 9))


def test_disconnecting_revokes_where_the_token_was_made(known, box):
    agree_after(known, 1, "eu")
    known.run("connect", "zoho")
    # Whatever the settings say: an environment that was set up before, for example.
    known.patch.setenv("TARGET_ZOHO_CRM_ACCOUNTS_URL", box.zoho.accounts_url)

    done = known.json("disconnect", "zoho", "--yes", "--json")

    assert done == {"service": "zoho", "connected": False, "revoked": True, "problem": None}
    assert not box.zoho.accounts.refresh_tokens
    with pytest.raises(ConnectAgainError, match="disconnected"):
        token(known)


@pytest.mark.parametrize("redirect", ["not a url", "sync.example.com/back", "https://", "ftp://example.com/back", ""])
def test_a_redirect_that_is_no_address_is_wrong_usage(known, redirect):
    done = known.run("connect", "zoho", "--redirect", redirect, "--non-interactive")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "is no address: give the client's redirect URI" in done.stderr


def test_the_data_centres_to_choose_from_are_all_that_are_known():
    assert tuple(LOCATIONS) == DATA_CENTRES
