"""What stands in the two services, and what happens there."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.firm import load_firm
from sandbox.freshbooks.times import EASTERN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox import Sandbox
    from sandbox.demo.telling import Teller


def set_the_scene(box: Sandbox, teller: Teller) -> dict[str, Any]:
    """Fill both services, and give the client that could be either of two accounts."""
    load_firm(box)
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    books = box.freshbooks
    names = Counter(client["organization"] for client in books.records("clients") if client["organization"])
    single = [client for client in books.records("clients") if names[client["organization"]] == 1]
    # What salespeople had in the CRM already: some of the firm's clients, one of them twice, and leads of their own.
    for client in single[:4]:
        box.zoho.insert("Accounts", {"Account_Name": client["organization"], "Website": "https://example.com"})
    twice, unclear = single[4], single[5]
    for client in (twice, unclear):
        box.zoho.insert("Accounts", {"Account_Name": client["organization"], "Billing_City": "Toronto"})
        account = box.zoho.insert("Accounts", {"Account_Name": client["organization"], "Billing_City": "Montréal"})
        if client is twice:
            box.zoho.insert(
                "Contacts",
                {"Last_Name": client["lname"], "Email": client["email"], "Account_Name": {"id": account}},
            )
    box.zoho.insert("Accounts", {"Account_Name": "A prospect nobody has billed"})
    invoices = books.records("invoices")
    statuses = Counter(invoice["v3_status"] for invoice in invoices)
    currencies = Counter(invoice["currency_code"] for invoice in invoices)
    clients, payments = len(books.records("clients")), len(books.records("payments"))
    kinds = f"{_counts(currencies)}; {_counts(statuses)}"
    teller.show(
        f"FreshBooks  {clients} clients, {payments} payments, {len(invoices)} invoices: {kinds}.",
        f"Zoho CRM    {box.zoho.count('Accounts')} accounts that salespeople made, no deals.",
        f"            {twice['organization']} is there twice, and a contact's e-mail tells which one is meant;",
        f"            {unclear['organization']} is there twice, and nothing tells.",
    )
    return unclear


def change_things(box: Sandbox, unclear: Mapping[str, Any], teller: Teller) -> None:
    """Let three weeks pass, in which people work in both services."""
    books = box.freshbooks
    invoices = books.records("invoices")
    overdue = [invoice for invoice in invoices if invoice["v3_status"] == "overdue" and _amount(invoice) > 0]
    drafts = [invoice for invoice in invoices if invoice["v3_status"] == "draft"]
    today = box.clock.now().astimezone(EASTERN).date().isoformat()
    books.create_payment(overdue[0]["id"], overdue[0]["outstanding"]["amount"], today, "Bank Transfer")
    books.create_payment(overdue[1]["id"], "100.00", today, "Credit Card")
    books.send_invoice(drafts[0]["id"])
    books.delete_invoice(drafts[1]["id"])
    client = books.create_client(organization="Quayside Ceramics", email="studio@quayside.example.com")
    line = {"name": "Brand identity", "qty": "1", "unit_cost": {"amount": "1450.00", "code": "USD"}}
    invoice = books.create_invoice(client["id"], lines=[line])
    books.send_invoice(invoice["id"])
    renamed = next(client for client in books.records("clients") if client["organization"] == "Eastgate Plumbing")
    books.update_client(renamed["id"], organization="Eastgate Plumbing & Heating")
    account = box.zoho.find("Accounts", Account_Name=unclear["organization"])[0]
    contact = {"Last_Name": unclear["lname"], "Email": unclear["email"], "Account_Name": {"id": account["id"]}}
    box.zoho.insert("Contacts", contact)
    box.clock.advance(days=21)
    teller.show(
        "In FreshBooks one overdue invoice is paid, another in part; a draft is sent, another deleted;",
        "a new client gets an invoice, another is renamed; three weeks pass, and more invoices fall due.",
        f"In Zoho CRM a salesperson gives one {unclear['organization']} a contact, which tells the two apart.",
    )


def _amount(invoice: Mapping[str, Any]) -> Decimal:
    return Decimal(invoice["outstanding"]["amount"])


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counter.most_common())
