"""Zoho's channels kept alive, and what changed in Zoho asked for where they were not.

The leader tends them. Whatever changed while nobody was told, because a channel was gone or this service was down, is
asked for afterwards; while a channel cannot be had, at each cycle.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.zoho import channels
from freshbooks_zoho.zoho.channels import OVERLAP, Channel
from target_zoho_crm.api.coql import quote, select
from target_zoho_crm.errors import RequestError, UnavailableError, ZohoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from freshbooks_zoho.admin.metrics import Metrics
    from singer_store import Store
    from target_zoho_crm.api.client import ZohoClient

KIND = "channel"
ZOHO = "zoho"
"""As the account of an event: a record of Zoho's, by its id there, is to be looked at."""
PATH = "actions/watch"
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 60.0

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


class _NotSubscribedError(ZohoError):
    """Zoho has no such channel (any more)."""


class Watch:
    """The channels of one connection. Thread-safe.

    Args:
        client: the organization's API.
        store: keeps the channels, encrypted, and takes the events.
        modules: API names.
        public_url: where notifications reach this service.
        account: the FreshBooks account; each one in a store has channels of its own.
        connection: what tells this connection from others of the same organization.
        poll_interval: how often what changed is asked for while there is no channel.
        metrics: show how long the channels live.
        clock: gives the time, aware.
    """

    def __init__(  # noqa: PLR0913 - it puts them together
        self,
        client: ZohoClient,
        store: Store,
        *,
        modules: Sequence[str],
        public_url: str,
        account: str,
        connection: str,
        poll_interval: timedelta,
        metrics: Metrics,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._client, self._store, self._modules = client, store, tuple(modules)
        self._base = f"{public_url.rstrip('/')}/zoho/"
        self._account = account
        self._connection = f"{connection}\n{public_url}"
        self._poll_interval = poll_interval
        self._metrics = metrics
        self._clock = clock
        self._polled_at: dict[str, datetime] = {}
        self._alarms: dict[str, str] = {}
        self._caught_up: set[str] = set()
        self._lock = threading.Lock()

    def problems(self) -> list[str]:
        """Give a sentence for each channel that cannot be relied on."""
        return list(self._alarms.values())

    def tend(self) -> float:
        """Do what is to be done about the channels now; gives the seconds until that is so again.

        Raises:
            StoreError: if the store cannot be used.
        """
        with self._lock:
            waits = [self._tend(module) for module in self._modules]
        return min([LONGEST_SECONDS, *(max(wait, SHORTEST_SECONDS) for wait in waits)])

    def _tend(self, module: str) -> float:
        channel = self._load(module)
        url = self._base + channel.path
        try:
            channel = self._act(channel, url)
        except ZohoError as error:
            channel = self._save(channels.failed(self._load(module), self._clock()))
            logger.warning("Zoho's channel for %s could not be looked after: %s", module, error)
        channel = self._cover(channel)
        now = self._clock()
        self._measure(channel, now)
        step = channels.next_action(channel, now, url)
        polled = self._polled_at.get(module, now)
        again = [step.at, *([polled + self._poll_interval] if channels.problem(channel, now) else [])]
        return (min(again) - now).total_seconds()

    def _act(self, channel: Channel, url: str) -> Channel:
        """Enable, renew or verify, whatever is due, until nothing more is."""
        for _ in range(4):
            step = channels.next_action(channel, self._clock(), url)
            if step.action == "wait":
                break
            try:
                if step.action == "verify":
                    channel = self._verify(channel)
                else:
                    channel = self._renew(channel, url, enabling=step.action == "enable")
            except _NotSubscribedError:
                logger.warning("Zoho has no channel for %s any more; it is enabled again.", channel.module)
                channel = self._save(channels.gone(channel))
                self._caught_up.discard(channel.module)
        return channel

    def _renew(self, channel: Channel, url: str, *, enabling: bool) -> Channel:
        # The new token is known here before Zoho can send it.
        asked = self._save(channels.starting(channel, self._clock()))
        body = {"watch": [channels.request_of(asked, self._clock(), url)]}
        if enabling:
            self._caught_up.discard(channel.module)
        entry = self._send_first(("POST", "PUT") if enabling else ("PATCH", "POST", "PUT"), body)
        expires_at = channels.read_expiry(entry)
        if expires_at is None:
            raise UnavailableError(f"Zoho gave no expiry for the channel of {channel.module}.")
        logger.info("Zoho's channel for %s lives until %s.", channel.module, f"{expires_at:%Y-%m-%d %H:%M} UTC")
        return self._save(channels.granted(asked, expires_at, self._clock(), url))

    def _send_first(self, methods: Sequence[str], body: dict[str, Any]) -> Mapping[str, Any]:
        """Send by the first method that Zoho does not refuse.

        Whether a live channel may be enabled again, or only changed, is not documented for certain.
        """
        method, *others = methods
        if not others:
            return self._send(method, body)
        try:
            return self._send(method, body)
        except RequestError as error:
            logger.info("%s", error)
            return self._send_first(others, body)

    def _send(self, method: str, body: dict[str, Any]) -> Mapping[str, Any]:
        """Send one channel's request and give what Zoho says of its module."""
        answer = self._client.request(method, PATH, json=body)
        results = (answer.body or {}).get("watch") or [{}]
        result = results[0]
        if result.get("code") == "NOT_SUBSCRIBED":
            raise _NotSubscribedError("not subscribed")
        events = (result.get("details") or {}).get("events") or []
        if result.get("status") != "success" or not events:
            code = str(result.get("code"))[:40]
            raise RequestError(f"Zoho refused {method} {PATH} with {code}.", status=answer.status, code=code)
        return dict(events[0])

    def _verify(self, channel: Channel) -> Channel:
        """Compare with Zoho's own list: the expiry there counts, and a channel that is not there is none."""
        answer = self._client.request("GET", PATH, params={"channel_id": channel.channel_id, "module": channel.module})
        rows = [
            row
            for row in (answer.body or {}).get("watch") or []
            if str(row.get("channel_id")) == channel.channel_id and row.get("resource_name") == channel.module
        ]
        expires_at = channels.read_expiry(rows[0]) if rows else None
        now = self._clock()
        if expires_at is None or expires_at <= now:
            raise _NotSubscribedError("not in the list")
        notify_url = channel.notify_url
        if not channels.is_as_asked(rows[0], channel):
            if channels.is_verified_since_renewal(channel):
                notify_url = ""
            else:
                # Asking for the same again and again would not change what Zoho shows.
                logger.warning("Zoho shows its channel for %s otherwise than it was asked for.", channel.module)
        return self._save(replace(channel, expires_at=expires_at, notify_url=notify_url, verified_at=now, failures=0))

    def _cover(self, channel: Channel) -> Channel:
        """Ask for what changed while nobody was told of it."""
        now = self._clock()
        # From the first failure on nobody knows whether Zoho still tells; that is an alarm only when it goes on.
        unsure = channel.failures > 0 or channels.problem(channel, now) is not None
        polled = self._polled_at.get(channel.module)
        if channel.covered_until is None:
            # The first channel: what was before it is the matter of the first run.
            self._caught_up.add(channel.module)
            return self._save(replace(channel, covered_until=now))
        if not unsure and channel.module in self._caught_up:
            # Zoho tells of everything; what it is sure to have told about by now need not be asked for again.
            return channel if channel.verified_at is None else self._covered(channel, channel.verified_at)
        if unsure and polled is not None and now < polled + self._poll_interval:
            return channel
        self._polled_at[channel.module] = now
        try:
            ids = list(self._changed(channel.module, channel.covered_until - OVERLAP))
        except ZohoError as error:
            logger.warning("What changed in Zoho's %s could not be asked for: %s", channel.module, error)
            return channel
        self._store.pending.queue_many([(ZOHO, channel.module, record_id, "event", now) for record_id in ids])
        if not unsure:
            self._caught_up.add(channel.module)
        logger.info("Asked Zoho what changed in %s: %s records.", channel.module, len(ids))
        return self._covered(channel, now)

    def _covered(self, channel: Channel, until: datetime) -> Channel:
        if channel.covered_until is not None and until <= channel.covered_until:
            return channel
        return self._save(replace(channel, covered_until=until))

    def _changed(self, module: str, since: datetime) -> Iterator[str]:
        """Give the ids of the records that were changed, made or deleted since."""
        text = since.astimezone(timezone.utc).isoformat(timespec="seconds")
        for row in self._client.query(select(("id", "Modified_Time"), module, f"Modified_Time >= {quote(text)}")):
            yield str(row["id"])
        page, more = 1, True
        while more:
            params: dict[str, str | int] = {"type": "all", "per_page": 200, "page": page}
            body = self._client.request("GET", f"{module}/deleted", params=params).body or {}
            for row in body.get("data") or []:
                moment = datetime.fromisoformat(str(row["deleted_time"]).replace("Z", "+00:00"))
                if moment >= since:
                    yield str(row["id"])
            page, more = page + 1, bool((body.get("info") or {}).get("more_records"))

    def _measure(self, channel: Channel, now: datetime) -> None:
        left = (channel.expires_at - now).total_seconds() if channel.expires_at is not None else 0.0
        self._metrics.channel_expiry_seconds.labels(channel.module).set(max(left, 0.0))
        trouble, before = channels.problem(channel, now), self._alarms.pop(channel.module, None)
        if trouble is not None:
            self._alarms[channel.module] = trouble
            if before is None:
                logger.error("%s", trouble)
        elif before is not None:
            logger.info("Zoho's channel for %s is all right again.", channel.module)

    def _load(self, module: str) -> Channel:
        document = self._store.secrets.get(KIND, self._name(module))
        fresh = channels.new_channel(module, self._connection)
        if document is None:
            return self._save(fresh)
        channel = channels.from_document(document)
        if channel.channel_id == fresh.channel_id:
            return channel
        # Another address, or another organization: the old channel ends by itself, if it cannot be ended.
        try:
            self._client.request("DELETE", PATH, params={"channel_ids": channel.channel_id})
        except ZohoError as error:
            logger.info("The former channel for %s was left to expire: %s", module, error)
        return self._save(replace(fresh, covered_until=channel.covered_until))

    def _save(self, channel: Channel) -> Channel:
        self._store.secrets.put(KIND, self._name(channel.module), channels.to_document(channel))
        return channel

    def _name(self, module: str) -> str:
        return f"{self._account} {module}"


def load_channels(store: Store, account: str | None = None) -> list[Channel]:
    """Return the channels that the store knows, of one FreshBooks account or of all.

    Raises:
        StoreError: if it cannot be used.
    """
    found = store.secrets.all(KIND)
    return [channels.from_document(found[name]) for name in found if account in (None, name.partition(" ")[0])]
