"""Which stage an invoice is in."""

from __future__ import annotations

import pytest
from support.stages import EXPECTED, LOST, NEGOTIATION

from target_zoho_crm.mapping.stages import stage_of, stage_table


@pytest.mark.parametrize(("status", "stage"), EXPECTED.items())
def test_every_status_of_freshbooks_has_its_stage(status, stage):
    assert stage_of(status, stage_table().stages) == (stage, True)


def test_every_default_is_accounted_for_here():
    assert stage_table().stages.keys() - EXPECTED.keys() == {"deleted", "unknown"}


def test_a_deleted_invoice_is_lost_whatever_its_last_status():
    assert stage_of("paid", stage_table().stages, deleted=True) == (LOST, True)


@pytest.mark.parametrize("status", ["on-the-moon", "", None])
def test_an_unknown_status_is_in_negotiation_and_said_to_be_unknown(status):
    assert stage_of(status, stage_table().stages) == (NEGOTIATION, False)


@pytest.mark.parametrize("spelling", ["deposit_paid", "Deposit-Paid", " deposit-paid "])
def test_the_spelling_of_a_status_does_not_matter(spelling):
    assert stage_of(spelling, stage_table({"deposit_paid": "X"}).stages) == ("X", True)


def test_the_setting_replaces_one_by_one():
    table = stage_table({"overdue": "Past due", "deleted": "Void", "unknown": "Look at it"}).stages
    assert stage_of("overdue", table).stage == "Past due"
    assert stage_of("sent", table).stage == NEGOTIATION
    assert stage_of("sent", table, deleted=True).stage == "Void"
    assert stage_of("new-status", table) == ("Look at it", False)


def test_a_status_that_the_setting_adds_is_known():
    assert stage_of("new-status", stage_table({"new-status": "Closed Won"}).stages) == ("Closed Won", True)
