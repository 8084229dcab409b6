"""A batch of one stream, from what came in to what became of it; each stream says how its records are planned."""

from __future__ import annotations

import abc
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from target_zoho_crm.errors import RequestError
from target_zoho_crm.mapping.layout import DELETED
from target_zoho_crm.mapping.tables import Setting
from target_zoho_crm.mapping.values import Fitter, UnfitError
from target_zoho_crm.sync.incoming import Malformed, Source, newest, read_source
from target_zoho_crm.sync.left_alone import LeftAlone
from target_zoho_crm.sync.planning import Action, Reject, Rejection
from target_zoho_crm.sync.refusals import STORAGE_FULL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.mapping.tables import Record
    from target_zoho_crm.org.preflight import Ready
    from target_zoho_crm.run import Run
    from target_zoho_crm.sync.planning import Desired, Values
    from target_zoho_crm.sync.reading import Held
    from target_zoho_crm.sync.writing import Outcome, Outcomes


OF_THE_RECORD = frozenset(
    {
        "DUPLICATE_DATA", "RECORD_LOCKED", "RECORD_IN_BLUEPRINT", "NOT_APPROVED", "ALREADY_MODIFIED", "INTERNAL_ERROR",
        "SERVER_ERROR", "CANNOT_PROCESS", "WRONG_RECORD", STORAGE_FULL,
    }
)  # fmt: skip
"""Codes of refusals that no change of modules, fields, layouts or pick lists explains."""


