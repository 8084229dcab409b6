"""The properties that FreshBooks' records have, for checking the setting `extra_fields`.

As listed at https://www.freshbooks.com/api/clients, /invoices and /payments, with what the tap adds.
"""

from __future__ import annotations

_CLIENT = """
account_id accounting_systemid allow_email_include_pdf allow_late_fees allow_late_notifications bus_phone
company_industry company_size created_at credit_balance currency_code direct_link_token draft_balance email
exceeds_client_limit fax fname has_retainer home_phone id language last_activity last_login late_fee late_reminders
level lname mob_phone note notified num_logins number_format organization outstanding_balance overdue_balance p_city
p_code p_country p_province p_street p_street2 pref_email pref_gmail retainer_id role s_city s_code s_country
s_province s_street s_street2 signup_date statement_token subdomain updated userid username uuid vat_name vat_number
vis_state
"""
_INVOICE = """
account_id accountid accounting_systemid address amount attach_pdf_to_email auto_bill autobill_status basecampid city
code country create_date created_at currency_code current_organization customerid date_paid deposit_amount
deposit_percentage deposit_status description discount discount_description discount_total discount_value
display_status dispute_status due_date due_offset_days estimateid ext_archive fname fulfillment_date generation_date
gmail id invoice_number invoiceid language last_order_status lines lname lock_status net_paid_amount notes
organization outstanding ownerid paid parent payment_details payment_status po_number province return_uri
sender_address sentid series show_attachments status street street2 template terms updated uuid v3_status vat_name
vat_number version vis_state
"""
_PAYMENT = """
account_id accounting_systemid amount bulk_paymentid clientid creditid date from_credit gateway id invoiceid logid note
orderid overpaymentid send_client_notification transaction_uuid transactionid type updated vis_state
"""

PROPERTIES: dict[str, frozenset[str]] = {
    "clients": frozenset(_CLIENT.split()),
    "invoices": frozenset(_INVOICE.split()),
    "payments": frozenset(_PAYMENT.split()),
}
