"""Notifications on their way to the receivers of channels ("Notification APIs", the JSON that is sent)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.deliveries import Delivery
from sandbox.zoho.render import Renderer, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sandbox.deliveries import Deliveries
    from sandbox.zoho.channels import Channels, Subscription
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.writer import Write


class Notifications:
    """Tells the channels of the writes of one call, once it is done: a message for each channel and operation."""

    def __init__(
        self, org: Organization, channels: Channels, deliveries: Deliveries, api_domain: Callable[[], str]
    ) -> None:
        self._org, self._channels, self._deliveries, self._api_domain = org, channels, deliveries, api_domain
        self._pending: list[Write] = []

    def note(self, write: Write) -> None:
        """Note a write of the call under way."""
        self._pending.append(write)

    def flush(self) -> None:
        """Send what was noted."""
        pending, self._pending = self._pending, []
        subscriptions = self._channels.alive() if pending else []
        if not self._org.switches.notify_own_writes:
            pending = [write for write in pending if write.by != "api"]
        size = self._org.switches.notify_ids_per_message
        for subscription in subscriptions:
            for operation in ("insert", "update", "delete"):
                writes = [
                    write
                    for write in pending
                    if write.module == subscription.module and write.action == operation and subscription.wants(write)
                ]
                for start in range(0, len(writes), size):
                    self._send(subscription, operation, writes[start : start + size])

    def _send(self, subscription: Subscription, operation: str, writes: Sequence[Write]) -> None:
        body = message(subscription, operation, writes, self._org.clock.now(), self._api_domain())
        if subscription.affected_values:
            body["affected_values"] = self._values(subscription.module, operation, writes)
        headers = {"Content-Type": "application/json"}
        self._deliveries.send(Delivery("zoho", subscription.notify_url, encode(body), headers))

    def _values(self, module: str, operation: str, writes: Sequence[Write]) -> list[dict[str, Any]]:
        rows = self._org.tables[module].rows
        found = self._org.modules[module]
        return [
            {"record_id": write.id, "values": Renderer(self._org, found, write.changed).show(rows[write.id])}
            for write in writes
            if operation == "update" and write.id in rows
        ]


def message(
    subscription: Subscription, operation: str, writes: Sequence[Write], now: datetime, api_domain: str
) -> dict[str, Any]:
    """Return the JSON of one notification: ids and the names of fields, never a record."""
    affected = [{write.id: list(write.changed)} for write in writes] if operation != "insert" else []
    return {
        "server_time": int(now.timestamp() * 1000),
        "query_params": dict(parse_qsl(urlsplit(subscription.notify_url).query)),
        "module": subscription.module,
        "resource_uri": f"{api_domain}/crm/v2/{subscription.module}",
        "ids": [write.id for write in writes],
        "affected_fields": affected,
        "operation": operation,
        "channel_id": subscription.channel_id,
        "token": subscription.token,
    }
