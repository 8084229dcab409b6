"""What an organization has, lacks and cannot have: one description, and everything that is wrong at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.zoho import choices, field, module

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.stages import STAGES
from target_zoho_crm.org.model import Listing, Organization, Pipeline
from target_zoho_crm.org.requirements import Refused, missing_in_words
from target_zoho_crm.org.survey import limits, survey
from target_zoho_crm.settings import read_settings

NATIVE = ("Account_Name", "Deal_Name", "Stage", "Amount", "Closing_Date", "Phone", "Pipeline")


def organization(*, edition="enterprise", accounts=(), deals=(), **known):
    """An organization with Zoho's own fields and these besides."""
    stages = tuple(dict.fromkeys(STAGES.values()))
    native = [replace(field(name), api_name=name) for name in NATIVE]
    modules = {"Accounts": module("Accounts", *native, *accounts), "Deals": module("Deals", *native, *deals)}
    listed = {name: Listing(name, name) for name in modules}
    pipelines = (Pipeline("Standard", choices(*stages), default=True),)
    return replace(
        Organization("1", edition, "USD", None, "UTC", modules, listed, pipelines),
        **known,
    )


def settings(**given):
    return read_settings({"client_id": "a", "client_secret": "b", **given})


def test_a_new_organization_lacks_fields_and_the_module_and_nothing_is_wrong():
    found = survey(organization(), settings())

    assert [(one.module, one.is_new, len(one.fields)) for one in found.creations] == [
        ("Accounts", False, 6),
        ("Deals", False, 8),
        ("FreshBooks Payments", True, 10),
    ]
    assert found.problems == ()
    assert found.layouts["invoices"].missing == {one.label.replace(" ", "_") for one in found.creations[1].fields}


def test_a_creation_costs_a_credit_for_each_five_fields_and_the_reading_back():
    accounts, deals, payments = survey(organization(), settings()).creations

    assert (accounts.credits, deals.credits, payments.credits) == (3, 3, 506)
    assert str(accounts).startswith("in Accounts: FreshBooks ID, ")


def test_everything_that_is_wrong_is_told_at_once():
    wrong = organization(deals=[field("FreshBooks Status", "integer"), field("FreshBooks Paid", "date")])
    wrong = replace(wrong, pipelines=(Pipeline("Standard", choices("Closed Won"), default=True),))
    del wrong.modules["Accounts"].fields["Account_Name"]
    config = settings(extra_fields={"invoices": {"Nowhere": "po_number"}}, payments_module="none")

    problems = " ".join(survey(wrong, config).problems)

    for words in ("Negotiation/Review", "FreshBooks Status", "FreshBooks Paid", "Account_Name of Accounts", "Nowhere"):
        assert words in problems


def test_a_module_that_cannot_take_the_records_leaves_nothing_else_to_say():
    with pytest.raises(ConfigurationError, match="invoices_module"):
        survey(organization(), settings(invoices_module="Invoices"))


def test_a_module_that_is_not_to_be_had_is_a_problem_only_where_it_was_asked_for_by_name():
    refused = Refused(modules={"FreshBooks Payments": "Zoho refuses it."})

    found = survey(organization(), settings(), refused=refused)
    named = survey(organization(), settings(payments_module="FreshBooks Payments"), refused=refused)

    assert (found.problems, found.unavailable) == ((), ("Zoho refuses it.",))
    assert named.problems == ("Zoho refuses it.",)


def test_what_is_missing_is_named_with_types():
    said = missing_in_words(survey(organization(), settings()).requirements.values())

    assert "in Accounts, the fields 'FreshBooks ID' (text, unique), 'FreshBooks Outstanding' (currency)" in said
    assert "the module 'FreshBooks Payments' with the fields" in said


def test_a_layout_that_does_not_show_our_fields_is_named():
    both, one = ("Standard", "Partners"), ("Standard",)
    deals = [
        field("Mine", layouts=both),
        field("FreshBooks Status", layouts=one),
        field("FreshBooks Paid", layouts=both),
    ]
    found = survey(organization(deals=[*deals, field("FreshBooks State", layouts=one)]), settings())

    (said,) = [sentence for sentence in limits(found) if "layout" in sentence]

    assert "The layout 'Partners' of Deals does not show FreshBooks Status, FreshBooks State:" in said


def test_what_is_kept_from_the_api_and_which_currencies_there_are_is_said():
    phone = replace(field("Phone", "phone"), api_name="Phone", restricted=True)
    several = organization(accounts=[phone], currencies=frozenset({"USD", "EUR"}))

    currencies, restricted = limits(survey(several, settings(payments_module="none")))

    assert currencies.startswith("The organization has the currencies EUR, USD: a new record is made in its own")
    assert restricted.startswith("Accounts keeps Phone from the API (privacy settings in Zoho): what clients fill")
