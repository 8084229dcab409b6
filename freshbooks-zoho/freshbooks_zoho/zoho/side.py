"""What the leader does for Zoho: channels kept alive, drift found and queued."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING

from freshbooks_zoho.admin.connections import counting_failures
from freshbooks_zoho.settings import PLUGIN
from freshbooks_zoho.zoho.drift import Drift
from freshbooks_zoho.zoho.watch import Watch
from target_zoho_crm.api.auth import open_broker
from target_zoho_crm.api.client import Retries, ZohoClient
from target_zoho_crm.errors import ZohoError
from target_zoho_crm.org.memory import Memory
from target_zoho_crm.org.surveyor import Surveyor

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_zoho.admin.metrics import Metrics
    from freshbooks_zoho.settings import Settings
    from singer_store import Store

AGAIN_SECONDS = 60.0
RETRIES = Retries(attempts=3, first_wait=0.5, longest_wait=5.0, total=30.0)
"""Shorter than the target's: whoever waits here holds up the next run."""

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def open_client(
    settings: Settings, store: Store, retries: Retries = RETRIES, metrics: Metrics | None = None
) -> ZohoClient:
    """Give a client of the organization's API, with the token that target and companion share.

    Args:
        settings: of the companion.
        store: holds the token.
        retries: of calls that fail.
        metrics: count the refreshes that fail.

    Raises:
        ConfigurationError: if `accounts_url` is none of Zoho's.
    """
    broker = open_broker(store, settings.target)
    if metrics is not None:
        broker = counting_failures(broker, metrics)
    agent = f"{PLUGIN}/{version(PLUGIN)}"
    return ZohoClient(broker, max_parallel=settings.target.max_parallel_requests, user_agent=agent, retries=retries)


class ZohoSide:
    """Channels and drift over one client.

    Args:
        settings: of the companion.
        client: the organization's API.
        store: shared with the target.
        account: the FreshBooks account id.
        metrics: show the channels.
        clock: gives the time, aware.
    """

    def __init__(  # noqa: PLR0913 - it puts them together
        self,
        settings: Settings,
        client: ZohoClient,
        store: Store,
        account: str,
        *,
        metrics: Metrics,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._settings, self._client, self._store, self._account = settings, client, store, account
        self._metrics, self._clock = metrics, clock
        self._watch: Watch | None = None
        self._problem: str | None = None
        self._drift = Drift(
            client,
            store,
            restore_fields=settings.restore_fields,
            restore_deleted=settings.restore_deleted,
            quiet=timedelta(seconds=settings.debounce),
            fields=self._surveyor.fields,
            clock=clock,
        )

    def check(self) -> int:
        """Look at the records that Zoho sent notifications about; gives how many objects were queued."""
        return self._drift.check()

    def tend(self) -> float:
        """Look after the channels; gives the seconds until that is to be done again."""
        if self._settings.public_url is None:
            return AGAIN_SECONDS
        if self._watch is None:
            try:
                self._watch = self._make_watch(self._settings.public_url)
            except ZohoError as error:
                self._problem = f"Zoho's channels could not be enabled: {error}"
                logger.warning("%s", self._problem)
                return AGAIN_SECONDS
            self._problem = None
        seconds = self._watch.tend()
        if (credits_left := self._client.usage.credits_remaining) is not None:
            self._metrics.zoho_credits_remaining.set(credits_left)
        return seconds

    def problems(self) -> list[str]:
        """Give a sentence for each channel that cannot be relied on."""
        return [self._problem] if self._problem else self._watch.problems() if self._watch else []

    def _make_watch(self, public_url: str) -> Watch:
        return Watch(
            self._client,
            self._store,
            modules=("Accounts", self._invoices_module()),
            public_url=public_url,
            account=self._account,
            connection=f"{self._settings.target.client_id}\n{self._account}",
            poll_interval=timedelta(seconds=self._settings.poll_interval),
            metrics=self._metrics,
            clock=self._clock,
        )

    @property
    def _surveyor(self) -> Surveyor:
        target = self._settings.target
        return Surveyor(self._client, target, Memory.of(self._store, target, self._account))

    def _invoices_module(self) -> str:
        """Return the API name of the module for invoices, which the setting may name by its label."""
        return self._surveyor.current().requirements["invoices"].name
