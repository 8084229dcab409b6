"""The first load is one pass, with a start date or without, and what is still open comes in whatever its age."""

from __future__ import annotations

from datetime import timedelta

import pytest

LINES = [{"name": "Work", "qty": 1, "unit_cost": "100.00"}]
LEAST = 1.35
"""Times the least number of calls that a first load may take."""


@pytest.fixture
def start(box):
    """A start date ten days ago, as the setting."""
    return (box.clock.now() - timedelta(days=10)).isoformat()


@pytest.fixture
def before(box, freshbooks):
    """Makes a client, an invoice and payments of it, all before the start date; gives their ids."""

    def make(*payments):
        with freshbooks.at(box.clock.now() - timedelta(days=30)):
            client = freshbooks.create_client(organization="Larch and Sons")["id"]
            invoice = freshbooks.create_invoice(client, LINES, action_mark_as_sent=True)["id"]
            return client, invoice, [freshbooks.create_payment(invoice, amount)["id"] for amount in payments]

    return make


@pytest.mark.parametrize("with_start_date", [False, True])
def test_a_first_load_is_one_pass(box, tap, freshbooks, with_start_date):
    freshbooks.load(clients=400, invoices=2000, payments=1600, gone=2)
    start = (box.clock.now() - timedelta(days=400)).isoformat() if with_start_date else None
    out = tap(start_date=start)
    assert {name: len(set(out.ids(name))) for name in ("clients", "invoices", "payments")} == freshbooks.counts()
    assert len(box.calls("freshbooks", "/accounting")) <= LEAST * 4000 / 100


def test_what_is_open_comes_in_whatever_its_age_with_its_client_and_its_payments(tap, freshbooks, before, start):
    client, invoice, payments = before("40.00", "10.00")
    out = tap(start_date=start)
    assert (out.ids("clients"), out.ids("invoices")) == ([client], [invoice])
    assert sorted(out.ids("payments")) == payments
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "50.00", "code": "USD"}]


def test_what_was_settled_before_the_start_date_stays_out(tap, freshbooks, before, start):
    before("100.00")
    freshbooks.delete_invoice(before()[1])
    later = freshbooks.create_client(organization="Newer")["id"]
    out = tap(start_date=start)
    assert later in out.ids("clients")
    assert [record["vis_state"] for record in out.records("invoices")] == [1], "the one that was deleted since"
    assert out.ids("payments") == []


def test_after_a_first_load_only_what_changed_is_asked_for(box, noon, tap, before, start):
    before("40.00")
    state = tap(start_date=start).state
    box.clock.advance(hours=5)
    box.server.forget_calls()
    assert not tap(state, start_date=start).order
    asked = [call for call in box.calls("freshbooks", "/accounting") if "invoices" in call.path]
    assert all("search[updated_min]" in dict(call.query) for call in asked)
