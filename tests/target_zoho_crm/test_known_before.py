"""What an organization asks of records is known before the first write: said once, by the plan and by the run."""

from __future__ import annotations

import pytest
from support.target import client, invoice
from support.zoho import choices

from target_zoho_crm.mapping.stages import stage_table

LATER = "2026-06-30T00:00:00+00:00"
FIRM = (("clients", client()), ("invoices", invoice()))
OWN = {"Anfrage": "Open", "Angebot": "Open", "Rechnung": "Open", "Gewonnen": "Closed Won", "Verloren": "Closed Lost"}


@pytest.mark.parametrize("enforced", ["always", "with_layout"])
def test_a_mandatory_field_that_nothing_fills_stops_plan_and_run_before_the_first_write(new_org, enforced):
    new_org.box.zoho.switches.layout_mandatory = enforced
    new_org.box.zoho.add_custom_field("Deals", "Cost Centre", length=50)
    new_org.box.zoho.require("Deals", "Cost_Centre")

    plan, run = new_org.run(*FIRM, dry_run=True), new_org.run(*FIRM)

    assert "makes the field 'Cost Centre' mandatory, and nothing fills it" in str(run.error)
    assert str(plan.error) == str(run.error)
    assert (new_org.writes(), run.states) == ([], [])


@pytest.mark.parametrize(("source", "value"), [("=Sales", "Sales"), ("po_number", "4711")])
def test_a_mandatory_field_may_be_filled_from_freshbooks_or_with_a_constant(new_org, source, value):
    new_org.box.zoho.add_custom_field("Deals", "Cost Centre", length=50)
    new_org.box.zoho.require("Deals", "Cost_Centre")

    extra = {"invoices": {"Cost Centre": source}}
    assert new_org.run(("clients", client()), ("invoices", invoice(po_number="4711")), extra_fields=extra).error is None

    assert new_org.one("Deals")["Cost_Centre"] == value


def test_a_field_that_becomes_mandatory_later_is_said_once_and_not_record_by_record(new_org, caplog):
    assert new_org.run(*FIRM).error is None
    new_org.box.zoho.add_custom_field("Deals", "Cost Centre", length=50)
    new_org.box.zoho.require("Deals", "Cost_Centre")

    result = new_org.run(*[("invoices", invoice(number)) for number in range(2, 40)])

    assert "'Cost Centre' mandatory" in str(result.error)
    assert "was rejected" not in caplog.text
    assert new_org.pending() == {}


def test_a_new_deal_names_the_layout_of_its_pipeline_where_there_are_several(new_org):
    stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    new_org.box.zoho.add_layout("Deals", "Billing", {"Sales by invoice": stages})

    assert new_org.run(*FIRM, pipeline="Sales by invoice").error is None
    assert (
        new_org.run(("invoices", invoice(v3_status="paid", updated=LATER)), pipeline="Sales by invoice").error is None
    )

    deal = new_org.one("Deals")
    assert (deal["Pipeline"], deal["Stage"]) == ("Sales by invoice", "Closed Won")
    assert new_org.box.zoho.layout_of("Deals", deal["id"]) == "Billing"
    assert new_org.pending() == {}


@pytest.mark.parametrize("keeps", [True, False])
def test_a_new_deal_has_the_fields_that_its_layout_does_not_show(new_org, keeps):
    stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    new_org.box.zoho.add_layout("Deals", "Billing", {"Sales by invoice": stages})
    new_org.box.zoho.switches.named_layout_keeps_other_fields = keeps

    assert new_org.run(*FIRM, pipeline="Sales by invoice").error is None

    deal = new_org.one("Deals")
    assert (deal["FreshBooks_ID"], deal["FreshBooks_Outstanding"]) == ("ZyQ04o:1", 100)
    assert new_org.box.zoho.layout_of("Deals", deal["id"]) == "Billing"


def test_what_zoho_refuses_of_fields_that_a_layout_does_not_show_is_named_and_written_later(new_org, caplog):
    stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    new_org.box.zoho.add_layout("Deals", "Billing", {"Sales by invoice": stages})
    new_org.box.zoho.switches.named_layout_keeps_other_fields = False
    refused = {"code": "INVALID_DATA", "details": {"api_name": "FreshBooks_Status"}, "message": "not now"}
    new_org.box.zoho.refuse("Deals", refused, when=lambda row: "id" in row and "Stage" not in row)

    assert new_org.run(*FIRM, pipeline="Sales by invoice").error is None
    assert "FreshBooks_Status" in caplog.text
    new_org.box.zoho.allow()
    assert new_org.run(*FIRM, pipeline="Sales by invoice").error is None
    assert new_org.one("Deals")["FreshBooks_Status"] == "sent"


