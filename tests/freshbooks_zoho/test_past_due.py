"""Who is past due: Zoho's answer to one query, beside FreshBooks' own total."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pipeline import Pipeline, shown

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.receivables.crm import Crm
from freshbooks_zoho.receivables.figures import NOT_SENT, Currencies, Invoice, is_past_due
from freshbooks_zoho.receivables.owing import Owing, Receivables
from freshbooks_zoho.receivables.past_due import PastDue, Total, collect, query, totals_of
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.tables import KEY, TABLES

TODAY = date(2026, 6, 30)
MONEY = st.decimals("-100000", "100000", places=2)


def invoice(**changes):
    given_ = {"client": "1", "currency": "USD", "amount": Decimal(100), "paid": Decimal(0), "due": "2026-06-01"}
    return Invoice(**{**given_, "outstanding": Decimal(100), "status": "overdue", "state": "active", **changes})


def line(amount, code="USD"):
    return {"name": "Design", "unit_cost": {"amount": amount, "code": code}, "qty": 1}


def bill(books, client, amount, *, days_ago, code="USD", draft=False, **more):
    """An invoice that was due so many days ago, by the business's calendar."""
    moment = books.world.now().astimezone(ZoneInfo("America/Toronto")) - timedelta(days=days_ago)
    with books.at(moment.astimezone(timezone.utc)):
        return books.create_invoice(
            client["id"],
            [line(amount, code)],
            due_offset_days=0,
            action_mark_as_sent=not draft,
            currency_code=code,
            **more,
        )


# what is past due


@pytest.mark.parametrize("status", [*NOT_SENT, "Draft"])
def test_a_draft_is_no_receivable(status):
    assert not is_past_due(invoice(status=status), TODAY)


def test_a_deleted_invoice_is_no_receivable():
    assert not is_past_due(invoice(state="deleted"), TODAY)


def test_an_archived_invoice_is_still_owed():
    assert is_past_due(invoice(state="archived"), TODAY)


@pytest.mark.parametrize(
    ("status", "due", "past_due"),
    [
        ("overdue", "2026-07-01", True),
        ("disputed", "2026-06-29", True),
        ("partial", "2026-06-29", True),
        ("sent", "2026-06-30", False),
        ("viewed", "2026-07-01", False),
        ("sent", None, False),
    ],
)
def test_freshbooks_status_decides_and_else_the_due_date(status, due, past_due):
    assert is_past_due(invoice(status=status, due=due), TODAY) is past_due


@given(MONEY)
def test_only_what_is_outstanding_is_past_due(amount):
    assert is_past_due(invoice(outstanding=amount), TODAY) is (amount > 0)


@given(st.lists(st.tuples(st.sampled_from(["USD", "EUR", "GBP"]), MONEY.filter(lambda amount: amount > 0))))
def test_two_services_that_say_the_same_do_not_differ(owed):
    owing = [Owing("7", "Somebody", code, amount, 1, "2026-06-01") for code, amount in owed]
    invoices = {str(number): invoice(currency=code, outstanding=amount) for number, (code, amount) in enumerate(owed)}
    totals = totals_of(owing, invoices, TODAY, Currencies("USD", frozenset({"USD", "EUR", "GBP"})))
    assert [total.difference for total in totals] == [0] * len({code for code, _ in owed})
    assert sum(total.invoices for total in totals) == len(owed)


def test_what_is_not_in_zoho_at_all_is_a_difference_where_zoho_could_show_it():
    (total,) = totals_of([], {"1": invoice()}, TODAY, Currencies("USD"))
    assert (total.zoho, total.difference) == (0, -100)
    (total,) = totals_of([], {"1": invoice(currency="EUR")}, TODAY, Currencies("USD"))
    assert (total.zoho, total.difference) == (None, None)


# asked of both services


def test_the_totals_are_freshbooks_own_to_the_cent(firm):
    with firm.session() as opened:
        report = collect(opened)

    assert {total.currency: total.zoho for total in report.totals} == firm.box.freshbooks.past_due()
    assert {total.currency: total.freshbooks for total in report.totals} == firm.box.freshbooks.past_due()
    assert len(report.totals) == 2
    assert report.exit_code == OK
    assert sum(one.outstanding for one in report.owing) == sum(firm.box.freshbooks.past_due().values())
    assert all(report.days(one) > 0 for one in report.owing)


