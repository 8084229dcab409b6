"""What people hide, lock or take away in Zoho is done without, and said; but without the FreshBooks ID nothing goes."""

from __future__ import annotations

import pytest
from support.target import client, invoice, payment

LATER, LATEST = "2026-07-02T00:00:00+00:00", "2026-07-03T00:00:00+00:00"
FIRM = (("clients", client()), ("invoices", invoice()), ("payments", payment()))


@pytest.fixture
def synced(new_org):
    assert new_org.run(*FIRM).error is None
    return new_org


def made(org) -> list[str]:
    """The calls that made, or tried to make, fields and modules."""
    return [call.path for call in org.calls() if call.method == "POST" and "/settings/" in call.path]


def test_an_unused_field_is_gone_without_and_never_made_a_second_time(synced, caplog):
    zoho, before = synced.box.zoho, made(synced)
    zoho.set_unused("Accounts", "FreshBooks_Email")
    for _ in range(2):
        synced.a_day_later()
        caplog.clear()
        assert synced.run(("clients", client(updated=LATER, email="new@example.com"))).error is None
        assert caplog.text.count("does without FreshBooks Email, among its unused fields now") == 1
    assert made(synced) == before

    zoho.organization.modules["Accounts"].layouts[0].hidden.discard("FreshBooks_Email")
    synced.a_day_later()
    assert synced.run(("clients", client(updated=LATEST, email="new@example.com"))).error is None
    assert synced.one("Accounts")["FreshBooks_Email"] == "new@example.com"
    assert made(synced) == before


def test_a_field_that_the_user_may_only_read_is_gone_without(synced, caplog):
    before = made(synced)
    synced.box.zoho.set_read_only("Deals", "FreshBooks_Due_Date")
    synced.a_day_later()
    assert synced.run(("clients", client()), ("invoices", invoice(updated=LATER, v3_status="paid"))).error is None
    assert "Deals does without FreshBooks Due Date, which the user who gave the consent may not write" in caplog.text
    assert (synced.one("Deals")["FreshBooks_Status"], made(synced)) == ("paid", before)


@pytest.mark.parametrize(
    ("hide", "words"), [("set_unused", "is among the module's unused fields"), ("set_read_only", "cannot be written")]
)
def test_without_the_field_of_the_freshbooks_id_nothing_is_written_and_it_is_said_why(synced, hide, words):
    before = made(synced)
    getattr(synced.box.zoho, hide)("Accounts", "FreshBooks_ID")
    synced.a_day_later()
    assert words in str(synced.run(("clients", client(updated=LATER, fax="1"))).error)
    assert made(synced) == before


def test_a_field_that_was_deleted_is_made_again_and_filled_in_all_records(new_org, caplog):
    clients = [("clients", client(number)) for number in (1, 2, 3)]
    assert new_org.run(*clients).error is None
    new_org.box.zoho.delete_field("Accounts", "FreshBooks_Email")
    new_org.a_day_later()

    assert new_org.run(("clients", client(updated=LATER, fax="1"))).error is None

    assert "In Accounts, this was deleted in Zoho and is made again: FreshBooks Email" in caplog.text
    assert "empty in 3 records that were written before" in caplog.text
    assert "meltano run --full-refresh tap-freshbooks target-zoho-crm" in caplog.text
    due = {number for stream, number in new_org.pending() if stream == "clients"}
    assert {"2", "3"} <= due
    assert new_org.run(*(each for each in clients if str(each[1]["id"]) in due)).error is None
    assert {row["FreshBooks_Email"] for row in new_org.records("Accounts")} == {
        f"client{number}@example.com" for number in (1, 2, 3)
    }


def test_a_deleted_module_of_payments_is_made_again_only_when_somebody_asks(synced, caplog):
    before = made(synced)
    synced.box.zoho.delete_module("FreshBooks_Payments")
    for _ in range(2):
        synced.a_day_later()
        assert synced.run(*FIRM[:2], ("payments", payment(updated=LATER))).error is None
    assert "The module 'FreshBooks Payments' is not there any more" in caplog.text
    assert made(synced) == before


def test_without_contacts_clients_are_matched_by_what_is_left_and_that_is_said_once(org, caplog):
    zoho = org.box.zoho
    for _ in range(2):
        zoho.insert("Accounts", {"Account_Name": "Client 1"})
        zoho.insert("Accounts", {"Account_Name": "Client 2"})
    zoho.forbid("view", "Contacts")
    try:
        clients = [("clients", client(number)) for number in (1, 2, 3)]
        assert org.run(*clients).error is None
        assert org.run(clients[0]).error is None
    finally:
        zoho.permit()
    assert set(org.pending()) == {("clients", "1"), ("clients", "2")}
    assert org.one("Accounts", "ZyQ04o:3")["Account_Name"] == "Client 3"
    assert caplog.text.count("matched without the e-mail addresses of Contacts") == 2


def test_an_organization_that_sells_to_persons_only_is_told_that_it_has_no_accounts(new_org):
    new_org.box.zoho.delete_module("Accounts")
    before = made(new_org)
    assert "has no module Accounts, which clients go to: it sells to persons only (B2C)" in str(
        new_org.run(("clients", client())).error
    )
    assert made(new_org) == before


@pytest.mark.parametrize("is_known", [False, True], ids=["new", "synced"])
def test_a_locked_subscription_is_said_in_zohos_words(new_org, is_known):
    if is_known:
        assert new_org.run(*FIRM).error is None
    new_org.box.zoho.refuse_calls("LICENSE_EXPIRED", "The subscription of this organization is locked.")
    result = new_org.run(("clients", client(updated=LATER, fax="1")), ("invoices", invoice(updated=LATER)))
    assert "LICENSE_EXPIRED" in str(result.error)
    assert "“The subscription of this organization is locked.”" in str(result.error)
    new_org.box.zoho.allow()
    assert set(new_org.pending()) == set()
