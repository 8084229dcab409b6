"""Ordinary runs against the sandbox: what is read, what is emitted, and where the bookmarks end up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from tap_freshbooks.errors import FreshBooksError, SettingError
from tap_freshbooks.streams import STREAMS

UTC = timezone.utc
LINES = [{"name": "Work", "qty": 1, "unit_cost": "100.00"}]


@pytest.fixture
def long_ago(box):
    return box.clock.now() - timedelta(days=30)


@pytest.fixture
def client(freshbooks, long_ago):
    with freshbooks.at(long_ago):
        return freshbooks.create_client(organization="Larch and Sons", email="larch@example.com")["id"]


@pytest.fixture
def invoice(freshbooks, long_ago, client):
    with freshbooks.at(long_ago):
        number = freshbooks.create_invoice(client, LINES)["id"]
        freshbooks.send_invoice(number)
        return number


@pytest.fixture
def payment(freshbooks, long_ago, invoice):
    with freshbooks.at(long_ago):
        return freshbooks.create_payment(invoice, "40.00")["id"]


@pytest.fixture
def family(client, invoice, payment):
    """One of each, by stream, all of a month ago."""
    return {"clients": client, "invoices": invoice, "payments": payment}


def listed(box, stream, *filters):
    """The list requests of a stream that had all these query parameters."""
    path = {"clients": "users/clients", "invoices": "invoices/invoices", "payments": "payments/payments"}[stream]
    calls = box.calls("freshbooks", f"/accounting/account/{box.freshbooks.account_id}/{path}")
    return [call for call in calls if set(filters) <= set(call.query)]


# The first run


def test_the_first_run_reads_everything_parents_first(box, tap, client, invoice, payment):
    out = tap()
    assert out.order == ["clients", "invoices", "payments"]
    record = out.last("invoices", invoice)
    assert record["account_id"] == box.freshbooks.account_id
    assert record["amount"] == {"amount": "100.00", "code": "USD"}
    assert record["outstanding"] == {"amount": "60.00", "code": "USD"}
    assert [line["name"] for line in record["lines"]] == ["Work"]
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "60.00", "code": "USD"}]
    assert out.last("payments", payment)["invoiceid"] == invoice


def test_pages_of_a_hundred_are_asked_for_with_lines_and_balances(box, tap, freshbooks):
    freshbooks.load(clients=5, invoices=250)
    out = tap()
    assert sorted(out.ids("invoices")) == sorted(row["id"] for row in freshbooks.records("invoices"))
    assert out.ids("invoices") == sorted(out.ids("invoices"), reverse=True), "in FreshBooks' order"
    assert {dict(call.query)["page"] for call in listed(box, "invoices")} == {"1", "2", "3"}
    assert all(("per_page", "100") in call.query for call in listed(box, "invoices"))
    assert all(("include[]", "lines") in call.query for call in listed(box, "invoices"))


def test_bookmarks_rise_to_the_beginning_of_the_read_and_no_further(box, tap, invoice, payment):
    before = box.clock.now().replace(microsecond=0) - timedelta(seconds=2)
    out = tap()
    for stream in ("clients", "invoices", "payments"):
        assert before <= datetime.fromisoformat(out.bookmark(stream)) <= box.clock.now()


def test_freshbooks_clock_counts_not_this_machines(box, tap, invoice):
    box.clock.freeze(datetime(2031, 5, 5, 12, 0, tzinfo=UTC))
    out = tap(record_ids=None)
    assert datetime(2031, 5, 5, 11, 59, 50, tzinfo=UTC) <= datetime.fromisoformat(out.bookmark("invoices"))
    assert datetime.fromisoformat(out.bookmark("invoices")) <= datetime(2031, 5, 5, 12, 0, tzinfo=UTC)


EASTERN = ZoneInfo("America/New_York")
DAY = timedelta(days=1)


def test_a_start_date_in_the_future_is_refused(tap, box):
    with pytest.raises(SettingError, match="start_date is in the future"):
        tap(start_date=(box.clock.now() + timedelta(hours=1)).isoformat())


# The next runs


def test_the_next_run_emits_what_changed_and_asks_freshbooks_for_days_only(box, tap, freshbooks, invoice, payment):
    first = tap()
    box.clock.advance(hours=5)
    freshbooks.update_invoice(invoice, notes="Thanks")
    box.server.forget_calls()
    out = tap(first.state)
    assert out.ids("invoices") == [invoice]
    assert out.ids("payments") == []
    day = datetime.fromisoformat(first.bookmark("invoices")) - timedelta(hours=2)
    assert len(listed(box, "invoices", ("search[updated_min]", str(day.astimezone(EASTERN).date() - DAY)))) == 2


def test_a_quiet_run_emits_nothing_and_raises_the_bookmarks(box, noon, tap, invoice, payment):
    first = tap()
    box.clock.advance(hours=5)
    out = tap(first.state)
    assert not out.order
    assert out.bookmark("payments") > first.bookmark("payments")


def test_the_last_two_hours_are_emitted_again(box, tap, freshbooks, client):
    recent = freshbooks.create_client(organization="Recent")["id"]
    first = tap()
    assert tap(first.state).ids("clients") == [recent]


def test_the_repeated_hour_of_autumn_loses_nothing(box, tap, freshbooks):
    # 01:50 the first time; the next change is at 01:10 the second time, which looks earlier.
    box.clock.freeze(datetime(2026, 11, 1, 5, 50, tzinfo=UTC))
    first_client = freshbooks.create_client(organization="First")["id"]
    first = tap()
    box.clock.set(datetime(2026, 11, 1, 6, 10, tzinfo=UTC))
    second_client = freshbooks.create_client(organization="Second")["id"]
    second = tap(first.state)
    assert second_client in second.ids("clients")
    box.clock.set(datetime(2026, 11, 1, 6, 59, tzinfo=UTC))
    freshbooks.update_client(first_client, note="x")
    assert first_client in tap(second.state).ids("clients")


def test_around_midnight_and_the_spring_switch_nothing_is_lost(box, tap, freshbooks):
    state, number = None, freshbooks.create_client(organization="One")["id"]
    box.clock.freeze(datetime(2026, 3, 8, 3, 30, tzinfo=UTC))
    for _ in range(8):  # 22:30 of the 7th to 05:30 of the 8th, an hour missing in between
        freshbooks.update_client(number, note=str(box.clock.now()))
        out = tap(state)
        assert out.last("clients", number)["note"] == str(box.clock.now())
        state = out.state
        box.clock.advance(hours=1)


def test_a_bookmark_that_is_no_moment_is_a_clear_error(tap):
    with pytest.raises(SettingError, match="bookmark of clients"):
        tap({"bookmarks": {"clients": {"replication_key": "updated", "replication_key_value": "yesterday"}}})


def test_the_state_of_another_account_does_not_hide_this_ones_records(tap, freshbooks, long_ago, caplog):
    first = tap()
    other = freshbooks.add_business("Second business")
    with freshbooks.at(long_ago):
        theirs = freshbooks.create_client(organization="Theirs", account=other)["id"]
    out = tap(first.state, account_id=other)
    assert out.ids("clients") == [theirs]
    assert "another account" in caplog.text
    assert out.state["bookmarks"]["clients"]["account_id"] == other


# Deleted and archived


@pytest.mark.parametrize("stream", ["clients", "invoices", "payments"])
def test_deleted_rows_are_read_in_a_pass_of_their_own(box, tap, freshbooks, family, stream):
    first = tap()
    box.clock.advance(hours=5)
    number = family[stream]
    getattr(freshbooks, f"delete_{stream[:-1]}")(number)
    out = tap(first.state)
    assert out.last(stream, number)["vis_state"] == 1
    assert listed(box, stream, ("search[vis_state]", "1"))


@pytest.mark.parametrize("stream", ["clients", "invoices", "payments"])
def test_archived_and_restored_rows_are_emitted(box, tap, freshbooks, family, stream):
    number = family[stream]
    first = tap()
    box.clock.advance(hours=5)
    freshbooks.archive(stream, number)
    second = tap(first.state)
    assert second.last(stream, number)["vis_state"] == 2
    box.clock.advance(hours=5)
    freshbooks.undelete(stream, number)
    assert tap(second.state).last(stream, number)["vis_state"] == 0


def test_with_a_deleted_payment_come_the_other_payments_of_its_invoice(box, tap, freshbooks, family, long_ago):
    with freshbooks.at(long_ago):
        other = freshbooks.create_payment(family["invoices"], "5.00")["id"]
    first = tap()
    box.clock.advance(hours=5)
    freshbooks.delete_payment(other)
    out = tap(first.state)
    assert sorted(out.ids("payments")) == sorted([family["payments"], other])
    assert out.last("payments", family["payments"])["vis_state"] == 0


# While pages are read


def test_a_row_deleted_while_reading_moves_no_other_row_out_of_sight(tap, freshbooks, caplog):
    freshbooks.load(clients=3, invoices=250)
    numbers = sorted((row["id"] for row in freshbooks.records("invoices")), reverse=True)
    freshbooks.between_pages(lambda: freshbooks.delete_invoice(numbers[0]), "invoices")
    out = tap()
    assert set(out.ids("invoices")) == set(numbers)
    assert out.last("invoices", numbers[0])["vis_state"] == 1
    assert "moved from page to page" not in caplog.text


def test_where_rows_never_stop_moving_the_bookmark_stays_and_the_next_run_finds_the_rest(tap, freshbooks, caplog):
    freshbooks.load(clients=3, invoices=350)
    numbers = iter(sorted((row["id"] for row in freshbooks.records("invoices")), reverse=True))
    freshbooks.between_pages(
        lambda: freshbooks.delete_invoice(next(numbers)),
        "invoices",
        times=4,
        matching=lambda request: request.param("search[vis_state]") is None,
    )
    out = tap()
    assert "moved from page to page" in caplog.text
    assert out.bookmark("invoices") is None
    assert out.bookmark("payments") is not None
    assert set(tap(out.state).ids("invoices")) == {row["id"] for row in freshbooks.records("invoices")}


def test_what_is_inserted_and_updated_while_reading_is_there_after_the_next_run(box, tap, freshbooks):
    freshbooks.load(clients=250)
    numbers = sorted((row["id"] for row in freshbooks.records("clients")), reverse=True)
    new = []

    def change():
        freshbooks.update_client(numbers[10], note="changed")
        new.append(freshbooks.create_client(organization="Newest")["id"])

    freshbooks.between_pages(change, "clients")
    first = tap()
    assert set(numbers) <= set(first.ids("clients"))
    second = tap(first.state)
    assert second.last("clients", numbers[10])["note"] == "changed"
    assert new[0] in second.ids("clients")


# What changes without being updated


def overdue_soon(freshbooks, client, days):
    number = freshbooks.create_invoice(client, LINES, due_offset_days=days)["id"]
    freshbooks.send_invoice(number)
    return number


def test_an_invoice_that_turns_overdue_by_time_alone_arrives_with_its_client_the_next_morning(box, tap, freshbooks):
    box.clock.freeze(datetime(2026, 6, 15, 15, 0, tzinfo=UTC))
    with freshbooks.at(box.clock.now() - timedelta(hours=5)):
        client = freshbooks.create_client(organization="Late payer")["id"]
        number = overdue_soon(freshbooks, client, 3)
    first = tap()
    assert first.last("invoices", number)["v3_status"] == "sent"
    box.clock.advance(days=2)
    second = tap(first.state)
    assert not second.order
    box.clock.set(datetime(2026, 6, 19, 4, 30, tzinfo=UTC))  # half past midnight in New York, after the due date
    out = tap(second.state)
    assert out.last("invoices", number)["v3_status"] == "overdue"
    assert out.last("clients", client)["overdue_balance"] == [{"amount": "100.00", "code": "USD"}]
    assert out.order == ["invoices", "clients"]


def test_what_is_overdue_is_read_once_a_day(box, tap, freshbooks):
    box.clock.freeze(datetime(2026, 6, 15, 15, 0, tzinfo=UTC))
    client = freshbooks.create_client(organization="Late payer")["id"]
    overdue_soon(freshbooks, client, 1)
    state = tap().state
    overdue = ("search[v3_status]", "overdue")
    assert not listed(box, "invoices", overdue), "the first run reads everything anyway"
    for hours, reads in [(3, 0), (23, 1), (3, 1), (24, 2)]:
        box.clock.advance(hours=hours)
        state = tap(state).state
        assert len(listed(box, "invoices", overdue)) == reads


def test_the_business_own_midnight_counts_too(box, tap, freshbooks):
    box.clock.freeze(datetime(2026, 6, 15, 20, 0, tzinfo=UTC))
    tokyo = freshbooks.add_business("Tokyo branch", "Asia/Tokyo")
    freshbooks.switches.today_zone = "business"
    client = freshbooks.create_client(organization="Late payer", account=tokyo)["id"]
    number = overdue_soon(freshbooks, client, 1)  # due on the 17th there
    first = tap(account_id=tokyo)
    box.clock.set(datetime(2026, 6, 17, 14, 0, tzinfo=UTC))
    second = tap(first.state, account_id=tokyo)
    box.clock.set(datetime(2026, 6, 17, 16, 0, tzinfo=UTC))  # past midnight there, noon of the same day in New York
    out = tap(second.state, account_id=tokyo)
    assert out.last("invoices", number)["v3_status"] == "overdue"


def test_a_payment_changes_its_clients_balance_although_the_client_is_not_updated(
    box, tap, freshbooks, client, invoice
):
    first = tap()
    box.clock.advance(hours=5)
    freshbooks.create_payment(invoice, "30.00")
    out = tap(first.state)
    assert out.order == ["invoices", "payments", "invoices", "clients"]
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "70.00", "code": "USD"}]


@pytest.mark.parametrize("bumps", [True, False], ids=["the invoice is updated", "only the payment is"])
def test_a_deleted_payment_brings_its_invoice_and_its_client_as_they_are_without_it(
    box, tap, freshbooks, client, bumps
):
    freshbooks.switches.payment_delete_bumps_invoice = bumps
    number = freshbooks.create_invoice(client, LINES, due_offset_days=60)["id"]  # not overdue, which brings it anyway
    freshbooks.send_invoice(number)
    paid = freshbooks.create_payment(number, "100.00")["id"]
    box.clock.advance(hours=5)
    first = tap()
    assert first.last("invoices", number)["v3_status"] == "paid"
    box.clock.advance(hours=5)
    freshbooks.delete_payment(paid)
    box.clock.advance(minutes=10)
    out = tap(first.state)
    assert out.last("payments", paid)["vis_state"] == 1
    assert out.last("invoices", number)["v3_status"] == "sent"
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "100.00", "code": "USD"}]
    assert out.ids("invoices") == [number], "once"


def test_invoices_that_were_read_after_their_payments_changed_are_not_read_again(box, tap, freshbooks):
    freshbooks.load(clients=5, invoices=30, payments=20)
    box.clock.advance(hours=1)
    out = tap()
    assert len(out.ids("payments")) == 20
    assert len(out.ids("invoices")) == len(set(out.ids("invoices"))) == 30


def test_balances_are_kept_per_currency(tap, freshbooks, client, invoice):
    number = freshbooks.create_invoice(client, LINES, currency_code="EUR")["id"]
    freshbooks.send_invoice(number)
    balances = tap().last("clients", client)["outstanding_balance"]
    assert balances == [{"amount": "100.00", "code": "EUR"}, {"amount": "100.00", "code": "USD"}]


def test_a_client_that_was_read_after_its_invoices_changed_is_not_read_again(box, tap, client, invoice, payment):
    out = tap()
    assert out.ids("clients") == [client]
    assert len(listed(box, "clients")) == 2, "one page, and the deleted ones"


def test_an_invoice_that_changes_after_its_client_was_read_brings_the_client_again(tap, freshbooks, client, invoice):
    freshbooks.between_pages(lambda: freshbooks.create_payment(invoice, "30.00"), "clients")
    out = tap()
    assert out.order == ["clients", "invoices", "payments", "invoices", "clients"]
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "70.00", "code": "USD"}]


def test_many_clients_are_read_again_by_a_search_deleted_ones_by_id(box, tap, freshbooks, long_ago):
    with freshbooks.at(long_ago):
        freshbooks.load(clients=8, invoices=16)
        deleted = freshbooks.records("clients")[0]["id"]
        freshbooks.delete_client(deleted)
    first = tap()
    box.clock.advance(hours=5)
    for row in freshbooks.records("invoices"):
        freshbooks.update_invoice(row["id"], notes="x")
    box.server.forget_calls()
    out = tap(first.state)
    customers = {row["customerid"] for row in freshbooks.records("invoices")}
    assert deleted in customers
    assert set(out.ids("clients")) == customers
    searches = [call for call in listed(box, "clients") if any(name == "search[userids][]" for name, _ in call.query)]
    assert len(searches) == 1
    assert listed(box, "clients")[-1].path.endswith(f"/{deleted}")


def test_the_state_is_written_after_the_last_balance(box, tap, freshbooks, client, invoice):
    first = tap()
    box.clock.advance(hours=5)
    freshbooks.create_payment(invoice, "30.00")
    out = tap(first.state)
    last_record = max(n for n, each in enumerate(out.messages) if each["type"] == "RECORD")
    for n, each in enumerate(out.messages):
        if each["type"] == "STATE" and n < last_record:
            bookmarks = each["value"]["bookmarks"]
            assert bookmarks["invoices"]["replication_key_value"] == first.bookmark("invoices")


# Selection


def test_streams_come_in_the_order_in_which_they_are_listed_not_by_name(tap, client, invoice, payment, monkeypatch):
    monkeypatch.setattr("tap_freshbooks.tap.STREAMS", STREAMS[::-1])
    assert tap().order[:3] == ["payments", "invoices", "clients"]


def test_deselected_streams_are_left_alone(box, tap, family):
    out = tap(catalog=tap.only("invoices"))
    assert out.order == ["invoices"]
    assert not listed(box, "clients")
    assert not listed(box, "payments")


def test_deselected_fields_are_left_out(tap, client):
    catalog = tap.only("clients")
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "email"]:
            entry["metadata"]["selected"] = False
    record = tap(catalog=catalog).records("clients")[0]
    assert "email" not in record
    assert record["organization"] == "Larch and Sons"


def test_full_table_replication_reads_everything_each_time(tap, client):
    catalog = tap.only("clients")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    first = tap(catalog=catalog)
    assert first.bookmark("clients") is None
    assert tap(first.state, catalog=catalog).ids("clients") == [client]


def test_stream_maps_and_flattening_work(tap, client, invoice):
    out = tap(stream_maps={"clients": {"email": "__NULL__", "half": "id / 2"}, "payments": "__NULL__"})
    assert out.last("clients", client)["half"] == client / 2
    assert "email" not in out.last("clients", client)
    flat = tap(flattening_enabled=True, flattening_max_depth=2)
    assert flat.last("invoices", invoice)["amount__amount"] == "100.00"


# Roles and businesses


def test_several_businesses_are_listed(tap, freshbooks):
    other = freshbooks.add_business("Second business")
    with pytest.raises(SettingError, match=rf"Northwind Studio.*{other} \(Second business\)"):
        tap()


def test_a_business_without_accounting_is_passed_over(tap, freshbooks, client):
    freshbooks.add_business("No books", accounting=False)
    assert tap().ids("clients") == [client]


def test_rows_that_the_role_may_not_read_are_not_taken_for_an_empty_list(tap, freshbooks):
    account = freshbooks.add_business("Theirs", role="client")
    freshbooks.create_client(organization="Somebody", account=account)
    freshbooks.switches.unreadable_rows = True
    with pytest.raises(FreshBooksError, match=r"counts clients, but shows none.*role"):
        tap(account_id=account)


@pytest.mark.parametrize("counted", [True, False])
def test_rows_that_are_never_shown_are_said_once_and_hold_back_nothing(box, tap, freshbooks, caplog, counted):
    freshbooks.load(clients=250)
    numbers = [row["id"] for row in freshbooks.records("clients")]
    for number in numbers[::10]:
        freshbooks.hide("clients", number, counted=counted)
    out = tap()
    assert set(out.ids("clients")) == set(numbers) - set(numbers[::10])
    assert out.bookmark("clients") is not None
    said = [each for each in caplog.records if each.levelname == "WARNING"]
    assert ["counts 25 rows of clients that it does not show" in each.getMessage() for each in said] == [True] * counted


def test_ids_as_text_are_as_numbers(box, noon, tap, freshbooks, client):
    with freshbooks.at(box.clock.now() - timedelta(days=30)):
        invoice = freshbooks.create_invoice(client, LINES, action_mark_as_sent=True)["id"]
        payment = freshbooks.create_payment(invoice, "10.00")["id"]
    freshbooks.force("invoices", invoice, id=str(invoice), customerid=str(client))
    freshbooks.force("payments", payment, id=str(payment), invoiceid=str(invoice), clientid=str(client))
    state = tap().state
    box.clock.advance(hours=5)
    freshbooks.switches.payment_delete_bumps_invoice = False
    freshbooks.delete_payment(payment)
    out = tap(state)
    assert out.last("invoices", invoice)["customerid"] == client
    assert out.last("payments", payment)["invoiceid"] == invoice
    assert out.ids("clients") == [client]


def test_rows_that_are_null_or_have_no_id_are_passed_over_with_one_warning(box, tap, freshbooks, client, caplog):
    other = freshbooks.create_client(organization="Nobody")["id"]
    freshbooks.force("clients", other, id=None)
    out = tap()
    assert out.ids("clients") == [client]
    assert out.bookmark("clients") is not None
    row = freshbooks.record("clients", client)
    page = {"clients": [None, row, {"id": "x"}, []], "page": 1, "pages": 1, "per_page": 100, "total": 4}
    box.faults.add(
        service="freshbooks", path=r".*/clients", kind="status", status=200, body={"response": {"result": page}}
    )
    assert tap().ids("clients") == [client]
    assert caplog.text.count("null or have no id") == 2, "once in each run"
    assert "does not show" not in caplog.text


def test_a_null_membership_and_an_account_id_in_another_case_are_accepted(tap, freshbooks, client):
    freshbooks.switches.null_membership = True
    assert tap(account_id=f" {freshbooks.account_id.lower()} ").ids("clients") == [client]


def test_unknown_fields_are_passed_over_with_one_warning(tap, freshbooks, caplog):
    for n in range(3):
        number = freshbooks.create_client(organization=f"No. {n}")["id"]
        freshbooks.force("clients", number, mood="sunny", level="zero")
    out = tap()
    assert all("mood" not in record and "level" not in record for record in out.records("clients"))
    assert len([each for each in caplog.records if "mood" in each.getMessage()]) == 1
    assert len([each for each in caplog.records if "level" in each.getMessage()]) == 1
    assert "sunny" not in caplog.text
