"""Zoho's notification channels: what is known of them, and what has to be done about them. Decisions only, no I/O.

A channel lives a week at most, and one hour if that is exceeded; nobody is told of its end, and nothing is sent after
it (the CRM API's pages "Enable Notifications" and "Update Specific Information of Notifications").
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFE = timedelta(days=6, hours=23)
"""What is asked for: a week is allowed, and whoever asks for more gets an hour."""
RENEW_AFTER = timedelta(hours=20)
"""At least daily, with time to try again within the day."""
KEEP_TOKEN = timedelta(hours=1)
"""How long a token is taken after another one has replaced it: notifications may be late."""
SHORTEST_RETRY, FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=15)
VERIFY = timedelta(minutes=15)
UNSURE = 3 * VERIFY
"""A channel that Zoho could not be asked about for so long is not relied on."""
OVERLAP = timedelta(minutes=5)
"""What is looked through once more at each end of a gap, for clocks differ."""


@dataclass(frozen=True)
class FormerToken:
    """A token that was replaced, or may yet be the one that Zoho has."""

    token: str = field(repr=False)
    until: datetime


@dataclass(frozen=True)
class Channel:
    """One module's channel.

    Attributes:
        module: API name.
        channel_id: our choice, always the same for this connection and module.
        path: the secret last part of the URL.
        token: what Zoho repeats in each notification.
        former: tokens that are taken too.
        notify_url: as Zoho has it.
        granted_at: when the present life began; None while there is none.
        expires_at: as Zoho said, not as was asked for.
        verified_at: when Zoho's own list last agreed.
        failures: how often renewing has failed since it worked.
        tried_at: when it was last tried.
        covered_until: up to when everything that changed in Zoho is known to have been looked at, by notification or
            by asking; None before the first channel.
    """

    module: str
    channel_id: str
    path: str = field(repr=False)
    token: str = field(repr=False)
    former: tuple[FormerToken, ...] = field(default=(), repr=False)
    notify_url: str = field(default="", repr=False)
    granted_at: datetime | None = None
    expires_at: datetime | None = None
    verified_at: datetime | None = None
    failures: int = 0
    tried_at: datetime | None = None
    covered_until: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Say whether Zoho sends notifications, as far as is known."""
        return self.expires_at is not None and now < self.expires_at

    def takes(self, token: str, now: datetime) -> bool:
        """Say, in constant time, whether a notification's token is one of ours.

        That of a channel that has ended is not, once what was under way has come: what changes since is asked for.
        """
        current = [self.token] if self.expires_at is None or now < self.expires_at + KEEP_TOKEN else []
        good = [*current, *(former.token for former in self.former if now < former.until)]
        matches = [secrets.compare_digest(token.encode(), one.encode()) for one in good]
        return any(matches)


def new_channel(module: str, connection: str) -> Channel:
    """Make a channel that Zoho does not know yet.

    Args:
        module: API name.
        connection: what tells this connection from others of the same organization; the id follows from it.
    """
    digest = hashlib.sha256(f"{connection}\n{module}".encode()).digest()
    number = 10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14)
    return Channel(module, str(number), secrets.token_urlsafe(32), new_token())


def new_token() -> str:
    """Give a token of 43 characters; Zoho takes 50."""
    return secrets.token_urlsafe(32)


def when_to_renew(channel: Channel) -> datetime | None:
    """Give when a channel is to be renewed: at least daily, and by two thirds of its life, however short that is."""
    if channel.granted_at is None or channel.expires_at is None:
        return None
    return channel.granted_at + min(RENEW_AFTER, (channel.expires_at - channel.granted_at) * 2 / 3)


@dataclass(frozen=True)
class Step:
    """What is to be done about a channel.

    Attributes:
        action: "enable" is POST, "renew" PATCH, "verify" GET; "wait" is nothing.
        at: when; not after now, but for "wait".
    """

    action: Literal["enable", "renew", "verify", "wait"]
    at: datetime


def next_action(channel: Channel, now: datetime, notify_url: str) -> Step:
    """Decide what is to be done about a channel.

    Args:
        channel: as it is known.
        now: aware.
        notify_url: where notifications are to be sent.
    """
    if channel.failures and channel.tried_at is not None:
        again = channel.tried_at + retry_after(channel, now)
        if now < again:
            return Step("wait", again)
    if not channel.is_alive(now):
        return Step("enable", now)
    renew = when_to_renew(channel) or now
    if now >= renew or channel.notify_url != notify_url:
        return Step("renew", now)
    verify = channel.verified_at + VERIFY if channel.verified_at is not None else now
    return Step("verify", now) if now >= verify else Step("wait", min(renew, verify))


