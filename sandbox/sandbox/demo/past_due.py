"""Who is past due, asked of Zoho CRM, and whether that is what FreshBooks says."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.times import EASTERN

if TYPE_CHECKING:
    from sandbox import Sandbox
    from sandbox.demo.telling import Teller

PAST_DUE = """
    select Account_Name.Account_Name, Currency, SUM(FreshBooks_Outstanding), COUNT(id), MIN(FreshBooks_Due_Date)
    from Deals
    where ((FreshBooks_Outstanding > 0 and FreshBooks_Due_Date < '{today}')
      and (FreshBooks_Status != 'draft' and FreshBooks_State != 'deleted'))
    group by Account_Name.Account_Name, Currency
    limit 0, 2000
"""


def show_past_due(box: Sandbox, teller: Teller) -> bool:
    """Print who is past due, and say whether Zoho's totals are FreshBooks' own."""
    # What is overdue today depends on where it is today: FreshBooks' clock is Eastern.
    today = box.clock.now().astimezone(EASTERN).date().isoformat()
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
    teller.show(*lines)
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
