"""How things are, collected from the store for the command `status` and the status page; no service is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freshbooks_zoho.admin.objects import ObjectStatus, read_object
from freshbooks_zoho.admin.past_runs import PastRun, put_together, read_at
from freshbooks_zoho.admin.wording import span
from freshbooks_zoho.freshbooks.account import known_account
from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.runs.history import RUNS, TARGET, is_of
from freshbooks_zoho.runs.leadership import lease_of
from freshbooks_zoho.runs.meltano_run import STREAMS
from freshbooks_zoho.settings import PLUGIN, TAP
from freshbooks_zoho.zoho import channels
from freshbooks_zoho.zoho.watch import ZOHO, load_channels
from target_zoho_crm.org.home import Homes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freshbooks_zoho.settings import Settings
    from singer_store import Connection, Store

PERIOD = timedelta(days=7)
"""The runs that are looked at."""
STALE = timedelta(hours=26)
"""Zoho is to be right every morning; who runs once a day may be late."""
MOST_RUNS = 1000


@dataclass(frozen=True)
class ConnectionStatus:
    """A connection to a service.

    Attributes:
        service: freshbooks or zoho.
        issued_at, expires_at: of the access token; None before the first one.
        problem: what a person has to do; None where nothing.
    """

    service: str
    issued_at: datetime | None
    expires_at: datetime | None
    problem: str | None

    @property
    def state(self) -> str:
        """How it is, in a word or two."""
        if self.problem:
            return "not connected"
        return "connected" if self.issued_at else "not used yet"


@dataclass(frozen=True)
class CallbackStatus:
    """FreshBooks' callback for a noun."""

    noun: str
    callback_id: int | None
    verified: bool


@dataclass(frozen=True)
class ChannelStatus:
    """Zoho's notification channel for a module; `problem` is a sentence where it cannot be relied on."""

    module: str
    granted_at: datetime | None
    expires_at: datetime | None
    problem: str | None


@dataclass(frozen=True)
class StreamStatus:
    """How fresh a stream is in Zoho.

    Attributes:
        name: of the stream.
        read_at: up to when Zoho has what FreshBooks says, but for the objects still to sync; None if no run of the
            period tells.
        waiting: objects still to sync.
        oldest: since when the oldest of them is.
    """

    name: str
    read_at: datetime | None
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class Status:
    """Everything there is to know at a glance; neither secrets nor personal data.

    Attributes:
        at: when it was collected.
        account: the FreshBooks account; None where it is not known yet.
        served_by: host and process id of the process that makes the runs; None if there is none.
        runs: of the period, the newest first.
        objects: still to sync, those that need a person first.
        notified: records that Zoho sent notifications about and that are still to be looked at.
        problems: sentences with what to do, about everything but objects.
    """

    at: datetime
    account: str | None
    served_by: str | None
    connections: tuple[ConnectionStatus, ...]
    callbacks: tuple[CallbackStatus, ...]
    channels: tuple[ChannelStatus, ...]
    streams: tuple[StreamStatus, ...]
    runs: tuple[PastRun, ...]
    objects: tuple[ObjectStatus, ...]
    notified: int
    problems: tuple[str, ...]

    @property
    def for_a_person(self) -> tuple[ObjectStatus, ...]:
        """The objects that waiting will not help."""
        return tuple(one for one in self.objects if one.needs_a_person)

    @property
    def under_way(self) -> tuple[ObjectStatus, ...]:
        """The others."""
        return tuple(one for one in self.objects if not one.needs_a_person)


def collect(settings: Settings, store: Store, now: datetime) -> Status:
    """Collect how things are.

    Args:
        settings: of the companion.
        store: that everything is in.
        now: aware.

    Raises:
        StoreError: if the store cannot be used.
    """
    account = known_account(settings, store)
    pending = store.pending.all()
    runs = past_runs(store, account, now)
    holder = store.leases.holder(lease_of(account)) if account else None
    # host:pid:random; the last part means nothing to anyone.
    served_by = holder.owner.rpartition(":")[0].replace(":", ", process ") if holder is not None else None
    objects = [read_object(one) for one in pending if one.account != ZOHO and account in (None, one.account)]
    connections = read_connections(settings, store)
    callbacks = tuple(_callbacks(store, account)) if settings.public_url else ()
    watched = tuple(_channels(store, account, now)) if settings.public_url else ()
    streams = tuple(_stream(name, runs, objects) for name in STREAMS)
    served = [f"FreshBooks' callback for {one.noun} is not verified." for one in callbacks if not one.verified]
    served += [one.problem for one in watched if one.problem]
    return Status(
        at=now,
        account=account,
        served_by=served_by,
        connections=connections,
        callbacks=callbacks,
        channels=watched,
        streams=streams,
        runs=tuple(runs),
        objects=tuple(sorted(objects, key=lambda one: (not one.needs_a_person, one.since, one.stream, one.id))),
        notified=sum(one.account == ZOHO for one in pending),
        problems=(
            *(one.problem for one in connections if one.problem),
            *_about_home(store, account),
            *_about_runs(runs, streams, now, settings.project.run),
            *(served if served_by else [_NOT_SERVED] if settings.public_url else []),
        ),
    )


