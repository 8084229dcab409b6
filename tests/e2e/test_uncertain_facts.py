"""Whatever of the two services is not certain: changes sync by themselves, and both end the same to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.pipeline import Pipeline

from freshbooks_zoho.receivables.reconciliation import reconcile
from sandbox import Sandbox

LINE = {"name": "Design", "unit_cost": {"amount": "417.35", "code": "USD"}, "qty": 1}

FRESHBOOKS = [
    {},
    {"today_zone": "business"},
    {"filter_zone": "utc"},
    {"timestamp_filter": "truncate"},
    {"timestamp_filter": "ignore"},
    {"partial_date_paid": True},
    {"error_shape": "classic"},
    {"error_shape": "new"},
    {"refresh_keeps_created_at": True},
    {"invoice_create_bumps_client": False},
    {"invoice_edit_bumps_client": True},
    {"payment_delete_bumps_invoice": False},
    {"invoice_delete_bumps_payments": True},
    {"client_edit_touches_drafts": False},
]
ZOHO = [
    {"refresh_names_scopes": False},
    {"old_expiry": True},
    {"all_failed_status": 202},
    {"mixed_status": 200},
    {"unknown_fields": "refuse"},
    {"currency_without_feature": "refuse"},
    {"surplus_decimals": "round"},
    {"several_match": "newest"},
    {"id_wins": False},
    {"batch_sees_itself": False},
    {"account_by_name": False},
    {"currencies_without_feature_status": 204},
    {"unknown_id_status": 400},
    {"modules_follow_profile": False},
]


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        sandbox.freshbooks.rate_limit = None
        yield sandbox


@pytest.fixture
def firm(box, tmp_path):
    """Books of a few months, synced to an organization with two currencies."""
    box.freshbooks.load(clients=12, invoices=40, payments=25, days=120)
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    return pipeline


def equal(firm):
    """Have both services compared, record by record and total by total."""
    with firm.session() as session:
        found = reconcile(session)
    assert found.differences == ()
    assert found.is_equal


def months_end(box: Sandbox) -> None:
    """Let everything happen that happens to books at the end of a month."""
    books = box.freshbooks
    active = [row for row in books.records("invoices") if row["vis_state"] == 0]
    unpaid = [row for row in active if row["v3_status"] in {"sent", "viewed", "overdue"}]
    payments = [row for row in books.records("payments") if row["vis_state"] == 0]
    books.create_payment(unpaid[0]["id"], "12.34")
    books.update_invoice(unpaid[1]["id"], lines=[LINE])
    books.delete_invoice(unpaid[2]["id"])
    # one of an invoice that is not yet due: what is overdue is read once a day anyway
    recent = max((row for row in active if row["v3_status"] == "paid"), key=lambda row: row["due_date"])
    books.delete_payment(next(row["id"] for row in payments if row["invoiceid"] == recent["id"]))
    others = [row for row in payments if row["invoiceid"] != recent["id"]]
    books.delete_payment(others[0]["id"])
    books.update_payment(others[1]["id"], amount={"amount": "1.01", "code": others[1]["amount"]["code"]})
    clients = [row for row in books.records("clients") if row["vis_state"] == 0]
    books.update_client(clients[0]["id"], organization="Renamed and Sons")
    books.archive("clients", clients[1]["id"])
    new = books.create_client(organization="Newcomer Limited", currency_code="EUR")
    number = books.create_invoice(new["id"], [LINE], due_offset_days=3)["id"]
    books.send_invoice(number)


@pytest.mark.parametrize(
    ("freshbooks", "zoho"),
    list(zip(FRESHBOOKS, ZOHO, strict=True)),
    ids=lambda changed: ",".join(f"{name}={value}" for name, value in changed.items()) or "default",
)
def test_changes_arrive_whatever_is_true(box, firm, freshbooks, zoho):
    for switches, changed in ((box.freshbooks.switches, freshbooks), (box.zoho.switches, zoho)):
        for name, value in changed.items():
            setattr(switches, name, value)
    box.clock.advance(hours=5)
    months_end(box)
    box.clock.advance(minutes=15)
    firm.run(changes=True)
    equal(firm)
    box.clock.advance(days=40)  # what was due is overdue now, and nothing else has changed
    firm.run(changes=True)
    equal(firm)
