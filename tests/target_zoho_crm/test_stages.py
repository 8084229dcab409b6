"""Stages are checked before anything is written, and a wrong one is explained by name."""

from __future__ import annotations

import pytest
from support.zoho import field, module

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.org.organization import Organization, Pipeline
from target_zoho_crm.org.pipelines import check_stages, pipelines_of

STANDARD = Pipeline("Standard (Standard)", ("Qualification", "Closed Won", "Closed Lost"), default=True)
INVOICES = Pipeline("FreshBooks Invoices", ("Sent", "Closed Won"))
BOTH = (INVOICES, STANDARD)


def test_without_the_setting_it_is_the_default_pipeline():
    assert check_stages(BOTH, None, {"Closed Won"}) is STANDARD


def test_the_setting_names_the_pipeline():
    assert check_stages(BOTH, "FreshBooks Invoices", {"Sent"}) is INVOICES


def test_a_pipeline_is_found_in_upper_and_lower_case():
    assert check_stages(BOTH, "freshbooks invoices", {"Sent"}) is INVOICES


def test_an_unknown_stage_is_named_with_its_pipeline_and_what_that_has_and_what_to_change():
    with pytest.raises(ConfigurationError) as error:
        check_stages(BOTH, None, {"Paid", "Closed Won", "Overdue"})

    for word in ("'Overdue', 'Paid'", "Standard (Standard)", "'Qualification', 'Closed Won'", "stage_map", "pipeline"):
        assert word in str(error.value)


def test_a_stage_of_another_case_is_another_stage():
    with pytest.raises(ConfigurationError, match="'closed won'"):
        check_stages(BOTH, None, {"closed won"})


def test_an_unknown_pipeline_is_named_with_those_there_are():
    with pytest.raises(ConfigurationError, match=r"'Sales'.*'FreshBooks Invoices', 'Standard \(Standard\)'"):
        check_stages(BOTH, "Sales", {"Closed Won"})


def organization(**known) -> Organization:
    return Organization("1", "free", "USD", None, "UTC", **known)


def test_without_pipelines_it_is_the_picklist_of_stage():
    deals = module("Deals", field("Stage", "picklist", picklist=("Open", "Closed Won")))
    pipelines = pipelines_of(organization(modules={"Deals": deals}))

    assert check_stages(pipelines, None, {"Open"}).name == ""
    with pytest.raises(ConfigurationError, match=r"'Lost'.*field Stage of Deals.*'Open', 'Closed Won'.*stage_map"):
        check_stages(pipelines, None, {"Lost"})


def test_a_pipeline_set_where_there_are_none_is_an_error():
    with pytest.raises(ConfigurationError, match="no pipelines; remove the setting"):
        check_stages(pipelines_of(organization()), "Sales", set())


def test_pipelines_of_the_organization_come_first():
    assert pipelines_of(organization(pipelines=BOTH)) == BOTH
