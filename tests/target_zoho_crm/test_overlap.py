"""A batch is written while the next ones are read and planned, and it makes no difference but in time."""

from __future__ import annotations

import threading

import pytest
from support.target import ACCOUNT, client, invoice, messages, payment

from target_zoho_crm.background import Background
from target_zoho_crm.errors import PermissionDeniedError

LATER = "2026-06-30T00:00:00+00:00"


def delay(org, path, method="POST"):
    """Let the first of these calls take so long that whoever does not wait for it comes first."""
    return org.box.faults.add(service="zoho", method=method, path=f"/crm/v8/{path}", kind="slow", delay=0.5)


def test_a_newer_version_waits_for_the_older_one_of_the_batch_before(org):
    slow = delay(org, "Deals/upsert")
    versions = [invoice(1), invoice(1, v3_status="paid", payment_status="paid", updated=LATER)]
    result = org.run(("clients", client()), *(("invoices", one) for one in versions), batch_size_rows=1)
    assert (result.error, slow.hits) == (None, 1)
    assert org.one("Deals")["FreshBooks_Status"] == "paid"


def test_an_account_that_a_client_of_the_batch_before_takes_is_nobody_elses(org):
    org.box.zoho.insert("Accounts", {"Account_Name": "Smith"})
    slow = delay(org, "Accounts", "PUT")
    result = org.run(*(("clients", client(n, organization="Smith")) for n in (1, 2)), batch_size_rows=1)
    assert (result.error, slow.hits) == (None, 1)
    assert {row["FreshBooks_ID"] for row in org.records("Accounts")} == {f"{ACCOUNT}:1", f"{ACCOUNT}:2"}


def test_the_last_payment_takes_those_of_the_batch_before_into_account(org):
    latest = payment(1, date="2026-06-25")
    org.run(("clients", client()), ("invoices", invoice()), ("payments", latest))
    slow = delay(org, "FreshBooks_Payments/upsert")
    deleted = payment(1, date="2026-06-25", vis_state=1, updated=LATER)
    result = org.run(("payments", payment(2, date="2026-06-20")), ("payments", deleted), batch_size_rows=1)
    assert (result.error, slow.hits) == (None, 1)
    assert org.one("Deals")["FreshBooks_Last_Payment"] == "2026-06-20"


def test_invoices_wait_for_their_clients_and_payments_for_their_invoices(org):
    slow = [delay(org, "Accounts/upsert"), delay(org, "Deals/upsert")]
    result = org.run(("clients", client()), ("invoices", invoice()), ("payments", payment()), batch_size_rows=1)
    assert (result.error, [fault.hits for fault in slow]) == (None, [1, 1])
    assert len(org.records("Accounts")) == 1
    assert org.one("FreshBooks_Payments")["Deal"]["id"] == org.one("Deals")["id"]
    assert org.pending() == {}


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_run_that_stops_at_any_batch_writes_no_state(org, refused):
    body = {"code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_Api_Access"]}, "status": "error"}
    org.box.faults.add(
        service="zoho", path="/crm/v8/Accounts/upsert", kind="status", status=403, body=body, after=refused - 1
    )
    sent = messages(*(("clients", client(n)) for n in (1, 2, 3)), state={"bookmarks": {"clients": {}}})
    result = org.feed(sent, batch_size_rows=1)
    assert isinstance(result.error, PermissionDeniedError)
    assert result.states == []


def test_the_first_run_asks_for_no_freshbooks_id_because_it_made_the_field_itself(new_org):
    records = [("clients", client()), ("invoices", invoice()), ("payments", payment())]
    assert new_org.run(*records).error is None
    assert len(new_org.reads()) == 1, "the accounts of that name"
    new_org.run(*records)
    assert len(new_org.reads()) == 1 + 3, "each record"


def test_what_comes_twice_in_the_first_run_is_there_once(new_org):
    twice = [("clients", client(email=email)) for email in ("old@example.com", "new@example.com")]
    assert new_org.run(*twice, batch_size_rows=1).error is None
    assert new_org.one("Accounts")["FreshBooks_Email"] == "new@example.com"


# what does the waiting


def test_jobs_are_done_one_after_the_other_while_the_caller_goes_on():
    background, done, go = Background(), [], threading.Event()
    background.begin(lambda: done.append(go.wait(30)))
    assert done == [], "the caller is not kept"
    go.set()
    background.begin(lambda: done.append(2))
    background.close()
    assert done == [True, 2]


def test_an_error_is_raised_by_the_next_call_and_no_later_job_begins():
    background, done = Background(), []
    background.begin(lambda: done.append(1 / 0))
    with pytest.raises(ZeroDivisionError):
        background.begin(lambda: done.append(2))
    background.close()
    assert done == []


def test_a_job_that_follows_is_done_although_the_one_before_failed():
    background, done = Background(), []
    background.begin(lambda: done.append(1 / 0))
    with pytest.raises(ZeroDivisionError):
        background.follow(lambda: done.append(2))
    background.close()
    assert done == [2]
