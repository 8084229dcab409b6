"""What a FreshBooks delivery says, once its signature is right: a decision, no I/O.

https://www.freshbooks.com/api/webhooks: a delivery names the event, the object's id and the account; never the object
itself, a time, or an id of its own. So it is a hint to look at the object, and any number of them means just that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freshbooks_zoho.freshbooks.subscriptions import STREAMS
from freshbooks_zoho.webhooks.inbox import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_VERIFIER = 200
"""Characters; FreshBooks' have 33."""
_ID = re.compile(r"[1-9][0-9]{0,17}")


class DeliveryError(Exception):
    """A delivery that is signed and yet not to be taken.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Handshake:
    """A verifier for a callback; nothing about it is proven."""

    callback_id: int
    verifier: str = field(repr=False)


def read_handshake(form: Mapping[str, str], account: str) -> Handshake | None:
    """Return the handshake that a form is; None if it cannot be one for this account.

    It is known by its verifier: which other fields it carries is not documented.
    """
    verifier, number = form.get("verifier", ""), form.get("object_id", "")
    fits = (
        0 < len(verifier) <= LONGEST_VERIFIER and _ID.fullmatch(number) and form.get("account_id", account) == account
    )
    return Handshake(int(number), verifier) if fits else None


def read_delivery(form: Mapping[str, str], account: str) -> Event | None:
    """Return the event of a delivery; None where it is about something that is not synced.

    Args:
        form: the delivery, whose signature has been checked.
        account: the FreshBooks account that is synced.

    Raises:
        DeliveryError: 403 if it is another account's, 400 if it names no object.
    """
    if form.get("account_id") != account:
        raise DeliveryError(403, "The delivery is not about the account that is synced here.")
    stream = STREAMS.get(form.get("name", "").partition(".")[0])
    if stream is None:
        return None
    number = form.get("object_id", "")
    if not _ID.fullmatch(number):
        raise DeliveryError(400, "The delivery names no object.")
    return Event(account, stream, number)
