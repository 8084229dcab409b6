"""Records are exactly what the schema says, whatever FreshBooks sends."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from support.wire import calls, values

from tap_freshbooks.fields import Fields, Notes
from tap_freshbooks.resources import CLIENTS, INVOICES, PAYMENTS, RESOURCES

SNAPSHOTS = Path(__file__).parent / "snapshots"
RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded" / "freshbooks"
MONEY = {"amount": "12.50", "code": "USD"}


VALIDATORS = {
    name: Draft202012Validator(resource.fields.schema, format_checker=FormatChecker())
    for name, resource in RESOURCES.items()
}


def convert(resource, row):
    """Convert a row, and check the record against the schema."""
    notes = Notes()
    record = resource.fields.convert({"account_id": "A1b2C3", **row}, notes)
    VALIDATORS[resource.name].validate(record)
    return record, notes


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_a_schema_never_changes_unseen(resource):
    written = json.dumps(resource.fields.schema, indent=1) + "\n"
    assert (SNAPSHOTS / f"{resource.name}.json").read_text() == written


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_all_the_fields_that_freshbooks_has_are_there(resource):
    # 53, 70 and 20 keys, and account_id; clients have four balances and invoices their lines besides.
    assert len(resource.fields.schema["properties"]) == {"clients": 58, "invoices": 72, "payments": 21}[resource.name]


def described_rows():
    """How rows are made up in recorded answers, by resource: each answer that has any."""
    for name, call in calls().items():
        result = call["body"].get("response", {}).get("result", {})
        for resource in RESOURCES.values():
            rows = [
                *result.get(resource.name, ()),
                *([result[resource.singular]] if resource.singular in result else []),
            ]
            yield from (pytest.param(resource, row, id=name) for row in rows)


@pytest.mark.parametrize(("resource", "described"), list(described_rows()))
@settings(max_examples=40)
@given(data=st.data())
def test_rows_made_up_as_recorded_ones_fit_the_schema_and_lose_no_field(resource, described, data):
    row = data.draw(values(described))
    row["vis_state"] %= 3
    check_that_nothing_is_lost(resource, row)


def recorded_rows():
    """Real answers, where they stand beside the project."""
    for file in sorted(RECORDED.glob("*.json")):
        for call in json.loads(file.read_text(), parse_float=Decimal):
            result = call["body"].get("response", {}).get("result", {})
            for resource in RESOURCES.values():
                single = [result[resource.singular]] if resource.singular in result else []
                for row in [*result.get(resource.name, ()), *single]:
                    yield pytest.param(resource, row, id=f"{file.stem}-{resource.singular}-{row['id']}")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not part of the project")
@pytest.mark.parametrize(("resource", "row"), list(recorded_rows()))
def test_real_answers_fit_the_schema_and_lose_no_field(resource, row):
    check_that_nothing_is_lost(resource, row)


def check_that_nothing_is_lost(resource, row):
    record, notes = convert(resource, row)
    assert not notes.unknown
    assert not notes.unusable
    for name, value in row.items():
        if resource.fields.schema["properties"][name].get("format") == "date-time":
            assert (record[name] is None) == (value is None)
        else:
            assert record[name] == value


def test_a_client():
    record, notes = convert(
        CLIENTS,
        {
            "id": 567595,
            "userid": 567595,
            "organization": "",
            "home_phone": None,
            "updated": "2026-06-29 12:48:49",
            "signup_date": "2026-06-29 16:48:49",
            "outstanding_balance": [{"amount": {"amount": "100.00", "code": "USD"}}, {"amount": MONEY}],
            "credit_balance": [],
        },
    )
    assert record["organization"] == ""
    assert record["home_phone"] is None
    assert record["updated"] == record["signup_date"] == "2026-06-29T16:48:49+00:00"
    assert record["outstanding_balance"] == [{"amount": "100.00", "code": "USD"}, MONEY]
    assert record["credit_balance"] == []
    assert "overdue_balance" not in record, "not sent is not nothing"
    assert not notes.unknown


def test_an_invoice():
    record, _ = convert(
        INVOICES,
        {
            "id": 1,
            "amount": MONEY,
            "net_paid_amount": {"amount": "7.60133524082021936099189318", "code": "USD"},
            "discount": {"amount": MONEY, "rate": "0", "type": "percent"},
            "version": "2026-06-29 12:51:28.409945",
            "due_date": "2024-01-15",
            "lines": [{"lineid": 1, "qty": "2.5", "unit_cost": MONEY, "updated": "2026-06-29 12:51:28"}],
        },
    )
    assert record["net_paid_amount"]["amount"] == "7.60133524082021936099189318"
    assert record["discount"]["amount"] == MONEY
    assert record["version"] == "2026-06-29T16:51:28.409945+00:00"
    assert record["due_date"] == "2024-01-15"
    assert record["lines"][0]["updated"] == "2026-06-29T16:51:28+00:00"
    assert record["lines"][0]["qty"] == "2.5"


def test_unknown_fields_are_left_out_and_noted_also_inside_lines():
    record, notes = convert(PAYMENTS, {"id": 1, "colour": "red"})
    assert "colour" not in record
    assert notes.unknown == {"colour"}
    record, notes = convert(INVOICES, {"id": 1, "lines": [{"lineid": 1, "weight": 3}]})
    assert "weight" not in record["lines"][0]
    assert notes.unknown == {"lines.weight"}


@pytest.mark.parametrize(
    ("resource", "name", "sent", "emitted"),
    [
        (CLIENTS, "note", 12, "12"),
        (CLIENTS, "note", Decimal("1E+3"), "1000"),
        (CLIENTS, "level", "3", 3),
        (CLIENTS, "level", True, 1),
        (INVOICES, "customerid", "567521", 567521),
        (INVOICES, "vis_state", 2, 2),
        (INVOICES, "vis_state", "1", 1),
        (PAYMENTS, "invoiceid", "", None),
        (CLIENTS, "notified", 1, True),
        (CLIENTS, "notified", "0", False),
        (INVOICES, "amount", {"amount": Decimal("10.10"), "code": "USD"}, {"amount": "10.10", "code": "USD"}),
        (INVOICES, "amount", {"amount": 10, "code": "USD"}, {"amount": "10", "code": "USD"}),
        (INVOICES, "due_date", "", None),
        (INVOICES, "due_date", "0000-00-00", None),
        (INVOICES, "updated", "0000-00-00 00:00:00", None),
        (INVOICES, "due_date", "2024-01-15 00:00:00", "2024-01-15"),
    ],
)
def test_values_of_another_type_are_turned_into_what_they_mean(resource, name, sent, emitted):
    record, notes = convert(resource, {"id": 1, name: sent})
    assert record[name] == emitted
    assert type(record[name]) is type(emitted)
    assert not notes.unusable


@pytest.mark.parametrize(
    ("resource", "name", "sent"),
    [
        (CLIENTS, "note", {"a": 1}),
        (CLIENTS, "level", "high"),
        (CLIENTS, "level", Decimal("1.5")),
        (CLIENTS, "notified", "perhaps"),
        (CLIENTS, "updated", "soon"),
        (CLIENTS, "updated", 5),
        (INVOICES, "due_date", "tomorrow"),
        (INVOICES, "amount", "12.50"),
        (INVOICES, "due_date", "07/01/2026"),
        (INVOICES, "vis_state", 3),
        (INVOICES, "amount", Decimal("100.5")),
        (INVOICES, "amount", {"value": "1"}),
        (INVOICES, "amount", {"amount": "1,50", "code": "USD"}),
        (INVOICES, "amount", {"amount": "1.50", "code": None}),
        (INVOICES, "amount", {"amount": None, "code": "USD"}),
        (CLIENTS, "outstanding_balance", [{"amount": MONEY}, None]),
        (INVOICES, "lines", {"lineid": 1}),
        (INVOICES, "discount", []),
    ],
)
def test_a_value_that_cannot_be_read_is_left_out_and_noted_and_the_record_goes_on(resource, name, sent):
    record, notes = convert(resource, {"id": 1, "uuid": "u", name: sent})
    assert name not in record
    assert notes.unusable == {name}
    assert record["id"] == 1


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_null_is_passed_on_and_what_was_not_sent_is_left_out(resource):
    names = set(resource.fields.schema["properties"]) - {"id", "account_id"}
    assert convert(resource, {"id": 1, **dict.fromkeys(names)})[0] == {
        "account_id": "A1b2C3",
        "id": 1,
        **dict.fromkeys(names),
    }
    assert convert(resource, {"id": 1})[0] == {"account_id": "A1b2C3", "id": 1}


def test_what_is_no_line_among_the_lines_is_left_out_and_noted():
    record, notes = convert(INVOICES, {"id": 1, "lines": [None, {"lineid": 2}]})
    assert record["lines"] == [{"lineid": 2}]
    assert notes.unusable == {"lines.?"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(list(RESOURCES.values())), st.data())
def test_whatever_freshbooks_sends_the_record_fits_the_schema(resource, data):
    names = st.sampled_from(sorted(set(resource.fields.schema["properties"]) - {"id", "account_id"}))
    convert(resource, {"id": 1, **data.draw(st.dictionaries(names, anything, max_size=6))})


def test_rows_of_types_seen_before_are_converted_like_the_first():
    fields, notes = Fields(text="a", integer="b"), Notes()
    assert fields.convert({"a": "x", "b": 1}, notes) == {"a": "x", "b": 1}
    assert fields.convert({"a": 5, "b": 1}, notes) == {"a": "5", "b": 1}
    assert fields.convert({"a": 6, "b": 1}, notes) == {"a": "6", "b": 1}
    assert fields.convert({"a": "y", "b": 2}, notes) == {"a": "y", "b": 2}
    assert fields.convert({"a": "y", "b": True}, notes) == {"a": "y", "b": 1}
