"""The fields of each stream, under FreshBooks' own names.

Sources: https://www.freshbooks.com/api/clients, /api/invoices, /api/payments, and answers of the API version
2023-02-20, which has a few fields that those pages do not list yet.
"""

from __future__ import annotations

from tap_freshbooks.fields import Fields, nested, several

CLIENTS = Fields(
    number_key="id",
    text_key="account_id",
    integer="userid exceeds_client_limit level num_logins retainer_id",
    vis_state="vis_state",
    text=(
        "accounting_systemid uuid username role language currency_code number_format subdomain "
        "fname lname organization email bus_phone home_phone mob_phone fax note "
        "p_street p_street2 p_city p_province p_code p_country "
        "s_street s_street2 s_city s_province s_code s_country "
        "vat_name vat_number company_industry company_size direct_link_token statement_token"
    ),
    boolean=(
        "allow_email_include_pdf allow_late_fees allow_late_notifications has_retainer notified pref_email pref_gmail"
    ),
    eastern="updated last_login last_activity",
    utc="signup_date",
    balances="outstanding_balance overdue_balance credit_balance draft_balance",
)

LINES = Fields(
    prefix="lines.",
    # lineid is unique inside its invoice only.
    integer=("lineid invoiceid basecampid expenseid taskno modern_project_id retainer_id retainer_period_id type"),
    text="name description qty date taxName1 taxName2 taxNumber1 taxNumber2 taxAmount1 taxAmount2",
    boolean="compounded_tax",
    eastern="updated",
    money="unit_cost amount",
    list="modern_time_entries",
)

INVOICES = Fields(
    {
        "discount": nested(Fields(prefix="discount.", money="amount", text="rate type")),
        "sender_address": nested(Fields(prefix="sender_address.", text="street street2 city province code country")),
        "lines": several(LINES),
    },
    number_key="id",
    text_key="account_id",
    integer=("invoiceid customerid basecampid due_offset_days estimateid ext_archive ownerid parent sentid status"),
    vis_state="vis_state",
    text=(
        "accountid accounting_systemid uuid invoice_number po_number language template series currency_code "
        "organization current_organization fname lname address street street2 city province code country "
        "vat_name vat_number description notes terms payment_details return_uri "
        "v3_status display_status payment_status autobill_status deposit_status dispute_status last_order_status "
        "lock_status deposit_percentage discount_description discount_value"
    ),
    boolean="attach_pdf_to_email auto_bill gmail show_attachments",
    day="create_date due_date date_paid fulfillment_date generation_date",
    eastern="updated created_at",
    eastern_exact="version",
    money="amount paid outstanding net_paid_amount discount_total deposit_amount",
)

PAYMENTS = Fields(
    number_key="id",
    text_key="account_id",
    integer="logid invoiceid clientid creditid overpaymentid bulk_paymentid orderid",
    vis_state="vis_state",
    text="accounting_systemid type gateway note transactionid transaction_uuid",
    boolean="from_credit send_client_notification",
    day="date",
    eastern="updated",
    money="amount",
)
