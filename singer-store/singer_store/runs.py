"""The history of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, select

from singer_store.schema import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from singer_store.database import Database

_KEEP = 1000


@dataclass(frozen=True)
class Run:
    """One run of a plugin; times are UTC, the summary is the plugin's own."""

    plugin: str
    started_at: datetime
    finished_at: datetime
    outcome: str
    summary: Mapping[str, Any]


class Runs:
    """The table `runs`: the last thousand of each plugin."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        plugin: str,
        started_at: datetime,
        finished_at: datetime,
        outcome: Literal["ok", "failed"],
        summary: Mapping[str, Any],
    ) -> None:
        """Note a run that has ended. The summary is JSON, without secrets or personal data."""
        newest = select(runs.c.id).where(runs.c.plugin == plugin).order_by(runs.c.id.desc()).offset(_KEEP - 1).limit(1)
        with self._database.write() as connection:
            connection.execute(
                runs.insert().values(
                    plugin=plugin,
                    started_at=started_at,
                    finished_at=finished_at,
                    outcome=outcome,
                    summary=dict(summary),
                )
            )
            connection.execute(delete(runs).where(runs.c.plugin == plugin, runs.c.id < newest.scalar_subquery()))

    def latest(self, plugin: str, limit: int = 1, *, since: datetime | None = None) -> list[Run]:
        """Give a plugin's last runs, the newest first; only those that ended after `since`, if that is given."""
        query = (
            select(runs.c.plugin, runs.c.started_at, runs.c.finished_at, runs.c.outcome, runs.c.summary)
            .where(runs.c.plugin == plugin)
            .order_by(runs.c.id.desc())
            .limit(limit)
        )
        if since is not None:
            query = query.where(runs.c.finished_at > since)
        with self._database.read() as connection:
            return [Run(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - the documented way
