"""Zoho's OAuth: which hosts are Zoho's, and how a refresh token becomes an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_store import Grant

DEFAULT_ACCOUNTS_URL = "https://accounts.zoho.com"

SCOPES = (
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.modules.deals.ALL",
    "ZohoCRM.modules.contacts.READ",
    "ZohoCRM.modules.custom.ALL",
    "ZohoCRM.settings.fields.ALL",
    "ZohoCRM.settings.modules.ALL",
    "ZohoCRM.settings.layouts.READ",
    "ZohoCRM.settings.pipeline.READ",
    "ZohoCRM.settings.currencies.READ",
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.org.READ",
)


def check_accounts_url(accounts_url: str) -> str:
    """Give the URL without a trailing slash.

    Raises:
        ConfigurationError: if it is not one of Zoho's accounts servers, nor a loopback address.
    """
    raise NotImplementedError


def check_api_domain(api_domain: str, accounts_url: str) -> str:
    """Give the API's base URL without a trailing slash.

    Raises:
        ConfigurationError: if it is not one of Zoho's (loopback is, where `accounts_url` is).
    """
    raise NotImplementedError


def read_grant(answer: Mapping[str, Any], accounts_url: str) -> Grant:
    """Turn the token endpoint's answer into tokens; `api_domain` is in the grant's details."""
    raise NotImplementedError


def refresher(client_id: str, client_secret: str, accounts_url: str) -> Callable[[str], Grant]:
    """Give the function that trades a refresh token for an access token, for `Store.broker(refresh=…)`."""
    raise NotImplementedError
