"""Where subscriptions and the handshakes that have arrived for them are kept: encrypted, in the store."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from freshbooks_zoho.freshbooks.subscriptions import STREAMS, Subscription

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from singer_store import Store

KIND = "callback"
HANDSHAKE = "handshake"
LOCK_SECONDS = 60.0
"""Asking FreshBooks takes a few seconds for each callback, in the worst case."""


class SubscriptionStore:
    """The subscriptions of one account; every method raises StoreError if the store cannot be used.

    A handshake is a document of its own, so that the process that takes it need not wait for the one that is at work on
    the subscription.
    """

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes and threads from changing the subscriptions."""
        return self._store.lock(f"callbacks {self._account}", timeout=LOCK_SECONDS)

    def load(self) -> dict[str, Subscription]:
        """Give the subscriptions there are, by noun."""
        documents = self._store.secrets.all(KIND)
        return {
            noun: Subscription.from_document(noun, documents[self._name(noun)])
            for noun in STREAMS
            if self._name(noun) in documents
        }

    def save(self, subscription: Subscription) -> None:
        """Keep a subscription, in place of its noun's former one."""
        self._store.secrets.put(KIND, self._name(subscription.noun), subscription.to_document())

    def handshakes(self, noun: str) -> dict[int, str]:
        """Give the verifiers that have arrived for a noun and are not yet confirmed, by callback id."""
        prefix = self._name(noun) + "/"
        return {
            int(name.removeprefix(prefix)): str(document["verifier"])
            for name, document in self._store.secrets.all(HANDSHAKE).items()
            if name.startswith(prefix)
        }

    def keep_handshake(self, noun: str, callback_id: int, verifier: str) -> None:
        """Keep a verifier that has arrived."""
        self._store.secrets.put(HANDSHAKE, self._name(noun, callback_id), {"verifier": verifier})

    def drop_handshake(self, noun: str, callback_id: int, verifier: str) -> None:
        """Forget a verifier, unless another one has arrived since."""
        kept = self.handshakes(noun).get(callback_id)
        if kept is not None and hmac.compare_digest(kept.encode(), verifier.encode()):
            self._store.secrets.delete(HANDSHAKE, self._name(noun, callback_id))

    def forget_handshakes(self, noun: str) -> None:
        """Forget all verifiers that have arrived for a noun."""
        for number in self.handshakes(noun):
            self._store.secrets.delete(HANDSHAKE, self._name(noun, number))

    def _name(self, noun: str, *more: int) -> str:
        return "/".join((self._account, noun, *map(str, more)))
