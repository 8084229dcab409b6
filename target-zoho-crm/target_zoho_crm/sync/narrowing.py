"""A call that Zoho refuses as a whole, narrowed down to the records that it is refused for; the others land.

Zoho's specification of "Upsert Records" and "Update Records" declares each error of a record also for the whole call,
flat: `details.json_path` names the record, if anything does. And one record can make Zoho break, which is a 500. A
record that is named is taken out of the call; if none is, the call is halved until the record is alone.

That takes `CALLS` calls at most; what is still undecided then is rejected for the reason met last. Two things are found
out sooner, by records sent alone: that Zoho is down, and that it refuses all records for one reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
from threading import Lock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from target_zoho_crm.api.retries import AgainError
from target_zoho_crm.errors import RequestError, ServerFaultError, UnavailableError
from target_zoho_crm.sync.outcomes import Written
from target_zoho_crm.sync.refusals import alike, named_row, rejection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.sync.outcomes import Outcome
    from target_zoho_crm.sync.planning import Rejection

CALLS = 60
"""The most calls for the records of one call, the first included: enough for five of a hundred that are not named."""
SAMPLE = 10
"""Records sent alone, all refused for one reason, that speak for the others of their call; and records named one after
the other, none taken in between, after which that is looked into."""
PATIENCE = 2
"""How many 500s are enough for a call of several records."""


class Row(Protocol):
    """A record on its way."""

    @property
    def key(self) -> str:
        """What tells it from the others of its call."""


RowT = TypeVar("RowT", bound=Row)


@dataclass
class Health:
    """What the calls of a batch have found out about Zoho together.

    Attributes:
        client: the organization's API.
        down: why Zoho counts as down; None while it does not.
    """

    client: ZohoClient
    down: UnavailableError | None = None
    lock: Lock = field(default_factory=Lock)

    @property
    def has_written(self) -> bool:
        """Whether Zoho has answered a write of this run, so that a 500 may be due to a record."""
        return self.client.usage.writes > 0


class Narrowing(Generic[RowT]):
    """Brings the records of one call to an outcome each, in as many calls as it takes.

    Args:
        send: makes a call, and returns an outcome for each of its records in their order; its second argument is how
            many 500s are enough (see `ZohoClient.request`).
        health: shared by the calls of a batch.
    """

    def __init__(self, send: Callable[[Sequence[RowT], int | None], Sequence[Outcome]], health: Health) -> None:
        self._send, self._health = send, health
        self._made = 0
        self._named = 0
        self._answered = self._taken = False
        self._last: Rejection | None = None

    @property
    def has_calls_left(self) -> bool:
        """Whether another call may be made."""
        return self._made < CALLS

    def settle(self, rows: Sequence[RowT]) -> dict[str, Outcome]:
        """Return what became of each record, by key.

        Raises:
            UnavailableError: if Zoho is down, or an answer is lost again and again.
            ZohoError: if a call is refused for what has nothing to do with its records.
        """
        found: dict[str, Outcome] = {}
        parts = [list(rows)]
        while parts:
            part = parts.pop()
            if not self.has_calls_left and self._last is not None:
                found.update(dict.fromkeys((row.key for row in part), self._last))
                continue
            try:
                found.update(self._outcomes(part))
            except (RequestError, ServerFaultError) as error:
                parts += self._narrowed(part, error, found)
        return found

    def _outcomes(self, rows: Sequence[RowT]) -> dict[str, Outcome]:
        """Make a call; an answer that is about the records one by one says that Zoho is up, whatever it says."""
        faults = 1 if self._made else None if len(rows) == 1 else PATIENCE
        self._made += 1
        outcomes = dict(zip((row.key for row in rows), self._send(rows, faults), strict=True))
        self._answered = True
        self._taken = self._taken or any(isinstance(one, Written) for one in outcomes.values())
        return outcomes

    def _narrowed(
        self, rows: list[RowT], error: RequestError | ServerFaultError, found: dict[str, Outcome]
    ) -> list[list[RowT]]:
        """Return the calls to make instead of a refused one, the next one last; what is decided goes into `found`."""
        self._last = _judged(error)
        if len(rows) == 1:
            if isinstance(error, ServerFaultError) and not (self._answered or self._health.has_written):
                raise error
            found[rows[0].key] = self._last
            return []
        at = named_row(error)
        if at is not None and at < len(rows):
            found[rows[at].key] = self._last
            self._named += 1
            rows = rows[:at] + rows[at + 1 :]
            doubtful = not self._taken and self._named % SAMPLE == 0
            rows = self._sampled(rows, self._last, found) if doubtful else rows
            return [rows] if rows else []
        if isinstance(error, ServerFaultError):
            rows = rows if self._answered else self._outlast(rows, found)
        elif not self._taken:
            rows = self._sampled(rows, self._last, found)
        half = len(rows) // 2
        return [part for part in (rows[half:], rows[:half]) if part]

    def _sampled(self, rows: list[RowT], reason: Rejection, found: dict[str, Outcome]) -> list[RowT]:
        """Send records alone until one is taken; return those that are still undecided.

        If none of them is, and all are refused for the same reason as the call, so are the others.
        """
        refused: list[Outcome] = [reason]
        for row in _spread(rows):
            try:
                found.update(self._outcomes([row]))
            except RequestError as error:
                found[row.key] = self._last = _judged(error)
            except ServerFaultError:
                continue
            refused.append(found[row.key])
            if self._taken or not self.has_calls_left:
                break
        undecided = [row for row in rows if row.key not in found]
        if not self._taken and len(refused) > 1 and (common := alike(refused)) is not None:
            found.update(dict.fromkeys((row.key for row in undecided), common))
            return []
        return undecided

    def _outlast(self, rows: list[RowT], found: dict[str, Outcome]) -> list[RowT]:
        """Send records alone until Zoho answers for one, with the pauses of any call; return those still undecided.

        Raises:
            UnavailableError: if it does not: it is down.
        """
        alone = cycle(_spread(rows))

        def attempt() -> None:
            row = next(alone)
            try:
                found.update(self._outcomes([row]))
            except RequestError as error:
                found[row.key] = _judged(error)
                self._answered = True
            except ServerFaultError as fault:
                raise AgainError(fault) from None

        with self._health.lock:
            if self._health.down is not None:
                raise self._health.down
            try:
                self._health.client.insist("a record alone", attempt)
            except UnavailableError as error:
                self._health.down = error
                raise
        return [row for row in rows if row.key not in found]


def _judged(error: RequestError | ServerFaultError) -> Rejection:
    """Return the reason in a refusal that a record has caused.

    Raises:
        RequestError: if it is about the request, whatever records are in it.
    """
    if isinstance(error, RequestError) and error.about_request:
        raise error
    return rejection_of(error)


def _spread(rows: Sequence[RowT]) -> Sequence[RowT]:
    """Return some of the records, from the first to the last, as far from each other as may be."""
    if len(rows) <= SAMPLE:
        return rows
    last = len(rows) - 1
    return [rows[round(step * last / (SAMPLE - 1))] for step in range(SAMPLE)]
