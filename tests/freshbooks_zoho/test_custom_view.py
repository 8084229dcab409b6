"""The view that docs/mapping.md describes shows in Zoho CRM what `past-due` asks for."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from freshbooks_zoho.receivables.past_due import collect, query
from target_zoho_crm.mapping.tables import INVOICES

GUIDE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text("utf-8")
CONDITIONS = {
    ">": lambda held, value, today: held is not None and held > Decimal(value),
    "is": lambda held, value, today: held == value,
    "isn't": lambda held, value, today: held != value,
    "till yesterday": lambda held, value, today: held is not None and held < today.isoformat(),
}


def section():
    (text,) = re.findall(r"^### As a view in Zoho CRM$(.*?)^##", GUIDE, re.MULTILINE | re.DOTALL)
    return text


def criteria():
    """Number → field, condition, value."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|(.*?)\|$", section(), re.MULTILINE)
    return {int(number): (label, condition, value.strip()) for number, label, condition, value in rows}


def pattern():
    (text,) = re.findall(r"`([\d() andor]+)`", section())
    return ast.parse(text, mode="eval").body


def holds(node, met):
    """Whether the pattern holds; None for a criterion that is left out."""
    if isinstance(node, ast.BoolOp):
        parts = [part for each in node.values if (part := holds(each, met)) is not None]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    return met.get(node.value)


def view(crm, today, *, without=None):
    """The deals that the view shows."""
    names = {field.label: field.api_name for field in crm.fields("Deals").values()}
    chosen = {number: one for number, one in criteria().items() if number != without}

    def met(deal):
        return {
            number: CONDITIONS[condition](deal[names[label]], value, today)
            for number, (label, condition, value) in chosen.items()
        }

    return [deal for deal in crm.records("Deals") if holds(pattern(), met(deal))]


def asked(opened):
    """The ids of the deals that the command's query is about."""
    where = query(opened).partition(" where ")[2].partition(" group by ")[0]
    text = f"select id from Deals where {where} limit 0, 2000"
    return {row["id"] for row in opened.zoho.request("POST", "coql", json={"select_query": text}).body["data"]}


@pytest.fixture
def odd_firm(firm):
    """The firm, with deals of which only one criterion tells whether they are past due."""
    crm = firm.box.zoho
    with firm.session() as opened:
        today = collect(opened).today
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    odd = [
        ("partial", "active", yesterday), ("sent", "active", yesterday), ("overdue", "active", tomorrow),
        ("overdue", "archived", tomorrow), ("sent", "active", today), ("draft", "active", yesterday),
        ("created", "active", yesterday), ("disputed", "deleted", yesterday), ("overdue", "deleted", tomorrow),
    ]  # fmt: skip
    deals = [one for one in crm.records("Deals") if one["FreshBooks_Status"] == "paid"]
    for number, (status, state, due) in enumerate(odd):
        values = {"FreshBooks_Status": status, "FreshBooks_State": state, "FreshBooks_Due_Date": due.isoformat()}
        crm.update("Deals", deals[number]["id"], {**values, "FreshBooks_Outstanding": Decimal(2) ** number})
    # Paid, but due long ago; and a deal of somebody's own, which has nothing from FreshBooks.
    crm.update("Deals", deals[-1]["id"], {"FreshBooks_Status": "overdue", "FreshBooks_Outstanding": Decimal(0)})
    crm.insert("Deals", {"Deal_Name": "A lead", "Stage": "Qualification", "Closing_Date": yesterday.isoformat()})
    return firm


def test_the_view_shows_the_deals_that_the_command_asks_for(odd_firm):
    with odd_firm.session() as opened:
        report, ids = collect(opened), asked(opened)
    shown = view(odd_firm.box.zoho, report.today)

    assert {deal["id"] for deal in shown} == ids
    assert {"overdue", "disputed", "partial", "sent"} == {deal["FreshBooks_Status"] for deal in shown}
    totals = defaultdict(Decimal)
    for deal in shown:
        totals[deal["Currency"]] += deal["FreshBooks_Outstanding"]
    assert totals == {total.currency: total.zoho for total in report.totals}
    assert len(shown) == sum(one.invoices for one in report.owing)


@pytest.mark.parametrize("number", criteria())
def test_the_view_needs_each_of_its_criteria(odd_firm, number):
    with odd_firm.session() as opened:
        today, ids = collect(opened).today, asked(opened)
    assert {deal["id"] for deal in view(odd_firm.box.zoho, today, without=number)} != ids


def test_the_criteria_name_fields_as_people_see_them():
    assert {label for label, _, _ in criteria().values()} <= {row.label for row in INVOICES}
    numbers = [node.value for node in ast.walk(pattern()) if isinstance(node, ast.Constant)]
    assert sorted(numbers) == list(criteria())
