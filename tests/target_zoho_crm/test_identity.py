"""Names are the administrator's: whatever is renamed or translated stays what it is, with the store or without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.target import Org, client, invoice, payment
from support.zoho import field, module

from target_zoho_crm.mapping.metadata import FieldSpec
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.model import Listing

LATER = "2026-06-30T00:00:00+00:00"
FIRM = (("clients", client()), ("invoices", invoice()), ("payments", payment()))
CHANGED = (
    ("clients", client(updated=LATER, fax="030 1")),
    ("invoices", invoice(updated=LATER, outstanding={"amount": "60.00", "code": "USD"})),
    ("payments", payment(updated=LATER, type="Check")),
)
KEY = FieldSpec("FreshBooks ID", "text", unique=True)
FIELDS, MODULES = "/crm/v8/settings/fields", "/crm/v8/settings/modules"


@pytest.fixture(params=["the same store", "a lost store", "PostgreSQL"])
def synced(request, new_org, tmp_path_factory) -> tuple[Org, Org]:
    """An organization with a synced firm, as the run before a rename and the one after it see it."""
    config = {"store_url": request.getfixturevalue("postgres_url")} if request.param == "PostgreSQL" else {}
    first = Org(new_org.box, new_org.folder, **config)
    assert first.run(*FIRM).error is None
    other = tmp_path_factory.mktemp("other") if request.param == "a lost store" else new_org.folder
    return first, Org(new_org.box, other, **config)


def custom_fields(org: Org) -> dict[str, list[str]]:
    modules = ("Accounts", "Deals", "FreshBooks_Payments")
    return {name: [one.api_name for one in org.box.zoho.fields(name).values() if one.custom] for name in modules}


def as_it_was(org: Org, before: dict[str, list[str]]) -> None:
    """Nothing was made a second time, no record doubled, and the changes are there."""
    assert custom_fields(org) == before
    assert [len(org.records(name)) for name in before] == [1, 1, 1]
    assert org.one("Accounts")["Fax"] == "030 1"
    assert str(org.one("Deals")["FreshBooks_Outstanding"]) == "60"
    assert org.one("FreshBooks_Payments")["Type"] == "Check"
    assert not [call for call in org.calls() if call.method == "POST" and call.path in {FIELDS, MODULES}]


def test_a_renamed_module_is_the_same_module(synced):
    first, org = synced
    before = custom_fields(first)
    org.box.zoho.rename_module("FreshBooks_Payments", "Zahlung", "Money received")

    assert org.run(*CHANGED).error is None

    as_it_was(org, before)


@pytest.mark.parametrize("api_name", ["FreshBooks_ID", "FreshBooks_Outstanding"])
def test_a_renamed_field_is_the_same_field(synced, api_name):
    first, org = synced
    before = custom_fields(first)
    for name in ("Accounts", "Deals"):
        org.box.zoho.rename_field(name, api_name, "Open amount")

    assert org.run(*CHANGED).error is None

    as_it_was(org, before)


def test_a_renamed_stage_is_the_same_stage(synced):
    first, org = synced
    before = custom_fields(first)
    org.box.zoho.rename_stage("Negotiation/Review", "Verhandlung")

    assert org.run(*CHANGED).error is None
    assert org.run(("invoices", invoice(2))).error is None

    assert {row["Stage"] for row in org.records("Deals")} == {"Verhandlung"}
    assert custom_fields(org) == before


def test_a_field_of_the_users_own_lines_may_be_renamed(new_org):
    new_org.box.zoho.add_custom_field("Deals", "Cost Centre", length=50)
    lines = {"invoices": {"Cost Centre": "po_number"}}
    assert new_org.run(*FIRM, extra_fields=lines).error is None
    new_org.box.zoho.rename_field("Deals", "Cost_Centre", "Kostenstelle")
    new_org.a_day_later()

    assert new_org.run(("invoices", invoice(2, po_number="4711")), extra_fields=lines).error is None

    assert [row.get("Cost_Centre") for row in new_org.records("Deals")] == [None, "4711"]


def test_a_deleted_field_is_made_again_and_that_is_said(new_org, caplog):
    assert new_org.run(*FIRM).error is None
    new_org.box.zoho.delete_field("Deals", "FreshBooks_Status")

    assert new_org.run(*CHANGED).error is None

    assert new_org.one("Deals")["FreshBooks_Status"] == "sent"
    assert "was deleted in Zoho and is made again: FreshBooks Status" in caplog.text


def test_a_module_is_known_by_its_id_then_by_its_api_name_then_by_its_label():
    listed = {
        "One": Listing("One", "Payments of ours", "1", custom=True),
        "FreshBooks_Payments": Listing("FreshBooks_Payments", "Zahlungen", "2", custom=True),
        "Three": Listing("Three", "FreshBooks Payments", "3", custom=True),
    }
    known = Identities(modules={"FreshBooks Payments": "1"})

    assert known.find_module(listed, "FreshBooks Payments") == "One"
    assert Identities().find_module(listed, "FreshBooks Payments") == "FreshBooks_Payments"
    del listed["FreshBooks_Payments"]
    assert Identities().find_module(listed, "FreshBooks Payments") == "Three"


def test_zohos_own_field_of_a_derived_api_name_is_not_ours():
    own = field("FreshBooks ID", custom=False, id="1")
    by_hand = field("Key", custom=True, id="2")
    labelled = module("Accounts", own, by_hand)

    assert Identities().find_field(labelled, FieldSpec("Something", "text")) is None
    assert Identities(fields={"id of Accounts": {"FreshBooks ID": "2"}}).find_field(labelled, KEY) == by_hand


@given(st.permutations(["FreshBooks ID", "Anything", "Ümlaut", "freshbooks id"]), st.booleans())
def test_whatever_the_labels_are_the_remembered_field_is_found(labels, has_a_twin):
    fields = [field(f"F{number}", custom=True, id=str(number)) for number in range(len(labels))]
    renamed = [
        type(one)(one.api_name, label, one.data_type, custom=True, id=one.id)
        for one, label in zip(fields, labels, strict=True)
    ]
    known = Identities(fields={"id of Deals": {"FreshBooks ID": "1"}})
    twin = [field("FreshBooks ID", custom=True, id="9")] if has_a_twin else []

    assert known.find_field(module("Deals", *renamed, *twin), KEY).id == "1"
