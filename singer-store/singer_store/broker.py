"""Hands out access tokens, and is the only one that ever sends a refresh token.

A refresh, step by step: take the lock of the connection (across processes, dies with its holder); read the row again,
for somebody else may have refreshed; note in the row that the refresh token is about to be sent, and commit; send it
once; commit the answer; only then give it to anyone. Whoever finds such a note without an answer knows that the
refresh token may be spent, and sends it one more time, never twice more.
"""

from __future__ import annotations

import logging
import platform
import threading
import traceback
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from singer_store.errors import (
    ClientRefusedError,
    ConnectAgainError,
    RefreshNotSent,
    RefreshRefused,
    RefreshUnavailableError,
    StoreUnavailableError,
    TokenError,
)
from singer_store.locks import LockTimeoutError
from singer_store.renewal import Outcome, Step, decide, flags_after, is_alive, with_grant
from singer_store.tokens import AccessToken, TokenRow, why_connect_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from singer_store.database import Database
    from singer_store.tokens import Grant, TokenRows

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOCK_SECONDS = 90.0
# Attempts that never reached the service: after about a half, one and two seconds.
SEND_TRIES = 4
SEND_WAIT = 0.5
# The only copy of a new refresh token is in memory: try hard to write it.
SAVE_TRIES = 6

_BLOCKS = {
    "unavailable": "the service said not now",
    "unanswered": "it did not answer the last time",
    "unreachable": "it could not be reached",
}


class _Superseded(Exception):  # noqa: N818 - no fault
    """Somebody stored another grant although this process holds the lock (it lost it): theirs counts."""


