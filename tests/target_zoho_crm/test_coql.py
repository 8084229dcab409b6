"""COQL: whatever a text holds, the query asks for that text, within Zoho's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.zoho.coql_syntax import criteria, parse
from target_zoho_crm.api.coql import begins_like, chunks, either, equals_any, quote, select

everything = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\\'%"), max_size=40)
texts = everything.filter(lambda text: "\\" not in text)
readings = st.booleans()
"""Whether a backslash is an escape."""


@given(texts, readings)
def test_any_text_without_a_backslash_survives_quoting(text, backslash):
    query = parse(select(["id"], "Accounts", f"Account_Name = {quote(text)}"), backslash=backslash)

    assert criteria(query.where)[0].values == (text,)


@given(everything, everything)
def test_a_backslash_is_never_sent(before, after):
    text = f"{before}\\{after}"
    with pytest.raises(ValueError, match="backslash"):
        quote(text)
    with pytest.raises(ValueError, match="backslash"):
        equals_any("Account_Name", ["Acme", text])


@given(everything, readings)
def test_a_text_with_a_backslash_is_asked_for_by_its_beginning_or_a_part_of_it(text, backslash):
    criterion = begins_like("Account_Name", f"{text}\\")
    if criterion is None:
        assert not text.replace("\\", "").replace("%", "").strip()
        return
    [found] = criteria(parse(select(["id"], "Accounts", criterion), backslash=backslash).where)
    [pattern] = found.values
    core = pattern.strip("%")
    assert core
    assert pattern.endswith("%")
    assert core in text if pattern.startswith("%") else text.strip().startswith(core)


@given(st.lists(texts, min_size=1, max_size=200))
def test_every_value_is_asked_for_once_and_in_order(values):
    lists = criteria(parse(select(["id"], "Accounts", equals_any("Account_Name", values))).where)

    assert [value for each in lists for value in each.values] == values
    assert {each.operator for each in lists} == {"in"}


@pytest.mark.parametrize(("number", "lengths"), [(50, [50]), (51, [50, 1]), (200, [50] * 4)])
def test_a_list_holds_fifty_values(number, lengths):
    where = parse(select(["id"], "Accounts", equals_any("Phone", [str(index) for index in range(number)]))).where

    assert [len(each.values) for each in criteria(where)] == lengths


@pytest.mark.parametrize("number", [1, 2, 3, 25])
def test_criteria_are_bracketed_in_pairs(number):
    joined = either([f"Phone = '{index}'" for index in range(number)])

    assert joined.count("(") == number - 1
    assert len(criteria(parse(select(["id"], "Accounts", joined)).where)) == number


@pytest.mark.parametrize("number", [0, 26])
def test_more_criteria_than_zoho_takes_are_an_error_here(number):
    with pytest.raises(ValueError, match="1 to 25"):
        either(["Phone is null"] * number)


def test_more_fields_than_zoho_gives_are_an_error_here():
    with pytest.raises(ValueError, match="50 fields"):
        select(["id"] * 51, "Accounts", "id is not null")


def test_pages_follow_each_other_by_id():
    assert select(["id", "Phone"], "Accounts", "Phone = '1'") == (
        "select id, Phone from Accounts where Phone = '1' order by id"
    )


@given(st.lists(st.integers()), st.integers(1, 300))
def test_chunks_keep_everything_in_order(items, size):
    parts = list(chunks(items, size))

    assert [item for part in parts for item in part] == items
    assert all(0 < len(part) <= size for part in parts)
