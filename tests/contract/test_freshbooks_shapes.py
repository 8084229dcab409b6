"""The sandbox's FreshBooks answers with the keys, their order and the JSON types that FreshBooks answers with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.freshbooks import LINE, Api, made

from sandbox import Sandbox

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded" / "freshbooks"
"""Recorded answers, where they stand beside the project; nothing depends on them."""

CLIENT = """
accounting_systemid allow_email_include_pdf allow_late_fees allow_late_notifications bus_phone company_industry
company_size currency_code direct_link_token email exceeds_client_limit fax fname has_retainer home_phone id language
last_activity last_login level lname mob_phone note notified num_logins number_format organization p_city p_code
p_country p_province p_street p_street2 pref_email pref_gmail retainer_id role s_city s_code s_country s_province
s_street s_street2 signup_date statement_token subdomain updated userid username uuid vat_name vat_number vis_state
""".split()  # noqa: SIM905
INVOICE = """
accountid accounting_systemid address amount attach_pdf_to_email auto_bill autobill_status basecampid city code
country create_date created_at currency_code current_organization customerid date_paid deposit_amount
deposit_percentage deposit_status description discount discount_description discount_total discount_value
display_status dispute_status due_date due_offset_days estimateid ext_archive fname fulfillment_date generation_date
gmail id invoice_number invoiceid language last_order_status lname lock_status net_paid_amount notes organization
outstanding ownerid paid parent payment_details payment_status po_number province return_uri sender_address sentid
series show_attachments status street street2 template terms updated uuid v3_status vat_name vat_number version
vis_state
""".split()  # noqa: SIM905
LINE_KEYS = """
amount basecampid compounded_tax date description expenseid invoiceid lineid modern_project_id modern_time_entries
name qty retainer_id retainer_period_id taskno taxAmount1 taxAmount2 taxName1 taxName2 taxNumber1 taxNumber2 type
unit_cost updated
""".split()  # noqa: SIM905
PAYMENT = """
accounting_systemid amount bulk_paymentid clientid creditid date from_credit gateway id invoiceid logid note orderid
overpaymentid send_client_notification transaction_uuid transactionid type updated vis_state
""".split()  # noqa: SIM905
IDENTITY = """
id identity_id identity_uuid first_name last_name email language confirmed_at created_at unconfirmed_email
setup_complete phone_numbers addresses profession links profile permissions groups subscription_statuses
business_statuses integrations business_memberships identity_origin timezone otp_required_for_login
otp_delivery_method roles
""".split()  # noqa: SIM905
BUSINESS = """
id business_uuid name account_id number_format date_format first_day_of_week active timezone status
advanced_accounting_enabled industry billing_country_code business_type address phone_number business_clients
""".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def api():
    with Sandbox() as box:
        api = Api(box)
        yield api
        api.close()


@pytest.fixture(scope="module")
def records(api):
    """One of each, made with as little as it takes."""
    client = made(api.create("clients", fname="Test", lname="Client", email="someone@example.com"))
    fields = {"customerid": client["id"], "create_date": "2024-01-15", "currency_code": "USD"}
    line = {"type": 0, "name": "Consulting", "qty": 1, "unit_cost": {"amount": "1500.00", "code": "USD"}}
    invoice = made(api.create("invoices", lines=[line], **fields))
    paid = {"invoiceid": invoice["id"], "amount": {"amount": "100.00", "code": "USD"}, "date": "2024-01-15"}
    payment = made(api.create("payments", type="Cash", **paid))
    me = api.request("GET", "/auth/api/v1/users/me").json()["response"]
    return {"client": client, "invoice": invoice, "payment": payment, "me": me}


def test_the_keys_of_every_record_are_all_there_in_their_order(records):
    assert (len(CLIENT), len(INVOICE), len(PAYMENT)) == (53, 70, 20)
    assert list(records["client"]) == CLIENT
    assert list(records["invoice"]) == INVOICE
    assert list(records["payment"]) == PAYMENT
    assert list(records["me"]) == IDENTITY
    assert list(records["me"]["business_memberships"][0]["business"]) == BUSINESS


def test_the_keys_of_a_line(api, records):
    (line,) = api.get("invoices", records["invoice"]["id"], "lines")["lines"]
    assert list(line) == LINE_KEYS


def test_types_are_those_of_the_wire(api, records):
    client, invoice, payment = records["client"], records["invoice"], records["payment"]
    assert isinstance(client["id"], int)
    assert isinstance(payment["logid"], int)
    assert invoice["amount"] == {"amount": "1500.00", "code": "USD"}
    assert invoice["discount"] == {"amount": {"amount": "0.00", "code": "USD"}, "rate": "0", "type": "percent"}
    assert (invoice["vat_number"], client["vat_number"]) == ("", None)
    line = made(api.create("invoices", "lines", customerid=client["id"], create_date="2026-01-01", lines=[LINE]))[
        "lines"
    ][0]
    assert (line["qty"], line["taxAmount1"], line["taxName1"], line["lineid"]) == ("2", "0", None, 1)


def recordings():
    return sorted(RECORDED.glob("*.json")) if RECORDED.is_dir() else []


def shape(value):
    """Give a value's keys in order and the JSON types in it."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def agree(ours, theirs, path=""):
    """Compare two answers; null agrees with everything, and so does an empty list with any."""
    if ours is None or theirs is None:
        return
    assert type(ours) is type(theirs), path
    if isinstance(theirs, dict):
        if path.endswith((".permissions", "_statuses")):  # what is in them depends on account and plan
            return
        assert list(ours) == list(theirs), path
        for key in theirs:
            agree(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(theirs, list) and ours and theirs:
        agree(ours[0], theirs[0], f"{path}[]")


@pytest.fixture(scope="module")
def ask(api, records):
    """Put a recorded request to the sandbox, with the sandbox's ids in the place of those recorded."""

    def ask(recorded):
        parts = recorded["path"].split("/")
        if parts[1] == "auth":
            return api.request("GET", recorded["path"])
        stream = parts[5]
        number = records[stream[:-1]]["id"] if len(parts) > 6 else None
        for each in ("client", "invoice", "payment"):
            api.update(f"{each}s", records[each]["id"], vis_state=0)
        body = recorded["request"].get("data")
        if body:
            values = body[stream[:-1]]
            for key in ("customerid", "invoiceid"):
                if key in values:
                    values[key] = records["client" if key == "customerid" else "invoice"]["id"]
        params = recorded["request"].get("params")
        return api.request(recorded["method"], api.path(stream, number), params=params, json=body)

    return ask


def test_recorded_answers_have_the_same_keys_types_and_headers(ask, subtests):
    for path in recordings():
        with subtests.test(path.stem):
            (recorded,) = json.loads(path.read_text(encoding="utf-8"))
            answer = ask(recorded)
            assert answer.status_code == recorded["status"]
            agree(answer.json(), recorded["body"])
            ours = {name.lower() for name in answer.headers} - {"content-length"}
            assert ours == set(recorded["headers"])
            for name in ("content-type", "server", "x-api-version", "x-ratelimit-limit"):
                assert answer.headers[name] == recorded["headers"][name]
