"""Books that come filled: the firm, and loads of records for measuring."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from support.freshbooks import NOON

from sandbox import Sandbox
from sandbox.firm import load_firm


@pytest.fixture(scope="module")
def firm():
    with Sandbox() as box:
        box.clock.freeze(NOON)
        load_firm(box)
        yield box.freshbooks


def counts(rows, field):
    return Counter(row[field] for row in rows)


def test_the_firm_has_clients_invoices_and_payments_in_every_condition(firm):
    clients, invoices, payments = (firm.records(stream) for stream in ("clients", "invoices", "payments"))
    assert (len(clients), len(invoices)) == (40, 150)
    assert 110 <= len(payments) <= 130
    assert set(counts(invoices, "v3_status")) == {"draft", "sent", "viewed", "partial", "paid", "overdue", "disputed"}
    assert set(counts(invoices, "currency_code")) == {"USD", "EUR"}
    for rows in (clients, invoices, payments):
        assert counts(rows, "vis_state")[1] >= 1
    assert counts(clients, "vis_state")[2] == 2
    assert counts(invoices, "vis_state")[2] == 1
    assert [name for name, times in counts(clients, "organization").items() if times > 1] == ["Harbour Lights"]
    assert any(not row["organization"].isascii() for row in clients)
    assert all(row["email"].endswith("@example.com") for row in clients)
    assert any(row["overpaymentid"] for row in payments)
    assert any(row["discount_value"] == "10" for row in invoices)
    today = NOON.date().isoformat()
    assert any(row["v3_status"] == "draft" and row["due_date"] < today for row in invoices)
    assert any(row["v3_status"] == "overdue" and row["payment_status"] == "partial" for row in invoices)
    assert any(row["v3_status"] == "overdue" and row["amount"]["amount"] == "0.00" for row in invoices)
    lines = [line for row in firm.records("invoices", "lines") for line in row["lines"]]
    assert any(line["taxAmount1"] == "13" for line in lines)


def test_the_firm_is_always_the_same_and_ends_yesterday(firm):
    with Sandbox() as box:
        box.clock.freeze(NOON)
        load_firm(box)
        for stream in ("clients", "invoices", "payments"):
            assert box.freshbooks.records(stream) == firm.records(stream)
    assert max(row["updated"] for row in firm.records("invoices")) < "2026-06-29 00:00:00"


@pytest.fixture(scope="module")
def loaded():
    with Sandbox() as box:
        box.clock.freeze(NOON)
        box.freshbooks.load(clients=300, invoices=1000, payments=700)
        yield box.freshbooks


def test_a_load_is_as_large_as_asked_for(loaded):
    assert loaded.counts() == {"clients": 300, "invoices": 1000, "payments": 700}


def test_loaded_books_add_up(loaded):
    """What was filled in at once is what the rules make of the same records one by one."""
    books = loaded._books(None)
    paid = Counter()
    for payment in loaded.records("payments"):
        paid[payment["invoiceid"]] += Decimal(payment["amount"]["amount"])
    owed = Counter()
    for row in loaded.records("invoices", "lines"):
        net = sum(Decimal(line["amount"]["amount"]) for line in row["lines"])
        assert Decimal(row["amount"]["amount"]) == net
        assert Decimal(row["paid"]["amount"]) == paid[row["id"]]
        assert Decimal(row["outstanding"]["amount"]) == net - paid[row["id"]] >= 0
        assert (row["v3_status"] == "paid") == (paid[row["id"]] == net)
        if row["v3_status"] != "draft":
            owed[row["currency_code"]] += net - paid[row["id"]]
    assert {currency: total for currency, total in owed.items() if total} == loaded.outstanding()
    for invoice in books.invoices.rows.values():
        before = invoice.paid, invoice.date_paid
        books.invoices.settle(invoice)
        assert (invoice.paid, invoice.date_paid) == before


def test_a_load_may_follow_another(loaded):
    first = loaded.counts()["invoices"]
    loaded.load(clients=10, invoices=20, payments=5)
    assert loaded.counts()["invoices"] == first + 20
    ids = [row["id"] for row in loaded.records("invoices")]
    assert ids == sorted(ids)
    numbers = [row["invoice_number"] for row in loaded.records("invoices")]
    assert len(numbers) == len(set(numbers))


def test_payments_that_cannot_be_made_are_refused(loaded):
    with pytest.raises(ValueError, match="too many"):
        loaded.load(invoices=2, payments=50)
