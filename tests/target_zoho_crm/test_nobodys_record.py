"""Nobody's record but the client's: whatever else is unique, foreign, merged, deleted or restored in Zoho."""

from __future__ import annotations

import pytest
from support.target import Org, client, invoice, payment

from target_zoho_crm.sync.left_alone import bring_back, leave_alone

LATER = "2026-06-30T00:00:00+00:00"
SWITCHBOARD = "030 100"


def accounts(org: Org) -> dict[str, dict]:
    """The accounts by FreshBooks ID; those of other people by name."""
    return {row.get("FreshBooks_ID") or row["Account_Name"]: row for row in org.records("Accounts")}


def make_unique(org, module, name):
    org.box.zoho.fields(module)[name].unique = True
    org.box.zoho.organization.tables[module].index(name)


@pytest.fixture
def unique_phones(new_org):
    """An organization whose accounts must not share a phone number."""
    make_unique(new_org, "Accounts", "Phone")
    return new_org


# other unique fields


def test_two_clients_with_one_unique_number_are_two_accounts_and_stay_so(unique_phones, caplog):
    caplog.set_level("INFO")
    pair = [("clients", client(number, bus_phone=SWITCHBOARD)) for number in (1, 2)]

    for _ in range(2):
        assert unique_phones.run(*pair).error is None

    found = accounts(unique_phones)
    assert {key: row["Account_Name"] for key, row in found.items()} == {"ZyQ04o:1": "Client 1", "ZyQ04o:2": "Client 2"}
    assert sorted(row["Phone"] or "" for row in found.values()) == ["", SWITCHBOARD]
    assert "Accounts does not allow duplicates in Phone" in caplog.text
    assert "landed without Phone" in caplog.text
    assert unique_phones.pending() == {}


def test_a_salespersons_account_with_the_clients_number_is_not_taken(unique_phones):
    unique_phones.box.zoho.insert("Accounts", {"Account_Name": "Omega Holding", "Phone": SWITCHBOARD})

    assert unique_phones.run(("clients", client(bus_phone=SWITCHBOARD))).error is None

    found = accounts(unique_phones)
    assert found["Omega Holding"]["Phone"] == SWITCHBOARD
    assert found["ZyQ04o:1"]["Account_Name"] == "Client 1"


def test_a_changed_number_that_another_account_has_is_left_out_and_the_rest_lands(unique_phones):
    unique_phones.box.zoho.insert("Accounts", {"Account_Name": "Omega Holding", "Phone": SWITCHBOARD})
    assert unique_phones.run(("clients", client(bus_phone="1"))).error is None

    assert unique_phones.run(("clients", client(bus_phone=SWITCHBOARD, fax="2", updated=LATER))).error is None

    assert (accounts(unique_phones)["ZyQ04o:1"]["Phone"], accounts(unique_phones)["ZyQ04o:1"]["Fax"]) == ("1", "2")


def test_accounts_that_were_swapped_before_each_get_their_own_again(unique_phones):
    assert unique_phones.run(("clients", client(1, bus_phone=SWITCHBOARD))).error is None
    row = unique_phones.one("Accounts")
    unique_phones.box.zoho.update("Accounts", row["id"], {"FreshBooks_ID": "ZyQ04o:2", "Account_Name": "Client 2"})

    pair = [("clients", client(number, bus_phone=SWITCHBOARD)) for number in (1, 2)]
    assert unique_phones.run(*pair).error is None

    assert {key: row["Account_Name"] for key, row in accounts(unique_phones).items()} == {
        "ZyQ04o:1": "Client 1",
        "ZyQ04o:2": "Client 2",
    }


def test_a_client_whose_name_another_clients_account_has_waits_where_names_are_unique(new_org, caplog):
    make_unique(new_org, "Accounts", "Account_Name")
    assert new_org.run(("clients", client(1, organization="Acme"))).error is None

    assert new_org.run(("clients", client(2, organization="Acme")), ("clients", client(3))).error is None

    assert set(accounts(new_org)) == {"ZyQ04o:1", "ZyQ04o:3"}
    assert new_org.pending()["clients", "2"].reason == "ambiguous"
    assert "has its name and is another's" in caplog.text


def test_two_runs_at_once_make_one_account_where_another_field_is_unique(unique_phones):
    """The second one is told that the FreshBooks ID is there."""
    record = client(bus_phone=SWITCHBOARD)
    assert unique_phones.run(("clients", client(9))).error is None
    slow = unique_phones.box.faults.add(service="zoho", path="/crm/v8/Accounts", method="POST", kind="reset_after")
    assert unique_phones.run(("clients", record), ("invoices", invoice())).error is None

    assert slow.hits == 1
    assert sorted(accounts(unique_phones)) == ["ZyQ04o:1", "ZyQ04o:9"]
    assert unique_phones.one("Deals")["Account_Name"]["id"] == accounts(unique_phones)["ZyQ04o:1"]["id"]


# foreign values in the field of the FreshBooks ID


