"""FreshBooks' and Zoho's records and totals side by side, and what is queued to make them equal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pipeline import Pipeline, shown

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.receivables.comparison import Difference, compare, differing, expected_invoice
from freshbooks_zoho.receivables.crm import Held
from freshbooks_zoho.receivables.figures import Currencies, Invoice, Ledger
from freshbooks_zoho.receivables.reconciliation import reconcile, to_heal
from freshbooks_zoho.receivables.record import latest_differences
from freshbooks_zoho.runs.history import History
from singer_store import Tally

CODES = ("USD", "EUR", "GBP")
ALL = Currencies("USD", frozenset(CODES))
MONEY = st.none() | st.decimals("-1000000", "1000000", places=2)
INVOICES = st.builds(
    Invoice,
    client=st.none() | st.sampled_from(["1", "2", "3"]),
    currency=st.sampled_from(CODES),
    amount=MONEY,
    paid=MONEY,
    outstanding=MONEY,
    due=st.none() | st.sampled_from(["2026-06-01", "2026-07-01"]),
    status=st.sampled_from(["draft", "sent", "overdue", "paid"]),
    state=st.sampled_from(["active", "archived", "deleted"]),
    stage=st.none(),
)
BOOKS = st.dictionaries(st.integers(1, 9).map(str), INVOICES, max_size=6)
CURRENCIES = st.builds(Currencies, st.just("USD"), st.none() | st.just(frozenset({"USD", "EUR"})), named=st.booleans())


def held(number, figure, zoho_id="z1"):
    return Held(number, zoho_id, figure, figure.currency)


def compared(ours, theirs, currencies=ALL, lacking=()):
    return compare(
        "invoices", ours, theirs,
        expect=lambda invoice, one: expected_invoice(invoice, currencies, one),
        may_lack=lambda number, _: number in lacking,
    )  # fmt: skip


def kinds(differences):
    return {(one.number, one.kind) for one in differences}


def line(amount):
    return {"name": "Design", "unit_cost": {"amount": amount, "code": "USD"}, "qty": 1}


@pytest.fixture
def studio(box, tmp_path):
    """One client with an invoice of 100.00, of which 40.00 are paid, synced."""
    books = box.freshbooks
    client = books.create_client(organization="Willow Creek", email="farm@example.com")
    invoice = books.create_invoice(client["id"], [line("100.00")], action_mark_as_sent=True)
    payment = books.create_payment(invoice["id"], "40.00")
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    pipeline.ids = {"clients": client["id"], "invoices": invoice["id"], "payments": payment["id"]}
    return pipeline


def found_in(pipeline, **options):
    with pipeline.session() as opened:
        return reconcile(opened, **options)


def test_a_deal_in_another_pipeline_agrees_with_the_stage_of_that_one(studio):
    zoho = studio.box.zoho
    zoho.add_pipeline("Neu", {"Offen": "Open", "Rechnung": "Open", "Ja": "Closed Won", "Nein": "Closed Lost"})
    (deal,) = zoho.records("Deals")
    zoho.update("Deals", deal["id"], {"Pipeline": "Neu", "Stage": "Rechnung"})
    assert found_in(studio).differences == ()

    zoho.update("Deals", deal["id"], {"Stage": "Ja"})
    assert kinds(found_in(studio).differences) == {(str(studio.ids["invoices"]), "differs")}


# comparing


@settings(max_examples=50)
@given(BOOKS, CURRENCIES)
def test_what_was_synced_as_it_should_be_does_not_differ(ours, currencies):
    theirs = [held(number, expected_invoice(one, currencies, held(number, one))) for number, one in ours.items()]
    result = compared(ours, theirs, currencies)
    assert result.differences == ()
    assert result.met == set(ours)


@settings(max_examples=50)
@given(BOOKS, BOOKS)
def test_every_record_is_equal_or_reported_once(ours, theirs):
    result = compared(ours, [held(number, one) for number, one in theirs.items()])
    expected = {(number, "missing") for number in ours.keys() - theirs.keys()}
    expected |= {(number, "superfluous") for number in theirs.keys() - ours.keys()}
    expected |= {(number, "differs") for number in ours.keys() & theirs.keys() if ours[number] != theirs[number]}
    assert kinds(result.differences) == expected
    assert len(result.differences) == len(expected)


@settings(max_examples=50)
@given(BOOKS, BOOKS)
def test_totals_are_equal_where_no_record_differs_and_never_depend_on_the_order(ours, theirs):
    first, second, backwards = Ledger(), Ledger(), Ledger()
    for ledger, figures in ((first, ours), (second, theirs), (backwards, dict(reversed(ours.items())))):
        for one in figures.values():
            ledger.add(one)
    assert first.sums == backwards.sums
    if not compared(ours, [held(number, one) for number, one in theirs.items()]).differences:
        assert first.sums == second.sums


@settings(max_examples=50)
@given(INVOICES, INVOICES)
def test_each_field_that_differs_is_named_with_both_values(ours, theirs):
    fields = differing(ours, theirs)
    assert theirs == ours._replace(**{item.name: item.zoho for item in fields})
    assert all(item.freshbooks != item.zoho for item in fields)


@settings(max_examples=50)
@given(BOOKS.filter(bool), st.data())
def test_a_second_record_of_one_freshbooks_id_is_a_duplicate(ours, data):
    number = data.draw(st.sampled_from(sorted(ours)))
    theirs = [held(key, one, f"z{key}") for key, one in ours.items()]
    result = compared(ours, [*theirs, held(number, ours[number], "second")])
    assert result.differences == (Difference("invoices", number, "duplicate", zoho_id="second"),)


def test_what_need_not_be_in_zoho_is_not_missing():
    ours = {"1": Invoice(None, "USD", None, None, None, None, "sent", "deleted")}
    assert compared(ours, [], lacking={"1"}).differences == ()
    assert kinds(compared(ours, []).differences) == {("1", "missing")}


def test_amounts_in_a_currency_that_zoho_does_not_have_are_expected_in_no_amount_field():
    ours = {"1": Invoice("1", "GBP", Decimal(5), Decimal(1), Decimal(4), None, "sent", "active")}
    empty = ours["1"]._replace(currency="USD", amount=None, paid=None, outstanding=None)
    several = Currencies("USD", frozenset({"USD", "EUR"}))
    assert compared(ours, [held("1", empty)], several).differences == ()
    wrong = empty._replace(amount=Decimal(5))
    assert compared(ours, [held("1", wrong)], several).differences[0].fields == (("amount", None, Decimal(5)),)


@pytest.mark.parametrize(
    ("kind", "waiting", "heals"),
    [
        ("differs", None, True),
        ("missing", None, True),
        ("missing", "rejected", True),
        ("missing", "ambiguous", False),
        ("missing", "parent", False),
        ("superfluous", None, False),
        ("duplicate", None, False),
    ],
)
def test_what_is_queued_is_what_another_run_puts_right(kind, waiting, heals):
    assert bool(to_heal([Difference("invoices", "1", kind, waiting=waiting)])) is heals


# both services


def test_a_firm_that_was_synced_is_equal_to_the_cent(firm):
    report = found_in(firm)

    assert report.differences == ()
    assert report.is_equal
    assert report.exit_code == OK
    books = firm.box.freshbooks
    assert {each.currency: each.freshbooks.outstanding for each in report.currencies} == books.outstanding()
    assert {each.currency: each.zoho.outstanding for each in report.currencies} == books.outstanding()
    assert {stream: one.freshbooks for stream, one in report.counts.items()} == books.counts()
    assert {one.module: one.zoho for one in report.counts.values()} == {
        module: firm.box.zoho.count(module) for module in ("Accounts", "Deals", "FreshBooks_Payments")
    }
    assert sum(each.zoho.received for each in report.clients) == sum(each.zoho.received for each in report.currencies)
    assert "FreshBooks and Zoho CRM say the same, to the cent." in shown(report)


def test_what_was_changed_deleted_and_left_out_is_found_queued_and_put_right(firm):
    """From differences to 0.00: an amount, a status, a deal, an account and a payment."""
    zoho, books = firm.box.zoho, firm.box.freshbooks
    deals = [row for row in zoho.records("Deals") if row["FreshBooks_Status"] == "overdue"]
    changed, restated, deleted = deals[:3]
    zoho.update("Deals", changed["id"], {"Amount": changed["Amount"] + 1, "FreshBooks_Outstanding": Decimal("0.01")})
    zoho.update("Deals", restated["id"], {"FreshBooks_Status": "draft"})
    zoho.delete("Deals", deleted["id"])
    account = next(row for row in zoho.records("Accounts") if row["FreshBooks_Outstanding"])
    zoho.update("Accounts", account["id"], {"FreshBooks_Outstanding": 0})
    payment = zoho.records("FreshBooks_Payments")[0]
    zoho.delete("FreshBooks_Payments", payment["id"])
    writes = len(zoho.writes)

    report = found_in(firm, heal=True)

    name = f"{books.account_id}:"
    differing_ = {(one.stream, name + one.number): one for one in report.differences}
    assert differing_["invoices", changed["FreshBooks_ID"]].fields == (
        ("amount", changed["Amount"], changed["Amount"] + 1),
        ("outstanding", changed["FreshBooks_Outstanding"], Decimal("0.01")),
    )
    assert differing_["invoices", restated["FreshBooks_ID"]].fields == (("status", "overdue", "draft"),)
    assert differing_["invoices", deleted["FreshBooks_ID"]].kind == "missing"
    assert differing_["clients", account["FreshBooks_ID"]].kind == "differs"
    assert differing_["payments", payment["FreshBooks_ID"]].kind == "missing"
    assert report.exit_code == ATTENTION
    gap = changed["FreshBooks_Outstanding"] - Decimal("0.01") + restated["FreshBooks_Outstanding"]
    gap += deleted["FreshBooks_Outstanding"]
    assert sum(report.difference_cents.values()) == gap * 100
    assert report.healed == len(report.differences)
    assert len(zoho.writes) == writes, "it writes nothing itself"
    with firm.session() as opened:
        assert {(one.stream, name + one.object_id) for one in opened.store.pending.all()} == differing_.keys()
        assert {one.reason for one in opened.store.pending.all()} == {"retry"}

    # What changed in FreshBooks would not bring them: nothing has.
    firm.run(start_date=(books.world.now() - timedelta(minutes=5)).isoformat())

    after = found_in(firm)
    assert after.differences == ()
    assert set(after.difference_cents.values()) == {0}
    with firm.session() as opened:
        assert opened.store.pending.all() == []


def test_a_deal_that_somebody_moved_to_another_stage_is_found_and_moved_back(studio):
    deal = studio.box.zoho.records("Deals")[0]
    studio.box.zoho.update("Deals", deal["id"], {"Stage": "Closed Won"})

    report = found_in(studio, heal=True)

    assert [item for one in report.differences for item in one.fields] == [("stage", deal["Stage"], "Closed Won")]
    assert report.currencies[0].is_equal
    studio.run(changes=True, record_ids={"invoices": [str(studio.ids["invoices"])]})
    assert found_in(studio).is_equal


def test_the_stage_is_the_one_that_the_setting_names(box, tmp_path):
    client = box.freshbooks.create_client(organization="Willow Creek")
    box.freshbooks.create_invoice(client["id"], [line("100.00")], action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path, target={"stage_map": {"sent": "Qualification"}})
    pipeline.run()
    assert box.zoho.records("Deals")[0]["Stage"] == "Qualification"
    assert found_in(pipeline).is_equal


@pytest.mark.parametrize("actual", [False, True])
def test_a_renamed_stage_is_the_same_by_either_of_its_values(studio, actual):
    studio.box.zoho.rename_stage("Negotiation/Review", "Waiting for money")
    studio.box.zoho.switches.reads_actual_values = actual

    assert found_in(studio).is_equal


def test_a_module_without_stages_has_none_to_compare(box, tmp_path):
    box.zoho.add_custom_module("Bills", "Bill", "Bills")
    client = box.freshbooks.create_client(organization="Willow Creek")
    box.freshbooks.create_invoice(client["id"], [line("100.00")], action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path, target={"invoices_module": "Bills"})
    pipeline.run()
    assert found_in(pipeline).is_equal


def test_it_compares_each_client_and_names_those_that_differ(studio):
    deal = studio.box.zoho.records("Deals")[0]
    other = studio.box.zoho.insert("Accounts", {"Account_Name": "Somebody else", "FreshBooks_ID": ""})
    studio.box.zoho.update("Deals", deal["id"], {"Account_Name": {"id": other}})

    report = found_in(studio)

    client = str(studio.ids["clients"])
    assert {(one.client, one.freshbooks.outstanding, one.zoho.outstanding) for one in report.clients} == {
        (client, 60, 0),
        (None, 0, 60),
    }
    assert report.currencies[0].is_equal
    assert [(one.stream, item.name) for one in report.differences for item in one.fields] == [("invoices", "client")]
    assert "Willow Creek" in shown(report)


def test_a_payment_that_lost_its_deal_differs(studio):
    studio.box.zoho.delete("Deals", studio.box.zoho.records("Deals")[0]["id"])

    report = found_in(studio, heal=True)

    assert kinds(report.differences) == {
        (str(studio.ids["invoices"]), "missing"),
        (str(studio.ids["payments"]), "differs"),
    }
    studio.run()
    assert found_in(studio).is_equal


def test_what_freshbooks_does_not_have_is_superfluous_and_left_to_people(studio):
    account = studio.box.freshbooks.account_id
    values = {"Deal_Name": "Typed in", "Stage": "Negotiation/Review", "Amount": 5, "FreshBooks_ID": f"{account}:999"}
    studio.box.zoho.insert("Deals", values)

    report = found_in(studio, heal=True)

    assert kinds(report.differences) == {("999", "superfluous")}
    assert report.healed == 0
    assert "delete them in Zoho" in shown(report)
    with studio.session() as opened:
        assert opened.store.pending.all() == []


def test_a_client_that_waits_for_a_person_is_shown_as_such_and_goes_on_waiting(box, tmp_path):
    for city in ("Toronto", "Montréal"):
        box.zoho.insert("Accounts", {"Account_Name": "Atelier", "Billing_City": city})
    client = box.freshbooks.create_client(organization="Atelier", email="a@example.com")
    invoice = box.freshbooks.create_invoice(client["id"], [line("10.00")], action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    report = found_in(pipeline, heal=True)

    assert {(one.stream, one.number, one.kind, one.waiting) for one in report.differences} == {
        ("clients", str(client["id"]), "missing", "ambiguous"),
        ("invoices", str(invoice["id"]), "missing", "parent"),
    }
    assert report.healed == 0
    assert report.exit_code == ATTENTION
    with pipeline.session() as opened:
        assert {one.reason for one in opened.store.pending.all()} == {"ambiguous", "parent"}


@pytest.mark.parametrize("deleted_records", ["mark", "delete"])
def test_deleted_records_are_as_the_setting_says(box, tmp_path, deleted_records):
    books = box.freshbooks
    client = books.create_client(organization="Willow Creek")
    invoices = [books.create_invoice(client["id"], [line("10.00")], action_mark_as_sent=True) for _ in range(3)]
    payments = [books.create_payment(one["id"], "4.00") for one in invoices]
    pipeline = Pipeline(box, tmp_path, target={"deleted_records": deleted_records})
    pipeline.run()
    books.delete_invoice(invoices[0]["id"])
    books.delete_payment(payments[1]["id"])

    before = found_in(pipeline)
    assert {(one.stream, one.number) for one in before.differences} >= {
        ("invoices", str(invoices[0]["id"])),
        ("payments", str(payments[1]["id"])),
    }
    pipeline.run()
    report = found_in(pipeline)
    assert report.differences == ()
    assert report.exit_code == OK


def test_what_has_not_changed_since_the_start_date_need_not_be_in_zoho(box, tmp_path):
    books = box.freshbooks
    with books.at(box.clock.now() - timedelta(days=100)):
        old = books.create_client(organization="Old")
        settled = books.create_invoice(old["id"], [line("10.00")], action_mark_as_sent=True)
        books.create_payment(settled["id"], {"amount": "10.00", "code": "USD"})
    books.create_client(organization="New")
    start = (box.clock.now() - timedelta(days=50)).isoformat()
    pipeline = Pipeline(box, tmp_path, tap={"start_date": start})
    pipeline.run()

    report = found_in(pipeline)

    assert report.is_equal
    assert report.early == 3
    assert report.counts["clients"].freshbooks == report.counts["clients"].zoho == 1


def test_what_is_still_open_has_to_be_in_zoho_whatever_the_start_date(box, tmp_path):
    books = box.freshbooks
    with books.at(box.clock.now() - timedelta(days=100)):
        old = books.create_client(organization="Old")
        books.create_invoice(old["id"], [line("10.00")], action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path, tap={"start_date": (box.clock.now() - timedelta(days=50)).isoformat()})
    pipeline.run()
    assert found_in(pipeline).is_equal

    box.zoho.delete("Deals", box.zoho.records("Deals")[0]["id"])
    assert not found_in(pipeline).is_equal


def test_an_organization_of_one_currency_without_a_module_for_payments(box, tmp_path):
    box.zoho.edition = "standard"
    box.zoho.switches.custom_module_caps["standard"] = 0
    books = box.freshbooks
    client = books.create_client(organization="Atelier", currency_code="EUR")
    unit = {"amount": "10.00", "code": "EUR"}
    euros = books.create_invoice(
        client["id"], [{**line("10.00"), "unit_cost": unit}], currency_code="EUR", action_mark_as_sent=True
    )
    books.create_payment(euros["id"], {"amount": "4.00", "code": "EUR"})
    books.create_invoice(client["id"], [line("7.00")], currency_code="USD", action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()

    report = found_in(pipeline)

    assert report.differences == ()
    assert report.in_words == {"EUR": 1}
    assert [(each.currency, each.zoho.outstanding) for each in report.currencies] == [("USD", Decimal("7.00"))]
    assert list(report.counts) == ["clients", "invoices"]
    assert "EUR: 1 invoices and payments have their amounts in words" in shown(report)


def euro_books(box, *amounts):
    """A client with invoices in euros, sent, and a payment of the first."""
    books = box.freshbooks
    client = books.create_client(organization="Atelier", currency_code="EUR")
    invoices = [
        books.create_invoice(
            client["id"],
            [{**line(amount), "unit_cost": {"amount": amount, "code": "EUR"}}],
            currency_code="EUR",
            action_mark_as_sent=True,
        )
        for amount in amounts
    ]
    books.create_payment(invoices[0]["id"], {"amount": "4.00", "code": "EUR"})
    return client["id"], [one["id"] for one in invoices]


def test_records_that_were_made_in_another_currency_are_equal_in_words_and_amounts_in_it_differ(box, tmp_path):
    euro_books(box, "10.00")
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})

    report = found_in(pipeline)
    assert report.differences == ()
    assert report.in_words == {"EUR": 2}
    assert list(report.ours) == []

    deal = box.zoho.records("Deals")[0]
    box.zoho.update("Deals", deal["id"], {"FreshBooks_Outstanding": 6})
    report = found_in(pipeline)
    assert [item for one in report.differences for item in one.fields] == [("outstanding", None, 6)]


def test_records_in_a_currency_that_was_deactivated_are_equal_and_in_the_totals(box, tmp_path):
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    euro_books(box, "10.00")
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    box.zoho.deactivate_currency("EUR")

    report = found_in(pipeline)

    assert report.differences == ()
    assert report.in_words == {}
    assert [(each.currency, each.zoho.outstanding) for each in report.currencies] == [("EUR", Decimal("6.00"))]


def test_an_amount_that_zohos_field_rounds_is_no_difference_and_is_counted(box, tmp_path):
    box.zoho.organization.modules["Deals"].fields["Amount"].decimals = 0
    client = box.freshbooks.create_client(organization="Willow Creek")
    box.freshbooks.create_invoice(client["id"], [line("10.50")], action_mark_as_sent=True)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    assert box.zoho.records("Deals")[0]["Amount"] == 11

    report = found_in(pipeline)

    assert report.is_equal
    assert (report.rounded, report.currencies[0].freshbooks.outstanding) == (1, Decimal("10.50"))
    assert "1 invoices have their Amount rounded" in shown(report)


def test_rows_that_move_between_pages_while_they_are_read_are_not_taken_for_missing(box, tmp_path):
    books = box.freshbooks
    books.load(clients=260)
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    newest = max(row["id"] for row in books.records("clients"))
    # A client of the first page goes, so that one of the second page moves there unseen.
    books.between_pages(lambda: books.delete_client(newest), "clients")

    report = found_in(pipeline)

    assert kinds(report.differences) <= {(str(newest), "differs")}
    assert not report.uncertain


def test_more_records_than_a_page_of_zoho_has_are_all_read(studio, monkeypatch):
    studio.box.freshbooks.load(clients=25, invoices=60, payments=40)
    studio.run()
    monkeypatch.setattr("freshbooks_zoho.receivables.crm.PAGE", 7)

    report = found_in(studio)

    assert report.is_equal
    assert report.counts["invoices"].zoho == 61


def test_the_result_is_remembered_for_the_metrics_without_a_name_in_it(studio):
    deal = studio.box.zoho.records("Deals")[0]
    studio.box.zoho.update("Deals", deal["id"], {"FreshBooks_Outstanding": Decimal("59.50")})
    found_in(studio)
    metrics = Metrics()
    with studio.session() as opened:
        assert latest_differences(opened.store, opened.account) == {"USD": 50}
        History(opened.store, opened.account, metrics, "Deals").measure(Tally(0, 0, None), datetime.now(timezone.utc))
        assert metrics.registry.get_sample_value("reconcile_difference_cents", {"currency": "USD"}) == 50
        run = opened.store.runs.latest("freshbooks-zoho reconcile")[0]
        assert run.outcome == "failed"
        assert "Willow" not in json.dumps(run.summary)
    found_in(studio, heal=True)
    studio.run()
    found_in(studio)
    with studio.session() as opened:
        assert latest_differences(opened.store, opened.account) == {"USD": 0}
        assert opened.store.runs.latest("freshbooks-zoho reconcile")[0].outcome == "ok"


def test_json_has_every_difference_with_both_values(studio):
    deal = studio.box.zoho.records("Deals")[0]
    studio.box.zoho.update("Deals", deal["id"], {"FreshBooks_Paid": Decimal("39.99")})

    found = json.loads(json.dumps(found_in(studio).as_json(), default=str))

    assert found["equal"] is False
    assert found["differences"] == [
        {
            "stream": "invoices",
            "id": str(studio.ids["invoices"]),
            "freshbooks_id": deal["FreshBooks_ID"],
            "zoho_id": deal["id"],
            "kind": "differs",
            "waiting": None,
            "fields": [{"name": "paid", "freshbooks": "40.00", "zoho": "39.99"}],
        }
    ]
    assert found["totals"][0]["paid"] == {"freshbooks": "40.00", "zoho": "39.99", "difference": "-0.01"}
    assert found["clients"][0]["name"] == "Willow Creek"
