"""How records reach Zoho, and what becomes of each: mixed answers, lost answers, refusals, keys that are not unique."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from support.target import ACCOUNT, client, invoice, payment, usd

from target_zoho_crm.sync.refusals import read_rejection

LATER = "2026-06-30T00:00:00+00:00"


def clients(*numbers, **changes):
    return [("clients", client(number, **changes)) for number in numbers]


def keys(org, module="Accounts"):
    return sorted(row["FreshBooks_ID"].split(":")[1] for row in org.records(module))


def paths(calls):
    return [f"{call.method} {call.path.removeprefix('/crm/v8/')}" for call in calls]


# what is sent


def test_new_records_are_upserted_on_the_freshbooks_id_a_hundred_a_call(org):
    org.run(*clients(*range(1, 251)))
    assert paths(org.writes()) == ["POST Accounts/upsert"] * 3
    assert len(org.records("Accounts")) == 250


def test_unchanged_records_cost_no_write_and_few_reads(org):
    records = [*clients(*range(1, 101)), *(("invoices", invoice(n, n)) for n in range(1, 101))]
    org.run(*records)
    written, read = len(org.writes()), len(org.reads())
    org.run(*records)
    assert len(org.writes()) == written
    assert len(org.reads()) - read <= 200 / 50


def test_only_what_changed_is_sent(org):
    org.run(*clients(1, 2))
    org.run(*clients(1), *clients(2, email="new@example.com", updated=LATER))
    assert org.box.zoho.writes[-1].changed == ("FreshBooks_Email", "FreshBooks_Updated")
    assert paths(org.writes()) == ["POST Accounts/upsert", "PUT Accounts"]


def test_no_workflow_runs_unless_asked_for(org):
    fired = len(org.box.zoho.workflows_fired)
    org.run(*clients(1))
    assert len(org.box.zoho.workflows_fired) == fired
    org.run(*clients(1, email="new@example.com", updated=LATER), workflows=True)
    assert {one.action for one in org.box.zoho.workflows_fired[fired:]} == {"update"}


def test_several_versions_in_a_batch_are_one_record(org):
    versions = [client(1, email=f"v{n}@example.com", updated=f"2026-06-{n:02}T00:00:00+00:00") for n in (5, 9, 7, 9)]
    org.run(*(("clients", version) for version in versions))
    assert org.one("Accounts")["FreshBooks_Email"] == "v9@example.com"
    assert len(org.writes()) == 1


# refusals


@pytest.mark.parametrize("status", [207, 200])
def test_a_rejected_record_stops_no_other_whatever_the_status(org, status, caplog):
    org.box.zoho.switches.mixed_status = status
    org.box.zoho.refuse("Accounts", "RECORD_LOCKED", when={"FreshBooks_ID": f"{ACCOUNT}:2"})
    result = org.run(*clients(1, 2, 3))
    assert keys(org) == ["1", "3"]
    assert result.error is None
    assert result.states
    assert "clients 2 was rejected: RECORD_LOCKED" in caplog.text
    org.box.zoho.switches.mixed_status = 207


def test_a_few_that_are_all_rejected_are_kept_each_by_itself(org):
    org.box.zoho.refuse("Accounts", "INVALID_DATA")
    result = org.run(*clients(1, 2))
    assert keys(org) == []
    assert result.states
    assert {key: row.reason for key, row in org.pending().items()} == {
        ("clients", "1"): "rejected",
        ("clients", "2"): "rejected",
    }


def test_a_record_that_may_be_taken_later_is_sent_once_more(org):
    tries = []
    org.box.zoho.refuse("Accounts", "RECORD_LOCKED", when=lambda row: not tries.append(row) and len(tries) == 1)
    org.run(*clients(1))
    assert keys(org) == ["1"]
    assert len(tries) == 2


def test_a_record_that_is_wrong_is_not_sent_again(org):
    org.box.zoho.refuse("Accounts", "INVALID_DATA")
    org.run(*clients(1))
    assert len(org.writes()) == 1


def test_a_rejected_record_is_kept_tried_again_and_cleared(org):
    org.box.zoho.refuse("Accounts", {"code": "INVALID_DATA", "details": {"api_name": "Fax", "maximum_length": 30}})
    for attempt in (1, 2):
        org.run(*clients(1))
        row = org.pending()["clients", "1"]
        assert (row.account, row.reason, row.attempts) == (ACCOUNT, "rejected", attempt)
        assert (row.error["code"], row.error["field"], row.error["expected"]) == (
            "INVALID_DATA", "Fax", "maximum_length 30",
        )  # fmt: skip
    org.box.zoho.allow()
    org.run(*clients(1), read_at="2100-01-01T00:00:00+00:00")
    assert org.pending() == {}


def test_an_event_that_came_after_a_record_was_read_is_not_put_off_by_its_failure(org):
    org.box.zoho.refuse("Accounts", "INVALID_DATA")
    for _ in range(4):
        org.run(*clients(1))
    assert org.pending()["clients", "1"].next_try is not None

    with org.store() as store:
        store.pending.queue(ACCOUNT, "clients", ["1"], "event", now=datetime.now(timezone.utc))
    org.run(*clients(1))
    assert org.pending()["clients", "1"].next_try is None

    org.run(*clients(1), read_at="2100-01-01T00:00:00+00:00")
    assert org.pending()["clients", "1"].next_try is not None


def test_a_malformed_record_is_rejected_alone_and_never_shown(org, caplog):
    caplog.set_level("DEBUG")
    bad = client(2, outstanding_balance=[{"amount": "hush-hush", "code": "USD"}], organization="Hush Ltd")
    result = org.run(*clients(1), ("clients", bad), ("clients", {**client(3), "id": None}), *clients(4, updated="soon"))
    assert keys(org) == ["1"]
    assert result.error is None
    assert set(org.pending()) == {("clients", "2"), ("clients", "4")}
    assert "hush" not in caplog.text.lower()


def test_an_email_that_zoho_refuses_does_not_cost_the_client(org, caplog):
    caplog.set_level("INFO")
    refusal = {"code": "INVALID_DATA", "details": {"api_name": "FreshBooks_Email", "expected_data_type": "email"}}
    org.box.zoho.refuse("Accounts", refusal, when=lambda row: row.get("FreshBooks_Email"))
    org.run(*clients(1))
    assert org.one("Accounts")["FreshBooks_Email"] is None
    assert "1 created (1 values shortened, rounded or left out)" in caplog.text
    assert org.pending() == {}


def test_the_reason_of_a_rejection_names_field_and_expectation_and_what_zoho_says_beyond_its_code():
    details = {"api_name": "Key", "duplicate_record": {"id": "77"}}
    error = {"code": "DUPLICATE_DATA", "details": details, "message": "duplicate data"}
    assert str(read_rejection(error)) == "DUPLICATE_DATA in Key, expected: a value that record 77 does not have"
    inside = {"code": "CANNOT_PROCESS", "details": {"json_path": "$.data[3].Contact_Name.id"}, "message": "Not yours."}
    assert str(read_rejection(inside)) == "CANNOT_PROCESS in Contact_Name (“Not yours.”)"
    assert str(read_rejection({})) == "UNKNOWN"


# lost answers


@pytest.mark.parametrize("kind", ["reset", "reset_after", "truncate"])
def test_an_answer_that_is_lost_does_no_harm(org, kind):
    org.box.faults.add(service="zoho", path=r"/crm/v8/Accounts/upsert", method="POST", kind=kind)
    result = org.run(*clients(1, 2))
    assert result.error is None
    assert keys(org) == ["1", "2"]


def test_calls_that_fail_for_good_stop_the_run_without_a_state(org):
    refusal = {"code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_Create_Accounts"]}}
    org.box.faults.add(service="zoho", path=r"/crm/v8/Accounts/upsert", kind="status", status=403, body=refusal)
    result = org.run(*clients(1))
    assert "Crm_Implied_Create_Accounts" in str(result.error)
    assert result.states == []


# another unique field


def test_a_record_that_zoho_finds_by_another_field_raises_an_alarm(new_org, caplog):
    """A field may have become unique since the organization was read."""
    assert new_org.run(*clients(2)).error is None
    new_org.box.zoho.insert("Accounts", {"Account_Name": "Somebody else", "Phone": "030 1"})
    new_org.box.zoho.fields("Accounts")["Phone"].unique = True
    new_org.box.zoho.organization.tables["Accounts"].index("Phone")
    new_org.run(*clients(1, bus_phone="030 1"))
    assert "found by Phone instead of FreshBooks_ID" in caplog.text
    assert new_org.pending()["clients", "1"].error["code"] == "WRONG_RECORD"


@pytest.fixture
def full_org(new_org):
    """An organization that has given both unique fields of each module away."""
    for module in ("Accounts", "Deals"):
        for label in ("Key One", "Key Two"):
            new_org.box.zoho.add_custom_field(module, label, "text", unique=True, length=50)
    return new_org


def test_without_a_unique_field_to_spare_records_are_looked_up_first(full_org):
    records = [*clients(1, 2), ("invoices", invoice(1, 1)), ("payments", payment(1, 1))]
    full_org.run(*records)
    assert not full_org.box.zoho.fields("Accounts")["FreshBooks_ID"].unique
    assert "POST Accounts" in paths(full_org.writes())
    written = len(full_org.writes())
    full_org.run(*records)
    assert len(full_org.writes()) == written
    assert (keys(full_org), keys(full_org, "Deals")) == (["1", "2"], ["1"])


@pytest.mark.parametrize("kind", ["reset", "reset_after"])
def test_without_a_unique_field_a_lost_answer_makes_no_duplicate(full_org, kind):
    full_org.run(*clients(1))
    full_org.box.faults.add(service="zoho", path=r"/crm/v8/Accounts", method="POST", kind=kind)
    result = full_org.run(*clients(1, 2, 3))
    assert result.error is None
    assert keys(full_org) == ["1", "2", "3"]


# deleting


def test_deleted_records_are_marked_by_default(org):
    org.run(*clients(1), ("invoices", invoice()), ("payments", payment()))
    org.run(
        *clients(1, vis_state=1, updated=LATER),
        ("invoices", invoice(vis_state=1, updated=LATER)),
        ("payments", payment(vis_state=1, updated=LATER)),
    )
    for module in ("Accounts", "Deals", "FreshBooks_Payments"):
        assert org.one(module)["FreshBooks_State"] == "deleted"
    assert org.one("Deals")["Stage"] == "Closed Lost"


def test_deleted_records_are_deleted_if_asked_for_but_never_an_account(org):
    org.run(*clients(1), ("invoices", invoice()), ("invoices", invoice(2)), ("payments", payment()))
    gone = [
        *clients(1, vis_state=1, updated=LATER),
        ("invoices", invoice(vis_state=1, updated=LATER)),
        ("payments", payment()),
    ]
    for _ in range(2):
        org.run(*gone, deleted_records="delete")
        assert org.one("Accounts")["FreshBooks_State"] == "deleted"
        assert keys(org, "Deals") == ["2"]
        assert org.records("FreshBooks_Payments") == []
        assert org.pending() == {}


def test_a_record_that_somebody_deleted_in_zoho_already_is_no_error(org):
    org.run(*clients(1), ("invoices", invoice()))
    org.box.faults.add(service="zoho", path=r"/crm/v8/Deals", method="DELETE", kind="reset_after")
    org.run(("invoices", invoice(vis_state=1, updated=LATER)), deleted_records="delete")
    assert (org.records("Deals"), org.pending()) == ([], {})


def test_amounts_reach_zoho_digit_for_digit(org):
    org.run(*clients(1), ("invoices", invoice(amount=usd("9999999999999.99"), outstanding=usd("0.10"))))
    deal = org.one("Deals")
    assert (str(deal["Amount"]), str(deal["FreshBooks_Outstanding"])) == ("9999999999999.99", "0.1")
