"""Money stands in its own currency and to the cent, or in words; nothing of a record is lost for the sake of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.target import ACCOUNT, client, invoice, payment, usd

AMOUNTS = ("Amount", "FreshBooks_Paid", "FreshBooks_Outstanding")
LATER = "2026-06-30T08:00:00+00:00"


def eur(amount="50.00"):
    return usd(amount, "EUR")


def billed(number=1, amount="50.00", code="EUR", **changes):
    """An invoice nobody has paid anything of."""
    nothing = usd("0.00", code)
    return invoice(number, amount=usd(amount, code), paid=nothing, outstanding=usd(amount, code), **changes)


def books(*invoices, **changes):
    """A client in euros, its invoices and a payment of the first."""
    owner = ("clients", client(currency_code="EUR", **changes))
    return [owner, *(("invoices", one) for one in invoices), ("payments", payment(amount=eur("5.00")))]


def deal(org, number=1):
    return org.one("Deals", f"{ACCOUNT}:{number}")


def amounts(row):
    return tuple(row.get(name) for name in AMOUNTS)


def enable_euros(org):
    org.box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    org.a_day_later()


def wrote(org, *records):
    """The writes of a run."""
    before = len(org.writes())
    org.run(*records)
    return org.writes()[before:]


# the currency of a record


@pytest.mark.parametrize("change", ["ignored", "refused"])
def test_a_record_keeps_the_currency_it_was_made_with_and_only_new_ones_get_another(new_org, caplog, change):
    caplog.set_level("INFO")
    new_org.box.zoho.switches.record_currency = change
    new_org.run(*books(billed()))
    enable_euros(new_org)

    new_org.run(*books(billed(updated=LATER), billed(2), outstanding_balance=[eur("100.00")], updated=LATER))

    old, new = deal(new_org), deal(new_org, 2)
    assert (old["Currency"], amounts(old)) == ("USD", (None, None, None))
    assert old["Description"].startswith("Amount 50.00 EUR, paid 0.00 EUR, outstanding 50.00 EUR (not the currency")
    assert (new["Currency"], amounts(new)) == ("EUR", (50, 0, 50))
    assert new_org.one("FreshBooks_Payments")["Name"] == "2026-06-20 Cash 5.00 EUR (1)"
    account = new_org.one("Accounts")
    assert (account["Currency"], account.get("FreshBooks_Outstanding")) == ("USD", None)
    assert "invoices: 1 created, 1 updated (1 amounts in a currency that cannot be shown)" in caplog.text
    assert wrote(new_org, *books(billed(updated=LATER), billed(2), outstanding_balance=[eur("100.00")])) == []


def test_an_amount_in_another_currencys_field_is_emptied_and_said_in_words(new_org):
    enable_euros(new_org)
    new_org.run(("clients", client()), ("invoices", billed(code="USD")), ("payments", payment()))
    assert amounts(deal(new_org)) == (50, 0, 50)

    new_org.run(*books(billed(updated=LATER))[1:2], ("payments", payment(amount=eur("5.00"), updated=LATER)))

    row, paid = deal(new_org), new_org.one("FreshBooks_Payments")
    assert (row["Currency"], amounts(row)) == ("USD", (None, None, None))
    assert row["Description"].startswith("Amount 50.00 EUR")
    assert (paid["Currency"], paid.get("Amount"), paid["Name"]) == ("USD", None, "2026-06-20 Cash 5.00 EUR (1)")


@pytest.mark.parametrize("edition", [None, "professional"])
def test_records_in_a_currency_that_was_deactivated_go_on_in_it_and_new_ones_say_it_in_words(new_org, edition):
    enable_euros(new_org)
    new_org.run(*books(billed(), outstanding_balance=[eur()]))
    if edition is None:
        new_org.box.zoho.deactivate_currency("EUR")
    else:
        new_org.box.zoho.edition = edition
        body = {"code": "CURRENCIES_NOT_ENABLED", "details": {}, "message": "", "status": "error"}
        path = "/crm/v8/org/currencies"
        new_org.box.faults.add(service="zoho", path=path, kind="status", status=403, body=body, times=None)
    new_org.a_day_later()

    partly = billed(amount="60.00", updated=LATER)
    found = new_org.run(*books(partly, billed(2), outstanding_balance=[eur("110.00")], updated=LATER))

    assert found.error is None
    assert (deal(new_org)["Currency"], amounts(deal(new_org))) == ("EUR", (60, 0, 60))
    assert (deal(new_org, 2)["Currency"], amounts(deal(new_org, 2))) == ("USD", (None, None, None))
    assert new_org.one("FreshBooks_Payments")["Amount"] == 5
    assert (new_org.one("Accounts")["Currency"], new_org.one("Accounts")["FreshBooks_Outstanding"]) == ("EUR", 110)
    assert new_org.pending() == {}


def test_an_account_that_owes_in_another_currency_only_does_not_say_that_it_owes_nothing(org):
    org.run(("clients", client(outstanding_balance=[usd("9.00")], overdue_balance=[usd("9.00")])))
    assert org.one("Accounts")["FreshBooks_Outstanding"] == 9
    org.run(("clients", client(outstanding_balance=[eur(), usd("0.00")], overdue_balance=[], updated=LATER)))
    assert org.one("Accounts")["FreshBooks_Outstanding"] is None
    assert org.one("Accounts")["FreshBooks_Overdue"] == 0


# decimals


@pytest.fixture
def whole_amounts(shared_box):
    """Zoho's own Amount of deals without decimals."""
    field = shared_box.zoho.organization.modules["Deals"].fields["Amount"]
    decimals, field.decimals = field.decimals, 0
    yield
    field.decimals = decimals


@pytest.mark.usefixtures("whole_amounts")
@pytest.mark.parametrize(("exact", "shown"), [("10.50", 11), ("10.49", 10), ("-10.50", -11)])
def test_zohos_own_amount_is_rounded_to_its_decimals_and_ours_are_exact(org, caplog, exact, shown):
    caplog.set_level("INFO")
    sent = [
        ("clients", client()),
        ("invoices", billed(amount=exact, code="USD")),
        ("invoices", billed(2, "7.00", "USD")),
    ]
    org.run(*sent)

    assert amounts(deal(org)) == (shown, 0, Decimal(exact))
    words = f"Amount {exact} USD (exactly, for which the field has too few decimals)\n"
    assert deal(org)["Description"].startswith(words)
    assert (deal(org, 2)["Amount"], "exactly" in deal(org, 2)["Description"]) == (7, False)
    assert "invoices: 2 created (1 values shortened, rounded or left out)" in caplog.text
    assert wrote(org, *sent) == []


def test_an_amount_of_ours_with_more_decimals_than_its_field_is_said_in_words_and_rejects_nothing(org, caplog):
    caplog.set_level("INFO")
    org.run(
        ("clients", client(outstanding_balance=[usd("1.234")])),
        ("invoices", billed(amount="1.234", code="USD")),
        ("payments", payment(amount=usd("0.001"))),
    )
    assert amounts(deal(org)) == (Decimal("1.23"), 0, None)
    assert deal(org)["Description"].startswith("Amount 1.234 USD, outstanding 1.234 USD (exactly")
    paid = org.one("FreshBooks_Payments")
    assert (paid.get("Amount"), paid["Name"]) == (None, "2026-06-20 Cash 0.001 USD (1)")
    assert org.one("Accounts").get("FreshBooks_Outstanding") is None
    assert org.pending() == {}
    assert "invoices: 1 created (2 values shortened, rounded or left out)" in caplog.text
