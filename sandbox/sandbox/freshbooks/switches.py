"""What is not certain about FreshBooks, as switches.

Where a fact is not known, the default is the one that is harder on a client of the API, or the one that recordings of
2026 suggest; the README lists them with their reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Switches:
    """Each may be changed at any time; `Sandbox().freshbooks.switches` holds those in force."""

    # OAuth
    refresh_revokes_access_token: bool = True
    """The access token that a refresh replaces is dead at once."""
    consent_revokes_refresh_tokens: bool = False
    """A new consent kills the refresh tokens (and access tokens) of earlier ones."""
    refresh_keeps_created_at: bool = False
    """A refresh answers with the `created_at` of the token it replaces, and ``expires_in`` 43199."""
    refresh_needs_redirect_uri: bool = True
    token_names_scope: bool = True
    """A token answer says what the token may do."""
    allow_any_redirect_uri: bool = False
    """Take redirect URIs that are not registered or not HTTPS, as a test's own receiver is."""
    consent: bool = True
    """What the person answers at the authorize page; False sends ``error=access_denied``."""

    # Reading
    today_zone: str = "eastern"
    """Whose day decides what is overdue: ``eastern`` or ``business``."""
    filter_zone: str = "eastern"
    """Where the day of `updated_min` and `updated_max` begins: ``eastern`` or ``utc``."""
    timestamp_filter: str = "error"
    """A time of day in a date filter: ``error`` (422, errno 1023), ``truncate`` or ``ignore``."""
    partial_date_paid: bool = False
    """`date_paid` is set on a partly paid invoice too."""
    unreadable_rows: bool = False
    """To a client-role identity, lists tell the `total` and give no rows."""

    null_membership: bool = False
    """``/users/me`` lists a membership that is null."""

    # Errors
    error_shape: str = "by_version"
    """``classic``, ``new``, or ``by_version``: new for ``Api-Version: alpha``, classic otherwise."""
    accounting_401: str = "auth"
    """Body of a 401 under /accounting: ``auth`` (as /auth writes it), ``classic`` or ``new``."""
    inactive_status: int = 403
    """HTTP status of errno 1042, which an account without a subscription answers: 200, 401, 402, 403, 410 or 423."""
    inactive_identity: bool = True
    """``/users/me`` tells that the subscription has ended."""
    refused_with_200: set[str] = field(default_factory=set)
    """Streams (clients, invoices, payments) that are answered with errors under status 200."""

    # What moves `updated`
    invoice_create_bumps_client: bool = True
    invoice_edit_bumps_client: bool = False
    payment_delete_bumps_invoice: bool = True
    invoice_delete_bumps_payments: bool = False
    client_edit_touches_drafts: bool = True
    """A client's new name is written to its drafts, which bumps them; what was sent keeps the old name."""
    view_bumps_invoice: bool = True

    # Money that pays no invoice
    overpayments_are_listed: bool = False
    """What is paid too much is a row of the payments of its own, besides the `overpaymentid` of the payment."""
    converted_payment_keeps_id: bool = True
    """A payment that is turned into a credit stays the same row; else it is deleted, and another one is made."""

    # Callbacks
    resend_renews_verifier: bool = False
    handshake_fields: tuple[str, ...] = (
        "name",
        "object_id",
        "account_id",
        "business_id",
        "identity_id",
        "user_id",
        "verifier",
    )
    payment_announces_invoice: bool = False
    """A payment is followed by ``invoice.update`` for its invoice."""
    edit_needs_verification: bool = True
    """A callback whose uri was changed has to be verified again."""
    disable_after: int = 5
    """Deliveries lost in a row, all their retries included, after which a callback is switched off."""
