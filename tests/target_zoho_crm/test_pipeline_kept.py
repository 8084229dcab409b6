"""New deals go into the pipeline that was chosen first, and a deal stays in the one it is in, while that will do."""

from __future__ import annotations

import pytest
from support.target import client, invoice

LATER = "2026-07-02T00:00:00+00:00"
OWN = {"Offen": "Open", "Rechnung": "Open", "Gewonnen": "Closed Won", "Verloren": "Closed Lost"}
ONLY_OPEN = {"Offen": "Open", "Rechnung": "Open"}
CLIENT = ("clients", client())


@pytest.fixture
def synced(new_org):
    """An organization with one deal that is open, and one that is won."""
    won = invoice(2, v3_status="paid")
    assert new_org.run(CLIENT, ("invoices", invoice()), ("invoices", won)).error is None
    return new_org


def where(org) -> dict[str, tuple[str, str]]:
    return {row["FreshBooks_ID"][-1]: (row["Pipeline"], row["Stage"]) for row in org.records("Deals")}


def test_another_default_pipeline_moves_no_deal_and_takes_no_new_one_and_that_is_said(synced, caplog):
    before = where(synced)
    standard = before["1"][0]
    synced.box.zoho.add_pipeline("Neu", OWN, default=True)
    synced.a_day_later()

    caplog.set_level("INFO")
    changed = invoice(1, updated=LATER, outstanding={"amount": "50.00", "code": "USD"})
    assert synced.run(CLIENT, ("invoices", changed), ("invoices", invoice(3))).error is None

    assert where(synced) == {**before, "3": before["1"]}
    assert f"Deals go on going into the pipeline '{standard}', although 'Neu' is Zoho's default now" in caplog.text


def test_the_setting_says_otherwise(synced):
    synced.box.zoho.add_pipeline("Neu", OWN)
    assert synced.run(CLIENT, ("invoices", invoice()), pipeline="Neu").error is None
    assert where(synced)["1"] == ("Neu", "Rechnung")


def test_a_deal_that_people_move_to_another_pipeline_stays_there_and_has_the_stages_of_that_one(synced):
    synced.box.zoho.add_pipeline("Neu", OWN)
    deal = synced.one("Deals", "ZyQ04o:1")
    synced.box.zoho.update("Deals", deal["id"], {"Pipeline": "Neu", "Stage": "Offen"})
    synced.a_day_later()

    assert synced.run(CLIENT, ("invoices", invoice())).error is None
    assert where(synced)["1"] == ("Neu", "Rechnung")
    assert synced.run(CLIENT, ("invoices", invoice(v3_status="paid", updated=LATER))).error is None
    assert where(synced)["1"] == ("Neu", "Gewonnen")


def test_a_deal_leaves_a_pipeline_that_lacks_the_stage_it_needs(synced):
    synced.box.zoho.add_pipeline("Nur offen", ONLY_OPEN)
    deal, standard = synced.one("Deals", "ZyQ04o:1"), where(synced)["1"][0]
    synced.box.zoho.update("Deals", deal["id"], {"Pipeline": "Nur offen", "Stage": "Offen"})
    synced.a_day_later()

    assert synced.run(CLIENT, ("invoices", invoice())).error is None
    assert where(synced)["1"] == ("Nur offen", "Rechnung")
    assert synced.run(CLIENT, ("invoices", invoice(v3_status="paid", updated=LATER))).error is None
    assert where(synced)["1"] == (standard, "Closed Won")


def test_a_pipeline_is_the_first_one_whatever_it_is_called_now(synced):
    standard = where(synced)["1"][0]
    synced.box.zoho.rename_pipeline(standard, "Sales")
    synced.box.zoho.add_pipeline("Neu", OWN, default=True)
    synced.a_day_later()

    assert synced.run(CLIENT, ("invoices", invoice(3))).error is None
    assert where(synced)["3"][0] == "Sales"
