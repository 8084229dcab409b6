"""FreshBooks callbacks: registered, verified, and put right again on every start; their keys kept in the store.

The handshake: FreshBooks posts a verifier to the URL of a new callback. Anyone could post one. So it is taken only on a
path that waits for it and for the callback that was registered there, and counts only when FreshBooks has confirmed it.
Several processes may share the store: what changes a subscription is done under a lock, and re-read after it.
"""

from __future__ import annotations

import contextlib
import enum
import hmac
import logging
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from freshbooks_zoho.freshbooks.callback_state import CallbackStates
from freshbooks_zoho.freshbooks.events_api import UnansweredError
from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.freshbooks.subscriptions import (
    STREAMS,
    Adopt,
    Delete,
    Prove,
    Register,
    Resend,
    Subscription,
    base_url,
    plan,
)
from freshbooks_zoho.webhooks.deliveries import read_handshake
from freshbooks_zoho.webhooks.signatures import is_signed
from singer_store import StoreError
from tap_freshbooks.errors import FreshBooksError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freshbooks_zoho.freshbooks.callback_state import CallbackState
    from freshbooks_zoho.freshbooks.events_api import EventsApi
    from freshbooks_zoho.freshbooks.subscriptions import Action
    from freshbooks_zoho.webhooks.deliveries import Handshake
    from singer_store import Store

ROUNDS = 3
"""How often the list is looked at when answers are lost on the way."""
RELOAD_SECONDS = 1.0
"""How old the subscriptions in memory may be before something unknown makes them be read again."""
REFUSALS = {400, 404, 409, 422}
"""How FreshBooks says that a verifier is not the one (https://www.freshbooks.com/api/errors)."""
MAX_HANDSHAKES = 4
"""Kept for a noun while FreshBooks has not said which callback is its."""

_log = logging.getLogger(__name__)