_NOT_SERVED = f"No process takes the webhooks and makes the runs: start {PLUGIN} serve."


def past_runs(store: Store, account: str | None, now: datetime) -> list[PastRun]:
    """Give the runs of the period, the newest first; other businesses in the same store have their own.

    Raises:
        StoreError: if the store cannot be used.
    """
    made, read, written = (
        [run for run in store.runs.latest(plugin, MOST_RUNS, since=now - PERIOD) if is_of(run, account)]
        for plugin in (RUNS, TAP, TARGET)
    )
    return put_together(made, read, written, account)


def read_connections(settings: Settings, store: Store) -> tuple[ConnectionStatus, ConnectionStatus]:
    """Give how FreshBooks and Zoho are connected.

    Raises:
        StoreError: if the store cannot be used.
    """
    return (
        _connection("freshbooks", settings.tap.client_id, settings.tap.refresh_token, store),
        _connection("zoho", settings.target.client_id, settings.target.refresh_token, store),
    )


def _connection(service: str, client_id: str, seed: str | None, store: Store) -> ConnectionStatus:
    found: Connection | None = store.connection(service=service, client_id=client_id, seed=seed)
    name = {"freshbooks": "FreshBooks", "zoho": "Zoho"}[service]
    if found is None:
        problem = None if seed else f"{name} is not connected: run {PLUGIN} connect {service}."
        return ConnectionStatus(service, None, None, problem)
    problem = found.problem and f"{name} has to be connected again, {found.problem}: run {PLUGIN} connect {service}."
    return ConnectionStatus(service, found.issued_at, found.expires_at, problem or None)


def _callbacks(store: Store, account: str | None) -> Iterable[CallbackStatus]:
    for noun, one in SubscriptionStore(store, account).load().items() if account else ():
        yield CallbackStatus(noun, one.callback_id, verified=not one.waits and one.verifier is not None)


def _channels(store: Store, account: str | None, now: datetime) -> Iterable[ChannelStatus]:
    for one in load_channels(store, account):
        yield ChannelStatus(one.module, one.granted_at, one.expires_at, channels.problem(one, now))


def _stream(name: str, runs: Sequence[PastRun], objects: Sequence[ObjectStatus]) -> StreamStatus:
    mine = [one for one in objects if one.stream == name]
    return StreamStatus(name, read_at(runs, name), len(mine), min((one.since for one in mine), default=None))


def _about_home(store: Store, account: str | None) -> Iterable[str]:
    """Return sentences: the connection leads to another organization, or records are still to be brought there."""
    homes = Homes(store)
    home = homes.of(account)
    said = (home.problem if home else None, homes.still_to_bring(account))
    return (one for one in said if one)


def _about_runs(runs: Sequence[PastRun], streams: Sequence[StreamStatus], now: datetime, command: str) -> Iterable[str]:
    """Say what is wrong with the runs: the last one failed, or there has been none for too long."""
    last = next((run for run in runs if run.kind != "objects"), None)
    if last is not None and not last.ok:
        why = f": {last.reason}" if last.reason else ""
        yield f"The last run failed{why}. See the log of {PLUGIN} serve, or run: {command}"
    never = [one.name for one in streams if one.read_at is None]
    if len(never) == len(streams):
        yield f"No run has gone well in the last {PERIOD.days} days: start {PLUGIN} serve, or run: {command}"
        return
    for one in streams:
        if one.read_at is not None and now - one.read_at > STALE:
            yield f"FreshBooks' {one.name} were last read to the end {span(now - one.read_at)} ago."
