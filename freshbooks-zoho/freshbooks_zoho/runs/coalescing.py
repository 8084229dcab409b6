"""When events that come one after another become one run: decisions only, no I/O.

A run starts when nothing has come for a while (`quiet`), but does not wait for ever for that (`longest`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(seconds=15)
"""How long the first event waits at most."""


def when_to_run(first: datetime, last: datetime, quiet: timedelta, longest: timedelta) -> datetime:
    """Give the moment at which the events since the last run become a run.

    Args:
        first: when the first of them was noticed.
        last: when the latest of them came.
        quiet: how long nothing has to come.
        longest: how long the first one waits at most.
    """
    return min(last + quiet, first + longest)


@dataclass
class Coalescer:
    """Remembers since when events wait.

    Replays move an object's row to now again and again, so the row alone cannot tell how long it has waited.

    Attributes:
        quiet: as for `when_to_run`.
        longest: as for `when_to_run`.
    """

    quiet: timedelta
    longest: timedelta
    _first: datetime | None = None

    def see(self, queued_at: list[datetime], now: datetime) -> datetime | None:
        """Look at the events that wait.

        Args:
            queued_at: when each of them came, by whatever clock wrote it; nothing is taken for later than now.
            now: aware.

        Returns:
            When to run; None if nothing waits.
        """
        if not queued_at:
            self._first = None
            return None
        if self._first is None:
            self._first = min(*queued_at, now)
        return when_to_run(self._first, min(max(queued_at), now), self.quiet, self.longest)

    def ran(self) -> None:
        """Forget the events that a run has taken along; those that come later wait anew."""
        self._first = None
