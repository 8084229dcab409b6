"""When an invoice or a payment moves, what it left is read again, in the run that finds it and for its event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from singer_store import WrittenRecord

LINES = [{"name": "Work", "qty": 1, "unit_cost": "100.00"}]


@pytest.fixture
def books(box, freshbooks):
    """Two clients with an invoice each, both of the first one's invoice paid in part; a month ago."""
    with freshbooks.at(box.clock.now() - timedelta(days=30)):
        clients = [freshbooks.create_client(organization=name)["id"] for name in ("Larch", "Maple")]
        invoices = [freshbooks.create_invoice(one, LINES, action_mark_as_sent=True)["id"] for one in clients]
        payments = [freshbooks.create_payment(invoices[0], amount)["id"] for amount in ("30.00", "10.00")]
    return clients, invoices, payments


@pytest.fixture
def state(box, noon, tap, store, books):
    """After a first run whose records were all written."""
    out = tap()
    parents = {"clients": None, "invoices": "customerid", "payments": "invoiceid"}
    store.written.note(
        WrittenRecord(
            box.freshbooks.account_id,
            stream,
            str(row["id"]),
            f"9{row['id']}",
            (),
            "",
            None if field is None else str(row[field]),
        )
        for stream, field in parents.items()
        for row in out.records(stream)
    )
    box.clock.advance(hours=5)
    return out.state


def outstanding(out, client):
    return out.last("clients", client)["outstanding_balance"]


def test_an_invoice_that_goes_to_another_client_brings_the_former_one_and_its_payments(tap, freshbooks, state, books):
    (larch, maple), (invoice, _), payments = books
    freshbooks.update_invoice(invoice, customerid=maple)
    for out in (tap(state), tap(record_ids={"invoices": [invoice]})):
        assert out.last("invoices", invoice)["customerid"] == maple
        assert outstanding(out, larch) == []
        assert outstanding(out, maple) == [{"amount": "160.00", "code": "USD"}]
        assert {row["id"]: row["clientid"] for row in out.records("payments")} == dict.fromkeys(payments, maple)


def test_a_payment_that_goes_to_another_invoice_brings_the_former_one_and_its_payments(tap, freshbooks, state, books):
    (larch, maple), (former, invoice), (payment, other) = books
    freshbooks.update_payment(payment, invoiceid=invoice)
    for out in (tap(state), tap(record_ids={"payments": [payment]})):
        assert out.last("invoices", former)["outstanding"]["amount"] == "90.00"
        assert out.last("invoices", invoice)["outstanding"]["amount"] == "70.00"
        assert set(out.ids("payments")) == {payment, other}
        assert (outstanding(out, larch)[0]["amount"], outstanding(out, maple)[0]["amount"]) == ("90.00", "70.00")


def test_what_did_not_move_brings_nothing_else(tap, freshbooks, state, books):
    (larch, _), (invoice, _), _ = books
    freshbooks.update_invoice(invoice, notes="changed")
    out = tap(state)
    assert (out.ids("clients"), out.ids("invoices"), out.ids("payments")) == ([larch], [invoice], [])


def test_a_payment_that_is_turned_into_a_credit_brings_the_invoice_that_it_paid(tap, freshbooks, state, books):
    (larch, _), (invoice, _), (payment, other) = books
    freshbooks.turn_into_credit(payment)
    for out in (tap(state), tap(record_ids={"payments": [payment]})):
        row = out.last("payments", payment)
        assert (row["invoiceid"], row["clientid"], row["from_credit"]) == (None, larch, False)
        assert row["creditid"] is not None
        assert out.last("invoices", invoice)["outstanding"]["amount"] == "90.00"
        assert set(out.ids("payments")) == {payment, other}
        assert out.last("clients", larch)["credit_balance"] == [{"amount": "30.00", "code": "USD"}]
