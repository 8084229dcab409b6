"""What holds a field, or is full, or kept from the API, costs that and nothing more."""

from __future__ import annotations

import pytest
from support.target import ACCOUNT, client, invoice, messages, payment, usd

LATER = "2026-06-30T08:00:00+00:00"
FULL = "Zoho's storage is full (max_no_of_records"


def paid(**changes):
    """The invoice, fully paid since."""
    amounts = {"paid": usd("100.00"), "outstanding": usd("0.00")}
    return invoice(**{"v3_status": "paid", "date_paid": "2026-06-30", "updated": LATER, **amounts, **changes})


def said(caplog, text):
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


# blueprints


@pytest.fixture
def held_deal(org):
    """A deal whose stage a blueprint holds."""
    org.run(("clients", client()), ("invoices", invoice()))
    deal = org.one("Deals")
    org.box.zoho.hold_in_blueprint("Deals", deal["id"], "Stage")
    yield deal
    org.box.zoho.release("Deals", deal["id"])


def test_a_stage_that_a_blueprint_holds_stays_while_the_money_lands(org, held_deal, caplog):
    caplog.set_level("INFO")
    org.run(("invoices", paid()))

    deal = org.one("Deals")
    assert (deal["Stage"], deal["FreshBooks_Outstanding"], deal["FreshBooks_Status"]) == (held_deal["Stage"], 0, "paid")
    assert said(caplog, "landed without") == [
        "invoices 1 landed without Stage, which Zoho refused: RECORD_IN_BLUEPRINT in Stage"
    ]
    assert said(caplog, "invoices: 1 updated (1 values shortened, rounded or left out)")
    assert org.pending() == {}

    org.box.zoho.release("Deals", held_deal["id"])
    org.run(("invoices", paid(updated="2026-06-30T09:00:00+00:00")))
    assert org.one("Deals")["Stage"] == "Closed Won"


@pytest.mark.parametrize("code", ["RECORD_IN_BLUEPRINT", "NOT_ALLOWED", "CANNOT_PROCESS"])
def test_whatever_refuses_the_stage_of_a_deal_that_is_there_the_money_lands(org, code):
    org.run(("clients", client()), ("invoices", invoice()))
    error = {"code": code, "details": {"api_name": "Stage"}, "message": ""}
    org.box.zoho.refuse("Deals", error, when=lambda row: "Stage" in row)
    org.run(("invoices", paid()))
    assert org.one("Deals")["FreshBooks_Outstanding"] == 0


def test_a_new_deal_is_not_made_without_its_stage(org):
    org.run(("clients", client()))
    org.box.zoho.refuse("Deals", {"code": "RECORD_IN_BLUEPRINT", "details": {"api_name": "Stage"}, "message": ""})
    before = len(org.writes())
    org.run(("invoices", invoice()))
    assert (len(org.writes()) - before, org.pending()["invoices", "1"].error["field"]) == (1, "Stage")


# storage


@pytest.mark.parametrize("shape", ["row", "flat", "one_item"])
def test_without_room_for_new_records_updates_go_on_and_it_is_said_once(org, caplog, shape):
    caplog.set_level("INFO")
    org.run(("clients", client()), ("invoices", invoice()))
    org.box.zoho.limit_records(2, shape)
    before, more = len(org.writes()), range(2, 132)

    org.run(
        ("clients", client(updated=LATER)),
        *(("clients", client(number)) for number in more),
        ("invoices", paid()),
        ("payments", payment()),
    )

    assert org.one("Deals")["FreshBooks_Outstanding"] == 0
    waiting = org.pending()
    assert len(waiting) == 131
    assert {row.error["code"] for row in waiting.values()} == {"MAX_RECORDS_LIMIT_REACHED"}
    assert len(said(caplog, FULL)) == 1
    assert said(caplog, "was rejected") == []
    assert said(caplog, "clients: 1 updated, 130 rejected (130 for which Zoho has no room)")
    # Two calls of new clients at most are under way before the first answer; then the account, the deal, its payment.
    assert len(org.writes()) - before <= 6

    org.box.zoho.allow()
    org.run(*(("clients", client(number)) for number in more), ("payments", payment()))
    assert org.pending() == {}


@pytest.mark.parametrize(("known", "returncode"), [(False, 1), (True, 0)])
def test_a_run_of_which_nothing_lands_for_want_of_room_ends_with_1(org, known, returncode):
    new = [("clients", client(number)) for number in range(2, 14)]
    if known:
        org.run(("clients", client()), ("invoices", invoice()))
    org.box.zoho.limit_records(2 if known else 0)
    found = org.process(messages(*new, *([("invoices", paid())] if known else [])))
    assert found.returncode == returncode
    assert FULL in found.stderr
    assert org.pending().keys() == {(stream, str(record["id"])) for stream, record in new}


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


# fields that are kept from the API


def test_what_reads_as_empty_is_written_when_the_record_changes_and_is_no_reason_to_write(new_org):
    zoho = new_org.box.zoho
    new_org.run(("clients", client(bus_phone="555 0100")))
    zoho.restrict_for_api("Accounts", "Phone")
    new_org.a_day_later()
    before = len(new_org.writes())

    new_org.run(("clients", client(bus_phone="555 0100")))
    assert len(new_org.writes()) == before

    new_org.run(("clients", client(bus_phone="555 0199", updated=LATER)))
    assert new_org.one("Accounts")["Phone"] == "555 0199"
    with new_org.store() as store:
        (written,) = store.written.of_records([new_org.one("Accounts")["id"]]).values()
    assert "Phone" not in written.fields, "nobody's change of it can be seen"

    new_org.run(("clients", client(2, bus_phone="555 0200")))
    assert new_org.one("Accounts", f"{ACCOUNT}:2")["Phone"] == "555 0200"
