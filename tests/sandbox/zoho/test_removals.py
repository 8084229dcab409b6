"""Records that people delete, restore and merge."""

from __future__ import annotations

import pytest
from support.zoho_api import UNIQUE

from sandbox.zoho import RowError

DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}


def listed(api, kind="all"):
    """Return the ids that are listed as deleted, with their state."""
    answer = api.get("Accounts/deleted", type=kind)
    return {each["id"]: each["type"] for each in answer.json()["data"]} if answer.status_code == 200 else {}


@pytest.fixture
def accounts(api):
    """Two accounts, each with a deal and a contact."""
    ids = api.box.zoho.insert_many("Accounts", [{"Account_Name": name} for name in ("Master", "Child")])
    for account in ids:
        api.box.zoho.insert("Deals", {**DEAL, "Account_Name": {"id": account}})
        api.box.zoho.insert("Contacts", {"Last_Name": "N", "Account_Name": {"id": account}})
    return ids


def test_what_is_deleted_for_good_is_not_in_the_bin(api, accounts):
    zoho = api.box.zoho
    zoho.delete("Accounts", accounts[0])
    zoho.delete("Accounts", accounts[1], permanently=True)
    assert listed(api) == {accounts[0]: "recycle", accounts[1]: "permanent"}
    assert listed(api, "permanent").keys() == {accounts[1]}
    with pytest.raises(RowError):
        zoho.restore("Accounts", accounts[1])


def test_a_record_comes_back_from_the_bin_within_sixty_days(api, accounts):
    zoho = api.box.zoho
    before = zoho.get("Accounts", accounts[0])
    for account in accounts:
        zoho.delete("Accounts", account)
    api.box.clock.advance(days=59)
    zoho.restore("Accounts", accounts[0])
    assert zoho.get("Accounts", accounts[0]) == before
    api.authorize()
    assert listed(api) == {accounts[1]: "recycle"}
    rows = api.query("select id from Accounts where id is not null")
    assert [row["id"] for row in rows] == [accounts[0]]
    api.box.clock.advance(days=2)
    with pytest.raises(RowError):
        zoho.restore("Accounts", accounts[1])


@pytest.mark.parametrize("brings", [True, False])
def test_a_restored_record_may_be_the_twin_of_its_successor(api, brings):
    zoho = api.box.zoho
    zoho.switches.restore_brings_unique_values = brings
    key = api.field("Accounts", "Key", unique=UNIQUE)
    first = zoho.insert("Accounts", {"Account_Name": "A", key: "a:1"})
    zoho.delete("Accounts", first)
    second = zoho.insert("Accounts", {"Account_Name": "A", key: "a:1"})
    zoho.restore("Accounts", first)
    found = [row["id"] for row in api.query(f"select id from Accounts where {key} = 'a:1'")]
    assert found == ([first, second] if brings else [second])
    assert zoho.get("Accounts", first)[key] == ("a:1" if brings else None)
    assert [row["id"] for row in api.query("select id from Accounts where id is not null")] == [first, second]


def test_a_merged_record_is_gone_for_good_and_leaves_what_was_related_to_it(api, accounts):
    master, child = accounts
    api.box.zoho.merge("Accounts", master, child)
    assert listed(api) == {child: "permanent"}
    for module in ("Deals", "Contacts"):
        assert [row["Account_Name"]["id"] for row in api.box.zoho.records(module)] == [master, master]
    assert api.box.zoho.get("Accounts", master)["Account_Name"] == "Master"


def test_a_record_is_not_its_own_parent_after_a_merge(api, accounts):
    master, child = accounts
    api.box.zoho.update("Accounts", master, {"Parent_Account": {"id": child}})
    api.box.zoho.merge("Accounts", master, child)
    assert api.box.zoho.get("Accounts", master)["Parent_Account"] is None


def test_nothing_is_merged_with_itself_or_with_what_is_not_there(box, accounts):
    for pair in ((accounts[0], accounts[0]), (accounts[0], "1"), ("1", accounts[0])):
        with pytest.raises(RowError):
            box.zoho.merge("Accounts", *pair)
    assert box.zoho.count("Accounts") == 2