def test_the_day_is_the_one_it_is_for_the_business(box, tmp_path):
    auckland = box.freshbooks.add_business("Kauri", timezone="Pacific/Auckland")
    moment = box.clock.now().replace(hour=23, minute=0)
    box.clock.set(moment)
    days = {}
    for account in (box.freshbooks.account_id, auckland):
        box.freshbooks.create_client(account=account, organization="Northwind")
        pipeline = Pipeline(box, tmp_path, tap={"account_id": account})
        pipeline.run()
        with pipeline.session() as opened:
            days[account] = collect(opened).today
    assert days[auckland] == days[box.freshbooks.account_id] + timedelta(days=1)


def test_a_difference_is_shown_and_told_by_the_exit_code(firm):
    deal = next(
        row
        for row in firm.box.zoho.records("Deals")
        if row["FreshBooks_Status"] == "overdue" and row["Currency"] == "EUR"
    )
    firm.box.zoho.update(
        "Deals", deal["id"], {"FreshBooks_Outstanding": deal["FreshBooks_Outstanding"] + Decimal("0.01")}
    )

    with firm.session() as opened:
        report = collect(opened)

    assert {total.currency: total.difference for total in report.totals} == {"EUR": Decimal("0.01"), "USD": 0}
    assert report.exit_code == ATTENTION
    assert "freshbooks-zoho reconcile" in shown(report)


@pytest.mark.parametrize("aggregates", ["all", "documented"])
def test_accounts_of_one_name_stay_apart(box, tmp_path, aggregates):
    box.zoho.switches.coql_aggregates = aggregates
    books = box.freshbooks
    twins = [books.create_client(organization="Alder & Finch", email=f"{name}@example.com") for name in ("a", "b")]
    for client, amount in zip(twins, ("10.10", "20.20"), strict=True):
        bill(books, client, amount, days_ago=40)
    bill(books, twins[1], "5.00", days_ago=10)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    with pipeline.session() as opened:
        report = collect(opened)

    assert [(one.name, str(one.outstanding), one.invoices, report.days(one)) for one in report.owing] == [
        ("Alder & Finch", "25.20", 2, 40),
        ("Alder & Finch", "10.10", 1, 40),
    ]
    assert len({one.account for one in report.owing}) == 2


def test_only_the_invoices_of_the_account_in_question_count(box, tmp_path):
    books = box.freshbooks
    other = books.add_business("Second Studio")
    for account, amount in ((books.account_id, "10.00"), (other, "99.00")):
        bill(books, books.create_client(account=account, organization="Both"), amount, days_ago=40, account=account)
        pipeline = Pipeline(box, tmp_path, tap={"account_id": account})
        pipeline.run()

    with pipeline.session() as opened:
        report = collect(opened)

    assert [total.zoho for total in report.totals] == [Decimal("99.00")]
    assert report.exit_code == OK


def test_more_customers_than_fit_on_a_page_are_all_there(box, tmp_path):
    box.freshbooks.load(clients=500, invoices=1500)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    box.clock.advance(days=400)

    with pipeline.session() as opened:
        report = collect(opened)

    # The client asks for two hundred rows first, and for two thousand from then on.
    assert len({one.account for one in report.owing}) == len(report.owing) > 200
    assert report.exit_code == OK


def test_an_invoice_in_another_currency_than_its_deal_is_counted_in_words_and_is_no_difference(box, tmp_path):
    books = box.freshbooks
    client = books.create_client(organization="Atelier", currency_code="EUR")
    bill(books, client, "100.00", days_ago=10, code="EUR")
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    bill(books, client, "7.00", days_ago=3, code="EUR")
    with pipeline.session() as opened:
        opened.memory.forget_survey()
    pipeline.run()

    with pipeline.session() as opened:
        report = collect(opened)
    assert report.totals == (Total("EUR", Decimal("7.00"), Decimal("107.00"), 2, Decimal("100.00"), 1),)
    assert report.exit_code == OK
    assert "EUR: 100.00 past due in 1 invoice by FreshBooks stand in words" in shown(report)

    box.zoho.delete("Deals", next(row["id"] for row in box.zoho.records("Deals") if row["Amount"] is None))
    with pipeline.session() as opened:
        report = collect(opened)
    assert [total.difference for total in report.totals] == [-100], "what is missing is no amount in words"


