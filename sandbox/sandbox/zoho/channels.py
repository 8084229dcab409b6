"""Notification channels: who is told of what, until when ("Notification APIs", Kaizen #170)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.zoho.errors import RowError
from sandbox.zoho.values import parse_datetime

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.writer import Write

OPERATIONS = {"create": "insert", "edit": "update", "delete": "delete"}
"""What is subscribed to, and what a notification calls it."""
MAX_TOKEN = 50
_CHANNEL_ID = re.compile(r"-?\d{1,19}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Subscription:
    """One module in a channel."""

    channel_id: str
    module: str
    expires_at: datetime
    notify_url: str
    events: set[str] = field(default_factory=set)
    """Of create, edit and delete."""
    token: str | None = None
    affected_values: bool = False
    related: bool = True
    conditions: list[dict[str, Any]] | None = None

    def wants(self, write: Write) -> bool:
        """Return whether a change is one to tell."""
        if write.action == "update" and not write.changed:
            return False
        if not any(OPERATIONS[event] == write.action for event in self.events):
            return False
        if write.action != "update":
            return True
        chosen = [
            each["field_selection"]
            for each in self.conditions or []
            if each.get("module", {}).get("api_name") in (None, self.module)
        ]
        return all(_fits(selection, set(write.changed)) for selection in chosen)


def not_subscribed() -> RowError:
    """Return the answer for a channel that is not, or no longer, there."""
    return RowError("NOT_SUBSCRIBED", {}, "Not subscribed for actions-watch of the given channel")


class Channels:
    """The subscriptions of one organization; they end without a word when their time is over."""

    def __init__(self, org: Organization) -> None:
        self._org = org
        self._subscriptions: dict[tuple[str, str], Subscription] = {}

    def alive(self, channel_id: str | None = None, module: str | None = None) -> list[Subscription]:
        """Return the subscriptions that have not expired, of one channel or module if said."""
        now = self._org.clock.now()
        for key in [key for key, each in self._subscriptions.items() if each.expires_at <= now]:
            del self._subscriptions[key]
        return [
            each
            for each in self._subscriptions.values()
            if channel_id in (None, each.channel_id)
            and module in (None, each.module)
            and each.module in self._org.modules
        ]

    def enable(self, raw: Any, index: int) -> list[Subscription]:
        """Make a channel (POST); one that is alive is made anew.

        Raises:
            RowError: if something is missing or wrong.
        """
        channel_id, path = self._channel_id(raw, index), f"$.watch[{index}]"
        if self._org.switches.watch_post_on_live == "refuse" and self.alive(channel_id):
            raise RowError("DUPLICATE_DATA", {"api_name": "channel_id", "json_path": f"{path}.channel_id"})
        return self._replace(raw, channel_id, path)

    def replace(self, raw: Any, index: int) -> list[Subscription]:
        """Replace everything about a channel (PUT).

        Raises:
            RowError: if it is not there, or something is missing or wrong.
        """
        channel_id, path = self._channel_id(raw, index), f"$.watch[{index}]"
        if not self.alive(channel_id):
            raise not_subscribed()
        return self._replace(raw, channel_id, path)

    def change(self, raw: Any, index: int) -> list[Subscription]:
        """Change what is named of a channel (PATCH): of the modules in `events`, or of all without them.

        Raises:
            RowError: if it is not there, or something is wrong.
        """
        channel_id, path = self._channel_id(raw, index), f"$.watch[{index}]"
        alive = {each.module: each for each in self.alive(channel_id)}
        if not alive:
            raise not_subscribed()
        if "events" not in raw and self._org.switches.watch_patch_needs_events:
            raise RowError("MANDATORY_NOT_FOUND", {"api_name": "events", "json_path": f"{path}.events"})
        events = self._events(raw, path) if "events" in raw else {module: set[str]() for module in alive}
        if raw.get("_delete_events") is True:
            return self._drop_events(alive, events)
        settings = self._settings(raw, path)
        expires_at = self._expiry(raw, path) if "channel_expiry" in raw else None
        if "notify_url" in raw:
            settings["notify_url"] = self._notify_url(raw, path)
        first = next(iter(alive.values()))
        changed = []
        for module, wanted in events.items():
            each = alive.get(module)
            if each is None:
                each = Subscription(channel_id, module, first.expires_at, first.notify_url, token=first.token)
                self._subscriptions[channel_id, module] = each
            each.events |= wanted
            each.expires_at = expires_at or each.expires_at
            for name, value in settings.items():
                setattr(each, name, value)
            changed.append(each)
        return changed

    def disable(self, channel_id: str) -> list[Subscription]:
        """End a channel (DELETE).

        Raises:
            RowError: if it is not there.
        """
        ended = self.alive(channel_id)
        if not ended:
            raise not_subscribed()
        for each in ended:
            del self._subscriptions[each.channel_id, each.module]
        return ended

    def _replace(self, raw: dict[str, Any], channel_id: str, path: str) -> list[Subscription]:
        for name in ("events", "notify_url"):
            if not raw.get(name):
                raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"})
        events, url = self._events(raw, path), self._notify_url(raw, path)
        settings, expires_at = self._settings(raw, path), self._expiry(raw, path)
        for each in self.alive(channel_id):
            del self._subscriptions[each.channel_id, each.module]
        made = [
            Subscription(channel_id, module, expires_at, url, wanted, **settings) for module, wanted in events.items()
        ]
        self._subscriptions.update({(each.channel_id, each.module): each for each in made})
        return made

    def _drop_events(self, alive: dict[str, Subscription], events: dict[str, set[str]]) -> list[Subscription]:
        changed = [alive[module] for module in events if module in alive]
        for each in changed:
            each.events -= events[each.module]
            if not each.events:
                del self._subscriptions[each.channel_id, each.module]
        return changed

    def _channel_id(self, raw: Any, index: int) -> str:
        path = f"$.watch[{index}]"
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        given = raw.get("channel_id")
        details = {"api_name": "channel_id", "json_path": f"{path}.channel_id"}
        if given is None:
            raise RowError("MANDATORY_NOT_FOUND", details)
        if isinstance(given, bool) or not _CHANNEL_ID.fullmatch(str(given)):
            raise RowError("INVALID_DATA", {"expected_data_type": "bigint", **details})
        return str(given)

    def _events(self, raw: dict[str, Any], path: str) -> dict[str, set[str]]:
        details = {"api_name": "events", "json_path": f"{path}.events"}
        given = raw["events"]
        if not isinstance(given, list) or not given:
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonarray", **details})
        events: dict[str, set[str]] = {}
        for position, event in enumerate(given):
            module, _, operation = str(event).partition(".")
            if module not in self._org.modules or operation not in (*OPERATIONS, "all"):
                raise RowError("INVALID_DATA", {"api_name": "events", "json_path": f"{path}.events[{position}]"})
            events.setdefault(module, set()).update(OPERATIONS if operation == "all" else (operation,))
        return events

    def _settings(self, raw: dict[str, Any], path: str) -> dict[str, Any]:
        """Read what is named of the optional settings."""
        settings: dict[str, Any] = {}
        if "token" in raw:
            token = raw["token"]
            details = {"api_name": "token", "json_path": f"{path}.token"}
            if token is not None and not isinstance(token, str):
                raise RowError("INVALID_DATA", {"expected_data_type": "text", **details})
            if token is not None and len(token) > MAX_TOKEN:
                raise RowError("INVALID_DATA", {"maximum_length": MAX_TOKEN, **details})
            settings["token"] = token
        for name, attribute in (
            ("return_affected_field_values", "affected_values"),
            ("notify_on_related_action", "related"),
        ):
            if name in raw:
                if not isinstance(raw[name], bool):
                    details = {"api_name": name, "json_path": f"{path}.{name}"}
                    raise RowError("INVALID_DATA", {"expected_data_type": "boolean", **details})
                settings[attribute] = raw[name]
        if "notification_condition" in raw:
            settings["conditions"] = raw["notification_condition"]
        return settings

    def _notify_url(self, raw: dict[str, Any], path: str) -> str:
        """Read the receiver: https, or anything on loopback, where a sandbox's receivers live."""
        url = raw["notify_url"]
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in _LOOPBACK):
            raise RowError("INVALID_DATA", {"api_name": "notify_url", "json_path": f"{path}.notify_url"})
        return str(url)

    def _expiry(self, raw: dict[str, Any], path: str) -> datetime:
        """Read the expiry; without one, or with one too far off, it is silently an hour."""
        now, switches = self._org.now(), self._org.switches
        fallback = now + timedelta(hours=switches.watch_default_hours)
        if raw.get("channel_expiry") is None:
            return fallback
        wanted = parse_datetime(raw["channel_expiry"], z=True)
        if wanted is None or wanted <= now:
            details = {"api_name": "channel_expiry", "json_path": f"{path}.channel_expiry"}
            raise RowError("INVALID_DATA", {"expected_data_type": "datetime", **details})
        return wanted if wanted <= now + timedelta(hours=switches.watch_max_hours) else fallback


def shown(moment: datetime, offset_hours: int) -> str:
    """Write an expiry in the offset in which Zoho answers it."""
    return moment.astimezone(timezone(timedelta(hours=offset_hours))).isoformat(timespec="seconds")


def _fits(selection: dict[str, Any], changed: set[str]) -> bool:
    """Return whether changed fields fit a selection: a field, or a group of selections joined by and/or."""
    if "group" in selection:
        inside = [_fits(each, changed) for each in selection["group"]]
        return all(inside) if str(selection.get("group_operator")).lower() == "and" else any(inside)
    return selection.get("field", {}).get("api_name") in changed
