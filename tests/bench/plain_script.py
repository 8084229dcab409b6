"""What the pipe is measured against: the same job as a plain script on the two vendors' SDKs, one call after another.

It lists clients, invoices and payments page by page, makes the fields it needs, and upserts Accounts, Deals and
payments in hundreds. It compares nothing, keeps no state and is stopped by the first error: what one writes in an
afternoon. Settings come from the environment by the plugins' names; prints the seconds it took.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import requests
from freshbooks import Client, IncludesBuilder, PaginateBuilder
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import Initializer
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.record import Record as ZohoRecord
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

STAGES = {"draft": "Proposal/Price Quote", "paid": "Closed Won"}
FIELDS = {
    "Accounts": [("FreshBooks ID", "text"), ("FreshBooks Outstanding", "currency")],
    "Deals": [
        ("FreshBooks ID", "text"),
        ("FreshBooks Status", "text"),
        ("FreshBooks Paid", "currency"),
        ("FreshBooks Outstanding", "currency"),
        ("FreshBooks Due Date", "date"),
    ],
}


class _Environment(DataCenter):
    def __init__(self, api_domain: str, accounts_url: str) -> None:
        self.environment = DataCenter.Environment(api_domain, accounts_url + "/oauth/v2/token", api_domain)


def main() -> None:
    """Do the whole job once."""
    start = time.perf_counter()
    account = os.environ["TAP_FRESHBOOKS_ACCOUNT_ID"]
    freshbooks = Client(
        client_id=os.environ["TAP_FRESHBOOKS_CLIENT_ID"],
        client_secret=os.environ["TAP_FRESHBOOKS_CLIENT_SECRET"],
        redirect_uri=os.environ["TAP_FRESHBOOKS_REDIRECT_URI"],
    )
    freshbooks.refresh_access_token(os.environ["TAP_FRESHBOOKS_REFRESH_TOKEN"])
    with tempfile.TemporaryDirectory() as folder:
        _initialize_zoho(folder)
        _make_fields()
        accounts: dict[int, str] = {}
        deals: dict[int, str] = {}
        for page in _pages(freshbooks.clients, account):
            accounts |= _upsert("Accounts", [(client.id, _account(account, client)) for client in page])
        for page in _pages(freshbooks.invoices, account, "lines"):
            deals |= _upsert("Deals", [(invoice.id, _deal(account, invoice, accounts)) for invoice in page])
        for page in _pages(freshbooks.payments, account):
            _upsert("FreshBooks_Payments", [(payment.id, _payment(account, payment, deals)) for payment in page])
    sys.stdout.write(f"{time.perf_counter() - start:.3f}\n")


def _pages(resource, account, *includes):
    number = 1
    while True:
        builders = [PaginateBuilder(number, 100)]
        builders += [IncludesBuilder().include(name) for name in includes]
        page = resource.list(account, builders=builders)
        yield list(page)
        if number >= page.pages.pages:
            return
        number += 1


def _zoho_token() -> tuple[str, str]:
    answer = requests.post(
        os.environ["TARGET_ZOHO_CRM_ACCOUNTS_URL"] + "/oauth/v2/token",
        data={
            "grant_type": "refresh_token",
            "client_id": os.environ["TARGET_ZOHO_CRM_CLIENT_ID"],
            "client_secret": os.environ["TARGET_ZOHO_CRM_CLIENT_SECRET"],
            "refresh_token": os.environ["TARGET_ZOHO_CRM_REFRESH_TOKEN"],
        },
        timeout=60,
    ).json()
    return answer["api_domain"], answer["access_token"]


def _initialize_zoho(folder: str) -> None:
    api_domain, _ = _zoho_token()
    environment = DataCenter.Environment(
        api_domain, os.environ["TARGET_ZOHO_CRM_ACCOUNTS_URL"] + "/oauth/v2/token", api_domain
    )
    token = OAuthToken(
        client_id=os.environ["TARGET_ZOHO_CRM_CLIENT_ID"],
        client_secret=os.environ["TARGET_ZOHO_CRM_CLIENT_SECRET"],
        refresh_token=os.environ["TARGET_ZOHO_CRM_REFRESH_TOKEN"],
        find_user=False,
    )
    Initializer.initialize(
        environment,
        token,
        store=FileStore(str(Path(folder) / "tokens")),
        sdk_config=SDKConfig(pick_list_validation=False),
        resource_path=folder,
    )


def _make_fields() -> None:
    api_domain, access_token = _zoho_token()
    headers = {"Authorization": f"Zoho-oauthtoken {access_token}"}
    url = f"{api_domain}/crm/v8/settings"
    modules = requests.get(f"{url}/modules/Accounts", headers=headers, timeout=60).json()["modules"]
    module = {
        "singular_label": "FreshBooksPayment",
        "plural_label": "FreshBooks Payments",
        "api_name": "FreshBooks_Payments",
        "profiles": modules[0]["profiles"][:1],
        "display_field": {"field_label": "Payment Name", "data_type": "text"},
    }
    answer = requests.post(f"{url}/modules", json={"modules": [module]}, headers=headers, timeout=60)
    answer.raise_for_status()
    fields = {
        **FIELDS,
        "FreshBooks_Payments": [("FreshBooks ID", "text"), ("Amount", "currency"), ("Date", "date"), ("Type", "text")],
    }
    for name, wanted in fields.items():
        body = [{"field_label": label, "data_type": kind} for label, kind in wanted]
        for field in body:
            if field["data_type"] == "text":
                field["length"] = 100
            if field["field_label"] == "FreshBooks ID":
                field["unique"] = {"case_sensitive": False}
        answer = requests.post(
            f"{url}/fields", params={"module": name}, json={"fields": body}, headers=headers, timeout=60
        )
        answer.raise_for_status()
    deal = {"field_label": "Deal", "data_type": "lookup", "lookup": {"module": {"api_name": "Deals"}}}
    requests.post(
        f"{url}/fields",
        params={"module": "FreshBooks_Payments"},
        json={"fields": [deal]},
        headers=headers,
        timeout=60,
    ).raise_for_status()


def _upsert(module: str, rows: list[tuple[int, dict]]) -> dict[int, str]:
    records = []
    for _, values in rows:
        record = ZohoRecord()
        for name, value in values.items():
            record.add_key_value(name, value)
        records.append(record)
    body = BodyWrapper()
    body.set_data(records)
    body.set_duplicate_check_fields(["FreshBooks_ID"])
    body.set_trigger([])
    answer = RecordOperations(module).upsert_records(body).get_object()
    return {
        number: str(result.get_details()["id"]) for (number, _), result in zip(rows, answer.get_data(), strict=True)
    }


def _lookup(record_id: str) -> ZohoRecord:
    record = ZohoRecord()
    record.set_id(int(record_id))
    return record


def _account(account, client) -> dict:
    return {
        "Account_Name": client.organization or f"{client.fname} {client.lname}",
        "Phone": client.bus_phone,
        "FreshBooks_ID": f"{account}:{client.id}",
    }


def _deal(account, invoice, accounts) -> dict:
    return {
        "Deal_Name": f"{invoice.invoice_number} - {invoice.current_organization}",
        "Amount": float(Decimal(str(invoice.amount.amount))),
        "Stage": Choice(STAGES.get(invoice.v3_status, "Negotiation/Review")),
        "Closing_Date": invoice.due_date,
        "Account_Name": _lookup(accounts[invoice.customerid]),
        "FreshBooks_ID": f"{account}:{invoice.id}",
        "FreshBooks_Status": invoice.v3_status,
        "FreshBooks_Outstanding": float(Decimal(str(invoice.outstanding.amount))),
    }


def _payment(account, payment, deals) -> dict:
    return {
        "Name": f"Payment {payment.id}",
        "Amount": float(Decimal(str(payment.amount.amount))),
        "Date": payment.date,
        "Type": payment.type,
        "Deal": _lookup(deals[payment.invoiceid]),
        "FreshBooks_ID": f"{account}:{payment.id}",
    }


if __name__ == "__main__":
    main()
