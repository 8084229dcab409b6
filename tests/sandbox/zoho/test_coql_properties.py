"""COQL as a property: any query gives what a plain reading of it gives, with and without indexes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.zoho.coql import Query
from sandbox.zoho.coql_syntax import Criterion, Junction, criteria, parse
from sandbox.zoho.errors import ApiError
from sandbox.zoho.organization import Organization

TEXTS = ["acme", "Acme", "O'Neil", "a%b", "", "x\\y", "and (or)"]
NUMBERS = [Decimal(0), Decimal("1.5"), Decimal(-2), Decimal(100)]
COLUMNS = {"Account_Name": TEXTS, "Phone": TEXTS, "Annual_Revenue": NUMBERS, "Employees": [Decimal(1), Decimal(2)]}


def quoted(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


@st.composite
def equalities(draw) -> Criterion:
    """What indexes can answer."""
    column = draw(st.sampled_from(["Account_Name", "Phone"]))
    values = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3))
    return Criterion(column, "in", tuple(values)) if len(values) > 1 else Criterion(column, "=", tuple(values))


@st.composite
def comparisons(draw) -> Criterion:
    column = draw(st.sampled_from(sorted(COLUMNS)))
    values = st.sampled_from(COLUMNS[column])
    operators = ["=", "!=", "<", "<=", ">", ">=", "in", "not in", "is null", "is not null", "between", "not between"]
    operator = draw(
        st.sampled_from([*operators, *(["like", "not like"] if column in ("Account_Name", "Phone") else [])])
    )
    if operator.endswith("null"):
        return Criterion(column, operator)
    if operator.endswith("like"):
        core = draw(st.sampled_from(["acme", "O'N", "me", "x"]))
        return Criterion(
            column, operator, (draw(st.sampled_from(["", "%"])) + core + draw(st.sampled_from(["", "%"])),)
        )
    count = 2 if operator.endswith("between") else draw(st.integers(1, 4)) if operator.endswith("in") else 1
    return Criterion(column, operator, tuple(draw(values) for _ in range(count)))


def joined(parts: st.SearchStrategy[Criterion]) -> st.SearchStrategy[Criterion | Junction]:
    return st.recursive(
        parts, lambda inner: st.builds(Junction, st.sampled_from(["and", "or"]), inner, inner), max_leaves=8
    )


conditions = joined(comparisons())


def written(condition: Criterion | Junction, *, outermost: bool = True) -> str:
    """Write a condition as COQL wants it: every pair in brackets, the outermost one may do without."""
    if isinstance(condition, Junction):
        left, right = (written(each, outermost=False) for each in (condition.left, condition.right))
        text = f"{left} {condition.operator} {right}"
        return text if outermost else f"({text})"
    values = [quoted(value) for value in condition.values]
    if condition.operator.endswith("in"):
        return f"{condition.column} {condition.operator} ({', '.join(values)})"
    if condition.operator.endswith("between"):
        return f"{condition.column} {condition.operator} {values[0]} and {values[1]}"
    return " ".join([condition.column, condition.operator, *values])


def plainly(condition: Criterion | Junction, row: dict[str, Any]) -> bool:
    """Evaluate a condition without any cleverness: nothing compares with null, and text has no case."""
    if isinstance(condition, Junction):
        left, right = plainly(condition.left, row), plainly(condition.right, row)
        return (left and right) if condition.operator == "and" else (left or right)
    value, wanted, operator = row.get(condition.column), list(condition.values), condition.operator
    if operator in ("is null", "is not null"):
        return (value is None) == (operator == "is null")
    if value is None:
        return False
    if isinstance(value, str):
        value, wanted = value.casefold(), [each.casefold() for each in wanted]
    return PLAIN[operator.removeprefix("not ")](value, wanted) != operator.startswith("not ")


def alike(value: str, wanted: list[str]) -> bool:
    core = wanted[0].strip("%")
    ends = (wanted[0].startswith("%"), wanted[0].endswith("%"))
    return {
        (False, False): value == core,
        (True, False): value.endswith(core),
        (False, True): value.startswith(core),
        (True, True): core in value,
    }[ends]


PLAIN = {
    "=": lambda value, wanted: value == wanted[0],
    "!=": lambda value, wanted: value != wanted[0],
    "<": lambda value, wanted: value < wanted[0],
    "<=": lambda value, wanted: value <= wanted[0],
    ">": lambda value, wanted: value > wanted[0],
    ">=": lambda value, wanted: value >= wanted[0],
    "in": lambda value, wanted: value in wanted,
    "between": lambda value, wanted: wanted[0] <= value <= wanted[1],
    "like": alike,
}

rows = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in COLUMNS.items()}), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(condition=conditions)
def test_what_is_written_is_read(condition):
    assert parse(f"select id from Accounts where {written(condition)}").where == as_read(condition)


def as_read(condition: Criterion | Junction) -> Criterion | Junction:
    """Numbers are read as text until a column says what they are."""
    if isinstance(condition, Junction):
        return Junction(condition.operator, as_read(condition.left), as_read(condition.right))
    values = tuple(str(value) if isinstance(value, Decimal) else value for value in condition.values)
    return Criterion(condition.column, condition.operator, values)


@settings(max_examples=300, deadline=None)
@given(
    condition=conditions | joined(equalities()),
    rows=rows,
    indexed=st.sets(st.sampled_from(sorted(COLUMNS))),
    limit=st.integers(1, 9),
)
def test_a_query_finds_what_a_plain_reading_finds(condition, rows, indexed, limit):
    org = Organization(Clock())
    table = org.tables["Accounts"]
    for name in indexed:
        table.index(name)
    for number, row in enumerate(rows):
        table.insert(f"{number:018}", {**row, "id": f"{number:018}"})
    found, more = Query(org, parse(f"select id from Accounts where {written(condition)} limit {limit}")).run()
    expected = [f"{number:018}" for number, row in enumerate(rows) if plainly(condition, row)]
    assert [row["id"] for row in found] == expected[:limit]
    assert more is (len(expected) > limit)


@settings(max_examples=200, deadline=None)
@given(st.lists(comparisons(), min_size=3, max_size=5), st.sampled_from(["and", "or"]))
def test_three_criteria_without_brackets_are_refused(parts, operator):
    text = f" {operator} ".join(written(each) for each in parts)
    with pytest.raises(ApiError) as refused:
        parse(f"select id from Accounts where {text}")
    assert refused.value.body["code"] == "SYNTAX_ERROR"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.booleans())
def test_any_text_is_read_or_refused_as_a_query(text, after_where):
    try:
        select = parse(f"select id from Accounts where {text}" if after_where else text)
    except ApiError as refused:
        assert refused.body["code"] in ("SYNTAX_ERROR", "LIMIT_EXCEEDED")  # noqa: PT017
    else:
        assert criteria(select.where)
