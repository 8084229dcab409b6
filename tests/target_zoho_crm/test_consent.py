"""Connecting to Zoho: logins on a device, codes and the way back, whose servers are believed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox
from singer_store import ClientRefusedError, Grant, RefreshRefused, RefreshUnavailableError
from target_zoho_crm.api.auth import DATA_CENTRES, read_answer, refresher
from target_zoho_crm.api.consent import (
    LOCATIONS,
    Client,
    ConsentError,
    PasteError,
    accounts_server,
    authorization_url,
    exchange,
    location_of,
    read_pasted,
    revoke,
    trusted_server,
)
from target_zoho_crm.api.device import (
    DeviceLogin,
    Elsewhere,
    begin_login,
    find_login,
    judge_poll,
    poll_login,
    read_login,
)
from target_zoho_crm.api.scopes import SCOPES, missing_scopes
from target_zoho_crm.errors import ConfigurationError

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
US = "https://accounts.zoho.com"
REAL = Client("1000.CLIENT", "secret", US)
BACK, STATE = "https://sync.example.com/zoho", "the-state"
LOGIN = DeviceLogin("AB12-CD34", f"{US}/device", "1004.device", US, 30, NOON, NOON + timedelta(minutes=5))


def client_of(box, kind="device", **changes):
    made = box.zoho.register(kind, **changes)
    return Client(made.client_id, made.client_secret, box.zoho.accounts_url)


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def device(box):
    """A client, and a login that it has begun; the clock stands still."""
    box.clock.freeze(NOON)
    client = client_of(box)
    return client, begin_login(client, NOON)


def poll(box, client, login, times=1):
    """Poll when that may be done, several times if need be."""
    for _ in range(times):
        box.clock.set(login.next_poll)
        login = poll_login(login, client, box.clock.now())
    return login


# logins on a device


def test_a_login_on_a_device_brings_tokens_for_all_that_is_needed_and_for_good(box, device):
    client, login = device
    waiting = poll(box, client, login)
    assert isinstance(waiting, DeviceLogin)
    box.zoho.approve_device(login.user_code)

    grant = poll(box, client, waiting)

    assert isinstance(grant, Grant)
    assert missing_scopes(grant.details["scope"]) == ()
    assert refresher(client.client_id, client.client_secret, client.accounts_url)(grant.refresh_token, {}).access_token


def test_polls_are_more_than_thirty_seconds_apart_the_first_one_included(box, device):
    client, login = device
    times = [NOON]
    for _ in range(3):
        times.append(login.next_poll)
        login = poll(box, client, login)

    assert [(later - sooner).total_seconds() for sooner, later in pairwise(times)] == [31, 31, 31]
    assert [call.status for call in box.calls("zoho", "/oauth/v3/device/token")] == [200] * 3


def test_who_is_told_to_slow_down_does():
    for code in (b"slow_down", b"Access Denied"):
        slower = judge_poll(LOGIN, 200, b'{"error": "%s"}' % code, NOON)
        assert (slower.interval, slower.next_poll) == (35, NOON + timedelta(seconds=36))
    assert judge_poll(slower, 200, b'{"error": "authorization_pending"}', NOON).interval == 35


def test_a_person_of_another_data_centre_is_found_there_and_the_tokens_are_refreshed_there(box, device):
    client, login = device
    box.zoho.approve_device(data_centre="eu")
    europe = box.zoho.data_centres["eu"]

    moved = poll(box, client, login)
    assert (moved.accounts_url, moved.next_poll) == (europe.accounts_url, login.next_poll + timedelta(seconds=31))
    grant = poll(box, client, moved)

    assert grant.details["api_domain"] == europe.api_domain
    refresh = refresher(client.client_id, client.client_secret, client.accounts_url)
    assert refresh(grant.refresh_token, grant.details).access_token


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("status", [200, 400])
def test_whatever_the_status_and_wherever_the_parameters_have_to_be(box, device, form, status):
    client, login = device
    box.zoho.switches.device_form, box.zoho.switches.device_status = form, status
    login = poll(box, client, login)
    box.zoho.approve_device()

    assert isinstance(poll(box, client, login), Grant)
    sent = [call.query for call in box.calls("zoho", "/oauth/v3/device/token")]
    assert sent == [(), ()] if form else len(sent) == 4


def test_a_refusal_ends_it(box, device):
    client, login = device
    box.zoho.deny_device()

    with pytest.raises(ConsentError, match=r"refused on Zoho's page.*connect zoho` again"):
        poll(box, client, login)


def test_after_five_minutes_it_is_over(box, device):
    client, login = device
    with pytest.raises(ConsentError, match="not typed in in time"):
        poll(box, client, login, 11)
    assert timedelta(minutes=5) <= box.clock.now() - NOON < timedelta(minutes=6)


def test_a_service_that_is_not_there_for_a_while_is_polled_on_and_not_for_ever(box, device):
    client, login = device
    box.faults.add(service="zoho", path="/oauth/v3/device/token", kind="reset", times=2)
    login = poll(box, client, login, 2)
    box.zoho.approve_device()
    assert isinstance(poll(box, client, login), Grant)

    box.faults.add(service="zoho", path="/oauth/v3/device/token", kind="reset", times=99)
    login = begin_login(client, box.clock.now())
    with pytest.raises(ConsentError, match="does not answer"):
        poll(box, client, login, 20)


@pytest.mark.parametrize("kind", ["server", "self"])
def test_a_client_of_another_kind_is_shown_its_own_way(box, kind):
    with pytest.raises(ConsentError, match=r"invalid_client.*limited-input devices.*--self-client.*--redirect"):
        begin_login(client_of(box, kind), NOON)


def test_a_client_that_is_known_in_one_data_centre_only_is_found_there(box, device):
    client, _ = device
    box.zoho.accounts.clients[client.client_id].data_centres = {"eu"}

    login = find_login(client, NOON)

    assert login.accounts_url == box.zoho.data_centres["eu"].accounts_url
    box.zoho.accounts.clients[client.client_id].data_centres = set()
    with pytest.raises(ConsentError, match="limited-input devices"):
        find_login(client, NOON)


def test_a_wrong_secret_is_said(box, device):
    client, login = device
    with pytest.raises(ConsentError, match="invalid_client_secret"):
        poll(box, Client(client.client_id, "wrong", client.accounts_url), login)


def test_a_login_can_be_kept_and_goes_on_where_it_was(device):
    _, login = device
    assert DeviceLogin.from_document(json.loads(json.dumps(login.as_document()))) == login
    assert login.device_code not in repr(login)


def test_times_are_milliseconds_and_what_cannot_be_is_taken_for_seconds():
    answer = {"user_code": "U", "device_code": "D", "verification_url": "V", "interval": 45000, "expires_in": 300000}
    read = read_login(json.dumps(answer).encode(), US, NOON)
    assert (read.interval, read.expires_at) == (45, NOON + timedelta(minutes=5))
    assert read_login(json.dumps({**answer, "interval": 30}).encode(), US, NOON).interval == 30


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["other_dc", "general_error"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
NAMES = st.sampled_from(["error", "access_token", "expires_in", "api_domain", "user_location", "scope"])


@given(
    st.sampled_from([200, 400, 429, 500]),
    st.binary() | st.dictionaries(NAMES, JSON).map(lambda answer: json.dumps(answer).encode()),
)
def test_whatever_zoho_answers_it_is_judged(status, body):
    try:
        assert isinstance(judge_poll(LOGIN, status, body, NOON), (Grant, DeviceLogin, Elsewhere))
    except ConsentError as error:
        assert "<" not in str(error)  # noqa: PT017
    with suppress(RefreshRefused, ClientRefusedError, RefreshUnavailableError):
        assert isinstance(read_answer(status, body, US), Grant)


@pytest.mark.parametrize(
    "busy", [{"status": 200, "body": "<html>Please wait</html>"}, {"status": 503, "body": {"error": "general_error"}}]
)
def test_who_is_told_later_while_polling_polls_on_and_sends_no_secret_in_an_address(box, device, busy):
    client, login = device
    box.faults.add(service="zoho", path="/oauth/v3/device/token", kind="status", **busy)
    waiting = poll(box, client, login)
    box.zoho.approve_device()

    assert isinstance(poll(box, client, waiting), Grant)
    assert {call.query for call in box.calls("zoho", "/oauth/v3/device/token")} == {()}


# data centres


def test_the_known_data_centres_are_those_of_the_settings():
    assert set(LOCATIONS.values()) == set(DATA_CENTRES)
    assert [accounts_server(name, REAL) for name in LOCATIONS] == [f"https://{host}" for host in LOCATIONS.values()]


@pytest.mark.parametrize(("location", "domain"), [("eu", "eu"), ("au", "com.au"), ("ae", "ae"), ("sg", "sg")])
def test_a_data_centre_is_known_by_zohos_short_name_of_it(location, domain):
    server = f"https://accounts.zoho.{domain}"
    assert (accounts_server(location, REAL), location_of(server)) == (server, location)
    assert trusted_server(f"{server}/", REAL) == server


def test_an_emulated_zoho_says_itself_where_its_data_centres_are(box):
    client = client_of(box)
    assert accounts_server("eu", client) == box.zoho.data_centres["eu"].accounts_url
    with pytest.raises(ConsentError, match=r"not known here \(mars\)"):
        accounts_server("mars", client)


@pytest.mark.parametrize(
    "server",
    [
        "https://accounts.zoho.example",
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.com@evil.example",
        "http://accounts.zoho.com",
        "http://127.0.0.1:8080",
        "https://accounts.zoho.eu/oauth",
        "file:///etc/passwd",
    ],
)
def test_only_zohos_own_servers_are_sent_the_secret(server):
    with pytest.raises(ConsentError, match="none of Zoho's"):
        trusted_server(server, REAL)
    with pytest.raises(ConsentError, match="none of Zoho's"):
        read_pasted(back(**{"accounts-server": server}), REAL, redirect_uri=BACK, state=STATE)


# a page that leads back


def back(base=BACK, **query):
    return f"{base}?{urlencode({'code': 'c0de', 'state': STATE, **query})}"


def test_the_code_is_taken_to_the_server_that_made_it(box):
    box.zoho.switches.user_location = "eu"
    client = client_of(box, "server", redirect_uri=BACK)
    page = requests.get(authorization_url(client, BACK, STATE), allow_redirects=False, timeout=10)

    code, server = read_pasted(page.headers["Location"], client, redirect_uri=BACK, state=STATE)
    grant = exchange(client, code, accounts_url=server, redirect_uri=BACK)

    assert grant.details["accounts_url"] == box.zoho.data_centres["eu"].accounts_url
    assert grant.refresh_token


def test_a_second_consent_brings_a_refresh_token_too(box):
    client = client_of(box, "server", redirect_uri=BACK)
    for _ in range(2):
        page = requests.get(authorization_url(client, BACK, STATE), allow_redirects=False, timeout=10)
        code, server = read_pasted(page.headers["Location"], client, redirect_uri=BACK, state=STATE)
        assert exchange(client, code, accounts_url=server, redirect_uri=BACK).refresh_token


def test_consent_is_asked_for_offline_and_anew():
    query = parse_qs(urlsplit(authorization_url(REAL, BACK, STATE)).query)
    assert (query["access_type"], query["prompt"], query["scope"]) == (["offline"], ["consent"], [",".join(SCOPES)])


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("c0de", "not the address that Zoho leads to"),
        ("https://[", "not an address"),
        (back("https://other.example.com/zoho"), "not the address that Zoho leads to"),
        (back(state="another"), "another attempt"),
        (f"{BACK}?code=c0de", "another attempt"),
        (f"{BACK}?state={STATE}", "no code"),
    ],
)
def test_what_is_not_the_answer_may_be_pasted_anew(pasted, says):
    with pytest.raises(PasteError, match=says):
        read_pasted(pasted, REAL, redirect_uri=BACK, state=STATE)


def test_a_refusal_on_the_page_is_final(box):
    box.zoho.switches.consent_denied = True
    client = client_of(box, "server", redirect_uri=BACK)
    page = requests.get(authorization_url(client, BACK, STATE), allow_redirects=False, timeout=10)

    with pytest.raises(ConsentError, match="refused on Zoho's page") as raised:
        read_pasted(page.headers["Location"], client, redirect_uri=BACK, state=STATE)
    assert not isinstance(raised.value, PasteError)


# codes and the end


def test_a_self_clients_code_is_good_once_and_where_it_was_made(box):
    made = box.zoho.register("self")
    client = Client(made.client_id, made.client_secret, box.zoho.accounts_url)
    code = box.zoho.grant_code(SCOPES, client=made)
    assert exchange(client, code, accounts_url=client.accounts_url).refresh_token

    elsewhere = box.zoho.grant_code(SCOPES, "eu", client=made)
    for dead in (code, elsewhere, "1000.made.up"):
        with pytest.raises(ConsentError, match=r"good once.*--data-centre") as raised:
            exchange(client, dead, accounts_url=client.accounts_url)
        assert dead not in str(raised.value)
    with pytest.raises(ClientRefusedError, match="invalid_client_secret"):
        exchange(Client(made.client_id, "wrong", client.accounts_url), "c", accounts_url=client.accounts_url)


def test_revoking_ends_the_tokens_and_may_be_done_twice(box):
    app, token = box.zoho.app, box.zoho.grant()
    revoke(token, box.zoho.accounts_url)
    revoke(token, box.zoho.accounts_url)

    with pytest.raises(RefreshRefused):
        refresher(app.client_id, app.client_secret, box.zoho.accounts_url)(token, {})


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "reset"}])
def test_a_connection_that_could_not_be_ended_says_how_to_end_it(box, fault):
    box.faults.add(service="zoho", path="/oauth/v2/token/revoke", times=1, **fault)

    with pytest.raises(ConsentError, match="Connected Apps"):
        revoke(box.zoho.grant(), box.zoho.accounts_url)


WIDE = ("modules.ALL", "settings.ALL", "notifications.ALL", "coql.READ", "org.READ", "users.READ")


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (",".join(SCOPES), ()),
        (" ".join(f"ZohoCRM.{name}" for name in WIDE), ()),
        (None, ()),
        (" ".join(one for one in SCOPES if "coql" not in one).lower(), ("ZohoCRM.coql.READ",)),
    ],
)
def test_what_a_consent_does_not_cover(granted, missing):
    assert missing_scopes(granted) == missing


def test_to_read_is_not_to_write_and_a_module_is_not_all():
    narrow = " ".join(one.replace("deals.ALL", "deals.READ") for one in SCOPES)
    assert missing_scopes(narrow) == ("ZohoCRM.modules.deals.ALL",)
    assert "ZohoCRM.modules.accounts.ALL" in missing_scopes("ZohoCRM.modules.contacts.ALL")


def test_an_accounts_url_that_is_not_zohos_is_refused_by_the_settings():
    with pytest.raises(ConfigurationError):
        refresher("c", "s", "https://accounts.zoho.example")
