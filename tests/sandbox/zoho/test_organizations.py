"""Several organizations of one login: a trial one and the real one, say."""

from __future__ import annotations

import pytest
from support.zoho_api import ZohoApi, only


@pytest.fixture
def other(box):
    """A second organization, to which consents are from now on."""
    company = box.zoho.add_organization()
    box.zoho.consent_to(company)
    return company


@pytest.fixture
def theirs(box, other):
    caller = ZohoApi(box)
    yield caller
    caller.close()


def test_a_consent_is_to_one_organization(api, theirs, other):
    assert [each.get("org").json()["org"][0]["zgid"] for each in (api, theirs)] == [
        api.box.zoho.organization.zgid,
        other.organization.zgid,
    ]
    assert other.organization.zgid != api.box.zoho.organization.zgid


def test_each_has_data_fields_and_ids_of_its_own(api, theirs, other):
    ours = only(api.insert("Accounts", {"Account_Name": "A"}))["details"]["id"]
    hers = only(theirs.insert("Accounts", {"Account_Name": "B"}))["details"]["id"]
    assert ours != hers
    assert [row["Account_Name"] for row in other.records("Accounts")] == ["B"]
    assert api.query("select Account_Name from Accounts where id is not null") == [{"Account_Name": "A", "id": ours}]
    assert theirs.get(f"Accounts/{ours}").status_code == 204
    theirs.field("Accounts", "FreshBooks ID")
    assert "FreshBooks_ID" not in api.box.zoho.fields("Accounts")
    assert other.organization.modules["Deals"].id != api.box.zoho.organization.modules["Deals"].id


def test_each_spends_and_refuses_by_itself(api, theirs, other):
    before = api.box.zoho.credits_used
    other.refuse_calls("SUBSCRIPTION_LOCKED", "ended")
    assert theirs.get("org").status_code == 403
    other.allow()
    spent = other.credits_used
    assert theirs.get("org").status_code == 200
    assert (api.box.zoho.credits_used, other.credits_used) == (before, spent + 1)


def test_a_code_is_for_the_organization_of_its_consent(box, other):
    zoho = box.zoho
    code = zoho.grant_code()
    zoho.consent_to(zoho)
    api = ZohoApi(box)
    token = api.token(grant_type="authorization_code", code=code, redirect_uri=zoho.app.redirect_uri).json()
    api.refresh_token = token["refresh_token"]
    api.authorize()
    assert api.get("org").json()["org"][0]["zgid"] == other.organization.zgid
    api.close()


def test_the_channels_of_one_tell_nothing_of_the_other(api, theirs, other):
    watch = {"channel_id": "1", "events": ["Deals.all"], "notify_url": "https://hooks.example.com"}
    assert theirs.post("actions/watch", {"watch": [watch]}).status_code == 201
    assert len(other.channels.alive()) == 1
    assert api.get("actions/watch").status_code == 204