def test_what_zoho_cannot_show_in_its_currency_is_said_and_counted(box, tmp_path):
    books = box.freshbooks
    client = books.create_client(organization="Atelier", currency_code="EUR")
    bill(books, client, "100.00", days_ago=5, code="EUR")
    bill(books, client, "50.00", days_ago=5, code="EUR")
    bill(books, client, "7.00", days_ago=5)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    with pipeline.session() as opened:
        report = collect(opened)

    assert report.totals == (
        Total("EUR", None, Decimal("150.00"), 2, Decimal("150.00"), 2),
        Total("USD", Decimal("7.00"), Decimal("7.00"), 1),
    )
    assert report.exit_code == OK
    assert "EUR: 150.00 past due in 2 invoices by FreshBooks stand in words" in shown(report)


def test_a_custom_module_for_invoices_with_field_names_of_its_own(box, tmp_path):
    box.zoho.add_custom_module("Bills", "Bill", "Bills")
    # Its API name is taken by another field.
    box.zoho.add_custom_field("Bills", "FreshBooks: Outstanding")
    books = box.freshbooks
    bill(books, books.create_client(organization="Willow Creek"), "12.34", days_ago=3)
    pipeline = Pipeline(box, tmp_path, target={"invoices_module": "Bills"})
    pipeline.run()

    with pipeline.session() as opened:
        report = collect(opened)
        asked = query(opened)

    assert [(one.name, one.outstanding) for one in report.owing] == [("Willow Creek", Decimal("12.34"))]
    assert report.exit_code == OK
    name = next(one.api_name for one in box.zoho.fields("Bills").values() if one.label == "FreshBooks Outstanding")
    assert name != "FreshBooks_Outstanding"
    assert f"SUM({name})" in asked
    assert " from Bills " in asked


def test_an_organization_that_is_not_set_up_is_told_what_to_do(box, tmp_path):
    with Pipeline(box, tmp_path).session() as opened, pytest.raises(Exception, match="freshbooks-zoho setup"):
        collect(opened)
    assert not box.zoho.writes


def test_the_query_is_one_line_that_zoho_answers(firm):
    with firm.session() as opened:
        asked = query(opened)
        rows = opened.zoho.request("POST", "coql", json={"select_query": asked}).body["data"]
        assert len(rows) == len(collect(opened).owing)
    assert "\n" not in asked


# an organization that does not add up, or has no room for all fields


UNREADABLE = {"kind": "status", "status": 200, "body": {"data": [{"total": 1}], "info": {"more_records": False}}}


@pytest.mark.parametrize("refusal", [{"kind": "status", "status": 400, "body": {"code": "INVALID_QUERY"}}, UNREADABLE])
def test_where_zoho_does_not_add_up_the_rows_are_and_the_figures_are_the_same(firm, monkeypatch, refusal):
    monkeypatch.setattr("freshbooks_zoho.receivables.crm.PAGE", 7)
    with firm.session() as opened:
        by_zoho = collect(opened)
        assert query(opened)
        firm.box.zoho.switches.coql_aggregates = "documented"
        assert collect(opened) == by_zoho
        firm.box.zoho.switches.coql_aggregates = "all"
        firm.box.faults.add(service="zoho", path="/crm/v8/coql", **refusal)
        assert collect(opened) == by_zoho
    assert len(by_zoho.owing) > 7


def without(crm, *labels):
    """The same, where the organization has no fields of these labels."""
    layouts = {
        stream: replace(layout, columns=tuple(one for one in layout.columns if one.row.label not in labels))
        for stream, layout in crm._layouts.items()
    }
    return Crm(crm._client, layouts, crm._account, crm._stages)


OPEN = Crm.open.__func__
LABELS = sorted({row.label for rows in TABLES.values() for row in rows} - {KEY})
FEWEST = [label for label in LABELS if label not in {"FreshBooks Outstanding", "FreshBooks Due Date"}]


def test_without_any_field_but_the_freshbooks_id_what_is_there_can_still_be_read(firm, monkeypatch):
    opened_crms = []
    monkeypatch.setattr(Crm, "open", lambda *args: opened_crms.append(OPEN(Crm, *args)) or opened_crms[0])
    with firm.session() as opened:
        today = collect(opened).today
        for labels in ([], *([label] for label in LABELS), FEWEST, LABELS):
            crm = without(opened_crms[0], *labels)
            if "FreshBooks Outstanding" in labels:
                with pytest.raises(ConfigurationError, match="for Deals has no field FreshBooks Outstanding"):
                    crm.past_due(today)
            else:
                for firm.box.zoho.switches.coql_aggregates in ("all", "documented"):
                    assert crm.past_due(today)
            for records in (crm.clients(), crm.invoices(), crm.payments()):
                assert len(list(records)) > 10