def test_mandatory_fields_of_another_layout_do_not_matter(new_org):
    stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    new_org.box.zoho.add_layout("Deals", "Billing", {"Sales by invoice": stages})
    new_org.box.zoho.require("Deals", "Next_Step", "Billing")

    assert new_org.run(*FIRM).error is None
    assert "The layout 'Billing' of Deals" in str(new_org.run(*FIRM, pipeline="Sales by invoice").error)


def test_a_pipeline_with_stages_of_the_firms_own_needs_no_setting(new_org, caplog):
    new_org.box.zoho.use_own_stages(OWN)
    statuses = {1: "sent", 2: "paid", 3: "draft", 4: "overdue"}
    deleted = ("invoices", invoice(5, vis_state=1))
    caplog.set_level("INFO")

    for _ in range(2):
        records = [("invoices", invoice(number, v3_status=status)) for number, status in statuses.items()]
        assert new_org.run(("clients", client()), *records, deleted).error is None

    stages = {row["FreshBooks_ID"][-1]: row["Stage"] for row in new_org.records("Deals")}
    assert stages == {"1": "Rechnung", "2": "Gewonnen", "3": "Angebot", "4": "Rechnung", "5": "Verloren"}
    assert caplog.text.count("paid, autopaid, success → Gewonnen") == 1


def test_the_plan_shows_the_stages_that_follow_from_their_kinds(new_org, capsys):
    new_org.box.zoho.use_own_stages(OWN)

    assert new_org.run(*FIRM, dry_run=True).error is None

    assert "draft, created → Angebot" in capsys.readouterr().err


def test_stages_of_a_pipeline_follow_from_names_then_from_kinds_and_overrides_come_first():
    pipeline = choices("Neu", "Angebot", "Closed Won", "Verloren", Neu="Open", Angebot="Open", Verloren="Closed Lost")

    found = stage_table({"sent": "Neu"}, pipeline)

    assert {found.stages[status] for status in ("draft", "created")} == {"Neu"}
    assert (found.stages["sent"], found.stages["viewed"], found.stages["paid"]) == ("Neu", "Angebot", "Closed Won")
    assert (found.stages["deleted"], found.missing) == ("Verloren", ())
    assert stage_table({"sent": "Nowhere"}, pipeline).missing == ("Nowhere",)
    assert stage_table(None, choices("Neu", Neu="Open")).missing == ("Closed Won", "Closed Lost")


@pytest.mark.parametrize("reads_actual", [False, True])
def test_a_choice_that_reads_otherwise_than_it_is_written_is_no_change(new_org, reads_actual):
    new_org.box.zoho.switches.reads_actual_values = reads_actual
    stage_map = {"sent": "Identify Decision Makers"}

    for _ in range(2):
        assert new_org.run(*FIRM, stage_map=stage_map).error is None

    assert len([call for call in new_org.writes() if "/Deals" in call.path]) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "CURRENCIES_NOT_ENABLED"), (403, "FEATURE_NOT_SUPPORTED"), (400, "FEATURE_NOT_SUPPORTED"),
     (400, "FEATURE_NOT_ENABLED"), (403, "FEATURE_NOT_ENABLED"), (204, "")],
)  # fmt: skip
def test_whatever_zoho_calls_it_an_organization_with_one_currency_has_one(new_org, status, code):
    body = {"code": code, "details": {}, "message": "not enabled", "status": "error"} if code else b""
    path = "/crm/v8/org/currencies"
    new_org.box.faults.add(service="zoho", path=path, kind="status", status=status, body=body, times=None)

    assert new_org.run(*FIRM).error is None

    assert str(new_org.one("Deals")["Amount"]) == "100"


@pytest.mark.parametrize("edition", ["standard", "professional"])
def test_what_an_edition_can_have_is_what_zoho_says(new_org, edition):
    new_org.box.zoho.edition = edition
    new_org.box.zoho.switches.custom_module_caps[edition] = 1

    assert new_org.run(*FIRM).error is None

    assert "FreshBooks_Payments" in new_org.box.zoho.organization.modules
