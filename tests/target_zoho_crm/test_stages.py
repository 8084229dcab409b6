"""Stages are checked before anything is written, and a wrong one is explained by name."""

from __future__ import annotations

from support.zoho import choices, field, module

from target_zoho_crm.mapping.stages import STAGES
from target_zoho_crm.org.model import Organization, Pipeline
from target_zoho_crm.org.pipelines import pipeline_state, pipelines_of

STANDARD = Pipeline("Standard (Standard)", choices("Qualification", "Closed Won", "Closed Lost"), default=True)
INVOICES = Pipeline("FreshBooks Invoices", choices("Sent", "Closed Won"))
BOTH = (INVOICES, STANDARD)


def organization(**known) -> Organization:
    return Organization("1", "free", "USD", None, "UTC", **known)


def state(wanted, *stages, pipelines=BOTH, picklist=()):
    """The state of a pipeline whose deals may be given these stages."""
    named = dict(zip([*STAGES, *map(str, range(len(stages)))], stages, strict=False))
    stage_map = {status: named.get(status, stages[0] if stages else "Closed Won") for status in STAGES}
    deals = module("Deals", field("Stage", "picklist", choices=choices(*picklist)))
    return pipeline_state(organization(pipelines=pipelines, modules={"Deals": deals}), wanted, stage_map)


def test_without_the_setting_it_is_the_default_pipeline():
    found = state(None, "Closed Won")

    assert (found.chosen, found.problem) == (STANDARD, None)


def test_the_setting_names_the_pipeline():
    assert state("FreshBooks Invoices", "Sent").chosen == INVOICES


def test_a_pipeline_is_found_in_upper_and_lower_case():
    assert state("freshbooks invoices", "Sent").name == "FreshBooks Invoices"


def test_an_unknown_stage_is_named_with_its_pipeline_and_what_that_has_and_what_to_change():
    problem = state(None, "Paid", "Closed Won", "Overdue").problem

    for word in ("'Overdue', 'Paid'", "Standard (Standard)", "'Qualification', 'Closed Won'", "stage_map", "pipeline"):
        assert word in problem


def test_a_stage_of_another_case_is_another_stage():
    assert "'closed won'" in state(None, "closed won").problem


def test_an_unknown_pipeline_is_named_with_those_there_are():
    problem = state("Sales", "Closed Won").problem

    assert "'Sales'" in problem
    assert "'FreshBooks Invoices', 'Standard (Standard)'" in problem


def test_a_pipeline_that_is_not_there_can_be_made_of_stages_that_are_in_the_order_of_zohos_list():
    found = state("Invoices", "Closed Won", "Sent", picklist=("Sent", "Qualification", "Closed Won"))

    assert (found.can_be_made, found.needed) == (True, ("Sent", "Closed Won"))


def test_no_pipeline_can_be_made_of_stages_that_deals_do_not_have():
    found = state("Invoices", "Closed Won", "Overdue")

    assert (found.can_be_made, found.unknown) == (False, ("Overdue",))


def test_a_pipeline_that_is_there_is_not_made_again():
    assert not state("FreshBooks Invoices", "Qualification").can_be_made


def test_without_pipelines_it_is_the_picklist_of_stage():
    picklist = ("Open", "Closed Won")

    assert state(None, "Open", pipelines=(), picklist=picklist).name is None
    problem = state(None, "Lost", pipelines=(), picklist=picklist).problem
    for word in ("'Lost'", "field Stage of Deals", "'Open', 'Closed Won'", "stage_map"):
        assert word in problem


def test_a_pipeline_set_where_there_are_none_is_an_error():
    found = state("Sales", pipelines=())

    assert "no pipelines; remove the setting" in found.problem
    assert not found.can_be_made


def test_pipelines_of_the_organization_come_first():
    assert pipelines_of(organization(pipelines=BOTH)) == BOTH
