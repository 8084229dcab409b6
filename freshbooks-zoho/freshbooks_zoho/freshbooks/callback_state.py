"""How FreshBooks' callbacks are, and what keeps one from being verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from freshbooks_zoho.admin.wording import span

if TYPE_CHECKING:
    from datetime import datetime

    from freshbooks_zoho.freshbooks.subscriptions import Subscription

LONG = timedelta(minutes=2)
"""A handshake comes within seconds of being asked for; after so long something is in its way."""


@dataclass(frozen=True)
class CallbackState:
    """How a noun's callback is.

    Attributes:
        noun: client, invoice or payment.
        callback_id: FreshBooks' id; None while there is none.
        status: "waiting" is for the handshake.
        problem: a sentence where it failed, or has waited for long.
    """

    noun: str
    callback_id: int | None
    status: Literal["verified", "waiting", "failed"]
    problem: str | None = None


class CallbackStates:
    """Tells how callbacks are.

    Args:
        public_url: where FreshBooks reaches this service.

    Attributes:
        problems: what went wrong at the last look, by noun.
    """

    def __init__(self, public_url: str) -> None:
        self.problems: dict[str, str] = {}
        self._public_url = public_url
        self._waiting_since: dict[str, datetime] = {}

    def of(self, noun: str, subscription: Subscription | None, now: datetime) -> CallbackState:
        """Give how a noun's callback is.

        Args:
            noun: client, invoice or payment.
            subscription: what is known of it.
            now: aware; from the first time on that it is found to wait, this is counted.
        """
        number = None if subscription is None else subscription.callback_id
        if problem := self.problems.get(noun):
            return CallbackState(noun, number, "failed", problem)
        if subscription is not None and not subscription.waits:
            self._waiting_since.pop(noun, None)
            return CallbackState(noun, number, "verified")
        waited = now - self._waiting_since.setdefault(noun, now)
        if waited < LONG:
            return CallbackState(noun, number, "waiting")
        sentence = f"FreshBooks has sent no handshake for {span(waited)}: see that {self._public_url} leads here."
        return CallbackState(noun, number, "waiting", sentence)
