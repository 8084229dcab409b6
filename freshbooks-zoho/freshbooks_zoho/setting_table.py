"""The companion's own settings, as meltano.yml declares them; a test keeps the two alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: as in meltano.yml; its variable is FRESHBOOKS_ZOHO_ and the name in capitals.
        label: for people.
        kind: Meltano's.
        description: what it is for.
        value: what counts where nothing is set.
        sensitive: whether Meltano hides it.
    """

    name: str
    label: str
    kind: str
    description: str
    value: str | int | bool | None = None
    sensitive: bool = False


OWN = (
    Setting(
        "public_url",
        "Public URL",
        "string",
        "Where FreshBooks and Zoho reach this service, such as https://sync.example.com. Not set: no webhooks, and "
        "what changed is found at each poll_interval.",
    ),
    Setting("host", "Host", "string", "Address that webhooks are listened for at.", "127.0.0.1"),
    Setting("port", "Port", "integer", "Port that webhooks are listened for at.", 8080),
    Setting("admin_host", "Admin host", "string", "Address of the status page and of the metrics.", "127.0.0.1"),
    Setting("admin_port", "Admin port", "integer", "Port of the status page and of the metrics.", 8081),
    Setting(
        "admin_password",
        "Admin password",
        "string",
        "Password for the status page and the metrics. Not set: they are for this machine only.",
        sensitive=True,
    ),
    Setting(
        "poll_interval",
        "Poll interval",
        "integer",
        "Seconds between two runs that look for everything that changed.",
        900,
    ),
    # Not an integer: half a second is a fair wish. Meltano cannot hand a decimal on.
    Setting("debounce", "Debounce", "string", "Seconds without a further event before events become a run.", "2"),
    Setting(
        "restore_fields",
        "Restore fields",
        "boolean",
        "Put FreshBooks' value back where someone changed it in Zoho.",
        value=True,
    ),
    Setting(
        "restore_deleted",
        "Restore deleted records",
        "boolean",
        "Write a synced record again that someone deleted in Zoho.",
        value=True,
    ),
    Setting(
        "extractor",
        "Extractor",
        "string",
        "Name of the plugin that reads FreshBooks: tap-freshbooks, or one that inherits from it, where one project "
        "syncs several businesses.",
        "tap-freshbooks",
    ),
    Setting(
        "loader",
        "Loader",
        "string",
        "Name of the plugin that writes to Zoho: target-zoho-crm, or one that inherits from it.",
        "target-zoho-crm",
    ),
    Setting(
        "store_url",
        "Store URL",
        "string",
        "SQLAlchemy URL of the store. The one of tap-freshbooks and target-zoho-crm, if not set.",
        sensitive=True,
    ),
    Setting(
        "store_key",
        "Store key",
        "string",
        "Fernet key(s) of the store. Those of tap-freshbooks and target-zoho-crm, if not set.",
        sensitive=True,
    ),
)
DEFAULTS = {setting.name: setting.value for setting in OWN if setting.value is not None}
