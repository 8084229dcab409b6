"""The fields of each kind of record in alphabetical order, with what is shown where nothing was written.

Source: https://www.freshbooks.com/api/clients, /invoices and /payments, and recorded answers of 2026. Unset text is
``""`` for some fields and null for others; both are kept as FreshBooks has them.
"""

from __future__ import annotations

from typing import Any

CLIENT: dict[str, Any] = {
    "accounting_systemid": "",
    "allow_email_include_pdf": False,
    "allow_late_fees": True,
    "allow_late_notifications": True,
    "bus_phone": "",
    "company_industry": None,
    "company_size": None,
    "currency_code": "",
    "direct_link_token": None,
    "email": "",
    "exceeds_client_limit": 0,
    "fax": "",
    "fname": "",
    "has_retainer": None,
    "home_phone": None,
    "id": 0,
    "language": "en",
    "last_activity": None,
    "last_login": None,
    "level": 0,
    "lname": "",
    "mob_phone": "",
    "note": None,
    "notified": False,
    "num_logins": 0,
    "number_format": None,
    "organization": "",
    "p_city": "",
    "p_code": "",
    "p_country": "",
    "p_province": "",
    "p_street": "",
    "p_street2": "",
    "pref_email": True,
    "pref_gmail": False,
    "retainer_id": None,
    "role": "client",
    "s_city": "",
    "s_code": "",
    "s_country": "",
    "s_province": "",
    "s_street": "",
    "s_street2": "",
    "signup_date": "",
    "statement_token": None,
    "subdomain": None,
    "updated": "",
    "userid": 0,
    "username": "",
    "uuid": "",
    "vat_name": None,
    "vat_number": None,
    "vis_state": 0,
}
CLIENT_WRITABLE = frozenset(
    """
    allow_email_include_pdf allow_late_fees allow_late_notifications bus_phone company_industry company_size
    email fax fname home_phone language lname mob_phone note organization p_city p_code p_country p_province
    p_street p_street2 pref_email pref_gmail s_city s_code s_country s_province s_street s_street2 vat_name
    vat_number
    """.split()  # noqa: SIM905
)

CLIENT_INCLUDES: dict[str, Any] = {"late_fee": None, "late_reminders": []}

INVOICE: dict[str, Any] = {
    "accountid": "",
    "accounting_systemid": "",
    "address": "",
    "amount": None,
    "attach_pdf_to_email": False,
    "auto_bill": False,
    "autobill_status": None,
    "basecampid": 0,
    "city": "",
    "code": "",
    "country": "",
    "create_date": "",
    "created_at": "",
    "currency_code": "",
    "current_organization": "",
    "customerid": 0,
    "date_paid": None,
    "deposit_amount": None,
    "deposit_percentage": None,
    "deposit_status": "none",
    "description": "",
    "discount": None,
    "discount_description": None,
    "discount_total": None,
    "discount_value": "0",
    "display_status": "draft",
    "dispute_status": None,
    "due_date": "",
    "due_offset_days": 0,
    "estimateid": 0,
    "ext_archive": 0,
    "fname": "",
    "fulfillment_date": None,
    "generation_date": None,
    "gmail": False,
    "id": 0,
    "invoice_number": "",
    "invoiceid": 0,
    "language": "en",
    "last_order_status": None,
    "lname": "",
    "lock_status": "unlocked",
    "net_paid_amount": None,
    "notes": "",
    "organization": "",
    "outstanding": None,
    "ownerid": 1,
    "paid": None,
    "parent": 0,
    "payment_details": "",
    "payment_status": "unpaid",
    "po_number": None,
    "province": "",
    "return_uri": None,
    "sender_address": None,
    "sentid": 1,
    "series": "",
    "show_attachments": True,
    "status": 1,
    "street": "",
    "street2": "",
    "template": "clean-grouped",
    "terms": None,
    "updated": "",
    "uuid": "",
    "v3_status": "draft",
    "vat_name": "",
    "vat_number": "",
    "version": "",
    "vis_state": 0,
}
INVOICE_WRITABLE = frozenset(
    """
    address attach_pdf_to_email auto_bill basecampid city code country deposit_amount deposit_percentage
    discount_description estimateid ext_archive generation_date gmail language notes parent payment_details
    po_number province return_uri show_attachments street street2 template terms vat_name vat_number
    """.split()  # noqa: SIM905
)
INVOICE_INCLUDES: dict[str, Any] = {
    "allowed_gateways": [],
    "audit_logs": [],
    "client_audits": [],
    "comments": [],
    "contacts": [],
    "late_fee": None,
    "late_reminders": [],
    "latest_journal_entry": None,
    "owner": None,
    "presentation": None,
    "system": None,
}

PAYMENT: dict[str, Any] = {
    "accounting_systemid": "",
    "amount": None,
    "bulk_paymentid": None,
    "clientid": 0,
    "creditid": None,
    "date": "",
    "from_credit": False,
    "gateway": None,
    "id": 0,
    "invoiceid": 0,
    "logid": 0,
    "note": "",
    "orderid": None,
    "overpaymentid": None,
    "send_client_notification": None,
    "transaction_uuid": None,
    "transactionid": None,
    "type": "",
    "updated": "",
    "vis_state": 0,
}
PAYMENT_WRITABLE = frozenset(
    {"bulk_paymentid", "gateway", "note", "orderid", "send_client_notification", "transactionid"}
)

LINE_WRITABLE = frozenset(
    """
    date expenseid modern_project_id retainer_id retainer_period_id taxName1 taxName2 taxNumber1 taxNumber2
    type
    """.split()  # noqa: SIM905
)
