"""The demonstration: a firm's books in FreshBooks, a CRM that salespeople use, and Meltano between them.

Everything is real but the two services: Meltano runs the published plugins against the sandbox over HTTP.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox
from sandbox.control import describe
from sandbox.firm import load_firm
from sandbox.settings import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JOB = ("tap-freshbooks", "target-zoho-crm")
PAST_DUE = """
    select Account_Name.Account_Name, Currency, SUM(FreshBooks_Outstanding), COUNT(id), MIN(FreshBooks_Due_Date)
    from Deals
    where ((FreshBooks_Outstanding > 0 and FreshBooks_Due_Date < '{today}')
      and (FreshBooks_Status != 'draft' and FreshBooks_State != 'deleted'))
    group by Account_Name.Account_Name, Currency
    limit 0, 2000
"""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_REPORT = re.compile(r"\btarget-zoho-crm +((?:created|clients:|invoices:|payments:|total:|\w+ \d+ waits).*)")


def main() -> int:
    """Run the demonstration from the root of the project; gives the exit code."""
    folder = Path(".sandbox", "demo").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Sandbox() as box:
        unclear = _set_the_scene(box)
        variables = _variables(box, folder)
        _say("1", f"First run: meltano run {' '.join(JOB)}")
        _show(_run(variables))
        _say("2", "Meanwhile")
        _change_things(box, unclear)
        _say("3", "Second run: only what differs is written")
        box.server.forget_calls()
        before = len(box.zoho.writes)
        _show(_run(variables))
        _show([f"Zoho counts {len(box.zoho.writes) - before} records written in this run."])
        _say("4", "Past due, asked of Zoho CRM with one query, beside FreshBooks' own total")
        right = _past_due(box)
    shutil.rmtree(folder)
    if not right:
        sys.stderr.write("Zoho's totals are not FreshBooks': this should never happen.\n")
    return 0 if right else 1


def _set_the_scene(box: Sandbox) -> dict[str, Any]:
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
    _say("0", "Two services on this machine, nothing leaves it")
    clients, payments = len(books.records("clients")), len(books.records("payments"))
    kinds = f"{_counts(currencies)}; {_counts(statuses)}"
    _show(
        [
            f"FreshBooks  {clients} clients, {payments} payments, {len(invoices)} invoices: {kinds}.",
            f"Zoho CRM    {box.zoho.count('Accounts')} accounts that salespeople made, no deals.",
            f"            {twice['organization']} is there twice, and a contact's e-mail tells which one is meant;",
            f"            {unclear['organization']} is there twice, and nothing tells.",
        ]
    )
    return unclear


def _variables(box: Sandbox, folder: Path) -> dict[str, str]:
    """Give the environment of Meltano: settings for the sandbox, and state and store of this demonstration only."""
    grants = {"freshbooks": box.freshbooks.grant(), "zoho": box.zoho.grant()}
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    variables = {**os.environ, **environment(describe(box), grants), "NO_COLOR": "1"}
    variables["MELTANO_ENVIRONMENT"] = "sandbox"
    variables["MELTANO_DATABASE_URI"] = f"sqlite:///{folder}/meltano.db"
    for plugin in ("TAP_FRESHBOOKS", "TARGET_ZOHO_CRM"):
        variables[f"{plugin}_STORE_URL"] = f"sqlite:///{folder}/store.db"
        variables[f"{plugin}_STORE_KEY"] = key
    return variables


def _run(variables: Mapping[str, str]) -> list[str]:
    """Run the job and give what the target reported.

    Raises:
        SystemExit: if it failed, after its whole output was printed.
    """
    meltano = Path(sys.executable).parent / "meltano"
    start = time.monotonic()
    done = subprocess.run(  # noqa: S603 - fixed words
        [str(meltano), "run", "--no-install", *JOB], env=dict(variables), capture_output=True, text=True, check=False
    )
    output = _COLOURS.sub("", done.stdout + done.stderr)
    if done.returncode:
        sys.stderr.write(output)
        raise SystemExit(f"meltano run failed with exit code {done.returncode}")
    report = [match[1] for line in output.splitlines() if (match := _REPORT.search(line))]
    return [*report, f"It took {time.monotonic() - start:.1f} s."]


def _change_things(box: Sandbox, unclear: Mapping[str, Any]) -> None:
    books = box.freshbooks
    invoices = books.records("invoices")
    overdue = [invoice for invoice in invoices if invoice["v3_status"] == "overdue" and _amount(invoice) > 0]
    drafts = [invoice for invoice in invoices if invoice["v3_status"] == "draft"]
    today = box.clock.now().date().isoformat()
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
    _show(
        [
            "In FreshBooks one overdue invoice is paid, another in part; a draft is sent, another deleted;",
            "a new client gets an invoice, another is renamed; three weeks pass, and more invoices fall due.",
            f"In Zoho CRM a salesperson gives one {unclear['organization']} a contact, which tells the two apart.",
        ]
    )


def _past_due(box: Sandbox) -> bool:
    """Print who is past due, and say whether Zoho's totals are FreshBooks' own."""
    today = box.clock.now().date().isoformat()
    rows = _ask_zoho(box, PAST_DUE.format(today=today))
    owing = sorted(rows, key=lambda row: (row["Currency"], -row["SUM(FreshBooks_Outstanding)"]))
    lines = [f"{'':3} {'customer':30} {'past due':>12}  invoices  since"]
    lines += [
        f"{row['Currency']:3} {row['Account_Name.Account_Name'][:30]:30} {row['SUM(FreshBooks_Outstanding)']:>12,.2f}"
        f"  {row['COUNT(id)']:>8}  {row['MIN(FreshBooks_Due_Date)']}"
        for row in owing
    ]
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in owing:
        totals[row["Currency"]] += row["SUM(FreshBooks_Outstanding)"]
    theirs = box.freshbooks.past_due()
    lines += ["", f"{'':3} {'total':14} {'Zoho CRM':>14} {'FreshBooks':>14} {'difference':>12}"]
    for currency in sorted(totals.keys() | theirs.keys()):
        ours, own = totals.get(currency, Decimal()), theirs.get(currency, Decimal())
        lines.append(f"{currency:3} {'':14} {ours:>14,.2f} {own:>14,.2f} {ours - own:>12,.2f}")
    _show(lines)
    return dict(totals) == theirs


def _ask_zoho(box: Sandbox, coql: str) -> list[dict[str, Any]]:
    """Ask Zoho as any other program would: with a token, over HTTP."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": box.zoho.grant(),
        "client_id": box.zoho.app.client_id,
        "client_secret": box.zoho.app.client_secret,
    }
    token = _post(f"{box.zoho.accounts_url}/oauth/v2/token", urllib.parse.urlencode(form).encode(), {})
    headers = {"Authorization": f"Zoho-oauthtoken {token['access_token']}", "Content-Type": "application/json"}
    body = json.dumps({"select_query": " ".join(coql.split())}).encode()
    rows: list[dict[str, Any]] = _post(f"{token['api_domain']}/crm/v8/coql", body, headers).get("data", [])
    return rows


def _post(url: str, body: bytes, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the sandbox's own URL
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read() or b"{}", parse_float=Decimal)


def _amount(invoice: Mapping[str, Any]) -> Decimal:
    return Decimal(invoice["outstanding"]["amount"])


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counter.most_common())


def _say(number: str, title: str) -> None:
    sys.stdout.write(f"\n{number}. {title}\n")
    sys.stdout.flush()


def _show(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"   {line}\n" for line in lines)
    sys.stdout.flush()
