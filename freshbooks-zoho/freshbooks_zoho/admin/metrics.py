"""What the service measures, in Prometheus' terms; every name and label is listed here."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

EVENTS = frozenset(
    {f"{noun}.{action}" for noun in ("client", "invoice", "payment") for action in ("create", "update", "delete")}
    | {"client", "invoice", "payment", "invoice.sendByEmail", "callback.verify"}
    | {"insert", "update", "delete"}
)
"""Values of the label `event`: FreshBooks' names and Zoho's operations. Whatever else is sent counts as "other"."""


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received: dict[tuple[str, str, str], Counter] = {}
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.webhooks_received = counter(
            "webhooks_received_total",
            "Webhooks by sender, event and what became of them (stored, ignored, handshake, refused, unavailable).",
            ["source", "event", "result"],
        )
        self.ack_seconds = histogram(
            "ack_seconds",
            "Seconds from a webhook's arrival to its answer.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.inbox_pending = gauge("inbox_pending", "Objects still to sync.")
        self.inbox_oldest_seconds = gauge("inbox_oldest_seconds", "Age of the oldest object still to sync.")
        self.dead_letters = gauge("dead_letters", "Objects set aside after their last try.")
        self.run_seconds = histogram(
            "run_seconds",
            "Seconds that a Meltano run took.",
            buckets=(1, 2, 3, 5, 8, 13, 21, 34, 60, 120, 300, 900, 3600),
        )
        self.run_last_success = gauge("run_last_success_timestamp", "Unix time of the end of the last successful run.")
        self.records_written = counter("records_written_total", "Records written to Zoho.", ["module", "action"])
        self.records_unchanged = counter("records_unchanged_total", "Records that needed no write.")
        self.zoho_credits_remaining = gauge(
            "zoho_credits_remaining",
            "API credits left to the organization; not a number before Zoho has said, at half of the day's credits.",
        )
        self.zoho_credits_remaining.set(float("nan"))
        self.channel_expiry_seconds = gauge(
            "channel_expiry_seconds", "Seconds until a Zoho channel expires.", ["channel"]
        )
        self.token_age_seconds = gauge("token_age_seconds", "Seconds since the access token was made.", ["service"])
        self.token_refresh_failures = counter(
            "token_refresh_failures_total", "Token refreshes of this process that failed.", ["service"]
        )
        self.reconcile_difference_cents = gauge(
            "reconcile_difference_cents",
            "FreshBooks' outstanding total less Zoho's, in hundredths of the currency.",
            ["currency"],
        )

    def received(self, source: str, event: str | None, result: str, seconds: float) -> None:
        """Count one webhook.

        Args:
            source: freshbooks or zoho.
            event: as the sender names it; None where that is not to be believed.
            result: what became of it.
            seconds: from its arrival to its answer.
        """
        name = "unknown" if event is None else event if event in EVENTS else "other"
        labels = (source, name, result)
        counter = self._received.get(labels)
        if counter is None:
            counter = self._received[labels] = self.webhooks_received.labels(*labels)
        counter.inc()
        self.ack_seconds.observe(seconds)
