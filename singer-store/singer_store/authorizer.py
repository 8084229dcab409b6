"""The access token of one run, kept for a moment, so that not each call asks the store."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from singer_store.errors import RefreshUnavailableError
from singer_store.renewal import wait_in_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_store.broker import Broker
    from singer_store.tokens import AccessToken

logger = logging.getLogger(__name__)

CACHE_SECONDS = 60.0
PATIENCE = 120.0
"""Seconds that a run waits in all for a service that says "not now"."""


class Authorizer:
    """Hands out a broker's token to the threads of one run.

    A service that gives no token now is waited for, if the pause that it asks for is no longer than what remains of
    `patience`. A run that has waited in vain does not ask again.
    """

    def __init__(
        self, broker: Broker, *, patience: float | None = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Keep a broker's token.

        Args:
            broker: of the connection.
            patience: seconds to wait in all, `PATIENCE` if not given; 0 for whoever tries again by itself.
            wait: lets that many seconds pass.
        """
        self._broker = broker
        self._patience = PATIENCE if patience is None else patience
        self._wait = wait
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._ask_again = 0.0
        self._left = self._patience
        self._in_vain: RefreshUnavailableError | None = None

    def token(self) -> AccessToken:
        """Return a valid access token.

        Raises:
            TokenError: If there is none to be had.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._ask_again:
                return self._keep(self._patiently(self._broker.token))
            return self._token

    def renew(self, rejected: AccessToken) -> AccessToken:
        """Return another token than one that was refused; of several threads that were refused, the first one asks.

        Raises:
            TokenError: If there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.value == rejected.value:
                return self._keep(self._patiently(lambda: self._broker.renew(rejected)))
            return self._token

    def _patiently(self, ask: Callable[[], AccessToken]) -> AccessToken:
        if self._in_vain is not None:
            raise self._in_vain
        failures = 0
        while True:
            try:
                return ask()
            except RefreshUnavailableError as error:
                failures += 1
                wait = wait_in_run(failures, error.retry_after, self._left) if error.asked_to_wait else None
                if wait is None:
                    if error.asked_to_wait and self._patience:
                        self._in_vain = error
                    raise
                logger.warning("%s Waiting for %.0f s.", error, wait)
            self._left -= wait
            self._wait(wait)

    def _keep(self, token: AccessToken) -> AccessToken:
        self._token, self._ask_again = token, time.monotonic() + CACHE_SECONDS
        return token
