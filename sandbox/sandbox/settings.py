"""The plugins' settings for a sandbox that runs."""

from __future__ import annotations

from typing import Any


def environment(description: dict[str, Any], grants: dict[str, str], data_centre: str = "us") -> dict[str, str]:
    """Give the settings of the plugins, as environment variables.

    Args:
        description: as `describe` gives it.
        grants: refresh tokens, as ``POST /_sandbox/grants`` gives them.
        data_centre: of Zoho, us or eu.
    """
    books, zoho = description["freshbooks"], description["zoho"]
    return {
        "TAP_FRESHBOOKS_CLIENT_ID": books["client_id"],
        "TAP_FRESHBOOKS_CLIENT_SECRET": books["client_secret"],
        "TAP_FRESHBOOKS_REDIRECT_URI": books["redirect_uri"],
        "TAP_FRESHBOOKS_REFRESH_TOKEN": grants["freshbooks"],
        "TAP_FRESHBOOKS_API_URL": books["url"],
        "TAP_FRESHBOOKS_AUTH_URL": books["url"],
        "TAP_FRESHBOOKS_ACCOUNT_ID": books["account_id"],
        "TARGET_ZOHO_CRM_CLIENT_ID": zoho["client_id"],
        "TARGET_ZOHO_CRM_CLIENT_SECRET": zoho["client_secret"],
        "TARGET_ZOHO_CRM_REFRESH_TOKEN": grants["zoho" if data_centre == "us" else "zoho_eu"],
        "TARGET_ZOHO_CRM_ACCOUNTS_URL": zoho["accounts_urls"][data_centre],
    }