@dataclass(frozen=True)
class Broker:
    """Access tokens of one connection. Made by `Store.broker`; safe to share among threads."""

    service: str
    client_id: str = field(repr=False)
    seed: str | None = field(repr=False)
    digest: str = field(repr=False)
    refresh: Callable[[str, Mapping[str, str]], Grant] = field(repr=False)
    rotates: bool
    rows: TokenRows = field(repr=False)
    database: Database = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    hint: str = 'Give consent once more, or put a new refresh token in the setting "refresh_token".'
    _warned: set[datetime] = field(default_factory=set, repr=False)

    def token(self) -> AccessToken:
        """Give a valid access token, renewing it if its time has come.

        Raises:
            ConnectAgainError: When only a person can help.
            ClientRefusedError: When the service does not accept the client id or secret.
            RefreshUnavailableError: When there is no living token and none can be had right now.
            StoreError: When the store cannot be used.
        """
        return self._obtain(rejected=None)

    def renew(self, rejected: AccessToken) -> AccessToken:
        """Give another token than the one the service has just rejected (401), refreshing unless another process has.

        Raises:
            ConnectAgainError: When only a person can help.
            ClientRefusedError: When the service does not accept the client id or secret.
            RefreshUnavailableError: When no other token can be had right now.
            StoreError: When the store cannot be used.
        """
        return self._obtain(rejected=rejected.value)

    def connect(self, grant: Grant) -> None:
        """Store the tokens of a fresh consent; whatever stood in the way before is forgotten.

        Raises:
            TokenError: When the grant has no refresh token.
            StoreError: When the store cannot be used.
        """
        if not grant.refresh_token:
            raise TokenError(
                f"The consent of {self.service} came without a refresh token, so the connection would end with its "
                "access token. Ask for offline access, and for consent anew."
            )
        with self._lock():
            now = self.clock()
            while True:
                row = self.rows.bare(self.service, self.client_id, self.digest)
                if row is None:
                    self.rows.add(with_grant(self._new_row(), grant, now, platform.node()))
                    break
                if self.rows.put(with_grant(row, grant, now, platform.node())):
                    break
        logger.info("Connected to %s.", self.service)

    def forget(self) -> None:
        """Drop the tokens. A mark stays in their place, so that the seed in the settings does not come back to life."""
        with self._lock():
            self._forget()

    def disconnect(self, revoke: Callable[[str, Mapping[str, str]], None]) -> bool:
        """Revoke the refresh token at the service and drop the tokens, while nobody can be refreshing them.

        They are dropped whatever comes of it: what `revoke` raises is raised when that is done.

        Args:
            revoke: Is given the refresh token (the seed, if that was never used), and the details that came with it.

        Returns:
            Whether there was anything to revoke.

        Raises:
            CorruptRowError: When the tokens cannot be read, so that they could only be dropped.
            StoreError: When the store cannot be used.
        """
        with self._lock():
            try:
                row = self.rows.of(self.service, self.client_id, self.digest)
                token = self.seed if row is None else row.refresh_token
                if token:
                    revoke(token, {} if row is None else row.details)
            finally:
                self._forget()
        return bool(token)

    def _forget(self) -> None:
        chosen = self.rows.choose(self.service, self.client_id, self.digest)
        own = self.rows.bare(self.service, self.client_id, self.digest)
        for row in filter(None, {chosen, own}):
            mark = self._new_row(seed=row.seed, connect_again="disconnected", grant_number=row.grant_number + 1)
            self.rows.put(mark)
        if own is None:
            self.rows.add(self._new_row(connect_again="disconnected"))
        logger.info("Disconnected from %s.", self.service)

    def _obtain(self, rejected: str | None) -> AccessToken:
        row = self.rows.of(self.service, self.client_id, self.digest)
        if row is not None and (step := self._decide(row, rejected)) not in {Step.REFRESH, Step.GIVE_UP}:
            return self._conclude(row, step, rejected)
        try:
            with self._lock():
                return self._obtain_alone(rejected)
        except LockTimeoutError:
            if row is None or not is_alive(row, self.clock(), rejected):
                raise
            logger.warning(
                "Another process has been refreshing the access token of %s for %.0f s; the present one still lives.",
                self.service,
                LOCK_SECONDS,
            )
            return _access_token(row)

    def _obtain_alone(self, rejected: str | None) -> AccessToken:
        row = self._find_or_plant()
        step = self._decide(row, rejected)
        if step is Step.REFRESH:
            planted = row
            granted = _uninterrupted(lambda: self._refresh(planted))
            if granted is not None:
                return _access_token(granted)
            row = self._find_or_plant()
        elif step is Step.GIVE_UP:
            self.rows.note(row, connect_again="unanswered")
            row = self._find_or_plant()
        return self._conclude(row, self._decide(row, rejected), rejected)

    def _decide(self, row: TokenRow, rejected: str | None) -> Step:
        return decide(row, self.clock(), rotates=self.rotates, rejected=rejected)

    def _conclude(self, row: TokenRow, step: Step, rejected: str | None) -> AccessToken:
        if step is Step.CONNECT_AGAIN:
            raise ConnectAgainError(self._connect_again(row))
        if step is Step.LAST_HOURS:
            logger.warning(
                "%s Its last access token works until %s.",
                self._connect_again(row),
                f"{row.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            )
        elif step is not Step.USE:
            until, why = row.blocked_until or self.clock(), _why_blocked(row)
            seconds = max(0.0, (until - self.clock()).total_seconds())
            if not is_alive(row, self.clock(), rejected):
                raise RefreshUnavailableError(
                    seconds,
                    f"{self.service} gives no access token at the moment: {why}. Try again in {seconds:.0f} s.",
                    asked_to_wait=row.blocked_by == Outcome.UNAVAILABLE.value,
                )
            if until not in self._warned:
                self._warned.add(until)
                logger.warning(
                    "The access token of %s could not be renewed: %s. The present one still lives; next try in %.0f s.",
                    self.service,
                    why,
                    seconds,
                )
        return _access_token(row)

    def _find_or_plant(self) -> TokenRow:
        row = self.rows.of(self.service, self.client_id, self.digest)
        if row is None:
            if self.seed is None:
                raise ConnectAgainError(self._connect_again(self._new_row()))
            row = self._new_row(refresh_token=self.seed)
            self.rows.add(row)
        return row

    def _refresh(self, row: TokenRow) -> TokenRow | None:
        """Send the row's refresh token. None: there was no grant, and the row says why."""
        try:
            granted = self._ask(row)
        except _Superseded:
            return None
        except ClientRefusedError as error:
            self._flag(row, Outcome.CLIENT_REFUSED)
            raise ClientRefusedError(str(error)) from None
        except RefreshRefused:
            self._flag(row, Outcome.REFUSED)
        except RefreshUnavailableError as error:
            self._flag(row, Outcome.UNAVAILABLE, error)
        except RefreshNotSent:
            self._flag(row, Outcome.UNREACHABLE)
        except Exception as error:  # noqa: BLE001 - whatever it is, bytes may have been sent
            # The text of a foreign exception may hold what was sent; its class and place say enough.
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.debug("The refresh ended with %s at %s:%s.", type(error).__name__, place.filename, place.lineno)
            self._flag(row, Outcome.UNANSWERED)
        else:
            if not self._save(granted):
                return None
            if row.refreshed_on not in {None, granted.refreshed_on}:
                logger.info(
                    "Before, host %s did; two copies of a store end each other's connections.", row.refreshed_on
                )
            return granted
        return None

    def _ask(self, row: TokenRow) -> TokenRow:
        tries = 1 if self.rotates else 2
        patient = backoff.on_exception(
            backoff.expo, RefreshNotSent, max_tries=SEND_TRIES, factor=SEND_WAIT, logger=None
        )(self._ask_once)
        while True:
            tries -= 1
            try:
                return patient(row)
            except (TokenError, RefreshRefused, RefreshNotSent, _Superseded):
                raise
            except Exception:
                # A refresh token that stays valid may be sent again; one of single use is left for a later call.
                if not tries:
                    raise

    def _ask_once(self, row: TokenRow) -> TokenRow:
        if self.rotates and not self.rows.note(row, tries=row.tries + 1):
            raise _Superseded
        asked_at = self.clock()
        try:
            grant = self.refresh(row.refresh_token or "", row.details)
        except RefreshNotSent:
            self.rows.note(row, tries=row.tries)
            raise
        return with_grant(row, grant, asked_at, platform.node())

    def _flag(self, row: TokenRow, outcome: Outcome, error: RefreshUnavailableError | None = None) -> None:
        logger.info("Refreshing the access token of %s ended as: %s.", self.service, outcome.value)
        asked = None if error is None else error.retry_after
        flags = flags_after(row, outcome, self.clock(), rotates=self.rotates, retry_after=asked)
        if error is not None and error.message and str(row.refresh_token) not in error.message:
            flags["blocked_message"] = error.message
        self.rows.note(row, **flags)

    def _save(self, granted: TokenRow) -> bool:
        save = backoff.on_exception(
            backoff.expo, StoreUnavailableError, max_tries=SAVE_TRIES, factor=SEND_WAIT, logger=None
        )(self.rows.put)
        saved: bool = save(granted)
        if saved:
            logger.info("Refreshed the access token of %s.", self.service)
        return saved

    def _new_row(self, **values: Any) -> TokenRow:
        return TokenRow(**{"service": self.service, "client_id": self.client_id, "seed": self.digest, **values})

    def _lock(self) -> AbstractContextManager[None]:
        return self.database.lock(f"tokens {self.service} {self.client_id}", LOCK_SECONDS)

    def _connect_again(self, row: TokenRow) -> str:
        return f"{self.service} has to be connected again: {why_connect_again(row, self.clock())}. {self.hint}"


def _why_blocked(row: TokenRow) -> str:
    """Return why nobody should ask for a token yet: what the plugin said, else what is known of it, without an end."""
    said = (row.blocked_message or "").strip().rstrip(".")
    return said or _BLOCKS.get(row.blocked_by or "", "another process is at it")


def _access_token(row: TokenRow) -> AccessToken:
    if row.access_token is None or row.expires_at is None:
        raise ConnectAgainError(f"{row.service} has to be connected: there is no access token in the store.")
    return AccessToken(row.access_token, row.expires_at, dict(row.details))


def _uninterrupted(work: Callable[[], T]) -> T:
    """Finish some work although the user presses Ctrl-C meanwhile: an answer on its way must not be lost.

    Signals reach the main thread only, so the work is done in another.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            result.set_exception(error)

    threading.Thread(target=run, name="singer-store-refresh").start()
    try:
        # Not Thread.join: before Python 3.13 one that was interrupted believes the thread has ended.
        return result.result()
    except BaseException:
        if not result.done():
            logger.info("Finishing the refresh of an access token before stopping.")
            wait([result])
        raise
