"""What follows from the outcome of each record: counted, logged if it was rejected, noted in the store."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from target_zoho_crm.sync.planning import Action, Delete, Reject, Rejection, Skip, Values, Wait
from target_zoho_crm.sync.refusals import STORAGE_FULL, stop_if_all_refused
from target_zoho_crm.sync.writing import WRONG_RECORD, Outcome, Written
from target_zoho_crm.sync.written import Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from singer_store import Store
    from target_zoho_crm.summary import Summary
    from target_zoho_crm.sync.incoming import Malformed, Source

    Reason = Literal["rejected", "ambiguous", "parent"]

logger = logging.getLogger("target-zoho-crm")


class FollowUp:
    """Keeps the store and the summary in step with what happened.

    Args:
        store: None in a dry run, which leaves no trace.
        summary: of this run.
    """

    def __init__(self, store: Store | None, summary: Summary) -> None:
        self._store = store
        self._summary = summary
        self._ambiguous: set[str] = set()
        self._twins: set[tuple[str, str]] = set()
        self._waited_for: dict[str, set[str]] = {}

    def malformed(self, stream: str, record: Malformed) -> None:
        """Note a record that cannot be read."""
        self._summary.count(stream, "rejected")
        if self._summary.names(stream, "rejected", record.error.cause):
            logger.warning("%s %s was rejected: %s", stream, record.id or "(without id)", record.error)
        self._fail(record, stream, "rejected", record.error)

    def batch(
        self,
        stream: str,
        sources: Mapping[str, Source],
        actions: Mapping[str, Action],
        outcomes: Mapping[str, Outcome],
        values: Mapping[str, Values],
    ) -> dict[str, str]:
        """Note what became of a batch.

        Args:
            stream: whose records they are.
            sources: the records, by FreshBooks ID.
            actions: what was planned.
            outcomes: what Zoho said to it.
            values: what the records hold where it worked.

        Returns:
            The Zoho ids of the records that are as they should be, by FreshBooks ID.

        Raises:
            AllRefusedError: if all that was sent was refused for one reason, and nothing of the stream has landed in
                this run; nothing is noted then, for all of it comes again.
        """
        sent = {key: outcomes[key] for key in sources if key in outcomes}
        landed = self._summary.landed(stream) + sum(isinstance(actions[key], Skip) for key in sources)
        stop_if_all_refused(stream, sent, landed)
        settled: list[Source] = []
        ids: dict[str, str] = {}
        for key, source in sources.items():
            action = actions[key]
            result = outcomes.get(key, action.error if isinstance(action, Reject) else action)
            if isinstance(result, Written):
                self._count_written(stream, source, result)
                settled.append(source)
                ids[key] = result.id
            elif isinstance(result, Skip):
                self._summary.count(stream, result.reason)
                settled.append(source)
                ids.update({key: result.id} if result.id else {})
            elif isinstance(result, Wait):
                self._wait(stream, source, result)
            elif isinstance(result, Rejection):
                self._reject(stream, source, result)
        self._record(stream, sources, actions, outcomes, values)
        self._settle(stream, settled)
        return ids

    def _record(
        self,
        stream: str,
        sources: Mapping[str, Source],
        actions: Mapping[str, Action],
        outcomes: Mapping[str, Outcome],
        values: Mapping[str, Values],
    ) -> None:
        """Remember what Zoho holds now, before anything is taken off the list."""
        if self._store is None:
            return
        recorder = Recorder(self._store.written, stream)
        for key, source in sources.items():
            action, outcome = actions[key], outcomes.get(key)
            if isinstance(outcome, Written) and isinstance(action, Delete):
                recorder.deleted(source)
            elif isinstance(outcome, Written) and key in values:
                recorder.holds(source, outcome.id, values[key], outcome.left_out)
            elif isinstance(action, Skip) and action.id and action.reason == "unchanged" and key in values:
                recorder.holds(source, action.id, values[key])
        recorder.note()

    def twins(self, stream: str, module: str, key: str, records: Sequence[str]) -> None:
        """Count and log several records of one FreshBooks ID, once in a run: the oldest of them is written.

        Args:
            stream: whose records they are.
            module: their module's API name.
            key: the FreshBooks ID.
            records: their ids in Zoho, the oldest first.
        """
        if (stream, key) in self._twins:
            return
        self._twins.add((stream, key))
        self._summary.count(stream, "twins")
        if self._summary.names(stream, "there twice", "one FreshBooks ID"):
            logger.warning(
                "%s %s is there more than once: the records %s of %s carry its FreshBooks ID, and the first one is "
                "written. Delete the others, or merge them into it (one may have come back from the recycle bin).",
                stream, key, ", ".join(records), module,
            )  # fmt: skip

    def is_ambiguous(self, clients: Mapping[str, tuple[str, int]]) -> set[str]:
        """Return those of the clients that wait because nobody knows which account they are.

        Args:
            clients: FreshBooks ID → account and id.
        """
        found = self._ambiguous & clients.keys()
        by_account: dict[str, list[str]] = defaultdict(list)
        for account, number in clients.values():
            by_account[account].append(str(number))
        for account, numbers in by_account.items() if self._store else ():
            waiting = self._store.pending.waiting(account, "clients", numbers) if self._store else {}
            found |= {f"{account}:{number}" for number, row in waiting.items() if row.reason == "ambiguous"}
        return found

    def _count_written(self, stream: str, source: Source, written: Written) -> None:
        self._summary.count(stream, written.how)
        if written.left_out:
            self._summary.count(stream, "fitted", len(written.left_out))
        for field, why in written.left_out.items():
            what = f"landed without {field}, which Zoho refused"
            if self._summary.names(stream, what, why.cause):
                logger.warning("%s %s %s: %s", stream, source.id, what, why)

    def _wait(self, stream: str, source: Source, wait: Wait) -> None:
        self._summary.count(stream, "waiting")
        if wait.reason == "ambiguous":
            self._ambiguous.add(source.key)
            error = Rejection("AMBIGUOUS", "Account_Name", "one of the accounts " + ", ".join(wait.candidates))
            candidates = ", ".join(wait.candidates)
            why = (
                f"several accounts have its name, and none its e-mail alone; put its FreshBooks ID {source.key} into "
                f"the right one of {candidates}, or give that one's Contact the client's e-mail."
                if len(wait.candidates) > 1
                else f"the account {candidates} has its name and is another's, by its FreshBooks ID; if it is the "
                f"client's, put {source.key} there, else rename one of the two."
            )
            logger.warning("%s %s waits: %s", stream, source.id, why)
        else:
            error = Rejection("PARENT_MISSING", expected=f"{wait.waits_for} in Zoho")
        self._fail(source, stream, wait.reason, error, wait.waits_for)

    def _reject(self, stream: str, source: Source, rejection: Rejection) -> None:
        self._summary.count(stream, "rejected")
        alarming = rejection.code == WRONG_RECORD
        if alarming:
            self._summary.count(stream, "alarms")
        if rejection.code == STORAGE_FULL:
            # That has been said, for all of them.
            self._summary.count(stream, "kept")
        elif self._summary.names(stream, "rejected", rejection.cause) or alarming:
            level = logging.ERROR if alarming else logging.WARNING
            logger.log(level, "%s %s was rejected: %s", stream, source.id, rejection)
        self._fail(source, stream, "rejected", rejection)

    def _fail(
        self, record: Source | Malformed, stream: str, reason: Reason, error: Rejection, parent: str | None = None
    ) -> None:
        """Put a record on the list of objects still to sync."""
        if self._store is None or not record.account or record.id is None:
            return
        if parent:
            self._parents(record.account).add(parent)
        self._store.pending.fail(
            record.account,
            stream,
            str(record.id),
            reason,
            error={"code": error.code, "field": error.field, "expected": error.expected, "message": error.words},
            waits_for=parent,
            read_at=record.read_at,
            now=datetime.now(timezone.utc),
        )

    def _settle(self, stream: str, sources: list[Source]) -> None:
        """Take what is as it should be off the list, and let go who waited for it."""
        if self._store is None:
            return
        read_at: dict[str, dict[str, datetime]] = defaultdict(dict)
        for source in sources:
            read_at[source.account][str(source.id)] = source.read_at
        for account, moments in read_at.items():
            self._store.pending.clear(account, stream, moments)
            parents = self._parents(account)
            for parent in [name for number in moments if (name := f"{stream}:{number}") in parents]:
                self._store.pending.release(account, parent)
                parents.discard(parent)

    def _parents(self, account: str) -> set[str]:
        """Return the parents that objects of an account wait for, as known at the first question and from this run."""
        if account not in self._waited_for and self._store is not None:
            rows = self._store.pending.all(account)
            self._waited_for[account] = {row.waits_for for row in rows if row.waits_for}
        return self._waited_for.setdefault(account, set())
