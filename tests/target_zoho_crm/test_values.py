"""Values fitted to what a field takes, and compared with what Zoho holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.zoho import choices, field

from target_zoho_crm.mapping.money import MoneyError, in_currency, read_money
from target_zoho_crm.mapping.values import Fitter, UnfitError, same

TEXT = field("Text", "text", length=10)
AMOUNT = field("Amount", "currency", decimal_places=2)


def fit(target, value):
    return Fitter().fit(target, value)


# texts


def test_a_text_within_the_length_stays():
    assert fit(TEXT, "  ten chars ") == "ten chars"


def test_a_text_beyond_the_length_is_cut_with_an_ellipsis_and_counted():
    fitter = Fitter()
    assert fitter.fit(TEXT, "eleven chars") == "eleven ch…"
    assert fitter.shortened == {"Text": 1}


@given(st.text(), st.integers(2, 20))
def test_a_fitted_text_never_exceeds_the_length_and_has_no_control_characters(text, length):
    fitted = fit(field("Text", length=length), text) or ""
    assert len(fitted) <= length
    assert fitted == fitted.strip()
    assert not any(ord(char) < 32 or char == "\x7f" for char in fitted)


@given(st.text(), st.booleans())
def test_fitting_twice_changes_nothing(text, lines):
    target = field("Text", "textarea" if lines else "text", length=30)
    once = fit(target, text)
    assert fit(target, once) == once


def test_lines_are_kept_where_the_field_has_lines():
    assert fit(field("Notes", "textarea"), "one\r\ntwo\x00\rthree") == "one\ntwo\nthree"
    assert fit(field("Name"), "one\r\ntwo") == "one two"


@pytest.mark.parametrize("value", ["", None, "   ", "\x07"])
def test_nothing_is_none(value):
    assert fit(TEXT, value) is None


# picklists, e-mails, phones


def test_a_picklist_value_becomes_the_display_value():
    assert fit(field("Type", "picklist", choices=choices("Cash", "Bank Transfer")), "bank transfer") == "Bank Transfer"


def test_a_value_that_is_not_in_the_picklist_is_left_empty_and_counted():
    fitter = Fitter()
    assert fitter.fit(field("Type", "picklist", choices=choices("Cash")), "Barter") is None
    assert fitter.emptied == {"Type": 1}


@pytest.mark.parametrize("email", ["no-at", "two@@example.com", "a@b", "a b@example.com", "x" * 200 + "@example.com"])
def test_a_bad_email_is_left_empty_so_that_the_client_lands(email):
    fitter = Fitter()
    assert fitter.fit(field("Email", "email", length=100), email) is None
    assert fitter.emptied == {"Email": 1}


@pytest.mark.parametrize("email", ["ann@example.com", "a.b+c@sub.example.co.uk"])
def test_a_good_email_stays(email):
    assert fit(field("Email", "email", length=100), email) == email


def test_a_phone_is_never_cut_as_that_would_be_another_number():
    assert fit(field("Phone", "phone", length=10), "+1 (555) 123-4567") is None
    assert fit(field("Phone", "phone", length=30), "+1 (555) 123-4567") == "+1 (555) 123-4567"
    assert fit(field("Phone", "phone", length=30), "ask at the desk") is None


# dates


def test_dates_and_instants_take_zohos_form():
    assert fit(field("Date", "date"), "2026-06-29") == "2026-06-29"
    assert fit(field("Date", "date"), "2026-06-29T10:00:00+00:00") == "2026-06-29"
    assert fit(field("At", "datetime"), "2026-06-29T16:48:49.123456+00:00") == "2026-06-29T16:48:49+00:00"
    assert fit(field("At", "datetime"), "2026-06-29T18:48:49+02:00") == "2026-06-29T16:48:49+00:00"


@pytest.mark.parametrize(("kind", "value"), [("date", "soon"), ("datetime", "2026-06-29T16:48:49"), ("boolean", "?")])
def test_what_is_no_date_is_refused_without_being_quoted(kind, value):
    with pytest.raises(UnfitError) as refused:
        fit(field("Field", kind), value)
    assert value not in str(refused.value)
    assert refused.value.field == "Field"


# amounts


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**13), max_value=10**13))
def test_an_amount_with_the_fields_decimals_is_exact_to_the_cent(amount):
    fitted = fit(AMOUNT, str(amount))
    assert fitted == amount
    assert isinstance(fitted, Decimal)
    assert same(AMOUNT, fitted, Decimal(str(amount)))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_an_amount_of_ours_is_exact_or_left_out_and_one_of_zohos_own_is_rounded_half_up(amount):
    exact = amount == round(amount, 2)
    fitter = Fitter()
    assert fitter.fit(replace(AMOUNT, custom=True), str(amount)) == (amount if exact else None)
    shown = fitter.fit(AMOUNT, str(amount))
    assert abs(shown - amount) <= Decimal("0.005")
    assert abs(shown) >= abs(amount) or abs(shown - amount) < Decimal("0.005"), "half goes up"
    assert fitter.changed == (0 if exact else 2)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1,000.00", "ten", True, [], {}, "1e400"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(UnfitError):
        fit(AMOUNT, value)


def test_money_is_read_exactly():
    assert read_money({"amount": "0.10", "code": "USD"}) == (Decimal("0.10"), "USD")
    assert read_money(None) is None
    for wrong in ("12.00", {"amount": 1.5, "code": "USD"}, {"amount": "x", "code": "USD"}, {"code": "USD"}, []):
        with pytest.raises(MoneyError):
            read_money(wrong)


def test_balances_in_other_currencies_are_counted_and_never_added():
    balances = [{"amount": "10.00", "code": "USD"}, {"amount": "7.00", "code": "KES"}, {"amount": "0", "code": "EUR"}]
    assert in_currency(balances, "USD") == (Decimal("10.00"), 1)
    assert in_currency(balances, "GBP") == (Decimal(0), 2)
    assert in_currency([], "USD") == (Decimal(0), 0)


# comparing


@pytest.mark.parametrize(
    ("kind", "desired", "held"),
    [
        ("text", None, ""),
        ("text", None, None),
        ("currency", Decimal("100.00"), 100),
        ("currency", Decimal("0.00"), Decimal("0E+1")),
        ("datetime", "2026-06-29T16:48:49+00:00", "2026-06-29T22:18:49+05:30"),
        ("lookup", {"id": "5"}, {"id": "5", "name": "Somebody"}),
        ("textarea", "one\ntwo", "one\r\ntwo "),
        ("text", "x", " x "),
        ("boolean", False, False),
    ],
)
def test_the_same_in_another_form_is_the_same(kind, desired, held):
    assert same(field("Field", kind), desired, held)


@pytest.mark.parametrize(
    ("kind", "desired", "held"),
    [
        ("text", None, "x"),
        ("text", "x", None),
        ("text", "x", "X"),
        ("currency", Decimal("0.00"), None),
        ("currency", None, 0),
        ("currency", Decimal("100.01"), 100),
        ("datetime", "2026-06-29T16:48:49+00:00", "2026-06-29T16:48:49+05:30"),
        ("datetime", "2026-06-29T16:48:49+00:00", None),
        ("lookup", {"id": "5"}, {"id": "6", "name": "Somebody"}),
        ("lookup", {"id": "5"}, None),
        ("date", "2026-06-29", "2026-06-30"),
    ],
)
def test_another_value_is_another(kind, desired, held):
    assert not same(field("Field", kind), desired, held)
