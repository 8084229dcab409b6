"""Zoho's notifications: who may send them, and what is taken from them.

They are not signed (the CRM API's pages "Notifications"). A secret path and a random token for each channel say that
they are Zoho's, and what they hold is not believed but for ids: the records are fetched (see `drift`).
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from freshbooks_zoho.webhooks.inbox import Event
from freshbooks_zoho.zoho.watch import ZOHO, load_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freshbooks_zoho.webhooks.inbox import Inbox
    from freshbooks_zoho.zoho.channels import Channel
    from singer_store import Store

RELOAD_SECONDS = 1.0
MOST_IDS = 1000
_ID = re.compile(r"[0-9]{1,19}")
OK, BAD_REQUEST, UNAUTHORIZED = 200, 400, 401

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def authenticate(body: Mapping[str, Any], known: Sequence[Channel], now: datetime) -> Channel | None:
    """Return the channel that a notification comes from; None if its token is none of that channel's.

    As much is compared for a channel that is not there as for one that is. A channel's id is a number, which Zoho's
    pages show as a text.
    """
    number, token = body.get("channel_id"), _text(body.get("token"))
    number = str(number) if type(number) is int else _text(number)
    found = None
    for channel in known:
        good = channel.takes(token, now)
        if secrets.compare_digest(channel.channel_id.encode(), number.encode()) and good:
            found = channel
    return found if found is not None and found.module == body.get("module") else None


def _text(value: Any) -> str:
    """Return a text that may be one of ours; empty for anything else: JSON knows texts that cannot be encoded."""
    return value if isinstance(value, str) and value.isascii() else ""


def ids_of(body: Mapping[str, Any]) -> list[str] | None:
    """Return the record ids, each once; None where they cannot be Zoho's."""
    ids = body.get("ids")
    if not isinstance(ids, list) or len(ids) > MOST_IDS:
        return None
    found = [str(one) for one in ids if isinstance(one, (str, int)) and _ID.fullmatch(str(one))]
    return list(dict.fromkeys(found)) if len(found) == len(ids) else None


class Notifications:
    """Takes notifications, whichever process enabled their channel.

    Args:
        store: holds the channels.
        inbox: stores the ids before they are acknowledged.
        clock: gives the time, aware.
    """

    def __init__(self, store: Store, inbox: Inbox, *, clock: Callable[[], datetime] = _now) -> None:
        self._store, self._inbox, self._clock = store, inbox, clock
        self._channels: list[Channel] = []
        self._loaded_at = -RELOAD_SECONDS

    async def is_path(self, path: str) -> bool:
        """Return, in constant time, whether a path is one that notifications were asked to be sent to."""
        # Anybody may ask for any path, and a store that is slow must not keep the others waiting.
        return self._is_known(path) or (await to_thread.run_sync(self._reload) and self._is_known(path))

    async def handle(self, body: Mapping[str, Any]) -> int:
        """Take a notification; returns the HTTP status.

        Raises:
            InboxUnavailableError: if its ids cannot be stored for now.
            StoreError: if the store cannot be used.
        """
        channel = authenticate(body, self._channels, self._clock())
        if channel is None:
            # Another process may have renewed it a moment ago. Whoever is here knows a secret path: no stranger does.
            await to_thread.run_sync(self._load)
            channel = authenticate(body, self._channels, self._clock())
        if channel is None:
            return UNAUTHORIZED
        ids = ids_of(body)
        if ids is None:
            return BAD_REQUEST
        await self._inbox.add([Event(ZOHO, channel.module, record_id) for record_id in ids])
        return OK

    def _is_known(self, path: str) -> bool:
        matches = [secrets.compare_digest(channel.path.encode(), path.encode()) for channel in self._channels]
        return any(matches)

    def _reload(self) -> bool:
        """Read the channels anew, at most once a second; returns whether it did."""
        if time.monotonic() - self._loaded_at < RELOAD_SECONDS:
            return False
        self._load()
        return True

    def _load(self) -> None:
        self._loaded_at = time.monotonic()
        self._channels = load_channels(self._store)
