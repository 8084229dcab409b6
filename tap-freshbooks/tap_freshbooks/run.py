"""What the streams of one run share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, cast

from singer_store import Authorizer, StoreError, open_store
from tap_freshbooks.account import Business, businesses, check_active, choose
from tap_freshbooks.auth import open_broker
from tap_freshbooks.client import FreshBooksClient
from tap_freshbooks.consent import missing_scopes, scopes_advice
from tap_freshbooks.errors import AccessDeniedError, SettingError, reason_of
from tap_freshbooks.objects import Family, Objects, Unread, read_family
from tap_freshbooks.parents import Parents
from tap_freshbooks.relations import former_parents
from tap_freshbooks.resources import RESOURCES
from tap_freshbooks.timestamps import eastern_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from logging import Logger

    from singer_store import Store
    from singer_store.pending import Reason
    from tap_freshbooks.client import Row
    from tap_freshbooks.resources import Resource
    from tap_freshbooks.settings import Settings

PLUGIN = "tap-freshbooks"
MOST_NAMED = 20
"""Objects that one warning names."""
MOST_DUE = 1000
"""Objects due in the store that one run fetches; those that failed least come first."""


@dataclass
class Run:
    """One run: its connections, and what it knows of FreshBooks."""

    settings: Settings
    store: Store
    objects: Objects
    business: Business
    now: datetime
    """FreshBooks' clock when the run began."""
    parents: Parents = field(default_factory=Parents)
    due: Family = field(default_factory=Family)
    """Objects due in the store, with what they depend on."""
    moved: dict[int, None] = field(default_factory=dict)
    """Invoices that went to another client: their payments are that client's now."""
    early: dict[int, None] = field(default_factory=dict)
    """Open invoices from before `start_date` that something was paid on."""
    unread: set[tuple[str, int]] = field(default_factory=set)
    """Stream and id of what FreshBooks did not give in this run: it is not asked for it again."""
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    """By this machine's clock, as everything in the store."""
    granted: str | None = None
    """The scopes of the consent; None where FreshBooks did not say."""
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    @classmethod
    def open(cls, settings: Settings) -> Run:
        """Connect, and find the business.

        Raises:
            TapError: if the settings do not fit what FreshBooks says, or it cannot be reached.
            StoreError: if the store cannot be used, or there is no access token to be had.
        """
        with ExitStack() as stack:
            store = stack.enter_context(open_store(settings.store_url, settings.store_key))
            authorizer = Authorizer(open_broker(store, settings))
            client = FreshBooksClient(settings.api_url, authorizer, user_agent=settings.user_agent)
            stack.callback(client.close)
            answer = client.me()
            business = choose(businesses(answer.payload), settings.account_id)
            check_active(business)
            if settings.start_date is not None and settings.start_date > answer.read_at:
                raise SettingError("The setting start_date is in the future: nothing could ever be read.")
            objects = Objects(client, business.account_id)
            granted = authorizer.token().details.get("scope")
            return cls(settings, store, objects, business, answer.read_at, granted=granted, _open=stack.pop_all())

    def check_scopes(self, streams: Collection[str]) -> None:
        """See whether all streams may be read, before any of them is: else the first ones would be written in vain.

        Raises:
            AccessDeniedError: if the consent does not cover one of them.
        """
        needed = {RESOURCES[name].scope for name in streams}
        if missing := [scope for scope in missing_scopes(self.granted) if scope in needed]:
            raise AccessDeniedError(f"The consent given to FreshBooks is too narrow: {scopes_advice(missing)}")

    def note(self, outcome: Literal["ok", "failed"], emitted: Mapping[str, int], logger: Logger) -> None:
        """Note the run in the history: what came of it, and how many objects of each stream it has emitted."""
        if self.settings.dry_run:
            return
        kind = "changes" if self.settings.record_ids is None else "objects"
        summary = {"account": self.business.account_id, "kind": kind, "streams": dict(emitted)}
        try:
            self.store.runs.add(PLUGIN, self.started_at, datetime.now(timezone.utc), outcome, summary)
        except StoreError as error:
            # The run itself was as it was; nothing but the history lacks it.
            logger.warning("The run could not be noted in the history: %s", error)

    def close(self) -> None:
        """Close the connections."""
        self._open.close()

    @property
    def days(self) -> dict[str, str]:
        """The days it is for FreshBooks and for the business: an invoice turns overdue when its day begins."""
        days = {"eastern": eastern_day(self.now).isoformat()}
        if self.business.zone is not None:
            days["business"] = self.now.astimezone(self.business.zone).date().isoformat()
        return days

    def fetch_due(self, streams: Collection[str], logger: Logger) -> None:
        """Read the objects that are due in the store."""
        began = datetime.now(timezone.utc)
        found = self.store.pending.due(self.business.account_id, began, limit=MOST_DUE)
        wanted: dict[str, list[int]] = {name: [] for name in RESOURCES}
        for each in found:
            if each.stream in streams and each.stream in wanted and each.object_id.isdecimal():
                wanted[each.stream].append(int(each.object_id))
        self.due = read_family(self.objects, self.objects.by_search, wanted, streams, self.former_parents)
        self.put_off(self.due.unread, logger, began)

    def fetch_wanted(self, streams: Collection[str], logger: Logger) -> Family:
        """Read the objects of the setting `record_ids`."""
        began = datetime.now(timezone.utc)
        wanted = self.settings.record_ids or {}
        family = read_family(self.objects, self.objects.by_get, wanted, streams, self.former_parents)
        self.put_off(family.unread, logger, began)
        return family

    def former_parents(self, resource: Resource, rows: Iterable[Row]) -> dict[int, int]:
        """Return what rows belonged to when they were written last, for those that moved since."""
        return former_parents(self.store, self.business.account_id, resource, rows)

    def put_off(self, unread: Collection[Unread], logger: Logger, began: datetime) -> None:
        """Name the objects that FreshBooks did not give, and note in the store why, so that later runs try them again.

        What is missing is noted only where it waits in the store already: else nobody is in need of it.

        Args:
            unread: what was noted in this run before is passed over.
            logger: takes one warning for what is missing, and one for what is refused.
            began: when reading them began, by this machine's clock.
        """
        unread = [one for one in unread if (one.stream, one.object_id) not in self.unread]
        self.unread.update((one.stream, one.object_id) for one in unread)
        missing = [one for one in unread if one.is_missing and one.asked_for]
        refused = [one for one in unread if not one.is_missing]
        if missing:
            names = listed(f"{RESOURCES[one.stream].singular} {one.object_id}" for one in missing)
            logger.warning("FreshBooks has no such object in account %s: %s.", self.business.account_id, names)
        if refused:
            logger.warning(
                "Not given by FreshBooks and therefore put off, %d in number; nothing waits for them. %s",
                len(refused),
                listed((str(one.error) for one in refused), " "),
            )
        if not self.settings.dry_run:
            for one in missing + refused:
                self._note_failure(one, began)

    def _note_failure(self, unread: Unread, read_at: datetime) -> None:
        account, object_id = self.business.account_id, str(unread.object_id)
        waiting = self.store.pending.waiting(account, unread.stream, [object_id]).get(object_id)
        if waiting is None and unread.is_missing:
            return
        self.store.pending.fail(
            account,
            unread.stream,
            object_id,
            "retry" if waiting is None else cast("Reason", waiting.reason),
            error=reason_of(unread.error),
            waits_for=None if waiting is None else waiting.waits_for,
            read_at=read_at,
            now=datetime.now(timezone.utc),
        )


def listed(texts: Iterable[str], separator: str = ", ") -> str:
    """Return the first `MOST_NAMED` texts in a row, and how many more there are."""
    texts = list(texts)
    more = len(texts) - MOST_NAMED
    return separator.join(texts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
