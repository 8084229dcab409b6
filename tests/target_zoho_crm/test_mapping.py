"""What lands where: every row of the mapping, read back from Zoho."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.stages import EXPECTED
from support.target import ACCOUNT, client, invoice, line, payment, usd
from support.zoho import field

from target_zoho_crm.mapping.describing import closing_date, lines_in_words
from target_zoho_crm.mapping.layout import Column, Layout
from target_zoho_crm.mapping.properties import PROPERTIES
from target_zoho_crm.mapping.tables import CLIENTS, INVOICES, KEY, PAYMENTS, Setting
from target_zoho_crm.mapping.values import Fitter, UnfitError

BILLING = ("Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country")
SHIPPING = ("Shipping_Street", "Shipping_City", "Shipping_State", "Shipping_Code", "Shipping_Country")


def values_of(row, names):
    return tuple(row[name] for name in names)


# clients → Accounts


def test_every_field_of_an_account(org):
    org.run((
        "clients",
        client(
            7, organization="Acme", email="ap@acme.example", bus_phone="555-1", fax="555-2", vis_state=2,
            p_street="1 Main St", p_street2="Floor 2", p_city="Springfield", p_province="IL", p_code="62701",
            p_country="United States", s_street="Dock 9", s_city="Chicago", s_province="IL", s_code="60601",
            s_country="United States", outstanding_balance=[usd("1234.56"), usd("0.00", "KES")],
            overdue_balance=[usd("34.50")],
        ),
    ))  # fmt: skip
    account = org.one("Accounts")
    assert values_of(account, ("Account_Name", "Phone", "Fax")) == ("Acme", "555-1", "555-2")
    assert values_of(account, BILLING) == ("1 Main St, Floor 2", "Springfield", "IL", "62701", "United States")
    assert values_of(account, SHIPPING) == ("Dock 9", "Chicago", "IL", "60601", "United States")
    assert account["FreshBooks_ID"] == f"{ACCOUNT}:7"
    assert account["FreshBooks_Email"] == "ap@acme.example"
    assert account["FreshBooks_Outstanding"] == Decimal("1234.56")
    assert account["FreshBooks_Overdue"] == Decimal("34.50")
    assert account["FreshBooks_State"] == "archived"
    assert account["FreshBooks_Updated"] == "2026-06-29T22:18:49+05:30"


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"organization": "Acme", "fname": "Ann", "lname": "Lee"}, "Acme"),
        ({"organization": " ", "fname": "Ann", "lname": "Lee"}, "Ann Lee"),
        ({"organization": "", "fname": "", "lname": "Lee"}, "Lee"),
        ({"organization": "", "fname": None, "lname": None, "email": "x@example.com"}, "x@example.com"),
        ({"organization": "", "email": ""}, "FreshBooks client 7"),
    ],
)
def test_the_name_of_an_account(org, properties, name):
    org.run(("clients", client(7, **properties)))
    assert org.one("Accounts")["Account_Name"] == name


@pytest.mark.parametrize(
    ("phones", "phone"),
    [(("1", "2", "3"), "1"), (("", "2", "3"), "2"), (("", None, "3"), "3"), ((None, None, None), None)],
)
def test_the_first_phone_there_is(org, phones, phone):
    bus, mobile, home = phones
    org.run(("clients", client(bus_phone=bus, mob_phone=mobile, home_phone=home)))
    assert org.one("Accounts")["Phone"] == phone


def test_what_people_entered_is_not_wiped_by_nothing(org):
    org.run(("clients", client()))
    mine = {"Phone": "555-9", "Fax": "555-8", "Billing_City": "Here", "Shipping_City": "There", "Website": "w.example"}
    org.box.zoho.update("Accounts", org.one("Accounts")["id"], mine)
    org.run(("clients", client(email="new@example.com", updated="2026-06-30T00:00:00+00:00")))
    account = org.one("Accounts")
    assert {name: account[name] for name in mine} == mine
    assert account["FreshBooks_Email"] == "new@example.com"


def test_an_address_is_replaced_as_a_whole(org):
    org.run(("clients", client()))
    org.box.zoho.update("Accounts", org.one("Accounts")["id"], {"Billing_City": "Old", "Billing_Code": "1"})
    org.run(("clients", client(p_city="New", p_country="Kenya", updated="2026-06-30T00:00:00+00:00")))
    assert values_of(org.one("Accounts"), BILLING) == (None, "New", None, None, "Kenya")


def test_our_own_fields_are_cleared_by_nothing(org):
    org.run(("clients", client()))
    org.run(("clients", client(email="", updated="2026-06-30T00:00:00+00:00")))
    assert org.one("Accounts")["FreshBooks_Email"] is None


def test_unknown_balances_are_left_alone_and_none_are_zero(org):
    org.run(("clients", client(outstanding_balance=[usd("5.00")], overdue_balance=[])))
    org.run(("clients", client(outstanding_balance=None, overdue_balance=None)))
    account = org.one("Accounts")
    assert (account["FreshBooks_Outstanding"], account["FreshBooks_Overdue"]) == (5, 0)


def test_balances_in_another_currency_are_not_shown_and_counted(org, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client(outstanding_balance=[usd("9.00", "KES"), usd("5.00")])))
    assert org.one("Accounts")["FreshBooks_Outstanding"] == 5
    assert "1 amounts in a currency that cannot be shown" in caplog.text


def test_a_bad_email_or_phone_does_not_cost_the_client(org, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client(email="not an address", bus_phone="ask Ann")))
    account = org.one("Accounts")
    assert (account["FreshBooks_Email"], account["Phone"]) == (None, None)
    assert "2 values shortened, rounded or left out" in caplog.text


# invoices → Deals


def test_every_field_of_a_deal(org):
    org.run(
        ("clients", client(1, organization="Acme")),
        (
            "invoices",
            invoice(
                8, invoice_number="INV-8", organization="Acme", amount=usd("1500.10"), paid=usd("100.05"),
                outstanding=usd("1400.05"), v3_status="partial", payment_status="partial", due_date="2026-07-15",
                date_paid="2026-06-20",
                lines=[
                    line("Design", "50.00", description="the logo\nin blue", qty="2", amount=usd("100.00"),
                         taxName1="HST", taxAmount1="13"),
                    line("Hosting", "1400.10"),
                ],
            ),
        ),
        ("payments", payment(3, 8, date="2026-06-20")),
    )  # fmt: skip
    deal = org.one("Deals")
    assert deal["Deal_Name"] == "INV-8 - Acme"
    assert deal["Account_Name"]["id"] == org.one("Accounts")["id"]
    assert (deal["Amount"], deal["FreshBooks_Paid"], deal["FreshBooks_Outstanding"]) == (
        Decimal("1500.10"), Decimal("100.05"), Decimal("1400.05"),
    )  # fmt: skip
    assert (deal["Stage"], deal["Pipeline"]) == ("Negotiation/Review", "Standard (Standard)")
    assert deal["Closing_Date"] == deal["FreshBooks_Due_Date"] == "2026-07-15"
    assert deal["Description"] == (
        "Design - the logo in blue: 2 x 50.00 = 100.00 USD, HST 13%\nHosting: 1 x 1,400.10 = 1,400.10 USD"
    )
    assert deal["FreshBooks_ID"] == f"{ACCOUNT}:8"
    assert (deal["FreshBooks_Status"], deal["FreshBooks_State"]) == ("partial", "active")
    assert deal["FreshBooks_Last_Payment"] == "2026-06-20"
    assert deal["FreshBooks_Updated"] == "2026-06-29T22:20:00+05:30"


def test_every_status_lands_in_its_stage(org):
    statuses = [*EXPECTED, "on-the-moon"]
    invoices = [("invoices", invoice(number, v3_status=status)) for number, status in enumerate(statuses, 1)]
    org.run(("clients", client()), *invoices, ("invoices", invoice(99, v3_status="paid", vis_state=1)))
    stages = {
        deal["FreshBooks_Status"]: deal["Stage"]
        for deal in org.records("Deals")
        if deal["FreshBooks_State"] == "active"
    }
    assert stages == {**EXPECTED, "on-the-moon": "Negotiation/Review"}
    assert org.one("Deals", f"{ACCOUNT}:99")["Stage"] == "Closed Lost"


def test_an_unknown_status_is_reported(org, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client()), ("invoices", invoice(v3_status="on-the-moon")))
    assert "invoice statuses that stage_map does not know: on-the-moon (1)" in caplog.text


@pytest.mark.parametrize(
    ("properties", "day"),
    [
        ({"v3_status": "paid", "date_paid": "2026-06-10"}, "2026-06-10"),
        ({"v3_status": "autopaid", "date_paid": "2026-06-10"}, "2026-06-10"),
        ({"v3_status": "partial", "payment_status": "partial", "date_paid": "2026-06-10"}, "2026-07-01"),
        ({"v3_status": "paid", "date_paid": None}, "2026-07-01"),
        ({"v3_status": "sent", "due_date": None}, "2026-06-01"),
    ],
)
def test_the_closing_date(properties, day):
    assert closing_date(invoice(**properties)) == day


def test_invoices_of_equal_names_stay_apart(org):
    twins = [("invoices", invoice(number, invoice_number="1", organization="Same")) for number in (1, 2)]
    org.run(("clients", client()), *twins)
    assert [deal["Deal_Name"] for deal in org.records("Deals")] == ["1 - Same", "1 - Same"]


def test_a_name_too_long_is_cut(org):
    org.run(("clients", client()), ("invoices", invoice(organization="x" * 300)))
    length = org.box.zoho.fields("Deals")["Deal_Name"].length
    name = org.one("Deals")["Deal_Name"]
    assert len(name) == length
    assert name.endswith("x…")


def test_lines_are_readable_whatever_they_lack():
    assert lines_in_words([{}, {"name": "A"}, {"description": "b", "amount": usd("1.00")}, "?", {"qty": 2}]) == (
        "\nA\nb: 1.00 USD\n"
    )


# payments


def test_every_field_of_a_payment(org):
    org.run(
        ("clients", client(1)),
        ("invoices", invoice(8)),
        ("payments", payment(3, 8, amount=usd("40.25"), type="Credit Card", gateway="Stripe", date="2026-06-20")),
    )
    row = org.one("FreshBooks_Payments")
    assert row["Name"] == "2026-06-20 Credit Card (3)"
    assert (row["Amount"], row["Currency"], row["Date"]) == (Decimal("40.25"), "USD", "2026-06-20")
    assert (row["Type"], row["Gateway"]) == ("Credit Card", "Stripe")
    assert row["Deal"]["id"] == org.one("Deals")["id"]
    assert row["Account"]["id"] == org.one("Accounts")["id"]
    assert (row["FreshBooks_ID"], row["FreshBooks_State"]) == (f"{ACCOUNT}:3", "active")
    assert row["FreshBooks_Updated"] == "2026-06-29T22:21:00+05:30"


# currencies


def test_another_currency_than_the_organizations_is_said_in_words(org, caplog):
    caplog.set_level("INFO")
    org.run(
        ("clients", client(currency_code="KES")),
        ("invoices", invoice(amount=usd("1500.00", "KES"), paid=usd("0.00", "KES"), outstanding=usd("1500.00", "KES"))),
        ("payments", payment(amount=usd("100.00", "KES"))),
    )
    deal, row = org.one("Deals"), org.one("FreshBooks_Payments")
    assert [deal[name] for name in ("Amount", "FreshBooks_Paid", "FreshBooks_Outstanding")] == [None, None, None]
    assert deal["Description"].startswith("Amount 1,500.00 KES, paid 0.00 KES, outstanding 1,500.00 KES (")
    assert (row["Amount"], row["Name"]) == (None, "2026-06-20 Cash 100.00 KES (1)")
    assert "invoices: 1 created (1 amounts in a currency that cannot be shown)" in caplog.text


def test_an_invoice_that_changes_to_a_foreign_currency_loses_its_amounts(org):
    org.run(("clients", client()), ("invoices", invoice()))
    assert org.one("Deals")["Amount"] == 100
    org.run(("invoices", invoice(amount=usd("9.00", "KES"), outstanding=usd("9.00", "KES"))))
    assert org.one("Deals")["Amount"] is None


def test_with_several_currencies_each_record_has_its_own(new_org):
    new_org.box.zoho.enable_multi_currency({"KES": Decimal("0.0077")})
    new_org.run(
        ("clients", client(1, currency_code="KES", outstanding_balance=[usd("7.00", "KES"), usd("1.00")])),
        ("clients", client(2, currency_code="EUR", outstanding_balance=[usd("7.00", "EUR"), usd("1.00")])),
        ("invoices", invoice(1, 1, amount=usd("15.00", "KES"), outstanding=usd("15.00", "KES"))),
        ("invoices", invoice(2, 2, amount=usd("15.00", "EUR"), outstanding=usd("15.00", "EUR"))),
        ("payments", payment(1, 1, amount=usd("5.00", "KES"))),
    )
    first, second = new_org.one("Accounts", f"{ACCOUNT}:1"), new_org.one("Accounts", f"{ACCOUNT}:2")
    assert (first["Currency"], first["FreshBooks_Outstanding"]) == ("KES", 7)
    assert (second["Currency"], second["FreshBooks_Outstanding"]) == ("USD", 1)
    kes, eur = new_org.one("Deals", f"{ACCOUNT}:1"), new_org.one("Deals", f"{ACCOUNT}:2")
    assert (kes["Currency"], kes["Amount"], kes["FreshBooks_Outstanding"]) == ("KES", 15, 15)
    assert (eur["Amount"], eur["Description"][:16]) == (None, "Amount 15.00 EUR")
    row = new_org.one("FreshBooks_Payments")
    assert (row["Currency"], row["Amount"]) == ("KES", 5)


def test_with_several_currencies_balances_are_in_the_accounts_own(new_org):
    new_org.box.zoho.enable_multi_currency({"KES": Decimal("0.0077")})
    new_org.box.zoho.insert("Accounts", {"Account_Name": "Client 1", "Currency": "USD"})
    new_org.run(("clients", client(1, currency_code="KES", outstanding_balance=[usd("7.00", "KES"), usd("1.00")])))
    account = new_org.one("Accounts")
    assert (account["Currency"], account["FreshBooks_Outstanding"]) == ("USD", 1)


# amounts


def layout_of(rows):
    columns = [
        Column(row, field(row.ours.label, row.ours.data_type, decimal_places=2, length=row.ours.length))
        for row in rows
        if row.ours is not None
    ]
    return Layout("invoices", "Deals", tuple(columns), "USD")


cents = st.decimals(min_value=-(10**11), max_value=10**11, places=2, allow_nan=False, allow_infinity=False)


@given(cents, cents, cents)
def test_amounts_are_exact_to_the_cent(amount, paid, outstanding):
    record = invoice(amount=usd(str(amount)), paid=usd(str(paid)), outstanding=usd(str(outstanding)))
    values = layout_of(INVOICES).desired(record, Setting("USD", stages={"unknown": "x"}), Fitter()).values
    assert (values["Amount"], values["FreshBooks_Paid"], values["FreshBooks_Outstanding"]) == (
        amount,
        paid,
        outstanding,
    )


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(("rows", "record"), [(CLIENTS, client()), (INVOICES, invoice()), (PAYMENTS, payment())])
@given(data=st.data())
def test_whatever_a_property_holds_the_record_is_mapped_or_refused_alone(rows, record, data):
    names = data.draw(st.lists(st.sampled_from(sorted(record.keys() - {"account_id", "id"})), max_size=4))
    changed = {**record, **{name: data.draw(garbage) for name in names}}
    setting = Setting("USD", stages={"unknown": "x", "deleted": "y"})
    with contextlib.suppress(UnfitError):
        desired = layout_of(rows).desired(changed, setting, Fitter())
        assert desired.values[KEY.replace(" ", "_")] == f"{ACCOUNT}:1"


# the user's own fields


def test_extra_fields_by_label_or_api_name(new_org):
    new_org.box.zoho.add_custom_field("Deals", "PO Number", "text", length=50)
    new_org.box.zoho.add_custom_field("Deals", "Discount", "currency")
    extra = {
        "invoices": {"PO Number": "po_number", "Discount": "discount_total.amount"},
        "clients": {"Website": "note"},
    }
    new_org.run(
        ("clients", client(note="acme.example")),
        ("invoices", invoice(po_number="PO-1", discount_total=usd("-4.40"))),
        extra_fields=extra,
    )
    assert (new_org.one("Deals")["PO_Number"], new_org.one("Deals")["Discount"]) == ("PO-1", Decimal("-4.40"))
    assert new_org.one("Accounts")["Website"] == "acme.example"


def test_the_records_here_have_only_properties_that_freshbooks_has():
    for stream, record in (("clients", client()), ("invoices", invoice()), ("payments", payment())):
        assert record.keys() <= PROPERTIES[stream]
