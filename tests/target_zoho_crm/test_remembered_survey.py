"""What an organization has is read once a day, and again when Zoho refuses what a change since then may explain."""

from __future__ import annotations

import pytest
from support.target import client, invoice, payment

LATER = "2026-06-30T00:00:00+00:00"
FIRM = (("clients", client()), ("invoices", invoice()), ("payments", payment()))


def surveys(org) -> int:
    return len([call for call in org.calls() if call.path == "/crm/v8/org"])


def credits_of(org, *records, **config) -> int:
    before = org.box.zoho.credits_used
    assert org.run(*records, **config).error is None
    return org.box.zoho.credits_used - before


@pytest.fixture
def synced(new_org):
    assert new_org.run(*FIRM).error is None
    return new_org


def test_a_run_for_one_event_costs_what_the_event_costs_and_one_that_finds_nothing_costs_nothing(synced):
    assert credits_of(synced) == 0
    assert credits_of(synced, ("clients", client(updated=LATER, fax="1"))) == 2
    assert credits_of(synced, ("clients", client(fax="1")), ("invoices", invoice(updated=LATER, v3_status="paid"))) == 3


def test_the_survey_is_read_again_when_it_is_a_day_old(synced):
    before = surveys(synced)
    assert synced.run(*FIRM).error is None
    assert surveys(synced) == before
    synced.a_day_later()
    assert synced.run(*FIRM).error is None
    assert surveys(synced) == before + 1


def test_a_plan_looks_anew_and_leaves_no_trace(synced):
    before = surveys(synced)
    assert synced.run(*FIRM, dry_run=True).error is None
    assert synced.run(*FIRM, dry_run=True).error is None
    assert surveys(synced) == before + 2


def test_another_setting_that_asks_for_another_module_is_read_at_once(synced):
    synced.box.zoho.add_custom_module("Invoices_FB", "Bill", "Bills")
    assert synced.run(("invoices", invoice()), invoices_module="Bills", payments_module="none").error is None
    assert len(synced.records("Invoices_FB")) == 1


def test_what_zoho_refuses_since_a_change_is_planned_once_more_with_the_organization_as_it_is(synced):
    synced.box.zoho.fields("Accounts")["Account_Name"].length = 10
    before = surveys(synced)

    assert synced.run(("clients", client(updated=LATER, organization="A name that is longer"))).error is None

    assert synced.one("Accounts")["Account_Name"] == "A name th…"
    assert (surveys(synced), synced.pending()) == (before + 1, {})


def test_a_record_that_is_refused_all_the_same_does_not_have_it_read_in_every_run(synced):
    error = {"code": "INVALID_DATA", "details": {"api_name": "Amount"}}
    synced.box.zoho.refuse("Deals", error, when=lambda row: "0000002" in str(row.get("Deal_Name")))
    before = surveys(synced)

    for _ in range(3):
        synced.run(("invoices", invoice(2)), ("invoices", invoice(3, updated=LATER)))

    assert surveys(synced) == before + 1
    assert set(synced.pending()) == {("invoices", "2")}
    assert {row["FreshBooks_ID"][-1] for row in synced.records("Deals")} == {"1", "3"}


def test_a_run_that_fails_by_what_is_remembered_has_the_next_one_look(synced):
    synced.box.zoho.forbid("create", "Deals")
    assert "Crm_Implied_Create_Deals" in str(synced.run(("invoices", invoice(2))).error)
    assert "may not create records in Deals" in str(synced.run(("invoices", invoice(2))).error)


def test_a_refused_module_is_asked_for_once_a_day_and_payments_go_on_without(new_org, caplog):
    new_org.box.zoho.switches.custom_module_caps["enterprise"] = 0
    new_org.box.zoho.switches.custom_module_refusal = "LIMIT_EXCEEDED"

    for number in range(1, 4):
        assert new_org.run(*FIRM, ("payments", payment(number))).error is None

    asked = [call for call in new_org.calls() if call.method == "POST" and call.path == "/crm/v8/settings/modules"]
    assert len(asked) == 1
    assert caplog.text.count("Zoho refuses to create the module 'FreshBooks Payments'") == 1
    assert new_org.one("Deals")["FreshBooks_Last_Payment"] == "2026-06-20"


def test_fields_that_do_not_fit_into_the_edition_are_left_out_and_not_asked_for_again(new_org, caplog):
    new_org.box.zoho.switches.custom_field_caps["enterprise"] = 4

    for _ in range(2):
        assert new_org.run(("clients", client()), ("invoices", invoice())).error is None

    assert "Deals does without FreshBooks State, FreshBooks Updated" in caplog.text
    assert "Accounts does without FreshBooks Updated, FreshBooks Email" in caplog.text
    asked = [call for call in new_org.calls() if call.method == "POST" and call.path == "/crm/v8/settings/fields"]
    assert {call.path for call in asked[len(asked) // 2 :]} <= {"/crm/v8/settings/fields"}
    assert str(new_org.one("Deals")["FreshBooks_Outstanding"]) == "100"
    before = len(asked)
    assert new_org.run(("invoices", invoice(2))).error is None
    asked = [call for call in new_org.calls() if call.method == "POST" and call.path == "/crm/v8/settings/fields"]
    assert len(asked) == before
