"""What this service knows of its FreshBooks callbacks, and what has to be done about them: decisions only, no I/O.

Each noun has one subscription, on a path of its own that nobody can guess. A delivery does not say which callback it
comes from (https://www.freshbooks.com/api/webhooks), the path does, and with it which verifier is its key.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from freshbooks_zoho.freshbooks.events_api import Callback

STREAMS = {"client": "clients", "invoice": "invoices", "payment": "payments"}
"""The nouns subscribed to, each for all of its events, with the stream that holds the objects."""
KEEP_FORMER = timedelta(days=3)
"""How long a verifier is taken after another one has replaced it: FreshBooks repeats failed deliveries for a while."""
_PATH_BYTES = 32


@dataclass(frozen=True)
class FormerKey:
    """A verifier that was replaced."""

    verifier: str = field(repr=False)
    until: datetime
    """When it is no longer taken."""


@dataclass(frozen=True)
class Subscription:
    """One noun's callback, as this service knows it."""

    noun: str
    path: str = field(repr=False)
    """The secret last part of the URL."""
    callback_id: int | None = None
    """None while FreshBooks has not said."""
    waits: bool = True
    """Whether a handshake is expected."""
    verifier: str | None = field(default=None, repr=False)
    """Proven to FreshBooks; None until then."""
    former: tuple[FormerKey, ...] = ()

    @classmethod
    def new(cls, noun: str) -> Subscription:
        """Make one with a path of its own."""
        return cls(noun, secrets.token_urlsafe(_PATH_BYTES))

    def keys(self, now: datetime) -> tuple[str, ...]:
        """Give the verifiers that are taken, the current one first."""
        current = () if self.verifier is None else (self.verifier,)
        return (*current, *(key.verifier for key in self.former if now < key.until))

    def takes_handshake(self, callback_id: int) -> bool:
        """Say whether a handshake for that callback is expected on this path."""
        return self.waits and self.callback_id in (None, callback_id)

    def registering(self, now: datetime) -> Subscription:
        """Give it as it is before a new callback is asked for; the old one's key is taken for a while."""
        return replace(self._without_key(now), callback_id=None, waits=True)

    def expecting(self) -> Subscription:
        """Give it as it is before a handshake is asked for; the verifier it has is taken meanwhile."""
        return replace(self, waits=True)

    def adopting(self, callback_id: int, now: datetime) -> Subscription:
        """Give it with a callback that FreshBooks has, and whose verifier is not known."""
        kept = self if self.callback_id is None else self._without_key(now)
        return replace(kept, callback_id=callback_id, waits=True)

    def proven(self, verifier: str, now: datetime) -> Subscription:
        """Give it with a verifier that FreshBooks has confirmed."""
        former = self._without_key(now).former
        others = tuple(key for key in former if not secrets.compare_digest(key.verifier.encode(), verifier.encode()))
        return replace(self, verifier=verifier, former=others, waits=False)

    def _without_key(self, now: datetime) -> Subscription:
        kept = tuple(key for key in self.former if now < key.until)
        if self.verifier is not None:
            kept = (FormerKey(self.verifier, now + KEEP_FORMER), *kept)
        return replace(self, verifier=None, former=kept)

    def to_document(self) -> dict[str, Any]:
        """Give it as JSON; it holds secrets."""
        return {
            "path": self.path,
            "callback_id": self.callback_id,
            "waits": self.waits,
            "verifier": self.verifier,
            "former": [{"verifier": key.verifier, "until": key.until.isoformat()} for key in self.former],
        }

    @classmethod
    def from_document(cls, noun: str, document: Mapping[str, Any]) -> Subscription:
        """Read what `to_document` wrote."""
        former = (FormerKey(key["verifier"], datetime.fromisoformat(key["until"])) for key in document["former"])
        return cls(
            noun, document["path"], document["callback_id"], document["waits"], document["verifier"], tuple(former)
        )


@dataclass(frozen=True)
class Register:
    """Ask FreshBooks for a new callback."""

    noun: str


@dataclass(frozen=True)
class Adopt:
    """Take a callback of FreshBooks' list as the noun's: the answer that told its id was lost."""

    noun: str
    callback_id: int


@dataclass(frozen=True)
class Prove:
    """Confirm the verifier that has arrived."""

    noun: str


@dataclass(frozen=True)
class Resend:
    """Ask for a handshake: the callback is new, or FreshBooks has switched it off."""

    noun: str
    callback_id: int


@dataclass(frozen=True)
class Delete:
    """Remove a callback of ours that is of no use."""

    callback_id: int


Action = Register | Adopt | Prove | Resend | Delete


def base_url(public_url: str) -> str:
    """Give what comes before a subscription's path."""
    return f"{public_url.rstrip('/')}/freshbooks/"


def _plain(url: str) -> tuple[object, ...]:
    """Give a URL in a form that equals its other spellings: FreshBooks may not keep it letter by letter."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return (url,)
    return (parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query)


def _is_below(base: str, url: str) -> bool:
    """Say whether a URL is a base URL with one more segment."""
    parent, _, last = url.rstrip("/").rpartition("/")
    return bool(last) and _plain(parent) == _plain(base)


def plan(
    subscriptions: Iterable[Subscription], callbacks: Collection[Callback], base: str, shaken: Collection[int]
) -> list[Action]:
    """Say what brings FreshBooks' callbacks in line with ours.

    A callback is ours if its URL ends in one of our secret paths, or is below our base URL; no other is ever touched,
    not even one that bears an id we remember.

    Args:
        subscriptions: ours, one for each noun.
        callbacks: FreshBooks' list.
        base: the URL that the paths are appended to.
        shaken: the ids of callbacks whose handshake has arrived and is not yet confirmed.
    """
    actions: list[Action] = []
    stale = [callback for callback in callbacks if _is_below(base, callback.uri)]
    for subscription in subscriptions:
        mine = [callback for callback in callbacks if callback.uri.rstrip("/").rpartition("/")[2] == subscription.path]
        url = _plain(base + subscription.path)
        fitting = [callback for callback in mine if _plain(callback.uri) == url and callback.event == subscription.noun]
        # Of several, one that needs the least.
        fitting.sort(key=lambda one: (one.id != subscription.callback_id, one.id not in shaken, one.verified, one.id))
        chosen = fitting[0] if fitting else None
        if chosen is None:
            actions.append(Register(subscription.noun))
        else:
            actions += _mend(subscription, chosen, handshake=chosen.id in shaken)
        stale = [callback for callback in [*stale, *mine] if callback is not chosen]
    removed = dict.fromkeys(Delete(callback.id) for callback in stale)
    return [*actions, *(deletion for deletion in removed if deletion not in actions)]


def _mend(subscription: Subscription, callback: Callback, *, handshake: bool) -> list[Action]:
    known = subscription.callback_id == callback.id
    if known and callback.verified and subscription.verifier is not None and not subscription.waits:
        return []
    actions: list[Action] = [] if known else [Adopt(subscription.noun, callback.id)]
    if handshake and (subscription.waits or not known):
        return [*actions, Prove(subscription.noun)]
    if callback.verified:
        # Its deliveries are signed with a key unknown here, and whether FreshBooks would tell it again is undocumented.
        return [Delete(callback.id), Register(subscription.noun)]
    return [*actions, Resend(subscription.noun, callback.id)]
