"""When to renew an access token, and what to do after each way a refresh can end: decisions only, no I/O.

The rules come from the services. FreshBooks' refresh tokens are single use, and its access tokens live 12 hours
(https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api). Zoho's refresh tokens stay valid, its access
tokens live one hour, and only ten may be made in ten minutes
(https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_store.tokens import Grant, TokenRow

# A refresh token that may have been spent is sent once more, never a third time.
MAX_TRIES = 2
_MARGIN = timedelta(minutes=5)
_LONGEST_LIFE = 10 * 365 * 86400
# How long nobody asks again, in seconds, where the service did not say.
_PAUSE = {"unavailable": 30.0, "unanswered": 60.0, "unreachable": 3.0}
_LONGEST_PAUSE = 86400.0
# Between two attempts of one run, in seconds, where the service did not say or names less; doubled each time.
_FIRST_WAIT = 2.0
_NOT_BLOCKED = {"blocked_until": None, "blocked_by": None, "blocked_message": None}


class Step(Enum):
    """What to do for somebody who wants an access token."""

    USE = "use"
    REFRESH = "refresh"
    USE_MEANWHILE = "no refresh is possible at the moment, and the present token still lives"
    WAIT = "no refresh is possible at the moment, and there is no living token"
    GIVE_UP = "the refresh token was sent twice without an answer: mark the row"
    LAST_HOURS = "only a person can renew, and the present token still lives"
    CONNECT_AGAIN = "only a person can renew, and there is no living token"


class Outcome(Enum):
    """How one POST of a refresh token ended, other than with a grant."""

    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNAVAILABLE = "unavailable"
    UNREACHABLE = "unreachable"
    CLIENT_REFUSED = "client refused"


def when_to_refresh(issued_at: datetime, expires_at: datetime, *, rotates: bool) -> datetime:
    """Give the moment from which a token is renewed.

    A rotating one at half its life: should the answer be lost, the other half remains to connect again. Others five
    minutes before their end (a tenth of their life, where that is shorter).
    """
    life = expires_at - issued_at
    return issued_at + life / 2 if rotates else expires_at - min(_MARGIN, life / 10)


def when_it_expires(grant: Grant, asked_at: datetime) -> datetime:
    """Give the end of a fresh token's life, never later than the local clock allows.

    FreshBooks has been seen to answer a refresh with the ``created_at`` of an earlier token: the earlier end counts.
    An issue time so old that hardly a tenth of the life would remain cannot be true of a token just issued, and
    believing it would mean to refresh over and over; then the local clock counts alone.
    """
    # Whatever the service says, its answer is too precious to stumble over.
    life = timedelta(seconds=min(grant.expires_in, _LONGEST_LIFE))
    if grant.issued_at is None or grant.issued_at.tzinfo is None or grant.issued_at + life < asked_at + life / 10:
        return asked_at + life
    return min(grant.issued_at, asked_at) + life


def decide(row: TokenRow, now: datetime, *, rotates: bool, rejected: str | None = None) -> Step:
    """Say what to do with a row for somebody who wants a token.

    Args:
        row: What the store holds.
        now: The time.
        rotates: Whether each refresh token can be used only once.
        rejected: An access token that the service has just refused although it should live: it counts as dead.
    """
    alive = is_alive(row, now, rejected)
    if row.connect_again is not None:
        return Step.LAST_HOURS if alive else Step.CONNECT_AGAIN
    if alive and now < _renewal(row, rotates=rotates):
        return Step.USE
    if is_blocked(row, now):
        return Step.USE_MEANWHILE if alive else Step.WAIT
    if rotates and row.tries >= MAX_TRIES:
        return Step.GIVE_UP
    return Step.REFRESH


def is_alive(row: TokenRow, now: datetime, rejected: str | None = None) -> bool:
    """Tell whether the row's access token can still be used."""
    return (
        row.access_token is not None
        and row.access_token != rejected
        and row.expires_at is not None
        and now < row.expires_at
    )


def is_blocked(row: TokenRow, now: datetime) -> bool:
    """Return whether nobody should ask for a token yet.

    A pause that ends more than the longest one from now was noted by a clock that was wrong.
    """
    return row.blocked_until is not None and now < row.blocked_until <= now + timedelta(seconds=_LONGEST_PAUSE)


def wait_in_run(failures: int, asked: float | None, left: float) -> float | None:
    """Return the seconds that a run waits for a service that says "not now"; None to wait no longer.

    Args:
        failures: how often it has said so in this run.
        asked: the seconds that it asks for, if it does.
        left: what remains of the seconds that a run may wait.
    """
    wait = max(asked or 0.0, _FIRST_WAIT * 2 ** (failures - 1))
    if asked is not None and asked > left:
        return None
    return min(wait, left) if left > 0 else None


def _renewal(row: TokenRow, *, rotates: bool) -> datetime:
    if row.issued_at is None or row.expires_at is None:
        return datetime.min.replace(tzinfo=timezone.utc)
    return when_to_refresh(row.issued_at, row.expires_at, rotates=rotates)


def with_grant(row: TokenRow, grant: Grant, asked_at: datetime, host: str | None = None) -> TokenRow:
    """Return the row after a grant.

    Args:
        row: The row as it was.
        grant: What the service answered.
        asked_at: The local time just before the POST.
        host: The machine that made it.
    """
    return replace(
        row,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or row.refresh_token,
        details=dict(grant.details) or row.details,
        issued_at=asked_at,
        expires_at=when_it_expires(grant, asked_at),
        refreshed_at=asked_at,
        refreshed_on=host,
        tries=0,
        connect_again=None,
        blocked_until=None,
        blocked_by=None,
        blocked_message=None,
        grant_number=row.grant_number + 1,
    )


def flags_after(
    row: TokenRow, outcome: Outcome, now: datetime, *, rotates: bool, retry_after: float | None = None
) -> dict[str, object]:
    """Return the flags to write on a row after a POST that brought no grant.

    Args:
        row: The row as it was before the POST (its `tries` not yet counting this one).
        outcome: How the POST ended.
        now: The time.
        rotates: Whether each refresh token can be used only once.
        retry_after: Seconds, if the service named them.
    """
    if outcome is Outcome.REFUSED:
        # One that was sent before, and is refused now, was spent by that: it is the new one that is lost.
        return {"connect_again": "lost" if rotates and row.tries else "refused", **_NOT_BLOCKED}
    if outcome is Outcome.CLIENT_REFUSED:
        return {"tries": row.tries}
    if outcome is Outcome.UNANSWERED and rotates:
        tries = row.tries + 1
        if tries >= MAX_TRIES:
            return {"tries": tries, "connect_again": "unanswered", **_NOT_BLOCKED}
    else:
        # The refresh token was certainly not spent: what was known of it before still holds.
        tries = row.tries
    pause = _PAUSE[outcome.value]
    if retry_after is not None and retry_after >= 0:
        pause = min(retry_after, _LONGEST_PAUSE)
    return {
        **_NOT_BLOCKED,
        "tries": tries,
        "blocked_until": now + timedelta(seconds=pause),
        "blocked_by": outcome.value,
    }