def retry_after(channel: Channel, now: datetime) -> timedelta:
    """Give how long to wait after a failure: longer each time, but never past a tenth of what is left of its life."""
    wait: timedelta = min(FIRST_RETRY * 2 ** min(channel.failures - 1, 10), LONGEST_RETRY)
    if channel.expires_at is not None and now < channel.expires_at:
        wait = min(wait, max((channel.expires_at - now) / 10, SHORTEST_RETRY))
    return wait


def problem(channel: Channel, now: datetime) -> str | None:
    """Give a sentence if a channel cannot be relied on: then what changed in Zoho is asked for instead."""
    if channel.expires_at is None or not channel.is_alive(now):
        return f"Zoho's channel for {channel.module} is not alive: what changes there is asked for at each run."
    if channel.failures and now >= (channel.verified_at or channel.granted_at or now) + UNSURE:
        return f"Zoho could not be asked for some time whether its channel for {channel.module} is alive."
    renew = when_to_renew(channel)
    if channel.failures and renew is not None and now >= renew:
        hours = (channel.expires_at - now).total_seconds() / 3600
        return f"Zoho's channel for {channel.module} could not be renewed and ends in {hours:.1f} hours."
    return None


def is_as_asked(row: Mapping[str, Any], channel: Channel) -> bool:
    """Say whether Zoho's list shows a channel's events, token and address as they were asked for, where it does."""
    events = set(row.get("events") or ())
    token = channel.token if row.get("token") is None else str(row["token"])
    wanted = {f"{channel.module}.{event}" for event in ("create", "edit", "delete")}
    return (
        (wanted <= events or f"{channel.module}.all" in events)
        and secrets.compare_digest(token.encode(), channel.token.encode())
        and str(row.get("notify_url") or channel.notify_url).rstrip("/") == channel.notify_url.rstrip("/")
    )


def is_verified_since_renewal(channel: Channel) -> bool:
    """Say whether Zoho's list was looked at since the channel was enabled, or renewed, the last time."""
    if channel.verified_at is None or channel.granted_at is None:
        return False
    return channel.verified_at >= channel.granted_at


def starting(channel: Channel, now: datetime) -> Channel:
    """Give a channel as it is before Zoho is asked for a life: with a new token, which may count before the answer."""
    kept = tuple(former for former in channel.former if now < former.until)
    # Until the answer is known, either may be the one that Zoho has.
    until = now + KEEP_TOKEN if channel.expires_at is None else max(channel.expires_at, now) + KEEP_TOKEN
    former = (FormerToken(channel.token, until), *kept)
    return replace(channel, token=new_token(), former=former, tried_at=now)


def granted(channel: Channel, expires_at: datetime, now: datetime, notify_url: str) -> Channel:
    """Give a channel with the life that Zoho has granted."""
    former = tuple(FormerToken(one.token, min(one.until, now + KEEP_TOKEN)) for one in channel.former)
    return replace(
        channel,
        former=former,
        notify_url=notify_url,
        granted_at=now,
        expires_at=expires_at,
        verified_at=None,
        failures=0,
    )


def failed(channel: Channel, now: datetime) -> Channel:
    """Give a channel after an attempt that failed."""
    return replace(channel, failures=channel.failures + 1, tried_at=now)


def gone(channel: Channel) -> Channel:
    """Give a channel that Zoho does not have (any more)."""
    return replace(channel, granted_at=None, expires_at=None, verified_at=None)


def request_of(channel: Channel, now: datetime, notify_url: str) -> dict[str, Any]:
    """Give what is sent to enable or renew a channel."""
    return {
        "channel_id": channel.channel_id,
        "events": [f"{channel.module}.all"],
        "channel_expiry": (now + LIFE).astimezone(timezone.utc).isoformat(timespec="seconds"),
        "token": channel.token,
        "notify_url": notify_url,
        "notify_on_related_action": False,
        "return_affected_field_values": False,
    }


def read_expiry(entry: Mapping[str, Any]) -> datetime | None:
    """Read an expiry, which Zoho writes in whatever offset it likes."""
    try:
        moment = datetime.fromisoformat(str(entry["channel_expiry"]).replace("Z", "+00:00"))
    except (KeyError, ValueError):
        return None
    return moment.astimezone(timezone.utc) if moment.tzinfo is not None else None


_TIMES = ("granted_at", "expires_at", "verified_at", "tried_at", "covered_until")


def to_document(channel: Channel) -> dict[str, Any]:
    """Give a channel as JSON; it holds secrets."""
    return {
        **vars(channel),
        **{name: moment.isoformat() for name in _TIMES if (moment := getattr(channel, name)) is not None},
        "former": [{"token": former.token, "until": former.until.isoformat()} for former in channel.former],
    }


def from_document(document: Mapping[str, Any]) -> Channel:
    """Read what `to_document` wrote."""
    former = tuple(FormerToken(one["token"], datetime.fromisoformat(one["until"])) for one in document["former"])
    times = {name: datetime.fromisoformat(document[name]) for name in _TIMES if document[name] is not None}
    return Channel(**{**document, **times, "former": former})
