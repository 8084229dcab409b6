"""Objects still to sync: webhook events, drift, rejected records, records that wait for their parent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import and_, bindparam, case, delete, func, or_, select, update

from singer_store import arrivals
from singer_store.schema import pending

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Row

    from singer_store.database import Database

Reason = Literal["rejected", "ambiguous", "parent", "event", "drift", "retry"]

_AT_ONCE = 3
_FIRST_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(hours=24)
# What a person puts right in the CRM, or the next run by writing the parent, is looked at more often.
_LONGEST_WAIT = timedelta(hours=1)
SET_ASIDE = datetime(9999, 1, 1, tzinfo=timezone.utc)
"""As `next_try`: not before a person, or an event, asks for it."""
# SQLite before 3.32 takes at most 999 variables in a statement.
_CHUNK = 500


@dataclass(frozen=True)
class PendingObject:
    """One object still to sync.

    Attributes:
        account: The FreshBooks account id.
        stream: The stream's name.
        object_id: The object's id in its stream.
        reason: Why it is here.
        error: ``code``, ``field``, ``expected`` and ``message`` of the last failure. The message is the other service's
            own words, as far as it has any, and may quote a value; the rest is no personal data.
        waits_for: The parent it waits for, such as ``clients:123``.
        attempts: How often it has failed.
        queued_at: When it was last asked for; whatever was read before that does not cover it.
        next_try: When it is due; None is at once, `SET_ASIDE` not before it is asked for again.
        read_at: When the version of it was read that failed last, if that is known; nor does what was read before that.
    """

    account: str
    stream: str
    object_id: str
    reason: str
    error: Mapping[str, Any] | None
    waits_for: str | None
    attempts: int
    queued_at: datetime
    next_try: datetime | None
    read_at: datetime | None = None

    @property
    def covered_from(self) -> datetime:
        """The moment from which on a read covers it."""
        return max(self.queued_at, self.read_at or self.queued_at)


@dataclass(frozen=True)
class Tally:
    """How many objects are still to sync.

    Attributes:
        waiting: by themselves.
        aside: only when they are asked for again.
        oldest: when the one was asked for that has been here longest; None for none.
    """

    waiting: int
    aside: int
    oldest: datetime | None


def next_try(attempts: int, reason: str, now: datetime) -> datetime | None:
    """Give the time of the next attempt after `attempts` failures; None is at once, in the very next run."""
    if attempts <= _AT_ONCE:
        return None
    longest: timedelta = _LONGEST_WAIT if reason in {"ambiguous", "parent"} else _LONGEST_PAUSE
    # Past ten doublings the longest pause is reached anyway.
    doublings = min(attempts - _AT_ONCE - 1, 10)
    return now + min(_FIRST_PAUSE * (1 << doublings), longest)


class Pending:
    """The table `pending`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(  # noqa: PLR0913 - what makes a row
        self,
        account: str,
        stream: str,
        object_ids: Iterable[str],
        reason: Reason,
        *,
        error: Mapping[str, Any] | None = None,
        waits_for: str | None = None,
        now: datetime,
    ) -> None:
        """Ask for objects to be synced, at once and in one transaction.

        One that is here already becomes due, and keeps its attempts, and its error and parent unless new ones are
        given.
        """
        _check(reason)
        rows = [
            vars(PendingObject(account, stream, object_id, reason, error and dict(error), waits_for, 0, now, None))
            for object_id in sorted(set(object_ids))
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(self._upsert(), rows)

    def queue_many(self, events: Iterable[tuple[str, str, str, Reason, datetime]]) -> None:
        """Ask for objects of any account and stream, in one transaction that is on disk when this returns.

        Args:
            events: Account, stream, object id, reason, and when it was asked for; of doubles the latest counts.
        """
        events, on_sqlite = list(events), self._database.file is not None
        for reason in {event[3] for event in events}:
            _check(reason)
        if events:
            rows = arrivals.parameter(events, sqlite=on_sqlite)
            with self._database.write_directly() as cursor:
                cursor.execute(arrivals.statement(sqlite=on_sqlite), {"rows": rows})

    def defer(self, objects: Iterable[PendingObject], *, until: datetime, error: Mapping[str, Any]) -> None:
        """Count a failure that nobody noted when it happened, and put the objects off.

        Those that were asked for again, or whose failure was noted, since they were read stay as they are.

        Args:
            objects: As they were read before the attempt.
            until: When they are due again; `SET_ASIDE` for not by themselves.
            error: As for `fail`.
        """
        statement = (
            update(pending)
            .where(
                _identity(bindparam("of_account"), bindparam("of_stream"), bindparam("of_object")),
                pending.c.queued_at == bindparam("as_queued", type_=pending.c.queued_at.type),
                pending.c.attempts == bindparam("as_attempted"),
            )
            .values(attempts=pending.c.attempts + 1, next_try=until, error=dict(error))
        )
        rows = [
            {
                "of_account": one.account,
                "of_stream": one.stream,
                "of_object": one.object_id,
                "as_queued": one.queued_at,
                "as_attempted": one.attempts,
            }
            for one in sorted(objects, key=lambda one: (one.account, one.stream, one.object_id))
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(statement, rows)

    def fail(  # noqa: PLR0913 - what makes a row
        self,
        account: str,
        stream: str,
        object_id: str,
        reason: Reason,
        *,
        error: Mapping[str, Any],
        waits_for: str | None = None,
        read_at: datetime | None = None,
        now: datetime,
    ) -> None:
        """Note that an object could not be synced, and when to try again (see `next_try`).

        With `read_at`, the moment its read began, an object asked for again since then stays due: what failed is not
        what it is now.
        """
        _check(reason)
        # Of one that was not on the list, nothing later than its read is known.
        asked_at = now if read_at is None else min(read_at, now)
        row = PendingObject(
            account, stream, object_id, reason, error and dict(error), waits_for, 1, asked_at, None, read_at
        )
        here = _identity(account, stream, object_id)
        with self._database.write() as connection:
            connection.execute(self._upsert(failed=True), [vars(row)])
            attempts = connection.execute(select(pending.c.attempts).where(here)).scalar_one()
            still = here if read_at is None else and_(here, pending.c.queued_at <= read_at)
            connection.execute(update(pending).where(still).values(next_try=next_try(attempts, reason, now)))

    def due(self, account: str, now: datetime, *, limit: int | None = None) -> list[PendingObject]:
        """Give an account's objects whose time has come: those that failed least first, then in the order asked for."""
        query = (
            select(pending)
            .where(pending.c.account == account, or_(pending.c.next_try.is_(None), pending.c.next_try <= now))
            .order_by(pending.c.attempts, pending.c.queued_at, pending.c.stream, pending.c.object_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_object(row) for row in connection.execute(query)]

    def clear(self, account: str, stream: str, read_at: Mapping[str, datetime]) -> None:
        """Remove objects that have been synced, unless they were asked for again, or failed, in a later version.

        Args:
            account: The account.
            stream: The stream.
            read_at: For each object id the moment its read began.
        """
        here = and_(pending.c.account == account, pending.c.stream == stream)
        read = bindparam("read", type_=pending.c.read_at.type)
        statement = delete(pending).where(
            here,
            pending.c.object_id == bindparam("of_object"),
            pending.c.queued_at <= read,
            or_(pending.c.read_at.is_(None), pending.c.read_at <= read),
        )
        if not read_at:
            return
        with self._database.write() as connection:
            # Few wait of the many that are synced, and to ask who does is faster than to delete who does not.
            waiting = read_at.keys() & set(connection.scalars(select(pending.c.object_id).where(here)))
            if waiting:
                rows = [{"of_object": object_id, "read": read_at[object_id]} for object_id in sorted(waiting)]
                connection.execute(statement, rows)

    def release(self, account: str, waits_for: str) -> None:
        """Make the objects that wait for a parent due now."""
        with self._database.write() as connection:
            connection.execute(
                update(pending)
                .where(pending.c.account == account, pending.c.waits_for == waits_for)
                .values(next_try=None)
            )

    def all(self, account: str | None = None) -> list[PendingObject]:
        """Give every object, of one account or of all, in the order asked for."""
        query = select(pending).order_by(pending.c.account, pending.c.queued_at, pending.c.stream, pending.c.object_id)
        if account is not None:
            query = query.where(pending.c.account == account)
        with self._database.read() as connection:
            return [_object(row) for row in connection.execute(query)]

    def tally(self, account: str) -> Tally:
        """Count an account's objects, of which there may be very many."""
        aside = func.count().filter(pending.c.next_try == SET_ASIDE)
        query = select(func.count(), aside, func.min(pending.c.queued_at)).where(pending.c.account == account)
        with self._database.read() as connection:
            number, set_aside, oldest = connection.execute(query).one()
        return Tally(number - set_aside, set_aside, oldest)

    def waiting(self, account: str, stream: str, object_ids: Iterable[str]) -> dict[str, PendingObject]:
        """Give those of the objects that are here, by id."""
        found: dict[str, PendingObject] = {}
        with self._database.read() as connection:
            for chunk in _chunks(object_ids):
                query = select(pending).where(
                    pending.c.account == account, pending.c.stream == stream, pending.c.object_id.in_(chunk)
                )
                found.update((row.object_id, _object(row)) for row in connection.execute(query))
        return found

    def _upsert(self, *, failed: bool = False) -> Any:
        statement = self._database.insert(pending)
        new = statement.excluded
        values = {
            "reason": new.reason,
            "error": func.coalesce(new.error, pending.c.error),
            "waits_for": func.coalesce(new.waits_for, pending.c.waits_for),
        }
        if failed:
            # What it waits for now is what this failure says. The moment it was asked for stays.
            is_later = or_(pending.c.read_at.is_(None), new.read_at > pending.c.read_at)
            values |= {
                "attempts": pending.c.attempts + 1,
                "waits_for": new.waits_for,
                "read_at": case((is_later, new.read_at), else_=pending.c.read_at),
            }
        else:
            later = case((new.queued_at > pending.c.queued_at, new.queued_at), else_=pending.c.queued_at)
            values |= {"queued_at": later, "next_try": None}
        return statement.on_conflict_do_update(index_elements=pending.primary_key.columns, set_=values)


def _check(reason: str) -> None:
    if reason not in get_args(Reason):
        raise ValueError(f"There is no reason {reason!r}; there are {', '.join(get_args(Reason))}.")


def _identity(account: Any, stream: Any, object_id: Any) -> Any:
    return and_(pending.c.account == account, pending.c.stream == stream, pending.c.object_id == object_id)


def _object(row: Row[Any]) -> PendingObject:
    return PendingObject(**row._mapping)  # noqa: SLF001 - the documented way, underscored only to spare column names


def _chunks(items: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
