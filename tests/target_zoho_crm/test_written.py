"""What was written is remembered so that it can be told from what other people change."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.target import ACCOUNT, client, invoice, payment, usd

from target_zoho_crm.mapping.values import same
from target_zoho_crm.org.organization import Field
from target_zoho_crm.sync.written import fingerprint

MODULES = {"clients": "Accounts", "invoices": "Deals", "payments": "FreshBooks_Payments"}
RICH = client(
    bus_phone="+1 (555) 010-0199",
    p_street="1 Main St",
    p_street2="Floor 2\r\nEast",
    p_city="Zürich",
    outstanding_balance=[usd("60.00")],
    overdue_balance=[usd("0.10")],
)


def held_as_written(org):
    """For each record of ours, whether Zoho holds what the store remembers, by stream and id."""
    found = {}
    with org.store() as store:
        for stream, module in MODULES.items():
            for row in org.records(module):
                written = store.written.of_records([row["id"]]).get(row["id"])
                if written is not None:
                    digest = store.written.digest(fingerprint(row, written.fields))
                    found[stream, written.object_id] = digest == written.digest
    return found


def test_what_was_written_is_what_zoho_holds(org):
    org.run(("clients", RICH), ("invoices", invoice(lines=[])), ("payments", payment()))

    assert held_as_written(org) == {("clients", "1"): True, ("invoices", "1"): True, ("payments", "1"): True}


def test_records_found_equal_are_remembered_too(org):
    org.run(("clients", RICH), ("invoices", invoice()))
    with org.store() as store:
        store.written.forget(ACCOUNT, "invoices", ["1"])
    org.run(("clients", RICH), ("invoices", invoice()))

    assert held_as_written(org)["invoices", "1"]


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({"Amount": 99}, True),
        ({"Stage": "Closed Lost"}, True),
        ({"FreshBooks_Status": "paid"}, True),
        ({"FreshBooks_ID": None}, True),
        ({"Next_Step": "call them"}, False),
        ({"Lead_Source": "Partner"}, False),
    ],
)
def test_a_change_shows_if_the_field_is_freshbooks(org, change, ours):
    org.run(("clients", client()), ("invoices", invoice()))
    org.box.zoho.update("Deals", org.one("Deals")["id"], change)

    assert held_as_written(org)["invoices", "1"] is not ours


def test_what_people_entered_where_freshbooks_has_nothing_is_theirs(org):
    org.run(("clients", client()))
    org.box.zoho.update("Accounts", org.one("Accounts")["id"], {"Phone": "555 0100", "Billing_City": "Bern"})

    assert held_as_written(org) == {("clients", "1"): True}


def test_of_an_account_linked_for_an_invoice_only_the_link_is_ours(org):
    org.box.zoho.insert("Accounts", {"Account_Name": "Client 1", "Phone": "555 0100"})
    org.run(("invoices", invoice()))
    org.box.zoho.update("Accounts", org.one("Accounts")["id"], {"Account_Name": "Client One"})

    assert held_as_written(org) == {("clients", "1"): True, ("invoices", "1"): True}


@pytest.mark.parametrize("emptied", [None, "nonsense"])
def test_a_record_that_lost_its_freshbooks_id_gets_it_back_and_is_not_made_twice(org, emptied):
    org.run(("clients", client()), ("invoices", invoice()))
    deal, account = org.one("Deals"), org.one("Accounts")
    org.box.zoho.update("Deals", deal["id"], {"FreshBooks_ID": emptied})
    org.box.zoho.update("Accounts", account["id"], {"FreshBooks_ID": emptied, "Account_Name": "Another name"})
    org.run(("invoices", invoice()), ("clients", client()))

    assert org.one("Deals", f"{ACCOUNT}:1")["id"] == deal["id"]
    assert org.one("Accounts", f"{ACCOUNT}:1")["id"] == account["id"]
    assert (len(org.records("Deals")), len(org.records("Accounts"))) == (1, 1)


def test_a_link_that_someone_moved_to_another_record_stays_there(org):
    org.run(("clients", client()))
    wrong, right = org.one("Accounts")["id"], org.box.zoho.insert("Accounts", {"Account_Name": "Right"})
    org.box.zoho.update("Accounts", wrong, {"FreshBooks_ID": None, "Account_Name": "Wrong"})
    org.box.zoho.update("Accounts", right, {"FreshBooks_ID": f"{ACCOUNT}:1"})
    org.run(("clients", client()))

    assert org.one("Accounts", f"{ACCOUNT}:1")["id"] == right
    assert {row["Account_Name"] for row in org.records("Accounts")} == {"Client 1", "Wrong"}


def test_what_is_deleted_on_purpose_is_forgotten(org):
    org.run(("clients", client()), ("invoices", invoice()))
    deal = org.one("Deals")["id"]
    org.run(("invoices", invoice(vis_state=1, updated="2026-06-30T00:00:00+00:00")), deleted_records="delete")

    assert org.records("Deals") == []
    with org.store() as store:
        assert store.written.of_records([deal]) == {}


def test_a_dry_run_remembers_nothing(org):
    org.run(("clients", client()), dry_run=True)
    with org.store() as store:
        assert store.written.of_records([row["id"] for row in org.records("Accounts")]) == {}


FIELDS = {
    "text": Field("F", "F", "text"),
    "textarea": Field("F", "F", "textarea"),
    "currency": Field("F", "F", "currency", decimal_places=2),
    "lookup": Field("F", "F", "lookup"),
    "datetime": Field("F", "F", "datetime"),
}
NUMBERS = st.decimals(-(10**9), 10**9, places=2) | st.integers(-(10**9), 10**9)
VALUES = {
    "text": st.none() | st.text(max_size=20),
    "textarea": st.none() | st.text(st.sampled_from("ab \r\n\u2028"), max_size=12),
    "currency": st.none() | NUMBERS,
    "lookup": st.none() | st.builds(lambda n: {"id": str(n)}, st.integers(1, 3)),
    "datetime": st.none()
    | st.sampled_from(["2026-06-29T16:48:49+00:00", "2026-06-29T12:48:49-04:00", "2026-06-29T16:48:50Z"]),
}


@given(st.data())
def test_values_that_are_the_same_have_the_same_fingerprint(data):
    kind = data.draw(st.sampled_from(sorted(FIELDS)))
    desired, held = data.draw(VALUES[kind]), data.draw(VALUES[kind])
    if same(FIELDS[kind], desired, held):
        assert fingerprint({"F": desired}, ["F"]) == fingerprint({"F": held}, ["F"])


@given(NUMBERS, NUMBERS)
def test_amounts_that_differ_by_a_cent_have_different_fingerprints(one, other):
    if Decimal(one) != Decimal(other):
        assert fingerprint({"F": one}, ["F"]) != fingerprint({"F": other}, ["F"])
