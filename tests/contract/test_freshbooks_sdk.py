"""FreshBooks' own SDK, unmodified, works against the sandbox."""

from __future__ import annotations

from datetime import date, datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from freshbooks import Client, FilterBuilder, FreshBooksError, IncludesBuilder, PaginateBuilder, SortBuilder, VisState
from support.receiver import Receiver

from sandbox import Sandbox


@pytest.fixture
def box(monkeypatch):
    with Sandbox() as box:
        box.clock.freeze(datetime(2026, 6, 30, 16, tzinfo=timezone.utc))
        monkeypatch.setenv("FRESHBOOKS_API_URL", box.freshbooks.url)
        monkeypatch.setenv("FRESHBOOKS_AUTH_URL", box.freshbooks.url)
        yield box


@pytest.fixture
def connect(box):
    """Make clients of the SDK, and close the sessions they leave open."""
    sessions = []

    def connect(**options):
        app = box.freshbooks.app
        return Client(app.client_id, client_secret=app.client_secret, redirect_uri=app.redirect_uri, **options)

    original = requests.Session.__init__

    def remember(session, *arguments, **options):
        original(session, *arguments, **options)
        sessions.append(session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "__init__", remember)
        yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def sdk(box, connect):
    sdk = connect(refresh_token=box.freshbooks.grant())
    sdk.refresh_access_token()
    return sdk


def test_it_connects_and_refreshes(box, connect):
    sdk = connect()
    answer = requests.get(sdk.get_auth_request_url(["user:profile:read"]), allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    first = sdk.get_access_token(code)
    assert first.access_token_expires_at == datetime(2026, 7, 1, 4, tzinfo=timezone.utc)
    assert sdk.current_user().business_memberships[0].business.account_id == box.freshbooks.account_id
    second = sdk.refresh_access_token()
    assert second.refresh_token != first.refresh_token
    with pytest.raises(FreshBooksError) as caught:
        sdk.refresh_access_token(first.refresh_token)
    assert caught.value.status_code == 400


def test_it_creates_updates_lists_and_deletes(box, sdk):
    account = box.freshbooks.account_id
    client = sdk.clients.create(account, {"organization": "Ltd", "fname": "Ann", "lname": "Lee"})
    assert client.signup_date == datetime(2026, 6, 30, 16, tzinfo=timezone.utc)
    assert client.updated == datetime(2026, 6, 30, 16, tzinfo=timezone.utc)
    assert sdk.clients.update(account, client.id, {"note": "x"}).note == "x"

    includes = IncludesBuilder().include("lines")
    line = {"name": "Work", "qty": 3, "unit_cost": {"amount": "10.50", "code": "USD"}}
    invoice = sdk.invoices.create(
        account, {"customerid": client.id, "create_date": "2026-06-30", "lines": [line]}, includes=includes
    )
    assert (invoice.amount.amount, invoice.lines[0].amount.amount, invoice.create_date) == (
        "31.50",
        "31.50",
        date(2026, 6, 30),
    )
    assert sdk.invoices.update(account, invoice.id, {"action_mark_as_sent": True}).v3_status == "sent"
    payment = sdk.payments.create(
        account, {"invoiceid": invoice.id, "amount": {"amount": "31.50"}, "date": "2026-06-30", "type": "Cash"}
    )
    assert sdk.invoices.get(account, invoice.id).v3_status == "paid"

    assert sdk.payments.delete(account, payment.id).vis_state == VisState.DELETED
    assert sdk.invoices.delete(account, invoice.id).data == {}
    assert sdk.invoices.get(account, invoice.id).vis_state == VisState.DELETED
    sdk.clients.delete(account, client.id)
    assert len(sdk.clients.list(account)) == 0


def test_it_pages_filters_and_sorts(box, sdk):
    account = box.freshbooks.account_id
    ids = [box.freshbooks.create_client(organization=f"Client {number:03}")["id"] for number in range(30)]
    pages = PaginateBuilder(1, 20)
    found = sdk.clients.list(account, [pages])
    while found.pages.page < found.pages.pages:
        found = found + sdk.clients.list(account, [pages.page(found.pages.page + 1)])
    assert [client.id for client in found] == ids[::-1]
    wanted = FilterBuilder().in_list("userids", ids[:2]).between("updated", min=date(2026, 6, 30))
    sort = SortBuilder().ascending("organization_name")
    assert [client.id for client in sdk.clients.list(account, [wanted, sort])] == ids[:2]
    assert len(sdk.clients.list(account, [FilterBuilder().equals("vis_state", 1)])) == 0


def test_it_understands_refusals(box, sdk):
    with pytest.raises(FreshBooksError) as caught:
        sdk.clients.get(box.freshbooks.account_id, 12345)
    assert (caught.value.status_code, caught.value.error_code) == (404, 1012)
    with pytest.raises(FreshBooksError) as caught:
        sdk.callbacks.create(box.freshbooks.account_id, {"event": "nothing", "uri": "nowhere"})
    assert caught.value.error_code == 422
    assert len(caught.value.error_details) == 2


def test_it_subscribes_and_verifies(box, sdk):
    account = box.freshbooks.account_id
    with Receiver() as receiver:
        callback = sdk.callbacks.create(account, {"event": "client", "uri": receiver.url})
        assert callback.verified is False
        box.deliveries.wait()
        sdk.callbacks.resend_verification(account, callback.callbackid)
        box.deliveries.wait()
        form = receiver.received[-1].form()
        assert len(receiver.received) == 2
        assert sdk.callbacks.verify(account, int(form["object_id"]), form["verifier"]).verified is True
        assert len(sdk.callbacks.list(account)) == 1
        sdk.callbacks.delete(account, callback.callbackid)
        assert len(sdk.callbacks.list(account)) == 0
