"""One run of the target: what its streams share, opened when the first record needs it."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import cached_property, partial
from importlib.metadata import version
from threading import RLock
from typing import TYPE_CHECKING

from singer_store import Authorizer, StoreError, open_store
from target_zoho_crm.api.auth import open_broker
from target_zoho_crm.api.client import ZohoClient
from target_zoho_crm.background import Background
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.org.memory import Memory
from target_zoho_crm.org.preflight import Ready, prepare
from target_zoho_crm.summary import Summary
from target_zoho_crm.sync.dry_run import DryRun, to_file, to_terminal
from target_zoho_crm.sync.follow_up import FollowUp
from target_zoho_crm.sync.reading import Reader
from target_zoho_crm.sync.storage import Storage
from target_zoho_crm.sync.writing import Outcome, Outcomes, Writer
from target_zoho_crm.sync.written import former_records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from singer_store import Store
    from target_zoho_crm.mapping.layout import Destination
    from target_zoho_crm.settings import Settings
    from target_zoho_crm.sync.incoming import Source
    from target_zoho_crm.sync.invoices import Deal
    from target_zoho_crm.sync.planning import Action, Values
    from target_zoho_crm.sync.syncing import StreamSync

PLUGIN = "target-zoho-crm"

logger = logging.getLogger(PLUGIN)


class Run:
    """What the streams of one run share.

    Attributes:
        settings: as configured.
        summary: what has been done so far.
        started_at: when the run began (UTC).
        account: the FreshBooks account of the first record; None where it did not say.
        accounts: Zoho ids of the accounts that this run has met, by FreshBooks ID of the client.
        deals: the deals that this run has met, by FreshBooks ID of the invoice.
        owners: Zoho ids of the owners of accounts that this run has met, by Zoho id of the account; None is the user
            who gave the consent.
        removed: FreshBooks IDs of the invoices that are deleted in FreshBooks and, as the setting asks, in Zoho.
        storage: whether Zoho has room for new records.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.summary = Summary()
        self.started_at = datetime.now(timezone.utc)
        self.account: str | None = None
        self.accounts: dict[str, str] = {}
        self.deals: dict[str, Deal] = {}
        self.owners: dict[str, str | None] = {}
        self.removed: set[str] = set()
        self.storage = Storage(self.summary)
        self._ready: Ready | None = None
        self._surveying = RLock()
        self._again: dict[type[StreamSync], dict[str, Source]] = {}
        self._rests = Background()
        self._under_way: tuple[str | None, frozenset[str]] = (None, frozenset())
        self._open = ExitStack()
        self._used = False
        self._settled: set[str] = set()

    @cached_property
    def store(self) -> Store:
        """The store with the tokens and the objects still to sync."""
        self._used = True
        return self._open.enter_context(open_store(self.settings.store_url, self.settings.store_key))

    @cached_property
    def client(self) -> ZohoClient:
        """The organization's API."""
        broker = Authorizer(open_broker(self.store, self.settings))
        agent = f"{PLUGIN}/{version(PLUGIN)}"
        return self._open.enter_context(
            ZohoClient(broker, max_parallel=self.settings.max_parallel_requests, user_agent=agent)
        )

    @property
    def ready(self) -> Ready:
        """The organization, checked, and where each stream goes.

        Raises:
            ZohoError: if anything has to be put right first; nothing of a record has been written then.
        """
        with self._surveying:
            if self._ready is None:
                # A plan that cannot be told is not made.
                dry_run = self.dry_run if self.settings.dry_run else None
                self._ready = prepare(self.client, self.settings, self.memory)
                if dry_run is not None:
                    # A plan looks anew, where a run goes by what is remembered.
                    spared = self.client.usage.credits if self.memory.survey() else 0
                    dry_run.begin(self._ready, spared)
            return self._ready

    def survey_again(self) -> bool:
        """Read the organization, if what is known of it is from an earlier run; return whether it was.

        Raises:
            ZohoError: as `ready` does.
        """
        with self._surveying:
            if self._ready is None or not self._ready.is_remembered:
                return False
            self._ready = prepare(self.client, self.settings, self.memory, anew=True)
            return True

    @cached_property
    def memory(self) -> Memory:
        """What is remembered of the organization."""
        return Memory.of(self.store, self.settings, self.account)

    def check(self) -> None:
        """Make sure that records can be written.

        Raises:
            ZohoError: as `ready` does.
        """
        _ = self.ready

    def settle_in(self, accounts: Collection[str]) -> None:
        """Remember that the records of these FreshBooks accounts are written to this organization.

        Raises:
            ConfigurationError: if they were written to another one before; nothing more is written then.
            StoreError: if the store cannot be used.
        """
        for account in sorted(set(accounts) - self._settled):
            homes, organization = self.memory.homes, self.ready.organization.id
            if problem := homes.check(account, organization, keeps=not self.settings.dry_run):
                raise ConfigurationError(problem)
            if not self.settings.dry_run:
                homes.settle(account, organization)
            self._settled.add(account)

    @cached_property
    def reader(self) -> Reader:
        """What reads records."""
        return Reader(self.client, partial(former_records, self.store.written), self.follow_up.twins)

    def learn_owners(self, account_ids: Iterable[str]) -> None:
        """Ask for the owners of accounts that are not known yet; one that a dry run pretends has none."""
        unknown = {one for one in account_ids if one.isdecimal()} - self.owners.keys()
        if unknown:
            self.owners |= dict.fromkeys(unknown) | self.reader.owners(unknown)

    @cached_property
    def follow_up(self) -> FollowUp:
        """What notes the outcome of each record."""
        return FollowUp(None if self.settings.dry_run else self.store, self.summary)

    @cached_property
    def dry_run(self) -> DryRun:
        """What tells the plan instead of carrying it out.

        Raises:
            ConfigurationError: if the plan's file cannot be written.
        """
        path = self.settings.plan_file
        return DryRun(self._open.enter_context(to_file(path)) if path else to_terminal(sys.stderr))

    def carry_out(
        self, to: Destination, actions: Iterable[Action], values: Mapping[str, Values] | None = None
    ) -> dict[str, Outcome]:
        """Write what the actions say; in a dry run, tell it and pretend.

        Args:
            to: where to.
            actions: of one batch.
            values: what the records will hold, by FreshBooks ID, for those who read a plan.
        """
        return self.begin(to, actions, values)()

    def begin(self, to: Destination, actions: Iterable[Action], values: Mapping[str, Values] | None = None) -> Outcomes:
        """Begin to carry out, the first actions while the others are planned."""
        if self.settings.dry_run:
            outcomes = self.dry_run.carry_out(to, list(actions), values or {})
            return lambda: outcomes
        return Writer(self.client, to, workflows=self.settings.workflows, storage=self.storage).begin(actions)

    def hand_over(self, stream: str, keys: Collection[str], rest: Callable[[], None]) -> None:
        """Have the rest of a batch done, once its writes are made, while the next batch is planned.

        Raises:
            ZohoError: that of the batch before.
        """
        self._under_way = stream, frozenset(keys)
        self._rests.follow(rest)

    def settle(self, stream: str | None = None, keys: Collection[str] = ()) -> None:
        """Wait for the rest of the last batch, if anything may depend on it.

        Args:
            stream: what is to be planned next; None for anything.
            keys: FreshBooks IDs of the records. None of the last batch's is among those that need not wait.
        """
        last, under_way = self._under_way
        if stream != last or not under_way.isdisjoint(keys):
            self._rests.wait()

    def put_aside(self, sync: type[StreamSync], sources: Mapping[str, Source]) -> None:
        """Have records planned once more, with the organization as it is by then; see `repeat`."""
        self._again.setdefault(sync, {}).update(sources)

    def repeat(self) -> None:
        """Read the organization, and bring what was put aside because it was refused by what was known of it.

        Raises:
            ZohoError: if the run has to stop.
        """
        if not self._again:
            return
        self._rests.wait()
        again, self._again = self._again, {}
        self.survey_again()
        for sync, sources in again.items():
            sync(self).bring_and_note(sources)
        self._rests.wait()

    def complete(self) -> None:
        """Wait until all that was brought is written and noted.

        Raises:
            ZohoError: that of a batch.
        """
        self.settle()
        self.repeat()

    def finish(self, *, failed: bool = False) -> None:
        """Report the run, note it in the history, and close everything."""
        self._rests.close()
        if not self._used:
            return
        self._used = False
        try:
            if failed and self._ready is not None and self._ready.is_remembered:
                # The reason may be that it is not like that any more.
                self.memory.forget_survey()
            self._report(failed=failed)
        except StoreError:
            # What has failed may be the store, and that is said already.
            if not failed:
                raise
        finally:
            self.close()

    def close(self) -> None:
        """Close the connections and the store."""
        self._open.close()

    def _report(self, *, failed: bool) -> None:
        self.summary.usage = self.client.usage if "client" in self.__dict__ else None
        prefix = "dry run, would be: " if self.settings.dry_run else ""
        for line in self.summary.lines():
            logger.info("%s%s", prefix, line)
        if not self.settings.dry_run:
            now = datetime.now(timezone.utc)
            # Businesses that share a store tell their runs apart by it.
            summary = {**self.summary.as_json(), "account": self.account}
            self.store.runs.add(PLUGIN, self.started_at, now, "failed" if failed else "ok", summary)
        elif not failed:
            self.dry_run.end(self.summary, self.settings.max_parallel_requests, self.reader.left_out)
