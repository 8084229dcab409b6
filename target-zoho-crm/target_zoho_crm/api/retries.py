"""Trying a call again: which failures are worth it, how long to wait, and when to give up."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import backoff
import requests
from urllib3.exceptions import NewConnectionError

from target_zoho_crm.errors import ServerFaultError, UnavailableError, ZohoError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

CONNECTION_ERRORS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""What requests raises when there is no whole answer."""


@dataclass(frozen=True)
class Retries:
    """How long a call is tried: attempts, and seconds."""

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total: float = 300.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0


class AgainError(Exception):
    """A call that may succeed later; `error` is for when it does not.

    Attributes:
        error: what to raise in the end.
        wait: how many seconds Zoho asked to wait; None if it did not say.
        hopeless: whether there is no point in waiting now.
        unanswered: whether Zoho may have carried the call out.
    """

    def __init__(
        self, error: ZohoError, *, wait: float | None = None, hopeless: bool = False, unanswered: bool = False
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.hopeless = hopeless
        self.unanswered = unanswered


def persist(what: str, call: Callable[[], Result], retries: Retries, faults: int | None = None) -> Result:
    """Make a call until it no longer raises `AgainError`, or until it is not worth it any more.

    Args:
        what: the call's name in the log.
        call: makes one attempt.
        retries: how long.
        faults: how many 500s are enough; None for as many as there are attempts.

    Raises:
        ZohoError: the last attempt's `AgainError.error`.
    """
    met = 0

    def gives_up(error: Exception) -> bool:
        nonlocal met
        if not isinstance(error, AgainError):
            return False
        met += isinstance(error.error, ServerFaultError)
        too_long = error.wait is not None and error.wait > retries.longest_wait
        return error.hopeless or too_long or (faults is not None and met >= faults)

    def report(details: Any) -> None:
        logger.info("%s: no usable answer; attempt %s in %.1f s", what, details["tries"] + 1, details["wait"])

    attempts = backoff.on_exception(
        waits,
        AgainError,
        max_tries=retries.attempts,
        max_time=retries.total,
        jitter=None,
        giveup=gives_up,
        on_backoff=report,
        logger=None,
        retries=retries,
    )
    try:
        return attempts(call)()
    except AgainError as again:
        raise again.error from None


def waits(*, retries: Retries) -> Generator[float, Any, None]:
    """Return the seconds before each further attempt: what Zoho asks for, else doubling, with full jitter."""
    longest = retries.first_wait
    error = yield 0
    while True:
        asked = error.wait if isinstance(error, AgainError) else None
        error = yield asked if asked is not None else random.uniform(0, longest)  # noqa: S311 - spreads, guards nothing
        longest = min(2 * longest, retries.longest_wait)


def unreachable(what: str, error: requests.RequestException) -> AgainError:
    """Return the error for a call without a whole answer, which never left or whose answer is lost."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    never_left = isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
    happened = "could not be reached" if never_left else "gave no whole answer"
    return AgainError(
        UnavailableError(
            f"Zoho's API server {happened} to {what} ({type(error).__name__}), several times; check the network and "
            "run again."
        ),
        unanswered=not never_left,
    )
