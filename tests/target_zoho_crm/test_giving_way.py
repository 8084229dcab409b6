"""What holds a field, or is full, or kept from the API, costs that and nothing more."""

from __future__ import annotations

import pytest
from support.target import ACCOUNT, client, invoice, payment, usd

LATER = "2026-06-30T08:00:00+00:00"


def paid(**changes):
    """The invoice, fully paid since."""
    amounts = {"paid": usd("100.00"), "outstanding": usd("0.00")}
    return invoice(**{"v3_status": "paid", "date_paid": "2026-06-30", "updated": LATER, **amounts, **changes})


def said(caplog, text):
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


# cadences


@pytest.mark.parametrize("workflows", [False, True])
def test_cadences_run_only_where_workflows_do(new_org, workflows):
    zoho = new_org.box.zoho
    new_org.run(("clients", client()), ("invoices", invoice()), ("payments", payment()), workflows=workflows)
    new_org.run(("invoices", paid()), workflows=workflows)
    assert bool(zoho.cadences_fired) is workflows
    assert bool(zoho.workflows_fired) is workflows
    assert bool(zoho.skipped_features) is not workflows


def test_cadences_do_not_run_for_what_is_inserted_either(new_org):
    new_org.box.zoho.use_up_unique_fields("Deals")
    new_org.run(("clients", client()), ("invoices", invoice()))
    assert new_org.one("Deals", f"{ACCOUNT}:1")
    assert new_org.box.zoho.cadences_fired == []
