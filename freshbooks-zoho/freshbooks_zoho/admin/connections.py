"""What is measured of the connections to both services: how old the tokens are, and refreshes that fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from singer_store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freshbooks_zoho.admin.metrics import Metrics
    from freshbooks_zoho.settings import Settings
    from singer_store import Grant, Store
    from singer_store.broker import Broker


def measure_connections(
    metrics: Metrics,
    settings: Settings,
    store: Store,
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> None:
    """Have the age of each service's access token read from the store whenever the metrics are asked for.

    Whichever process made it; not a number, where there is none or the store cannot be read.
    """

    def age(service: str, client_id: str, seed: str | None) -> float:
        try:
            found = store.connection(service=service, client_id=client_id, seed=seed)
        except StoreError:
            found = None
        return (clock() - found.issued_at).total_seconds() if found and found.issued_at else float("nan")

    for service, plugin in (("freshbooks", settings.tap), ("zoho", settings.target)):
        gauge = metrics.token_age_seconds.labels(service)
        gauge.set_function(partial(age, service, plugin.client_id, plugin.refresh_token))
        # So that it is there before the first one.
        metrics.token_refresh_failures.labels(service)


def counting_failures(broker: Broker, metrics: Metrics) -> Broker:
    """Give the broker with its failed refreshes counted."""
    failures = metrics.token_refresh_failures.labels(broker.service)

    def refresh(refresh_token: str, details: Mapping[str, str]) -> Grant:
        with failures.count_exceptions():
            return broker.refresh(refresh_token, details)

    return replace(broker, refresh=refresh)
