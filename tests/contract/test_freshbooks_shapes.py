"""The sandbox's FreshBooks answers with the keys, their order and the JSON types that FreshBooks answers with."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.freshbooks import LINE, Api, made
from support.wire import calls, described, disagreements, form

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


BODIES = {
    "create-client": {"fname": "Test", "lname": "Client", "email": "someone@example.com"},
    "create-invoice": {"create_date": "2024-01-15", "currency_code": "USD", "lines": [LINE]},
    "create-payment": {"amount": {"amount": "10.00", "code": "USD"}, "date": "2024-01-15", "type": "Cash"},
    "update-client": {"note": "Changed"},
    "update-invoice": {"notes": "Changed"},
    "send-invoice": {"action_mark_as_sent": True},
    "delete-client": {"vis_state": 1},
    "delete-payment": {"vis_state": 1},
}


@pytest.mark.parametrize("name", calls())
def test_answers_have_the_keys_the_forms_and_the_headers_of_recorded_ones(api, records, name):
    recorded = calls()[name]
    for each in ("client", "invoice", "payment"):
        api.update(f"{each}s", records[each]["id"], vis_state=0)
    kind = recorded["path"].split("/")[5][:-1] if "/account/" in recorded["path"] else "me"
    body = {"customerid": records["client"]["id"], "invoiceid": records["invoice"]["id"], **BODIES.get(name, {})}
    body = {key: value for key, value in body.items() if recorded["method"] == "POST" or key in BODIES.get(name, {})}
    path = recorded["path"].replace("{account}", api.account).replace("{id}", str(records[kind]["id"]))
    answer = api.request(recorded["method"], path, params=recorded["params"], json={kind: body} if body else None)
    assert answer.status_code == recorded["status"]
    assert disagreements(form(answer.json()), recorded["body"]) == []
    assert sorted({header.lower() for header in answer.headers} - {"content-length"}) == recorded["headers"]
    assert answer.headers["content-type"] == recorded["content_type"]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not part of the project")
def test_what_is_written_of_recorded_answers_is_how_they_are():
    assert described(RECORDED) == calls()


def test_an_answer_of_another_form_is_noticed():
    theirs = {"id": "int", "rows": [{"amount": "number", "note": "null|text"}]}
    assert disagreements({"id": "int", "rows": [{"amount": "number", "note": "text"}]}, theirs) == []
    assert disagreements({"id": "int", "rows": []}, theirs) == []
    for other in ({"id": "text", "rows": []}, {"rows": []}, {"id": "int", "rows": [{"note": "text", "amount": "int"}]}):
        assert disagreements(other, theirs)