class StreamSync(abc.ABC):
    """Brings the records of one stream to Zoho, a batch at a time.

    Args:
        run: what all streams share.
    """

    stream: str

    def __init__(self, run: Run) -> None:
        self._run = run
        self._values: dict[str, Values] = {}

    @cached_property
    def ready(self) -> Ready:
        """The organization, as this batch is planned with it."""
        return self._run.ready

    @cached_property
    def left_alone(self) -> LeftAlone:
        """The objects of the stream that people do not want back in Zoho."""
        return LeftAlone(self._run.store, self.stream)

    @cached_property
    def layout(self) -> Layout:
        """Where the stream goes."""
        return self.ready.layouts[self.stream]

    def sync(self, records: Iterable[Record]) -> None:
        """Read, compare, write and note a batch; the last two may go on when this returns (see `Run.settle`).

        Raises:
            ZohoError: if the run has to stop.
            StoreError: if what happened cannot be noted.
        """
        found: list[Source] = []
        for record in records:
            source = read_source(record, self._run.started_at)
            if isinstance(source, Malformed):
                self._run.follow_up.malformed(self.stream, source)
            else:
                found.append(source)
        sources = newest(found)
        if not sources:
            return
        self._run.settle_in({source.account for source in sources.values()})
        self._run.settle(self.stream, sources.keys())
        self._run.repeat()
        self.bring_and_note(sources)

    def bring_and_note(self, sources: Mapping[str, Source]) -> None:
        """Read, compare and write a batch, and have it noted.

        What is known of the organization may be from an earlier run. Where Zoho refuses what that may explain, the
        records are put aside, for the organization to be read and the records to be planned once more.

        Raises:
            ZohoError: if the run has to stop.
        """
        try:
            actions, outcomes = self.bring(sources)
        except RequestError:
            if not self.ready.is_remembered:
                raise
            self._run.put_aside(type(self), sources)
            self._run.repeat()
            return
        self._run.hand_over(self.stream, sources.keys(), lambda: self._note(sources, actions, outcomes))

    def _note(self, sources: Mapping[str, Source], actions: Mapping[str, Action], outcomes: Outcomes) -> None:
        try:
            written = outcomes()
        except RequestError:
            if not self.ready.is_remembered:
                raise
            self._run.put_aside(type(self), sources)
            return
        again = self._explained_by_the_survey(sources, written) if self.ready.is_remembered else set()
        if again:
            self._run.put_aside(type(self), {key: sources[key] for key in again})
        self.note({key: source for key, source in sources.items() if key not in again}, actions, written)

    def _explained_by_the_survey(self, sources: Mapping[str, Source], outcomes: Mapping[str, Outcome]) -> set[str]:
        """Return the records whose refusal may be due to what has changed in the organization since it was read.

        One that was refused for the same reason before is none of them: reading it then did not explain that.
        """
        refused = {
            key: why
            for key, outcome in outcomes.items()
            if key in sources and (why := self._refusal_in(outcome)) is not None and why.code not in OF_THE_RECORD
        }
        by_account: dict[str, list[str]] = defaultdict(list)
        for key in refused:
            by_account[sources[key].account].append(str(sources[key].id))
        waiting = {
            f"{account}:{number}": row.error or {}
            for account, numbers in by_account.items()
            for number, row in self._run.store.pending.waiting(account, self.stream, numbers).items()
        }
        return {
            key
            for key, why in refused.items()
            if (why.code, why.field) != (waiting.get(key, {}).get("code"), waiting.get(key, {}).get("field"))
        }

    def _refusal_in(self, outcome: Outcome) -> Rejection | None:
        """Return why a record was refused, or landed without the stage that it was to have."""
        if isinstance(outcome, Rejection):
            return outcome
        process = self.layout.destination.process
        return next((why for name, why in outcome.left_out.items() if name in process), None)

    @abc.abstractmethod
    def bring(self, sources: Mapping[str, Source]) -> tuple[Mapping[str, Action], Outcomes]:
        """Plan records and begin to carry the plan out."""

    def begin(self, planned: Iterable[Action]) -> tuple[Mapping[str, Action], Outcomes]:
        """Begin to carry out a plan while it is still being made; gives what was planned, and what waits for it."""
        actions: dict[str, Action] = {}

        def kept() -> Iterator[Action]:
            for action in planned:
                actions[action.key] = action
                yield action

        return actions, self._run.begin(self.layout.destination, kept(), self._values)

    def note(
        self, sources: Mapping[str, Source], actions: Mapping[str, Action], outcomes: Mapping[str, Outcome]
    ) -> dict[str, str]:
        """Note what became of the records; give the Zoho ids of those that are as they should be."""
        values, self._values = self._values, {}
        if values and (hidden := self.layout.restricted):
            # They read as empty, so that it cannot be told from them whether somebody changes the record.
            values = {key: {k: v for k, v in one.items() if k not in hidden} for key, one in values.items()}
        return self._run.follow_up.batch(self.stream, sources, actions, outcomes, values)

    def map(self, source: Source, setting: Setting, fitter: Fitter) -> Desired | Reject:
        """Map a record, or say why it cannot be."""
        try:
            desired = self.layout.desired(source.record, setting, fitter)
        except UnfitError as error:
            return Reject(source.key, Rejection(error.code, error.field, error.expected))
        if setting.foreign:
            self._run.summary.count(self.stream, "foreign_currency", setting.foreign)
        self._values[source.key] = desired.values
        return desired

    def setting(
        self,
        *,
        held: Held | None = None,
        account: str | None = None,
        deal: str | None = None,
        currency: str | None = None,
        owner: str | None = None,
    ) -> Setting:
        """Return the setting in which a record is mapped, good until the next one is asked for.

        Args:
            held: what Zoho holds of the record, whose currency it keeps; None for a new one.
            account: Zoho id of its account.
            deal: Zoho id of its deal.
            currency: that of a new account; None is the organization's.
            owner: Zoho id of the user who gets a new record; None is the one who gave the consent.
        """
        setting, layout = self._setting, self.layout
        if held is None:
            setting.currency, setting.currencies = currency or layout.currency, layout.currencies
        else:
            setting.currency, setting.currencies = layout.currency_of(held), None
        setting.account, setting.deal, setting.owner, setting.foreign = account, deal, owner, 0
        return setting

    @cached_property
    def _setting(self) -> Setting:
        """What is the same for all records of a batch."""
        ready, layout = self.ready, self.layout
        return Setting(
            currency=layout.currency,
            stages=ready.stages,
            pipeline=ready.pipeline,
            amounts=layout.amounts,
            unknown_statuses=self._run.summary.unknown_statuses,
        )

    def count_fitted(self, fitter: Fitter) -> None:
        """Count the values that had to be changed to fit."""
        if fitter.changed:
            self._run.summary.count(self.stream, "fitted", fitter.changed)

    def to_be_deleted(self, source: Source) -> bool:
        """Say whether a record is deleted in FreshBooks and the setting asks to delete it in Zoho too."""
        return self._run.settings.delete and source.record.get("vis_state") == DELETED
