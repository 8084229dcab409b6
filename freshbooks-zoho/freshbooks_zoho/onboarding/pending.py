"""Consents under way: kept, encrypted, until the answer has come by the page that leads back, or by a second command.

The answer to an authorization page is known by its state: random, of one attempt, good once and for ten minutes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import OK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshbooks_zoho.console import Console
    from singer_store import Store

LIFE = timedelta(minutes=10)
_KIND = "consent"
_LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class Attempt:
    """One attempt to connect a client of a service; a later one takes its place.

    Attributes:
        service: freshbooks or zoho.
        client_id: of the OAuth client.
        expires_at: after this no answer is taken.
        details: what the way of connecting has to remember, secrets among it.
        answer: what came back, such as the code.
    """

    service: str
    client_id: str
    expires_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    answer: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def state(self) -> str:
        """What the answer is known by; empty for a way without one."""
        return str(self.details.get("state", ""))


def new_state() -> str:
    """Make a state that nobody can guess."""
    return secrets.token_urlsafe(32)


class Attempts:
    """The attempts in the store, one for each service and client."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, attempt: Attempt) -> None:
        """Keep an attempt in place of the one before."""
        document = {
            "expires_at": attempt.expires_at.isoformat(),
            "details": dict(attempt.details),
            "answer": attempt.answer and dict(attempt.answer),
        }
        self._store.secrets.put(_KIND, _name(attempt.service, attempt.client_id), document)

    def find(self, service: str, client_id: str, now: datetime) -> Attempt | None:
        """Give the attempt under way; None if there is none, or it is over."""
        document = self._store.secrets.get(_KIND, _name(service, client_id))
        if document is None:
            return None
        expires_at = datetime.fromisoformat(document["expires_at"])
        attempt = Attempt(service, client_id, expires_at, document["details"], document["answer"])
        return attempt if now < expires_at else None

    def drop(self, service: str, client_id: str) -> None:
        """End the attempt."""
        self._store.secrets.delete(_KIND, _name(service, client_id))

    def answer(self, attempt: Attempt, state: str, answer: Mapping[str, str], now: datetime) -> bool:
        """Keep the answer for whoever waits for it.

        Returns:
            Whether it was taken: once, in time, and to the attempt under way.
        """
        with self._store.lock(f"consent {attempt.service} {attempt.client_id}", timeout=_LOCK_SECONDS):
            found = self.find(attempt.service, attempt.client_id, now)
            if found is None or found.answer is not None or not takes(found, state):
                return False
            self.keep(Attempt(found.service, found.client_id, found.expires_at, found.details, answer))
            return True


@dataclass(frozen=True)
class NextStep:
    """What a person has to do before a second command: a report."""

    document: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """All is well so far."""
        return OK

    def as_json(self) -> Mapping[str, Any]:
        """Give it for a program."""
        return self.document

    def show(self, console: Console) -> None:
        """Show it to a person."""
        for name, value in self.document.items():
            console.line(f"{name}: {value}")


def takes(attempt: Attempt, state: str) -> bool:
    """Say, in constant time, whether a state is that of an attempt."""
    return bool(attempt.state) and secrets.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace"))


def _name(service: str, client_id: str) -> str:
    return f"{service}/{client_id}"[:200]