class Verdict(enum.Enum):
    """What a delivery is found to be."""

    SIGNED = "signed"
    UNPROVEN = "unproven"
    """Signed with a verifier that FreshBooks is being asked about: to be sent again."""
    WRONG = "wrong"
    UNKNOWN_PATH = "unknown path"


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Callbacks:
    """The subscriptions of one account under one public URL. Thread-safe.

    Args:
        client: talks to FreshBooks.
        store: keeps paths and verifiers.
        public_url: where this service is reached from outside.
        account: the FreshBooks account id.
        clock: gives the time, aware.
    """

    def __init__(
        self, client: EventsApi, store: Store, public_url: str, account: str, *, clock: Callable[[], datetime] = _now
    ) -> None:
        self.account = account
        self._client = client
        self._kept = SubscriptionStore(store, account)
        self._base = base_url(public_url)
        self._clock = clock
        self._states = CallbackStates(public_url)
        self._subscriptions: dict[str, Subscription] = {}
        self._unproven: dict[str, str] = {}
        self._loaded_at = -RELOAD_SECONDS
        self._changing = threading.RLock()

    # What a request needs: from memory, without waiting for anyone.

    @property
    def path_secrets(self) -> dict[str, str]:
        """The secret path of each noun that has one."""
        return {noun: subscription.path for noun, subscription in self._subscriptions.items()}

    def verifiers(self, path: str) -> tuple[str, ...]:
        """Give the verifiers taken on a path, the current one first; none where the path is unknown."""
        subscription = self._at(path)
        return () if subscription is None else subscription.keys(self._clock())

    def judge(self, path: str, form: Mapping[str, str], signature: bytes) -> Verdict:
        """Say what a delivery to a path is."""
        subscription = self._at(path)
        if subscription is None:
            return Verdict.UNKNOWN_PATH
        if is_signed(form, signature, subscription.keys(self._clock())):
            return Verdict.SIGNED
        unproven = self._unproven.get(subscription.noun)
        return Verdict.UNPROVEN if unproven and is_signed(form, signature, [unproven]) else Verdict.WRONG

    @property
    def is_outdated(self) -> bool:
        """Whether another process may have changed the subscriptions since they were read."""
        return time.monotonic() - self._loaded_at >= RELOAD_SECONDS

    # What takes a while: to be called from a thread.

    def reload(self) -> None:
        """Read the subscriptions from the store.

        Raises:
            StoreError: if it cannot be used; what was read before stays.
        """
        with self._changing:
            if self.is_outdated:
                self._load()

    def states(self) -> list[CallbackState]:
        """Give how the callbacks are, as far as the store can be read."""
        with contextlib.suppress(StoreError):
            self.reload()
        return [self._states.of(noun, self._subscriptions.get(noun), self._clock()) for noun in STREAMS]

    def take_handshake(self, path: str, form: Mapping[str, str]) -> str | None:
        """Keep a verifier that has arrived; `prove` then asks FreshBooks whether it is the one.

        Returns:
            The noun whose handshake it may be; None if none is expected there, and nothing was kept.

        Raises:
            StoreError: if it cannot be kept for now.
        """
        handshake = read_handshake(form, self.account)
        self.reload()
        if handshake is None or self._at(path) is None:
            return None
        self._load()
        subscription = self._at(path)
        if subscription is None or not self._takes(subscription, handshake):
            return None
        if subscription.waits:
            self._kept.keep_handshake(subscription.noun, handshake.callback_id, handshake.verifier)
            self._unproven[subscription.noun] = handshake.verifier
        return subscription.noun

    def _takes(self, subscription: Subscription, handshake: Handshake) -> bool:
        number, verifier = handshake.callback_id, handshake.verifier.encode()
        if subscription.takes_handshake(number):
            arrived = self._kept.handshakes(subscription.noun)
            return number in arrived or len(arrived) < MAX_HANDSHAKES
        # One that is done with may come twice.
        known = [hmac.compare_digest(key.encode(), verifier) for key in subscription.keys(self._clock())]
        return any(known) and subscription.callback_id == number

    def prove(self, noun: str) -> None:
        """Ask FreshBooks about the verifier that has arrived for a noun, if one has; what goes wrong is logged."""
        try:
            with self._kept.lock():
                self._load()
                self._prove(noun)
        except (StoreError, FreshBooksError) as error:
            _log.warning("The callback for %s is not verified yet: %s", noun, error)

    def ensure(self) -> list[CallbackState]:
        """Bring FreshBooks' callbacks in line: register, verify, repair, remove stale ones of ours.

        To be called on every start, while the public port is served, and again from time to time.

        Raises:
            FreshBooksError: if FreshBooks does not give the list of callbacks.
            StoreError: if the store cannot be used, or there is no access token to be had.
        """
        with self._kept.lock():
            self._load()
            for noun in STREAMS.keys() - self._subscriptions.keys():
                self._save(Subscription.new(noun))
            problems = self._states.problems = self._repair()
            for noun in STREAMS.keys() - problems.keys():
                try:
                    self._prove(noun)
                except FreshBooksError as error:  # noqa: PERF203 - a network call takes longer
                    problems[noun] = str(error)
        return self.states()

    def _repair(self) -> dict[str, str]:
        """Carry out the plan; again, from a new list, where an answer was lost. Gives what went wrong, by noun."""
        problems: dict[str, str] = {}
        for _ in range(ROUNDS):
            problems = {}
            unanswered = False
            shaken = {number for noun in STREAMS for number in self._kept.handshakes(noun)}
            ours = [self._subscriptions[noun] for noun in STREAMS]
            for action in plan(ours, self._client.callbacks(), self._base, shaken):
                noun = getattr(action, "noun", "")
                if noun in problems:
                    continue
                try:
                    self._carry_out(action)
                except FreshBooksError as error:
                    unanswered |= isinstance(error, UnansweredError)
                    if noun:
                        problems[noun] = str(error)
                    else:
                        _log.warning("%s", error)
            if not unanswered:
                break
        return problems

    def _carry_out(self, action: Action) -> None:
        now = self._clock()
        if isinstance(action, Register):
            subscription = self._save(self._subscriptions[action.noun].registering(now))
            callback = self._client.create(action.noun, self._base + subscription.path)
            self._save(subscription.adopting(callback.id, now))
            _log.info("Callback %s registered for %s.", callback.id, action.noun)
        elif isinstance(action, Adopt):
            self._save(self._subscriptions[action.noun].adopting(action.callback_id, now))
            _log.info("Callback %s taken over for %s.", action.callback_id, action.noun)
        elif isinstance(action, Resend):
            # First expected, then asked for: the handshake may be here before the answer is.
            self._save(self._subscriptions[action.noun].expecting())
            self._client.resend(action.callback_id)
            _log.info("Callback %s for %s is not verified: asked for a new handshake.", action.callback_id, action.noun)
        elif isinstance(action, Prove):
            self._prove(action.noun)
        elif isinstance(action, Delete):
            self._client.delete(action.callback_id)
            _log.info("Callback %s removed: it is of no more use.", action.callback_id)

    def _prove(self, noun: str) -> None:
        subscription = self._subscriptions.get(noun)
        while subscription is not None and subscription.waits and (number := subscription.callback_id) is not None:
            verifier = self._kept.handshakes(noun).get(number)
            if verifier is None:
                break
            try:
                callback = self._client.verify(number, verifier)
            except FreshBooksError as error:
                if error.status not in REFUSALS:
                    raise
                # Another one may have arrived meanwhile: look again.
                self._kept.drop_handshake(noun, number, verifier)
                self._unproven.pop(noun, None)
                _log.warning("A handshake for %s was not FreshBooks' own, or is outdated: %s", noun, error)
                continue
            if not callback.verified:
                raise FreshBooksError(f"Callback {number}: FreshBooks took the verifier, yet it is not verified.")
            subscription = self._save(subscription.proven(verifier, self._clock()))
            self._kept.forget_handshakes(noun)
            self._unproven.pop(noun, None)
            self._states.problems.pop(noun, None)
            _log.info("Callback %s for %s is verified.", number, noun)

    def _at(self, path: str) -> Subscription | None:
        found, given = None, path.encode(errors="replace")
        for subscription in self._subscriptions.values():
            if hmac.compare_digest(subscription.path.encode(), given):
                found = subscription
        return found

    def _load(self) -> None:
        with self._changing:
            self._subscriptions = self._kept.load()
            self._unproven = {
                noun: verifier
                for noun, subscription in self._subscriptions.items()
                if subscription.waits
                for number, verifier in self._kept.handshakes(noun).items()
                if subscription.takes_handshake(number)
            }
            self._loaded_at = time.monotonic()

    def _save(self, subscription: Subscription) -> Subscription:
        with self._changing:
            self._kept.save(subscription)
            self._subscriptions = {**self._subscriptions, subscription.noun: subscription}
        return subscription
