"""Money that pays no invoice: prepayments, what is paid too much, and payments that are turned into credits."""

from __future__ import annotations

import pytest
from support.freshbooks import LINE


@pytest.fixture
def client(books):
    return books.create_client(organization="Larch and Sons")["id"]


@pytest.fixture
def invoice(books, client):
    return books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]


def credit(books, client):
    return [one["amount"]["amount"] for one in books.record("clients", client, "credit_balance")["credit_balance"]]


def test_a_prepayment_is_a_row_of_the_payments_without_an_invoice(books, api, client):
    number = books.prepay(client, "400.00", type="Cash")["id"]
    for row in (*api.result("payments")["payments"], api.get("payments", number)):
        assert (row["id"], row["clientid"], row["invoiceid"]) == (number, client, None)
        assert (row["amount"]["amount"], row["type"], row["from_credit"]) == ("400.00", "Cash", False)
        assert row["creditid"] is not None
    assert credit(books, client) == ["400.00"]
    assert api.ids("payments", ("search[payment_or_credit]", "credit")) == [number]
    assert api.ids("payments", ("search[invoiceid]", 1)) == []
    books.delete_payment(number)
    assert credit(books, client) == []


@pytest.mark.parametrize("listed", [False, True])
def test_what_is_paid_too_much_is_a_credit_and_maybe_a_row_of_its_own(books, api, client, invoice, listed):
    books.switches.overpayments_are_listed = listed
    payment = books.create_payment(invoice, "150.00")
    assert payment["amount"]["amount"] == "100.00"
    rows = {row["id"]: row for row in api.result("payments")["payments"]}
    assert (payment["overpaymentid"] in rows) is listed
    if listed:
        assert rows[payment["overpaymentid"]]["invoiceid"] is None
        assert rows[payment["overpaymentid"]]["amount"]["amount"] == "50.00"
    assert credit(books, client) == ["50.00"]


@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_payment_that_is_turned_into_a_credit_leaves_its_invoice(books, api, client, invoice, keeps_id):
    books.switches.converted_payment_keeps_id = keeps_id
    number = books.create_payment(invoice, "40.00")["id"]
    row = books.turn_into_credit(number)
    assert (row["id"] == number) is keeps_id
    assert (row["invoiceid"], row["clientid"], row["amount"]["amount"]) == (None, client, "40.00")
    assert api.get("invoices", invoice)["outstanding"]["amount"] == "100.00"
    assert credit(books, client) == ["40.00"]
    assert api.get("payments", number)["vis_state"] == (0 if keeps_id else 1)


def test_a_payment_may_go_to_another_invoice(books, api, client, invoice):
    other = books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]
    number = books.create_payment(invoice, "40.00")["id"]
    before = api.get("invoices", invoice)["updated"]
    books.update_payment(number, invoiceid=other)
    former, now = api.get("invoices", invoice), api.get("invoices", other)
    assert (former["outstanding"]["amount"], now["outstanding"]["amount"]) == ("100.00", "60.00")
    assert former["updated"] == before


def test_payments_of_one_transfer_share_a_number(books, invoice):
    assert books.create_payment(invoice, "10.00", bulk_paymentid=77)["bulk_paymentid"] == 77
