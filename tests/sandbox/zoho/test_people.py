"""Users: who they are, what they own, and whose records they see."""

from __future__ import annotations

import pytest
from support.zoho_api import ZohoApi, only

DEAL = {"Deal_Name": "D", "Stage": "Closed Won"}


@pytest.fixture
def sales(api):
    """A salesperson below the API's user."""
    return api.box.zoho.add_user("Sam Seller", "sam@example.com")


def emails(api, **params):
    answer = api.get("users", **params)
    return [each["email"] for each in answer.json()["users"]] if answer.status_code == 200 else []


class TestUsers:
    def test_they_are_listed_by_type(self, api, sales):
        gone = api.box.zoho.add_user("Lee Left", "lee@example.com", manager=sales)
        api.box.zoho.deactivate_user(gone)
        active = ["integration@example.com", "person@example.com", "sam@example.com"]
        assert emails(api, type="ActiveUsers") == active
        assert emails(api) == emails(api, type="AllUsers") == [*active, "lee@example.com"]
        assert emails(api, type="DeactiveUsers") == ["lee@example.com"]
        assert emails(api, type="CurrentUser") == ["integration@example.com"]
        assert emails(api, type="ActiveUsers", per_page=2, page=2) == ["sam@example.com"]
        assert api.get("users", type="Robots").json()["code"] == "INVALID_DATA"

    def test_one_says_who_it_is(self, api, sales):
        gone = api.box.zoho.add_user("Lee Left", "lee@example.com", manager=sales)
        api.box.zoho.deactivate_user(gone)
        (user,) = api.get(f"users/{gone}").json()["users"]
        assert (user["id"], user["full_name"], user["first_name"], user["status"]) == (
            gone,
            "Lee Left",
            "Lee",
            "disabled",
        )
        assert user["Reporting_To"] == {"name": "Sam Seller", "id": sales}
        assert user["profile"]["name"] == "Standard"
        assert api.get("users/1").status_code == 204

    def test_they_need_a_scope_of_their_own(self, box, sales):
        refused = ZohoApi(box, ["ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.org.READ"])
        assert refused.get("users").json()["code"] == "OAUTH_SCOPE_MISMATCH"
        allowed = ZohoApi(box, ["ZohoCRM.users.READ"])
        assert emails(allowed, type="CurrentUser") == ["integration@example.com"]
        refused.close()
        allowed.close()


class TestOwners:
    def test_a_record_is_its_makers_unless_an_owner_is_sent(self, api, sales):
        results = api.insert("Deals", DEAL, {**DEAL, "Owner": {"id": sales}}).json()["data"]
        owners = [api.box.zoho.get("Deals", each["details"]["id"])["Owner"]["id"] for each in results]
        assert owners == [api.box.zoho.organization.integration.id, sales]

    @pytest.mark.parametrize("known", [True, False])
    def test_nobody_who_left_or_never_was_can_own_one(self, api, sales, known):
        api.box.zoho.deactivate_user(sales)
        refused = only(api.insert("Deals", {**DEAL, "Owner": {"id": sales if known else "1"}}))
        assert (refused["code"], refused["details"]["api_name"]) == ("INVALID_DATA", "Owner")


class TestPrivateRecords:
    def test_a_record_is_seen_by_its_owner_and_those_above(self, api, sales):
        zoho = api.box.zoho
        below = zoho.add_user("Ann Assistant", "ann@example.com", manager=sales)
        hers = only(api.insert("Deals", {**DEAL, "Owner": {"id": below}}))["details"]["id"]
        ours = only(api.insert("Deals", DEAL))["details"]["id"]

        def seen(user):
            return [row["id"] for row in zoho.seen_by(user, "Deals")]

        assert seen(below) == [hers, ours]
        zoho.set_private("Deals")
        assert (seen(below), seen(sales), seen(zoho.organization.integration.id)) == ([hers], [hers], [hers, ours])
        zoho.set_manager(below, None)
        assert seen(sales) == []

    def test_the_api_shows_what_its_user_sees(self, box, sales):
        zoho = box.zoho
        zoho.set_private("Deals")
        zoho.consent_to(zoho, sales)
        api = ZohoApi(box)
        hidden = zoho.insert("Deals", {**DEAL, "Deal_Name": "hidden"})
        mine = only(api.insert("Deals", DEAL))["details"]["id"]
        query = "select id from Deals where Deal_Name in ('D', 'hidden')"
        count = "select COUNT(id) n from Deals where id is not null"
        assert [row["id"] for row in api.query(query)] == [mine]
        assert api.query(count) == [{"n": 1}]
        for path, params in (("Deals", {"fields": "id"}), ("Deals/search", {"criteria": "(Stage:equals:Closed Won)"})):
            assert [row["id"] for row in api.get(path, **params).json()["data"]] == [mine]
        assert api.get(f"Deals/{hidden}").status_code == 204
        assert api.get(f"Deals/{mine}").json()["data"][0]["Owner"]["id"] == sales
        api.close()
