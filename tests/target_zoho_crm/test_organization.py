"""The organization is read in few calls, and every way Zoho describes one is understood."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.zoho import client_of

from sandbox import Sandbox
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ScopeError
from target_zoho_crm.org.identity import Identities, by_label
from target_zoho_crm.org.organization import (
    edition_of,
    parse_field,
    parse_pipeline,
    read_listed,
    read_module,
    read_organization,
)


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box, tmp_path):
    with client_of(box, tmp_path, scopes=SCOPES) as client:
        yield client


def test_the_organization_with_its_modules_and_pipelines(box, client):
    organization = read_organization(client)

    assert (organization.id, organization.edition, organization.currency) == ("698244000", "enterprise", "USD")
    assert organization.time_zone == "Asia/Kolkata"
    assert set(organization.modules) == {"Accounts", "Deals"}
    (pipeline,) = organization.pipelines
    assert (pipeline.name, pipeline.default) == ("Standard (Standard)", True)
    assert pipeline.stages[0].display == "Qualification"
    assert len(box.calls("zoho", "/crm")) <= 8


def test_fields_carry_what_values_are_fitted_to(client):
    deals = read_organization(client).modules["Deals"].fields

    assert (deals["Deal_Name"].length, deals["Deal_Name"].mandatory) == (120, True)
    assert (deals["Amount"].data_type, deals["Amount"].length, deals["Amount"].decimal_places) == ("currency", 16, 2)
    assert "Closed Won" in [choice.display for choice in deals["Stage"].choices]
    assert deals["Account_Name"].lookup_module == "Accounts"
    assert deals["Created_Time"].read_only
    assert not deals["Deal_Name"].read_only


def test_modules_are_named_by_api_name_or_label_and_unknown_ones_left_out(box, client):
    box.zoho.organization.add_module("FreshBooks_Payments", "FreshBooks Payment", "FreshBooks Payments", "Payment Name")

    organization = read_organization(client, ["Accounts", "freshbooks payments", "Nonsense"])

    assert set(organization.modules) == {"Accounts", "FreshBooks_Payments"}
    assert organization.modules["FreshBooks_Payments"].label == "FreshBooks Payments"
    for name, found in (
        ("FreshBooks Payments", "FreshBooks_Payments"),
        ("FreshBooks_Payments", "FreshBooks_Payments"),
        ("Nonsense", None),
    ):
        assert Identities().find_module(organization.listed, name) == found


def test_several_currencies(box, client):
    box.zoho.enable_multi_currency({"EUR": Decimal("0.9"), "CAD": Decimal("1.4")})
    box.zoho.organization.currencies["CAD"].is_active = False

    organization = read_organization(client)

    assert organization.currencies == {"USD", "EUR"}
    assert {choice.display for choice in organization.modules["Deals"].fields["Currency"].choices} >= {"USD", "EUR"}


def test_without_the_pipeline_feature_there_are_none_and_none_are_asked_for(box, client):
    del box.zoho.organization.modules["Deals"].fields["Pipeline"]

    assert read_organization(client).pipelines == ()
    assert box.calls("zoho", "/crm/v8/settings/pipeline") == []


def test_the_default_pipeline_comes_first(box, client):
    org = box.zoho.organization
    org.add_pipeline("FreshBooks Invoices", org.pipelines[0].stages)
    org.pipelines.reverse()

    assert [one.name for one in read_organization(client).pipelines] == ["Standard (Standard)", "FreshBooks Invoices"]


def test_the_client_learns_the_edition(box, client):
    box.zoho.edition = "professional"
    read_organization(client)

    assert client._calls.limit == 14


def test_a_missing_scope_says_which(box, tmp_path):
    scopes = set(SCOPES) - {"ZohoCRM.settings.currencies.READ"}
    with (
        client_of(box, tmp_path, scopes=scopes) as client,
        pytest.raises(ScopeError, match=r"ZohoCRM\.settings\.currencies\.READ"),
    ):
        read_organization(client)


def test_a_custom_module_is_read_when_it_is_needed(box, client):
    box.zoho.organization.add_module("FreshBooks_Payments", "FreshBooks Payment", "FreshBooks Payments", "Payment Name")

    module = read_module(client, read_listed(client)["FreshBooks_Payments"])

    assert by_label(module, "payment name").api_name == "Name"
    assert len(box.calls("zoho", "/crm")) == 2


@pytest.mark.parametrize(
    ("details", "edition"),
    [
        ({"paid_type": "Enterprise"}, "enterprise"),
        ({"paid_type": "free", "trial_type": "ultimate", "trial_expiry": "2026-12-01T00:00:00+00:00"}, "ultimate"),
        ({"paid_type": "free", "trial_type": "ultimate", "trial_expiry": None}, "free"),
        ({"paid_type": "professional", "trial_type": "enterprise", "trial_expiry": "2020-01-01"}, "professional"),
        ({}, "free"),
    ],
)
def test_the_edition_is_the_paid_one_or_the_one_on_trial(details, edition):
    assert edition_of(details) == edition


@pytest.mark.parametrize(
    ("unique", "is_unique"),
    [({}, False), (None, False), ({"case_sensitive": False}, True), ({"casesensitive": "false"}, True)],
)
def test_unique_is_empty_or_says_how(unique, is_unique):
    assert parse_field({"api_name": "Key", "unique": unique}).unique is is_unique


@pytest.mark.parametrize(
    ("lookup", "module"),
    [
        ({}, None),
        (None, None),
        ({"module": None}, None),
        ({"module": {"api_name": "Accounts", "id": "1"}}, "Accounts"),
        ({"module": "Accounts"}, "Accounts"),
    ],
)
def test_a_lookup_names_its_module_in_either_way(lookup, module):
    assert parse_field({"api_name": "Account", "lookup": lookup}).lookup_module == module


def test_a_pipeline_without_stages():
    assert parse_pipeline({"display_value": "Empty"}, "1").stages == ()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_without_the_layouts_the_field_pipeline_tells_where_the_pipelines_are(box, client, status):
    """An older consent may not cover them, and a run can do without what else they say."""
    code = {400: "INVALID_DATA", 401: "OAUTH_SCOPE_MISMATCH", 403: "NO_PERMISSION"}[status]
    body = {"code": code, "details": {}, "message": "", "status": "error"}
    path = "/crm/v8/settings/layouts"
    box.faults.add(service="zoho", path=path, kind="status", status=status, body=body, times=None)

    organization = read_organization(client)

    assert len(organization.pipelines) == 1
    assert organization.modules["Deals"].layouts == ()
