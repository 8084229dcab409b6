"""Leases: one holder at a time across processes and machines, for longer than a lock should be held.

A lease ends by itself when its holder stops renewing it. Each new holder gets a higher fencing number, so that whoever
has lost the lease without noticing can be told from the one who holds it now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select, update

from singer_store.schema import leases

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import ColumnElement, Connection

    from singer_store.database import Database

_RELEASED = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Lease:
    """A lease as its holder has it.

    Attributes:
        name: What it is about.
        owner: Who holds it.
        fence: Rises with every new holder.
        expires_at: Until when, unless it is renewed (UTC).
    """

    name: str
    owner: str
    fence: int
    expires_at: datetime


class Leases:
    """The table `leases`.

    Where no `now` is given, the time is the database server's, so that machines whose clocks differ agree.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, owner: str, ttl: timedelta, now: datetime | None = None) -> Lease | None:
        """Take a lease that nobody else holds.

        Args:
            name: What it is about.
            owner: A name that no other process has.
            ttl: How long it lasts without being renewed.
            now: Aware.

        Returns:
            The lease, with a new fencing number, or None while somebody else holds it.
        """
        with self._database.write() as connection:
            now = now or self._time(connection)
            statement = self._database.insert(leases).values(name=name, owner=owner, fence=1, expires_at=now + ttl)
            new = statement.excluded
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=leases.primary_key.columns,
                    set_={"owner": new.owner, "fence": leases.c.fence + 1, "expires_at": new.expires_at},
                    where=or_(leases.c.expires_at <= now, leases.c.owner == owner),
                )
            )
            found = self._read(connection, name)
        return found if found is not None and found.owner == owner else None

    def renew(self, lease: Lease, ttl: timedelta, now: datetime | None = None) -> Lease | None:
        """Make a lease last longer.

        Returns:
            The lease with its new end; None if it is lost, because somebody else has taken it since.
        """
        with self._database.write() as connection:
            now = now or self._time(connection)
            kept = connection.execute(update(leases).where(_is(lease)).values(expires_at=now + ttl))
            return self._read(connection, lease.name) if kept.rowcount else None

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost is left to its holder. Its fencing number is kept."""
        with self._database.write() as connection:
            connection.execute(update(leases).where(_is(lease)).values(owner="", expires_at=_RELEASED))

    def holder(self, name: str, now: datetime | None = None) -> Lease | None:
        """Give the lease as whoever holds it has it; None if nobody does."""
        with self._database.read() as connection:
            now = now or self._time(connection)
            found = self._read(connection, name)
        return found if found is not None and found.expires_at > now else None

    def last(self, name: str) -> Lease | None:
        """Give the lease as its last holder has or had it; None if nobody ever did, or it was given back."""
        with self._database.read() as connection:
            found = self._read(connection, name)
        return found if found is not None and found.owner else None

    def _time(self, connection: Connection) -> datetime:
        if self._database.file is not None:
            return datetime.now(timezone.utc)
        time: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return time

    @staticmethod
    def _read(connection: Connection, name: str) -> Lease | None:
        row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        return None if row is None else Lease(row.name, row.owner, row.fence, row.expires_at)


def _is(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.fence == lease.fence)
