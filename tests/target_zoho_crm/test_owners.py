"""Who owns an account owns its new deals and payments and so sees them; whose a record is later, is left alone."""

from __future__ import annotations

import pytest
from support.target import client, invoice, payment

LATER = "2026-06-30T00:00:00+00:00"
FIRM = (("clients", client()), ("invoices", invoice()), ("payments", payment()))
MODULES = ("Accounts", "Deals", "FreshBooks_Payments")


def owners(org, module):
    return {row["Owner"]["id"] for row in org.records(module)}


@pytest.fixture
def seller(new_org) -> str:
    """A salesperson who sees nothing but her own records, as everybody does there."""
    new_org.box.zoho.set_private("Accounts", "Deals")
    return new_org.box.zoho.add_user("Ines Vega", "ines@example.com")


def test_the_salesperson_who_owns_the_account_sees_its_deals_and_payments(new_org, seller):
    new_org.box.zoho.insert("Accounts", {"Account_Name": "Client 1", "Owner": {"id": seller}})

    assert new_org.run(*FIRM).error is None
    assert new_org.run(("invoices", invoice(2)), ("payments", payment(2, 2))).error is None

    assert [owners(new_org, module) for module in MODULES] == [{seller}] * 3
    assert len(new_org.box.zoho.seen_by(seller, "Deals")) == 2


def test_a_new_account_belongs_to_whom_the_setting_names_and_so_do_its_deals(new_org, seller):
    assert new_org.run(*FIRM, owner="Ines@Example.com").error is None

    assert [owners(new_org, module) for module in MODULES] == [{seller}] * 3


def test_without_the_setting_a_new_account_belongs_to_the_user_who_connected(new_org, seller):
    assert new_org.run(*FIRM).error is None

    assert [owners(new_org, module) for module in MODULES] == [{new_org.box.zoho.organization.integration.id}] * 3


def test_whose_a_record_is_later_is_peoples(new_org, seller):
    assert new_org.run(*FIRM).error is None
    for module in MODULES:
        new_org.box.zoho.update(module, new_org.one(module)["id"], {"Owner": {"id": seller}})

    changed = [
        ("clients", client(fax="1", updated=LATER)),
        ("invoices", invoice(v3_status="paid", updated=LATER)),
        ("payments", payment(type="Check", updated=LATER)),
    ]
    assert new_org.run(*changed).error is None

    assert [owners(new_org, module) for module in MODULES] == [{seller}] * 3
    assert new_org.one("Deals")["Stage"] == "Closed Won"


def test_an_owner_who_has_left_gives_way_and_that_is_named(new_org, seller, caplog):
    new_org.box.zoho.insert("Accounts", {"Account_Name": "Client 1", "Owner": {"id": seller}})
    new_org.box.zoho.deactivate_user(seller)

    assert new_org.run(*FIRM).error is None

    assert owners(new_org, "Deals") == {new_org.box.zoho.organization.integration.id}
    assert "landed without Owner" in caplog.text
    assert new_org.pending() == {}


def test_an_owner_whom_zoho_does_not_know_is_said_before_anything_is_written(new_org, seller):
    result = new_org.run(*FIRM, owner="nobody@example.com")

    assert "Zoho has no active user of that e-mail" in str(result.error)
    assert new_org.writes() == []


def test_the_owner_is_looked_up_once_a_day_not_in_every_run(new_org, seller):
    def asked():
        return len([call for call in new_org.calls() if call.path == "/crm/v8/users"])

    assert new_org.run(("clients", client(1)), owner="ines@example.com").error is None
    before = asked()
    assert new_org.run(("clients", client(2)), owner="ines@example.com").error is None

    assert asked() == before > 0
