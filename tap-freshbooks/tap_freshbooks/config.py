"""The settings as Singer and Meltano show them."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_freshbooks.settings import API_URL, AUTH_URL, USER_AGENT

CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType(nullable=False),
        required=True,
        title="Client ID",
        description="Client ID of your app, from FreshBooks' developer settings.",
    ),
    th.Property(
        "client_secret",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Client secret",
        description="Client secret of your app.",
    ),
    th.Property(
        "redirect_uri",
        th.StringType(nullable=False),
        required=True,
        title="Redirect URI",
        description="One of the redirect URIs registered with your app; FreshBooks wants it at every token refresh.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description=(
            "Refresh token of a fresh consent. Only a seed: FreshBooks' refresh tokens are used up by being used, so "
            "the store holds the current one, and this one counts again only when its value changes. Not needed where "
            "the store is connected already."
        ),
    ),
    th.Property(
        "account_id",
        th.StringType,
        title="Account ID",
        description="Account ID of the business, for example ZyQ04o. Found by itself where the user has one business.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "Earliest `updated` to read on the first run; what is still open is read whatever its age. "
            "Everything, if not set."
        ),
    ),
    th.Property(
        "record_ids",
        th.ObjectType(),
        title="Record IDs",
        description=(
            'Read just these objects, with what they depend on, and leave the state alone: {"clients": [], "invoices": '
            '[], "payments": []}.'
        ),
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description=(
            "Read and write records as ever, but note nothing in the store: neither the run nor which objects "
            "FreshBooks no longer has. For plans, together with the setting of that name of target-zoho-crm."
        ),
    ),
    th.Property("api_url", th.StringType, default=API_URL, title="API URL", description="Where FreshBooks' API is."),
    th.Property(
        "auth_url",
        th.StringType,
        default=AUTH_URL,
        title="Authorization URL",
        description="Where FreshBooks asks a user for consent; used when connecting.",
    ),
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        title="Store URL",
        description=(
            "SQLAlchemy URL of the store of tokens and of objects still to sync. A SQLite file in the Meltano project, "
            "if not set; several machines share one through PostgreSQL."
        ),
    ),
    th.Property(
        "store_key",
        th.StringType,
        secret=True,
        title="Store key",
        description="Fernet key(s) of the store, comma-separated, the first one encrypts. A key file, if not set.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        default=USER_AGENT,
        title="User agent",
        description="What the tap calls itself in its requests.",
    ),
).to_dict()

# A JSON text is taken as well, because that is what an environment variable holds. Declared this way the SDK hands it
# over as it is, instead of parsing it and ending in a traceback where it is malformed.
CONFIG_JSONSCHEMA["properties"]["record_ids"]["anyOf"] = [{"type": ["object", "null"]}, {"type": "string"}]
del CONFIG_JSONSCHEMA["properties"]["record_ids"]["type"]
