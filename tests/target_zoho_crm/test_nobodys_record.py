"""Nobody's record but the client's: whatever else is unique, foreign, merged, deleted or restored in Zoho."""

from __future__ import annotations

import pytest
from support.target import Org, client, invoice

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
    assert "names are unique in Accounts" in caplog.text


def test_two_runs_at_once_make_one_account_where_another_field_is_unique(unique_phones):
    """The second one is told that the FreshBooks ID is there."""
    record = client(bus_phone=SWITCHBOARD)
    assert unique_phones.run(("clients", client(9))).error is None
    slow = unique_phones.box.faults.add(service="zoho", path="/crm/v8/Accounts", method="POST", kind="reset_after")
    assert unique_phones.run(("clients", record), ("invoices", invoice())).error is None

    assert slow.hits == 1
    assert sorted(accounts(unique_phones)) == ["ZyQ04o:1", "ZyQ04o:9"]
    assert unique_phones.one("Deals")["Account_Name"]["id"] == accounts(unique_phones)["ZyQ04o:1"]["id"]
