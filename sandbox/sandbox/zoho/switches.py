"""Where Zoho's behaviour is not known for certain, or differs between organizations: a switch for each reading."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Switches:
    """How this Zoho behaves; change the attributes in place."""

    # accounts server
    throttle_status: int = 400
    """HTTP status of "Access Denied" at the token endpoint: 400 or 200."""
    throttle_minutes: float = 10
    """How long the token endpoint refuses after the throttle has struck."""
    old_expiry: bool = False
    """Token answers have `expires_in` in milliseconds, and `expires_in_sec` beside it, as older ones had."""
    device_status: int = 200
    """HTTP status of the device flow's errors while polling."""
    device_interval: float = 30.0
    """Seconds between two polls of the device flow."""
    device_form: bool = True
    """The device flow's parameters may come as a form body, not only in the query."""
    device_wrong_client: str = "invalid_client"
    """The error of a client that is not one for limited-input devices."""
    user_location: str | None = None
    """The data centre of the user who consents; None is that of the accounts server."""
    consent_denied: bool = False
    """The user refuses at the consent page."""
    refresh_names_scopes: bool = True
    """A refreshed access token comes with its scopes."""
    repeat_consent_omits_refresh_token: bool = True
    """A second consent without ``prompt=consent`` gives no refresh token."""
    token_without_api_domain: bool = False
    """Token answers do not say the `api_domain`."""
    token_error: str | None = None
    """The error of every token request, in a 200: ``other_dc``, or one that nobody has listed."""

    # gateway
    dead_credential_code: str = "INVALID_TOKEN"
    """The code of a token that is no longer good: ``INVALID_TOKEN`` (observed) or ``INVALID_OAUTHTOKEN``."""
    accepts_bearer: bool = False
    """The header may say Bearer instead of Zoho-oauthtoken."""

    # writes
    all_failed_status: int = 400
    """HTTP status of a write of which no record succeeded: 400, or 202 as in version 2."""
    mixed_status: int = 207
    """HTTP status of a write of which some records succeeded: 207 (production) or 200 (a Zoho sandbox)."""
    unknown_fields: str = "ignore"
    """Keys that no field has: ``ignore`` or ``refuse``."""
    currency_without_feature: str = "ignore"
    """`Currency` sent to an organization with one currency: ``ignore`` or ``refuse``."""
    record_currency: str = "ignored"
    """Another `Currency` than a record was made with: ``ignored``, ``refused`` or ``changed``."""
    restore_brings_unique_values: bool = True
    """A record restored from the bin has its unique values again, even where another one has them by now."""
    surplus_decimals: str = "refuse"
    """Amounts with more decimals than the field has: ``refuse`` or ``round``."""
    datetime_accepts_z: bool = False
    """Date-times may end in Z instead of an offset."""
    several_match: str = "oldest"
    """Which record an upsert takes when several match: ``oldest``, ``newest`` or ``refuse``."""
    id_wins: bool = True
    """An `id` in an upserted record comes before its duplicate check fields."""
    insert_names_duplicate_field: str | None = None
    """The `duplicate_field` of a record that an upsert inserted."""
    batch_sees_itself: bool = True
    """A record matches one that was inserted earlier in the same call (else it is DUPLICATE_DATA)."""
    account_by_name: bool = True
    """A Deal's ``Account_Name: {"name": ...}`` finds or creates the account."""
    layout_mandatory: str = "always"
    """When a layout's mandatory fields count: ``always``, or for records that name their Layout (``with_layout``)."""
    named_layout_keeps_other_fields: bool = True
    """A record that names its Layout may have values in fields which that layout does not show."""
    lookup_error_names: str = "field"
    """A lookup to an id that does not exist: `api_name` says the ``field`` or ``id``."""

    # metadata
    modules_follow_profile: bool = True
    """GET settings/modules leaves out what the user may not view, and says what else the user may not do."""
    hidden_module_refusal: str = "NO_PERMISSION"
    """What calls about a module that the user may not view are told: that (403) or ``INVALID_MODULE`` (400)."""
    currencies_without_feature: str = "CURRENCIES_NOT_ENABLED"
    """The code of GET org/currencies with one currency: that, ``FEATURE_NOT_SUPPORTED`` or ``FEATURE_NOT_ENABLED``."""
    currencies_without_feature_status: int = 403
    """Its HTTP status: 403, 400, or 204 (without a code)."""
    custom_field_caps: dict[str, int] = field(
        default_factory=lambda: {"free": 0, "standard": 10, "professional": 155, "enterprise": 300, "ultimate": 500}
    )
    """Custom fields per module, by edition."""
    field_limit_code: str = "FIELD_LIMIT_EXCEEDED"
    """The code beyond them: that or ``LIMIT_EXCEEDED``."""
    custom_module_caps: dict[str, int] = field(
        default_factory=lambda: {"free": 0, "standard": 10, "professional": 25, "enterprise": 200, "ultimate": 500}
    )
    """Custom modules, by edition."""
    refused_module_costs: bool = True
    """A module that is refused costs as many credits as one that is made."""
    permissions_as_text: bool = False
    """A missing permission is named in a text instead of a list."""
    custom_module_refusal: str = "NOT_SUPPORTED"
    """Code where the edition has no custom modules: ``NOT_SUPPORTED`` (403) or ``LIMIT_EXCEEDED`` (400)."""
    label_length: int = 25
    """The longest label of a new field (the response schema says 50)."""

    # reads
    reads_actual_values: bool = False
    """Pick lists are read as actual values; what is written is the display value in any case."""
    search_delay: float = 0.0
    """Seconds before a written record can be found by search."""
    unknown_id_status: int = 204
    """GET of one record that does not exist: 204, 404 or 400."""
    coql_in: int = 50
    """The most values of an `in` list."""
    coql_columns: int = 50
    """The most columns of a select."""
    coql_backslash: bool = True
    """A backslash in a string takes the next character as it is, besides a doubled quote."""
    coql_aggregates: str = "all"
    """Fields of which functions are known: ``all``, or what is ``documented`` (no MIN of a date, no COUNT of id)."""

    # notifications
    watch_max_hours: float = 168
    """The longest life of a channel, in hours; beyond it one gets `watch_default_hours`."""
    watch_default_hours: float = 1
    """The life of a channel without a usable expiry, in hours."""
    watch_offset_hours: int = -11
    """The offset in which the expiry is answered."""
    watch_post_on_live: str = "replace"
    """Enabling a channel that is alive: ``replace`` or ``refuse``."""
    watch_patch_needs_events: bool = False
    """A PATCH without `events` is refused."""
    notify_own_writes: bool = True
    """Writes through the API send notifications too."""
    notify_ids_per_message: int = 100
    """The most ids in one notification."""

    # limits
    credits_limit: int | None = None
    """API credits of 24 hours; None is what the edition has."""
    enforce_concurrency: bool = True
    """Refuse what is more than the edition's simultaneous calls."""
    retry_after: int | None = None
    """Seconds in a Retry-After header of 429 answers; None sends none."""
    old_429: bool = False
    """429 answers have the older body."""
