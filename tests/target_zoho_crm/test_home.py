"""Records belong in the organization that they were written to first, until a person says otherwise."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from support.target import ACCOUNT, Org, client, invoice, payment

from sandbox import Sandbox
from target_zoho_crm.org.home import Homes

FIRM = (("clients", client()), ("invoices", invoice()), ("payments", payment()))
TRIAL, REAL = "698244000", "700000001"


@pytest.fixture
def moved(new_org, tmp_path):
    """The trial organization with a firm in it, and the real one behind the same store."""
    assert new_org.run(*FIRM).error is None
    with Sandbox() as box:
        box.zoho.organization.zgid = REAL
        yield new_org, Org(box, tmp_path)


def adopt(org: Org) -> int:
    with org.store() as store:
        homes = Homes(store)
        return homes.move(homes.of(ACCOUNT), datetime.now(timezone.utc))


def test_a_run_into_another_organization_writes_nothing_and_says_what_to_do(moved):
    _, real = moved
    result = real.run(*FIRM)
    assert f"another Zoho organization ({REAL}) than the one that FreshBooks {ACCOUNT} was synced to ({TRIAL})" in str(
        result.error
    )
    assert "freshbooks-zoho setup --adopt" in str(result.error)
    assert [call for call in real.calls() if call.method != "GET"] == []


def test_a_plan_for_another_organization_says_so_too_and_leaves_no_trace(moved):
    _, real = moved
    assert "another Zoho organization" in str(real.run(*FIRM, dry_run=True).error)
    with real.store() as store:
        assert Homes(store).of(ACCOUNT).led_to == ""


def test_back_in_its_organization_a_run_goes_on_as_if_nothing_had_been(moved):
    trial, real = moved
    assert real.run(*FIRM).error is not None
    assert trial.run(*FIRM).error is None
    with trial.store() as store:
        assert Homes(store).of(ACCOUNT).problem is None


def test_in_an_adopted_organization_everything_is_asked_for_and_former_records_are_nobodys(moved):
    trial, real = moved
    assert real.run(*FIRM).error is not None

    assert adopt(real) == 3

    assert set(real.pending()) == {("clients", "1"), ("invoices", "1"), ("payments", "1")}
    with real.store() as store:
        assert store.written.objects(ACCOUNT) == []
        assert "3 objects are still to be brought" in Homes(store).still_to_bring(ACCOUNT)
    assert real.run(*FIRM, read_at=datetime.now(timezone.utc).isoformat()).error is None
    assert [len(real.records(module)) for module in ("Accounts", "Deals", "FreshBooks_Payments")] == [1, 1, 1]
    with real.store() as store:
        assert Homes(store).still_to_bring(ACCOUNT) is None
    assert "another Zoho organization" in str(trial.run(*FIRM).error)


def test_another_business_in_the_same_store_has_an_organization_of_its_own(moved):
    _, real = moved
    other = [(stream, {**record, "account_id": "Other1"}) for stream, record in FIRM]
    assert real.run(*other).error is None
    assert len(real.records("Accounts")) == 1
    assert real.run(*other).error is None
    assert "another Zoho organization" in str(real.run(*FIRM).error)
