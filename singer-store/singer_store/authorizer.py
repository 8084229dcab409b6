"""The access token of one run, kept for a moment, so that not each call asks the store."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_store.broker import Broker
    from singer_store.tokens import AccessToken

CACHE_SECONDS = 60.0


class Authorizer:
    """Hands out a broker's token to the threads of one run."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._ask_again = 0.0

    def token(self) -> AccessToken:
        """Give a valid access token.

        Raises:
            TokenError: If there is none to be had.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._ask_again:
                return self._keep(self._broker.token())
            return self._token

    def renew(self, rejected: AccessToken) -> AccessToken:
        """Give another token than one that was refused; of several threads that were refused, the first one asks.

        Raises:
            TokenError: If there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.value == rejected.value:
                return self._keep(self._broker.renew(rejected))
            return self._token

    def _keep(self, token: AccessToken) -> AccessToken:
        self._token, self._ask_again = token, time.monotonic() + CACHE_SECONDS
        return token