def test_a_plain_number_of_an_earlier_integration_links_and_other_values_are_left_alone(new_org, caplog):
    caplog.set_level("INFO")
    zoho = new_org.box.zoho
    for module in ("Accounts", "Deals"):
        zoho.add_custom_field(module, "FreshBooks ID", length=100)
    linked = zoho.insert("Accounts", {"Account_Name": "Client one of old", "FreshBooks_ID": "1"})
    foreign = zoho.insert("Accounts", {"Account_Name": "Client 2", "FreshBooks_ID": "X-17"})
    deal = zoho.insert("Deals", {"Deal_Name": "1", "Stage": "Qualification", "FreshBooks_ID": "1"})

    for _ in range(2):
        result = new_org.run(*[("clients", client(number)) for number in (1, 2, 3)], ("invoices", invoice(1)))
        assert result.error is None

    found = accounts(new_org)
    assert (found["ZyQ04o:1"]["id"], found["X-17"]["id"]) == (linked, foreign)
    assert found["X-17"]["Account_Name"] == "Client 2"
    assert set(found) == {"ZyQ04o:1", "X-17", "ZyQ04o:3"}
    assert new_org.one("Deals")["id"] == deal
    assert new_org.pending()["clients", "2"].reason == "ambiguous"
    assert "of Accounts holds values that this product has not written, such as '1', 'X-17'" in caplog.text


def test_foreign_values_are_said_by_the_plan_too(new_org, capsys):
    new_org.box.zoho.add_custom_field("Accounts", "FreshBooks ID", length=100)
    new_org.box.zoho.insert("Accounts", {"Account_Name": "Somebody", "FreshBooks_ID": "X-17"})

    assert new_org.run(("clients", client()), dry_run=True).error is None

    assert "such as 'X-17'" in capsys.readouterr().err


# records that were restored


def test_a_record_that_came_back_beside_its_successor_is_named_and_counted_once(new_org, caplog):
    assert new_org.run(("clients", client()), ("invoices", invoice())).error is None
    deal = new_org.one("Deals")
    new_org.box.zoho.fields("Deals")["FreshBooks_ID"].unique = False
    twin = new_org.box.zoho.insert(
        "Deals", {"Deal_Name": "twin", "Stage": "Qualification", "FreshBooks_ID": "ZyQ04o:1"}
    )

    assert new_org.run(("invoices", invoice(v3_status="paid", updated=LATER))).error is None

    assert f"the records {deal['id']}, {twin} of Deals carry its FreshBooks ID" in caplog.text
    assert {row["id"]: row["Stage"] for row in new_org.records("Deals")} == {
        deal["id"]: "Closed Won",
        twin: "Qualification",
    }


# what people merge, or delete for good


def firm(number=1):
    return ("clients", client(number)), ("invoices", invoice(number, number)), ("payments", payment(number, number))


def test_the_account_that_a_clients_deals_were_merged_into_is_the_clients_from_then_on(new_org):
    assert new_org.run(*firm()).error is None
    master = new_org.box.zoho.insert("Accounts", {"Account_Name": "Acme"})
    new_org.box.zoho.merge("Accounts", master, accounts(new_org)["ZyQ04o:1"]["id"])

    for _ in range(2):
        assert new_org.run(*firm(), ("invoices", invoice(2, 1))).error is None

    assert [row["id"] for row in new_org.records("Accounts")] == [master]
    assert new_org.one("Accounts")["FreshBooks_ID"] == "ZyQ04o:1"
    assert {row["Account_Name"]["id"] for row in new_org.records("Deals")} == {master}


def test_a_merge_is_known_from_an_invoice_alone(new_org):
    assert new_org.run(*firm()).error is None
    master = new_org.box.zoho.insert("Accounts", {"Account_Name": "Acme"})
    new_org.box.zoho.merge("Accounts", master, accounts(new_org)["ZyQ04o:1"]["id"])

    assert new_org.run(("invoices", invoice(1, updated=LATER)), ("invoices", invoice(2, 1))).error is None

    assert [row["id"] for row in new_org.records("Accounts")] == [master]
    assert {row["Account_Name"]["id"] for row in new_org.records("Deals")} == {master}


def test_two_clients_whose_accounts_were_merged_share_the_one_that_is_left(new_org):
    assert new_org.run(*firm(1), *firm(2)).error is None
    ids = {key: row["id"] for key, row in accounts(new_org).items()}
    new_org.box.zoho.merge("Accounts", ids["ZyQ04o:2"], ids["ZyQ04o:1"])

    for _ in range(2):
        assert new_org.run(*firm(1), *firm(2), ("invoices", invoice(3, 1))).error is None

    assert new_org.one("Accounts")["FreshBooks_ID"] == "ZyQ04o:2"
    assert {row["Account_Name"]["id"] for row in new_org.records("Deals")} == {ids["ZyQ04o:2"]}
    assert new_org.pending() == {}


def test_what_is_left_alone_is_not_made_again_nor_is_what_belongs_to_it(new_org):
    assert new_org.run(*firm()).error is None
    for module in ("FreshBooks_Payments", "Deals", "Accounts"):
        new_org.box.zoho.delete(module, new_org.one(module)["id"], permanently=True)
    with new_org.store() as store:
        leave_alone(store, "ZyQ04o", "clients", ["1"])

    for _ in range(2):
        assert new_org.run(*firm(), ("invoices", invoice(2, 1))).error is None

    assert [new_org.records(module) for module in ("Accounts", "Deals")] == [[], []]
    with new_org.store() as store:
        bring_back(store, "ZyQ04o", "clients", ["1"])
    assert new_org.run(*firm()).error is None
    assert len(new_org.records("Deals")) == 1
