"""What keeps the companion from doing its work, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freshbooks_zoho.admin.status import read_connections
from singer_store import StoreError

if TYPE_CHECKING:
    from freshbooks_zoho.freshbooks.callbacks import Callbacks
    from freshbooks_zoho.runs.conductor import Conductor
    from freshbooks_zoho.settings import Settings
    from freshbooks_zoho.webhooks.inbox import Inbox
    from freshbooks_zoho.zoho.side import ZohoSide
    from singer_store import Store


class Readiness:
    """Collects the problems of the parts.

    Args:
        settings: of the companion.
        store: knows how the services are connected.
        inbox: stores events.
        callbacks: FreshBooks' side; None where there is no public URL.
        conductor: makes the runs.
        zoho: Zoho's side.
    """

    def __init__(  # noqa: PLR0913 - it puts them together
        self,
        settings: Settings,
        store: Store,
        *,
        inbox: Inbox,
        callbacks: Callbacks | None,
        conductor: Conductor,
        zoho: ZohoSide,
    ) -> None:
        self._settings, self._store = settings, store
        self._inbox, self._callbacks, self._conductor, self._zoho = inbox, callbacks, conductor, zoho

    def problems(self) -> list[str]:
        """Give a sentence for each thing that is wrong; the parts that another process leads are its own concern."""
        found = [f"Events cannot be stored: {self._inbox.problem}"] if self._inbox.problem else []
        try:
            found += [one.problem for one in read_connections(self._settings, self._store) if one.problem]
        except StoreError as error:
            found.append(str(error))
        states = self._callbacks.states() if self._callbacks is not None else []
        found += [
            f"FreshBooks' callback for {one.noun} is not verified: {one.problem}" for one in states if one.problem
        ]
        found += [self._conductor.leadership.problem] if self._conductor.leadership.problem else []
        if self._conductor.leadership.is_held:
            found += [self._conductor.history.problem] if self._conductor.history.problem else []
            found += self._zoho.problems()
        return found