@pytest.mark.parametrize(("room", "says"), [(1, "no field FreshBooks Outstanding"), (2, "neither"), (4, None)])
def test_an_edition_without_room_for_all_fields_has_an_answer_or_is_told_why_not(box, tmp_path, room, says):
    box.zoho.switches.custom_field_caps = dict.fromkeys(box.zoho.switches.custom_field_caps, room)
    bill(box.freshbooks, box.freshbooks.create_client(organization="Willow Creek"), "40.00", days_ago=5)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    with pipeline.session() as opened:
        if says:
            with pytest.raises(
                ConfigurationError, match=f"who is past due, for Deals has {says}.*freshbooks-zoho setup"
            ):
                collect(opened)
        else:
            report = collect(opened)
            assert [(one.outstanding, report.days(one)) for one in report.owing] == [(Decimal("40.00"), 5)]
            assert report.without == ("Deals has no field FreshBooks State: deleted invoices count too.",)


def test_a_sum_over_nothing_is_nobody():
    receivables = Receivables("Bills", {"FreshBooks Outstanding": "Open", "FreshBooks Due Date": "Due"}, "USD")
    assert receivables.read_sums([{"SUM(Open)": None, "COUNT(id)": 0, "MIN(Due)": None}]) == []
    assert receivables.sums_query("x").endswith(" from Bills where x")


@pytest.mark.parametrize("aggregates", ["all", "documented"])
def test_without_a_field_the_best_that_can_be_known_is_shown_and_what_it_lacks_is_said(
    box, tmp_path, monkeypatch, aggregates
):
    box.zoho.switches.coql_aggregates = aggregates
    books = box.freshbooks
    client = books.create_client(organization="Willow Creek")
    bill(books, client, "40.00", days_ago=5)
    bill(books, client, "10.00", days_ago=5, draft=True)
    books.delete_invoice(bill(books, client, "20.00", days_ago=5)["id"])
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    with pipeline.session() as opened:
        found = {}
        for label in (None, "FreshBooks State", "FreshBooks Status", "FreshBooks Due Date", "Account_Name"):
            monkeypatch.setattr(Crm, "open", lambda *args, label=label: without(OPEN(Crm, *args), label))
            report = collect(opened)
            (owing,) = report.owing
            found[label] = (str(owing.outstanding), owing.name, report.days(owing), report.exit_code)
            assert [label in sentence for sentence in report.without] == [True] * bool(label)
            assert all(sentence in shown(report) for sentence in report.without)
        monkeypatch.setattr(
            Crm, "open", lambda *args: without(OPEN(Crm, *args), "FreshBooks Status", "FreshBooks Due Date")
        )
        for ask in (collect, query):
            with pytest.raises(ConfigurationError, match="neither FreshBooks Status nor FreshBooks Due Date"):
                ask(opened)

    assert found == {
        None: ("40.00", "Willow Creek", 5, OK),
        "FreshBooks State": ("60.00", "Willow Creek", 5, ATTENTION),
        "FreshBooks Status": ("50.00", "Willow Creek", 5, ATTENTION),
        "FreshBooks Due Date": ("40.00", "Willow Creek", None, OK),
        "Account_Name": ("40.00", "", 5, OK),
    }


# shown


def report(*owing, totals=()):
    return PastDue(TODAY, "America/Toronto", owing, tuple(totals))


def test_csv_is_for_spreadsheets_and_no_name_becomes_a_formula():
    rows = report(
        Owing("1", '=HYPERLINK("http://example.com")', "USD", Decimal("1234.50"), 2, "2026-06-01"),
        Owing(None, "", "USD", Decimal("1.00"), 1, None),
    ).as_csv()
    assert list(csv.reader(io.StringIO(rows)))[1:] == [
        ["USD", '\'=HYPERLINK("http://example.com")', "1234.50", "2", "2026-06-01", "29", "1"],
        ["USD", "", "1.00", "1", "", "", ""],
    ]


def test_json_keeps_amounts_as_text():
    found = report(totals=[Total("USD", Decimal("10.10"), Decimal("10.20"), 1)]).as_json()
    assert json.loads(json.dumps(found, default=str))["totals"] == [
        {
            "currency": "USD",
            "zoho": "10.10",
            "freshbooks": "10.20",
            "difference": "-0.10",
            "invoices_in_freshbooks": 1,
            "in_words": "0",
            "invoices_in_words": 0,
        }
    ]


def test_nobody_past_due_is_good_news():
    assert "Nobody is past due." in shown(report())
