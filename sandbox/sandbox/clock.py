"""One clock for both services: it runs like the real one, and can be moved or stopped."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone


class Clock:
    """The time both services believe it is (UTC).

    It runs at the real pace from wherever it was put; `freeze` stops it, so that a test can name the exact second at
    which something happened.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Give the current time, aware, in UTC."""
        with self._lock:
            return self._frozen if self._frozen is not None else datetime.now(timezone.utc) + self._offset

    def set(self, moment: datetime) -> None:
        """Put the clock to an aware moment; it goes on from there unless it is frozen."""
        with self._lock:
            moment = moment.astimezone(timezone.utc)
            if self._frozen is not None:
                self._frozen = moment
            else:
                self._offset = moment - datetime.now(timezone.utc)

    def advance(self, **span: float) -> None:
        """Move the clock by a span given as for `timedelta` (``hours=12``)."""
        self.set(self.now() + timedelta(**span))

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop the clock, at an aware moment if one is given."""
        moment = (moment or self.now()).astimezone(timezone.utc)
        with self._lock:
            self._frozen = moment

    def run(self) -> None:
        """Let a frozen clock go on from where it stands."""
        with self._lock:
            if self._frozen is not None:
                self._offset = self._frozen - datetime.now(timezone.utc)
                self._frozen = None
