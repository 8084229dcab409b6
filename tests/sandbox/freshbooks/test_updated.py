"""Times: how they are written, and what moves `updated`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from support.freshbooks import LINE, NOON, made

UTC = timezone.utc


@pytest.fixture
def old(box, books):
    """A client, an invoice that was sent and a payment of it, a day old."""
    box.clock.set(NOON - timedelta(days=1))
    client = books.create_client(fname="Ann")["id"]
    invoice = books.create_invoice(client, [LINE], create_date="2026-06-20", action_mark_as_sent=True)["id"]
    payment = books.create_payment(invoice, "10", "2026-06-29")["id"]
    box.clock.set(NOON)
    return {"clients": client, "invoices": invoice, "payments": payment}


def moved(books, old):
    """Give the streams whose record was updated now."""
    rows = {stream: books.record(stream, number) for stream, number in old.items()}
    return {stream for stream, row in rows.items() if row["updated"] == "2026-06-30 12:00:00"}


def test_times_are_eastern_without_a_zone_and_signup_is_utc(box, api):
    client = made(api.create("clients", fname="A"))
    assert (client["signup_date"], client["updated"]) == ("2026-06-30 16:00:00", "2026-06-30 12:00:00")
    box.clock.set(NOON + timedelta(microseconds=256995))
    invoice = made(api.create("invoices", customerid=client["id"], create_date="2026-06-30"))
    assert invoice["created_at"] == invoice["updated"] == "2026-06-30 12:00:00"
    assert invoice["version"] == "2026-06-30 12:00:00.256995"


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        pytest.param(datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC), "2026-03-08 01:59:59", id="before spring forward"),
        pytest.param(datetime(2026, 3, 8, 7, tzinfo=UTC), "2026-03-08 03:00:00", id="spring forward skips an hour"),
        pytest.param(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "2026-11-01 01:30:00", id="first 01:30 in autumn"),
        pytest.param(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "2026-11-01 01:30:00", id="second 01:30 in autumn"),
        pytest.param(datetime(2026, 11, 1, 7, tzinfo=UTC), "2026-11-01 02:00:00", id="after fall back"),
    ],
)
def test_updated_follows_daylight_saving_time(books, moment, written):
    with books.at(moment):
        assert books.create_client(fname="A")["updated"] == written


@pytest.mark.parametrize(
    ("day", "start"),
    [
        pytest.param("2026-03-09", datetime(2026, 3, 9, 4, tzinfo=UTC), id="the day after spring forward"),
        pytest.param("2026-11-02", datetime(2026, 11, 2, 5, tzinfo=UTC), id="the day after fall back"),
    ],
)
def test_days_begin_at_eastern_midnight_on_both_sides_of_the_switch(api, books, day, start):
    with books.at(start - timedelta(seconds=1)):
        books.create_client(fname="before")
    with books.at(start):
        after = books.create_client(fname="after")["id"]
    assert api.ids("clients", ("search[updated_min]", day)) == [after]


def test_every_edit_counts(books, old):
    books.update_client(old["clients"], note="x")
    assert moved(books, old) == {"clients"}


def test_a_new_invoice_touches_its_client(books, old):
    books.create_invoice(old["clients"], [LINE])
    assert moved(books, old) == {"clients"}
    assert moved(books, {"clients": old["clients"]}) == {"clients"}


def test_a_new_invoice_may_leave_its_client_alone_by_switch(books, old):
    books.switches.invoice_create_bumps_client = False
    books.create_invoice(old["clients"], [LINE])
    assert moved(books, old) == set()


def test_a_payment_touches_its_invoice_in_the_same_second(books, old):
    payment = books.create_payment(old["invoices"], "5")
    assert moved(books, old) == {"invoices"}
    assert books.record("invoices", old["invoices"])["updated"] == payment["updated"]


def test_an_edited_payment_touches_its_invoice(books, old):
    books.update_payment(old["payments"], amount="7")
    assert moved(books, old) == {"payments", "invoices"}


@pytest.mark.parametrize("switch", [True, False])
def test_a_deleted_payment_touches_its_invoice_by_switch(books, old, switch):
    books.switches.payment_delete_bumps_invoice = switch
    books.delete_payment(old["payments"])
    assert moved(books, old) == ({"payments", "invoices"} if switch else {"payments"})
    assert books.record("invoices", old["invoices"])["paid"]["amount"] == "0.00"


@pytest.mark.parametrize("switch", [True, False])
def test_a_deleted_invoice_touches_its_payments_by_switch(books, old, switch):
    books.switches.invoice_delete_bumps_payments = switch
    books.delete_invoice(old["invoices"])
    assert moved(books, old) == ({"invoices", "payments"} if switch else {"invoices"})


@pytest.mark.parametrize("switch", [True, False])
def test_an_edited_invoice_touches_its_client_by_switch(books, old, switch):
    books.switches.invoice_edit_bumps_client = switch
    books.update_invoice(old["invoices"], notes="x")
    assert moved(books, old) == ({"invoices", "clients"} if switch else {"invoices"})


@pytest.mark.parametrize("switch", [True, False])
def test_a_view_touches_the_invoice_by_switch(books, old, switch):
    books.switches.view_bumps_invoice = switch
    assert books.view_invoice(old["invoices"])["display_status"] == "viewed"
    assert moved(books, old) == ({"invoices"} if switch else set())


def test_turning_overdue_touches_nothing(box, books, old):
    number = books.create_invoice(old["clients"], [LINE], action_mark_as_sent=True)["id"]
    before = books.record("invoices", number)
    box.clock.advance(days=3)
    after = books.record("invoices", number)
    assert (before["v3_status"], after["v3_status"]) == ("sent", "overdue")
    assert (before["updated"], before["version"]) == (after["updated"], after["version"])


@pytest.mark.parametrize("switch", [True, False])
def test_a_clients_new_name_reaches_its_drafts_and_what_was_sent_keeps_the_old_one(books, old, switch):
    books.switches.client_edit_touches_drafts = switch
    draft = books.create_invoice(old["clients"], [LINE])["id"]
    before = books.record("invoices", draft)["version"]
    assert books.record("invoices", old["invoices"])["current_organization"] == ""
    books.update_client(old["clients"], organization="New Ltd", fname="Bea")
    drafted, sent = books.record("invoices", draft), books.record("invoices", old["invoices"])
    assert (sent["organization"], sent["fname"], sent["current_organization"]) == ("", "Ann", "New Ltd")
    assert (drafted["organization"], drafted["fname"]) == (("New Ltd", "Bea") if switch else ("", "Ann"))
    assert (drafted["version"] != before) is switch
    assert "invoices" not in moved(books, old)


def test_the_version_tells_two_edits_in_one_second_apart(books, old):
    versions = {books.update_invoice(old["invoices"], notes=note)["version"] for note in "abc"}
    assert len(versions) == 3
