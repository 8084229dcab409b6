"""Which business is read: the only one, or the one that is asked for; never the first of several."""

from __future__ import annotations

import pytest

from tap_freshbooks.account import Business, businesses, choose
from tap_freshbooks.errors import SettingError


def me(*members):
    """An answer of /users/me, with all that must not leave it."""
    return {
        "response": {
            "first_name": "canary",
            "email": "canary@example.com",
            "business_memberships": [
                {"id": 900 + n, "role": "owner", "fasttrack_token": "canary", "business": business}
                for n, business in enumerate(members)
            ],
        }
    }


NORTH = {"id": 1, "name": "North", "account_id": "NoRth1", "timezone": "Africa/Nairobi"}
SOUTH = {"id": 2, "name": "South", "account_id": "SoUth2", "timezone": "Mars/Olympus"}
BARE = {"id": 3, "name": "No accounting", "account_id": None, "timezone": None}


def test_the_account_is_the_business_account_and_not_the_membership():
    assert businesses(me(NORTH)) == [Business("NoRth1", "North", "Africa/Nairobi", 1, "owner")]
    assert choose(businesses(me(NORTH)), None).account_id == "NoRth1"


def test_a_business_without_accounting_does_not_count():
    assert choose(businesses(me(BARE, NORTH)), None).account_id == "NoRth1"
    with pytest.raises(SettingError, match="no business"):
        choose(businesses(me(BARE)), None)


def test_of_several_none_is_taken_blindly():
    with pytest.raises(SettingError, match=r"NoRth1 \(North\), SoUth2 \(South\)"):
        choose(businesses(me(NORTH, SOUTH)), None)
    assert choose(businesses(me(NORTH, SOUTH)), "SoUth2").name == "South"


def test_an_account_of_somebody_else_is_refused():
    with pytest.raises(SettingError, match=r"WrOng9.*NoRth1") as caught:
        choose(businesses(me(NORTH)), "WrOng9")
    assert "canary" not in str(caught.value)


def test_a_member_twice_is_one_business():
    assert len(businesses(me(NORTH, NORTH))) == 1


@pytest.mark.parametrize("payload", [None, {}, {"response": {}}, {"response": {"business_memberships": None}}, me({})])
def test_a_user_without_businesses(payload):
    assert businesses(payload) == []


def test_the_zone_is_the_business_own_if_it_is_one():
    assert Business("a", "b", "Africa/Nairobi").zone.key == "Africa/Nairobi"
    assert Business("a", "b", "Mars/Olympus").zone is None
    assert Business("a", "b", "../../etc/passwd").zone is None
    assert Business("a", "b", None).zone is None


def test_an_account_id_in_another_case_or_with_blanks_is_accepted_where_it_leaves_no_doubt():
    found = businesses(me(NORTH, SOUTH))
    assert choose(found, " north1 ").account_id == "NoRth1"
    twins = businesses(me(NORTH, {**SOUTH, "account_id": "nOrTH1"}))
    assert choose(twins, "nOrTH1").account_id == "nOrTH1"
    with pytest.raises(SettingError, match="none of"):
        choose(twins, "north1")


def test_memberships_that_are_null_are_passed_over():
    payload = me(NORTH, None)
    payload["response"]["business_memberships"].append(None)
    assert [business.account_id for business in businesses(payload)] == ["NoRth1"]


@pytest.mark.parametrize(
    ("status", "inactive"),
    [("active", False), ("active_trial", False), ("suspended", True), ("trial_expired", True), ("cancelled", True)],
)
def test_a_business_tells_whether_its_subscription_has_ended(status, inactive):
    (business,) = businesses(me({**NORTH, "status": status}))
    assert (business.status, business.is_inactive) == (status, inactive)


@pytest.mark.parametrize(("role", "all_of_it"), [("owner", True), ("business_accountant", False), ("client", False)])
def test_a_business_tells_the_role_of_the_user(role, all_of_it):
    payload = me(NORTH)
    payload["response"]["business_memberships"][0]["role"] = role
    (business,) = businesses(payload)
    assert (business.role, business.may_see_all) == (role, all_of_it)
