"""The tap's settings, checked before anything is asked of FreshBooks."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_freshbooks.errors import SettingError
from tap_freshbooks.resources import RESOURCES
from tap_freshbooks.timestamps import parse_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

API_URL = "https://api.freshbooks.com"
AUTH_URL = "https://auth.freshbooks.com"
USER_AGENT = f"tap-freshbooks/{version('tap-freshbooks')}"

SECRETS = ("client_secret", "refresh_token", "store_url", "store_key")


@dataclass(frozen=True)
class Settings:
    """The settings as the tap uses them; the repr leaves out what is secret."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    refresh_token: str | None = field(default=None, repr=False)
    account_id: str | None = None
    start_date: datetime | None = None
    record_ids: Mapping[str, tuple[int, ...]] | None = None
    dry_run: bool = False
    api_url: str = API_URL
    auth_url: str = AUTH_URL
    store_url: str | None = field(default=None, repr=False)
    store_key: str | None = field(default=None, repr=False)
    user_agent: str = USER_AGENT

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Check a plugin's config; what is blank counts as not set, and blanks at the ends of a text are taken off.

        Raises:
            SettingError: naming the setting that cannot be used.
        """
        # Whoever copies a secret easily copies a blank with it.
        config = {name: value.strip() if isinstance(value, str) else value for name, value in config.items()}
        given = {name: config[name] for name in cls.__dataclass_fields__ if config.get(name) not in (None, "", {})}
        for name in ("client_id", "client_secret", "redirect_uri"):
            if name not in given:
                raise SettingError(f"The setting {name} is missing.")
        if "account_id" in given:
            given["account_id"] = str(given["account_id"])
        for name in ("api_url", "auth_url"):
            if name in given:
                given[name] = checked_url(name, given[name])
        if "start_date" in given:
            given["start_date"] = _moment("start_date", given["start_date"])
        if "record_ids" in given:
            given["record_ids"] = parse_record_ids(given["record_ids"])
        if "dry_run" in given:
            given["dry_run"] = str(given["dry_run"]).lower() == "true"
        return cls(**given)


def checked_url(name: str, url: str) -> str:
    """Give a base URL without its trailing slash.

    Raises:
        SettingError: unless it is an https URL (http on loopback) with nothing but host, port and path.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SettingError(f"The setting {name} is not a URL.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise SettingError(f"The setting {name} must begin with https:// (http:// only on this machine).")
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise SettingError(f"The setting {name} must be a plain URL such as {API_URL}.")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _moment(name: str, text: Any) -> datetime:
    try:
        return parse_iso(text)
    except (TypeError, ValueError):
        raise SettingError(f"The setting {name} must be a date-time such as 2024-01-01T00:00:00Z.") from None


def parse_record_ids(value: Any) -> Mapping[str, tuple[int, ...]] | None:
    """Read the setting `record_ids`: an object, or the JSON text of one; ids are numbers, or digits as text.

    Returns:
        The ids of each stream, each once; None where there is not a single one.

    Raises:
        SettingError: if it is anything else.
    """
    wanted = 'must be an object such as {"clients": [], "invoices": [12, 13], "payments": []}'
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SettingError(f"The setting record_ids is not JSON; it {wanted}.") from None
    if value is None:
        return None
    if not isinstance(value, dict):
        raise SettingError(f"The setting record_ids {wanted}.")
    if unknown := sorted(value.keys() - RESOURCES.keys()):
        raise SettingError(f"The setting record_ids names {unknown[0]!r}, which is no stream; it {wanted}.")
    ids = {stream: _ids(stream, value.get(stream)) for stream in RESOURCES}
    return ids if any(ids.values()) else None


def _ids(stream: str, listed: Any) -> tuple[int, ...]:
    if listed is None:
        return ()
    if isinstance(listed, list) and all(_is_id(each) for each in listed):
        return tuple(dict.fromkeys(int(each) for each in listed))
    raise SettingError(f"The setting record_ids must have a list of ids, all digits, under {stream!r}.")


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and int(value) > 0
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
