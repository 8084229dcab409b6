"""The settings as Singer and Meltano show them."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from target_zoho_crm.api.auth import DEFAULT_ACCOUNTS_URL
from target_zoho_crm.settings import DEFAULT_PARALLEL, PAYMENTS_MODULE


def _objects(description: str) -> dict[str, Any]:
    """Describe an object, or its JSON in a string, as the environment has it.

    To Meltano it is a string, which it hands over as it stands. What it is told is an object it reads itself: it ends
    in a traceback where that is no JSON, and loses keys with a dot in them
    (https://github.com/meltano/meltano/issues/7317).
    """
    return {"type": ["object", "string", "null"], "description": description}


CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType(nullable=False),
        required=True,
        title="Client ID",
        description="OAuth client of Zoho's API console (https://api-console.zoho.com).",
    ),
    th.Property(
        "client_secret",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Client secret",
        description="The client's secret.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description="A first refresh token. It is read once, and again when it changes; the tokens are kept in the "
        "store. Not needed after `freshbooks-zoho connect zoho`.",
    ),
    th.Property(
        "accounts_url",
        th.StringType,
        default=DEFAULT_ACCOUNTS_URL,
        title="Accounts server",
        description="Zoho's accounts server of your data centre, such as https://accounts.zoho.eu.",
    ),
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        title="Store",
        description="SQLAlchemy URL of the store for tokens and objects still to sync; a SQLite file in the project's "
        ".meltano folder if not set.",
    ),
    th.Property(
        "store_key",
        th.StringType,
        secret=True,
        title="Store key",
        description="Fernet key (or several, separated by commas) that encrypts the tokens in the store; a key file in "
        "your configuration folder if not set.",
    ),
    th.Property(
        "create_fields",
        th.BooleanType,
        default=True,
        title="Create fields",
        description="Create the fields, and the module for payments, that Zoho lacks. If false, the run stops before "
        "it writes anything and lists what is missing.",
    ),
    th.Property(
        "invoices_module",
        th.StringType,
        default="Deals",
        title="Module for invoices",
        description="API name or label: Deals, or a custom module.",
    ),
    th.Property(
        "payments_module",
        th.StringType,
        title="Module for payments",
        description=f"API name or label of a custom module, or none for no module. Not set: {PAYMENTS_MODULE}, which "
        "is created where the edition allows it; elsewhere payments show as the last payment of their deal.",
    ),
    th.Property(
        "pipeline",
        th.StringType,
        title="Pipeline",
        description="The sales pipeline of the deals; the default one if not set.",
    ),
    th.Property(
        "stage_map",
        th.CustomType(_objects("Stages.")),
        title="Stages",
        description='Stages that replace those of the table, by FreshBooks status, "deleted" or "unknown": '
        '{"paid": "Closed Won"}.',
    ),
    th.Property(
        "extra_fields",
        th.CustomType(_objects("Fields.")),
        title="Further fields",
        description='What else to fill, by stream: {"invoices": {"PO Number": "po_number"}}; to the left the label or '
        "API name of a field in Zoho, to the right a FreshBooks property, with dots for one within another, or a value "
        'of your own that begins with an equals sign: {"invoices": {"Cost Centre": "=Sales"}}.',
    ),
    th.Property(
        "owner",
        th.StringType,
        title="Owner of new accounts",
        description="The e-mail of the Zoho user who owns new accounts; the user who gave the consent if not set. New "
        "deals and payments get the owner of their account. Whoever owns a record later is left alone.",
    ),
    th.Property(
        "deleted_records",
        th.StringType,
        default="mark",
        allowed_values=["mark", "delete"],
        title="Deleted records",
        description="What happens in Zoho to an invoice or payment deleted in FreshBooks: mark it, or delete it. "
        "Accounts are only ever marked.",
    ),
    th.Property(
        "workflows",
        th.BooleanType,
        default=False,
        title="Run workflows",
        description="Let Zoho's workflows, approvals and blueprints run for what is written. A backlog may then send "
        "hundreds of e-mails.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Print the plan to the terminal (stderr), with the values it would write, and change nothing.",
    ),
    th.Property(
        "plan_file",
        th.StringType,
        title="Plan file",
        description="Where a dry run writes its plan to, as JSON lines, instead of to the terminal; only its owner may "
        "read the file.",
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType,
        default=DEFAULT_PARALLEL,
        title="Calls at a time",
        description="The most calls to Zoho at a time; never more than the edition allows.",
    ),
    th.Property(
        "modules",
        th.CustomType(_objects("Modules.")),
        title="Other streams",
        description="Streams of other taps that are named like a Zoho module and upserted as they stand, with the "
        'field that is their key: {"Contacts": "Email"}.',
    ),
).to_dict()
