"""Clients, invoices and payments: what is computed, and how it looks at the moment it is read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.freshbooks import LINE, NOON, errno, made

from sandbox.freshbooks.money import cents, totals
from sandbox.freshbooks.records import Line

UTC = timezone.utc


@pytest.fixture
def client(books):
    return books.create_client(organization="Ltd", fname="Ann", lname="Lee")["id"]


def row_of(invoice, *fields):
    return tuple(invoice[field] for field in fields)


# clients


def test_ids_rise_with_gaps_and_userid_is_the_id(books):
    rows = [books.create_client(fname="A") for _ in range(30)]
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] > 29
    assert all(row["userid"] == row["id"] for row in rows)


def test_a_client_needs_a_name_or_an_address(api):
    assert errno(api.create("clients", note="nobody")) == (422, 7012)
    for field in ("fname", "lname", "organization", "email"):
        assert made(api.create("clients", **{field: "x"}))[field] == "x"


def test_user_names_come_of_names_and_are_told_apart_by_numbers(api):
    names = [made(api.create("clients", fname="Test", lname="Client", email="a@b.example"))["username"] for _ in "123"]
    assert names == ["testclient", "testclient2", "testclient3"]


def test_what_is_unset_is_text_or_null_as_the_field_has_it(api):
    row = made(api.create("clients", email="a@example.com"))
    assert row_of(row, "organization", "bus_phone", "home_phone", "note", "vat_name") == ("", "", None, None, None)
    again = made(api.update("clients", row["id"], bus_phone=None, note="hello"))
    assert row_of(again, "bus_phone", "note") == ("", "hello")


def test_the_business_currency_is_the_default(books, api):
    account = books.add_business("Kenya Ltd", "Africa/Nairobi", currency="KES", country="Kenya")
    client = books.create_client(fname="A", account=account)
    assert client["currency_code"] == "KES"
    assert books.create_invoice(client["id"])["currency_code"] == "KES"
    assert books.create_invoice(client["id"], currency_code="USD")["amount"]["code"] == "USD"


def test_fields_of_the_server_are_not_written(api):
    row = made(api.create("clients", fname="A", id=5, username="root", updated="1999-01-01 00:00:00", uuid="x"))
    assert row["id"] != 5
    assert row["username"] == "a"
    assert row["updated"] == "2026-06-30 12:00:00"


# the truth table of invoices: status, display_status, payment_status, v3_status, fulfillment_date, date_paid

STATUSES = ("status", "display_status", "payment_status", "v3_status")


@pytest.mark.parametrize(
    ("lines", "due", "steps", "expected"),
    [
        pytest.param([LINE], 0, [], (1, "draft", "unpaid", "draft"), id="draft"),
        pytest.param([LINE], -9, [], (1, "draft", "unpaid", "draft"), id="draft past due"),
        pytest.param([LINE], 0, ["send"], (2, "sent", "unpaid", "sent"), id="sent and due today"),
        pytest.param([LINE], -1, ["send"], (2, "sent", "unpaid", "overdue"), id="sent past due"),
        pytest.param([], -9, ["send"], (2, "sent", "unpaid", "overdue"), id="sent past due, nothing to pay"),
        pytest.param([LINE], 0, ["send", "view"], (3, "viewed", "unpaid", "viewed"), id="viewed"),
        pytest.param([LINE], -1, ["send", "view"], (3, "viewed", "unpaid", "overdue"), id="viewed past due"),
        pytest.param([LINE], 0, ["send", "40"], (2, "sent", "partial", "partial"), id="partly paid"),
        pytest.param([LINE], -1, ["send", "40"], (2, "sent", "partial", "overdue"), id="partly paid past due"),
        pytest.param([LINE], -1, ["send", "40", "60"], (4, "sent", "paid", "paid"), id="paid"),
        pytest.param([LINE], -1, ["send", "view", "100"], (4, "viewed", "paid", "paid"), id="viewed and paid"),
        pytest.param([LINE], -1, ["send", "dispute"], (0, "sent", "unpaid", "disputed"), id="disputed"),
    ],
)
def test_the_statuses_of_an_invoice(  # noqa: PLR0917 - a row of the truth table
    books, api, client, lines, due, steps, expected
):
    created = (NOON + timedelta(days=due)).date()
    number = books.create_invoice(client, lines, create_date=created)["id"]
    for step in steps:
        if step == "send":
            books.send_invoice(number)
        elif step == "view":
            books.view_invoice(number)
        elif step == "dispute":
            books.dispute_invoice(number)
        else:
            books.create_payment(number, step)
    row = api.get("invoices", number)
    assert row_of(row, *STATUSES) == expected
    assert row["fulfillment_date"] == ("2026-06-30" if "send" in steps else None)
    assert row["date_paid"] == ("2026-06-30" if expected[3] == "paid" else None)
    assert row["dispute_status"] == ("disputed" if "dispute" in steps else None)


def test_a_partly_paid_invoice_may_show_a_date_by_switch(books, client):
    invoice = books.create_invoice(client, [LINE], action_mark_as_sent=True)
    books.create_payment(invoice["id"], 40, "2026-06-15")
    books.switches.partial_date_paid = True
    assert books.record("invoices", invoice["id"])["date_paid"] == "2026-06-15"


def test_an_invoice_turns_overdue_at_eastern_midnight_and_is_not_updated(box, books, api, client):
    invoice = books.create_invoice(
        client, [LINE], create_date="2026-06-20", due_offset_days=10, action_mark_as_sent=True
    )
    box.clock.set(datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC))
    assert api.get("invoices", invoice["id"]) == invoice
    box.clock.set(datetime(2026, 7, 1, 4, tzinfo=UTC))
    api.log_in()
    later = api.get("invoices", invoice["id"])
    assert {key for key in later if later[key] != invoice[key]} == {"v3_status"}
    assert later["v3_status"] == "overdue"


def test_the_day_may_be_that_of_the_business_by_switch(box, books):
    account = books.add_business("Sydney Ltd", "Australia/Sydney")
    client = books.create_client(fname="A", account=account)["id"]
    number = books.create_invoice(client, [LINE], create_date="2026-06-30", action_mark_as_sent=True)["id"]
    assert books.record("invoices", number)["v3_status"] == "sent"
    books.switches.today_zone = "business"
    assert books.record("invoices", number)["v3_status"] == "overdue"


def test_status_is_written_as_a_number_from_0_to_3(api, books, client):
    number = books.create_invoice(client, [LINE])["id"]
    assert made(api.update("invoices", number, status=2))["v3_status"] == "sent"
    assert made(api.update("invoices", number, status=3))["v3_status"] == "viewed"
    assert made(api.update("invoices", number, status=0))["v3_status"] == "disputed"
    assert made(api.update("invoices", number, status=1))["v3_status"] == "draft"
    assert errno(api.update("invoices", number, status="sent")) == (422, 1015)
    assert errno(api.update("invoices", number, status=4)) == (422, 1004)


def test_a_record_can_be_made_to_show_what_no_rule_makes_of_it(api, books, client):
    invoice = books.create_invoice(client, [LINE])
    books.force("invoices", invoice["id"], v3_status="autopaid", status=5)
    row = api.get("invoices", invoice["id"])
    assert row == invoice | {"v3_status": "autopaid", "status": 5}
    assert api.ids("invoices", ("search[v3_status]", "autopaid")) == [invoice["id"]]


# numbers, dates and totals


def test_invoices_are_numbered_and_a_number_is_used_once(api, client):
    def create(**fields):
        return api.create("invoices", customerid=client, create_date="2026-06-30", **fields)

    assert [made(create())["invoice_number"] for _ in "12"] == ["0000001", "0000002"]
    assert made(create(invoice_number="2026/A"))["invoice_number"] == "2026/A"
    assert errno(create(invoice_number="2026/A")) == (409, 409)
    assert made(create(invoice_number="0000007"))["invoice_number"] == "0000007"
    assert made(create())["invoice_number"] == "0000008"


def test_an_invoice_is_due_so_many_days_after_its_date(api, books, client):
    number = books.create_invoice(client, create_date="2026-02-20", due_offset_days=14)["id"]
    assert books.record("invoices", number)["due_date"] == "2026-03-06"
    moved = made(api.update("invoices", number, create_date="2026-02-22"))
    assert row_of(moved, "due_date", "due_offset_days") == ("2026-03-08", 14)
    assert errno(api.update("invoices", number, due_date="2026-04-01")) == (403, 1038)


def test_an_invoice_needs_a_client_and_a_date(api, client):
    assert errno(api.create("invoices", create_date="2026-06-30")) == (422, 1001)
    assert errno(api.create("invoices", customerid=client)) == (422, 1001)
    assert errno(api.create("invoices", customerid=1, create_date="2026-06-30")) == (404, 1012)
    assert errno(api.create("invoices", customerid=client, create_date="soon")) == (422, 1004)


def test_an_invoice_starts_as_a_draft_and_is_marked_as_sent(api, books, client):
    fields = {"customerid": client, "create_date": "2026-06-30", "lines": [LINE]}
    draft = made(api.create("invoices", **fields))
    assert draft["v3_status"] == "draft"
    assert made(api.update("invoices", draft["id"], action_mark_as_sent=True))["v3_status"] == "sent"
    assert made(api.create("invoices", action_email=True, **fields))["v3_status"] == "sent"


def test_tax_is_computed_on_the_discounted_line(books, client):
    lines = [
        {"name": "a", "qty": 1, "unit_cost": {"amount": "20.00"}, "taxName1": "HST", "taxAmount1": "13"},
        {"name": "b", "qty": "2", "unit_cost": {"amount": "12.00"}},
    ]
    number = books.create_invoice(client, lines, discount_value="10")["id"]
    row = books.record("invoices", number, "lines")
    assert row["amount"] == {"amount": "41.94", "code": "USD"}
    assert row["discount_total"] == {"amount": "-4.40", "code": "USD"}
    assert row["discount_value"] == "10"
    assert [line["amount"]["amount"] for line in row["lines"]] == ["20.00", "24.00"]
    assert row_of(row["lines"][0], "qty", "taxName1", "taxAmount1", "taxAmount2") == ("1", "HST", "13", "0")


def test_a_compounded_tax_is_computed_on_the_first_as_well(books, client):
    line = {"qty": 1, "unit_cost": "100", "taxAmount1": "10", "taxAmount2": "10"}
    assert books.create_invoice(client, [line])["amount"]["amount"] == "120.00"
    assert books.create_invoice(client, [line | {"compounded_tax": True}])["amount"]["amount"] == "121.00"


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 99_999)), max_size=5),
    st.integers(0, 100),
)
def test_a_total_without_tax_is_the_sum_less_the_discount(lines, discount):
    rows = [Line(1, "", "", str(q), Decimal(c) / 100, cents(q * Decimal(c) / 100)) for q, c in lines]
    total, reduction = totals(rows, Decimal(discount))
    net = sum((row.amount for row in rows), Decimal(0))
    assert total == net + reduction
    assert -net <= reduction <= 0
    assert total.as_tuple().exponent == -2


def test_money_is_text_with_two_decimals_or_more(books, client):
    invoice = books.create_invoice(client, [{"qty": "500", "unit_cost": {"amount": "0.375"}}, {"unit_cost": "7"}])
    row = books.record("invoices", invoice["id"], "lines")
    assert [line["unit_cost"]["amount"] for line in row["lines"]] == ["0.375", "7.00"]
    assert row["amount"]["amount"] == "194.50"


def test_a_put_of_lines_replaces_them_all(api, books, client):
    number = books.create_invoice(client, [LINE, LINE, LINE])["id"]
    made(api.update("invoices", number, lines=[LINE | {"description": "Only"}]))
    row = api.get("invoices", number, "lines")
    assert [line["lineid"] for line in row["lines"]] == [1]
    assert row_of(row, "description", "amount") == ("Only", {"amount": "100.00", "code": "USD"})


# payments


def outstanding(books, number):
    row = books.record("invoices", number)
    return row["paid"]["amount"], row["outstanding"]["amount"]


def test_payments_are_added_changed_and_deleted(api, books, client):
    number = books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]
    payment = made(
        api.create("payments", invoiceid=number, amount={"amount": "30", "code": "USD"}, date="2026-06-30", type="Cash")
    )
    assert row_of(payment, "clientid", "logid") == (client, payment["id"])
    assert outstanding(books, number) == ("30.00", "70.00")
    made(api.update("payments", payment["id"], amount={"amount": "45.50"}))
    assert outstanding(books, number) == ("45.50", "54.50")
    made(api.update("payments", payment["id"], vis_state=1))
    assert outstanding(books, number) == ("0.00", "100.00")
    assert books.record("invoices", number)["v3_status"] == "sent"
    made(api.update("payments", payment["id"], vis_state=0))
    assert outstanding(books, number) == ("45.50", "54.50")


def test_what_is_paid_too_much_becomes_credit(books, api, client):
    number = books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]
    payment = books.create_payment(number, "130")
    assert payment["amount"]["amount"] == "100.00"
    assert payment["overpaymentid"]
    assert outstanding(books, number) == ("100.00", "0.00")
    assert api.get("clients", client, "credit_balance")["credit_balance"] == [
        {"amount": {"amount": "30.00", "code": "USD"}}
    ]
    more = books.create_payment(number, "10")
    assert more["amount"]["amount"] == "0.00"
    assert more["overpaymentid"]
    books.delete_payment(payment["id"])
    credit = api.get("clients", client, "credit_balance")["credit_balance"]
    assert credit == [{"amount": {"amount": "10.00", "code": "USD"}}]


def test_an_invoice_can_be_paid_from_credit(books, client):
    first, second = (books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"] for _ in "12")
    excess = books.create_payment(first, "160")
    used = books.create_payment(second, "50", type="Credit")
    assert row_of(used, "from_credit", "creditid") == (True, excess["overpaymentid"])
    assert outstanding(books, second) == ("50.00", "50.00")
    credit = books.record("clients", client, "credit_balance")["credit_balance"]
    assert credit == [{"amount": {"amount": "10.00", "code": "USD"}}]


def test_a_payment_needs_invoice_amount_date_and_type(api, books, client):
    number = books.create_invoice(client, [LINE])["id"]
    fields = {"invoiceid": number, "amount": {"amount": "1"}, "date": "2026-06-30", "type": "Cash"}
    for missing in fields:
        rest = {name: value for name, value in fields.items() if name != missing}
        assert errno(api.create("payments", **rest)) == (422, 1001)
    assert errno(api.create("payments", **fields | {"invoiceid": 1})) == (404, 1012)
    assert errno(api.create("payments", **fields | {"amount": {"amount": "x"}})) == (422, 1004)
    assert errno(api.create("payments", **fields | {"amount": {"amount": "1", "code": "JPY"}})) == (422, 1004)


# balances


def test_balances_are_per_currency_and_leave_out_drafts_and_deleted_invoices(api, books, client):
    def bill(currency, **fields):
        return books.create_invoice(client, [LINE], currency_code=currency, **fields)["id"]

    bill("USD")
    bill("USD", action_mark_as_sent=True)
    bill("EUR", create_date="2026-05-01", action_mark_as_sent=True)
    books.create_payment(bill("EUR", action_mark_as_sent=True), 25)
    books.delete_invoice(bill("USD", create_date="2026-05-01", action_mark_as_sent=True))
    row = api.get("clients", client, "outstanding_balance", "overdue_balance", "draft_balance", "credit_balance")

    def entries(name):
        return {entry["amount"]["code"]: entry["amount"]["amount"] for entry in row[name]}

    assert entries("outstanding_balance") == {"EUR": "175.00", "USD": "100.00"}
    assert entries("overdue_balance") == {"EUR": "100.00"}
    assert entries("draft_balance") == {"USD": "100.00"}
    assert row["credit_balance"] == []
    assert list(row) == sorted(row)
    assert books.outstanding() == {"EUR": Decimal("175.00"), "USD": Decimal("100.00")}
    assert books.past_due() == {"EUR": Decimal("100.00")}


def test_balances_follow_the_day(box, api, books, client):
    books.create_invoice(client, [LINE], action_mark_as_sent=True)
    assert api.get("clients", client, "overdue_balance")["overdue_balance"] == []
    box.clock.advance(days=1)
    api.log_in()
    assert api.get("clients", client, "overdue_balance")["overdue_balance"][0]["amount"]["amount"] == "100.00"
