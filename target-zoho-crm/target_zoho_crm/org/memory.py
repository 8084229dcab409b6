"""What is remembered of an organization: its survey, the ids by which things are known, what Zoho refused to make.

The survey is good for a day, so that a run for one event costs what the event costs. It is read again by whoever
changes something (`setup`), by whoever is asked how things are (`plan`, `doctor`), and when Zoho refuses what it may
explain. Refusals are kept beside it, for a day from when they were given. Ids are kept with the organization: they
outlive every survey.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from target_zoho_crm.org.home import Homes
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.requirements import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_store import Store
    from target_zoho_crm.org.organization import Described
    from target_zoho_crm.settings import Settings

GOOD_FOR = timedelta(days=1)
SURVEY, IDENTITIES = "zoho survey", "zoho identities"
"""Kinds of the store's documents."""
FORM = 1
"""Of the documents: one that was written in another form counts for nothing."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Remembered:
    """A survey that is still good.

    Attributes:
        described: what Zoho said.
        wanted: what was asked for, by its names in the settings: modules, and the owner's e-mail.
        read_at: when it was asked.
        refused: what Zoho would not make.
        refused_at: when it would not.
    """

    described: Described
    wanted: tuple[str, ...]
    read_at: datetime
    refused: Refused
    refused_at: datetime


@dataclass(frozen=True)
class Memory:
    """The documents of one connection in the store.

    Args:
        store: where they are kept.
        connection: what tells connections to Zoho apart.
        account: the FreshBooks account whose records are written; None where it is not known.
        clock: gives the time, aware.
    """

    store: Store
    connection: str
    account: str | None = None
    clock: Callable[[], datetime] = field(default=_now, repr=False)

    @classmethod
    def of(cls, store: Store, settings: Settings, account: str | None = None) -> Memory:
        """Return the memory of the connection that the settings name, which may be one of several in the store.

        Args:
            store: where it is kept.
            settings: of the target.
            account: the FreshBooks account whose records are written, as far as it is known.
        """
        connection = f"{settings.client_id}\n{settings.refresh_token or ''}"
        return cls(store, store.written.digest(connection.encode()), account)

    @property
    def homes(self) -> Homes:
        """Which organizations records belong in."""
        return Homes(self.store)

    def survey(self) -> Remembered | None:
        """Return the survey, if it is not a day old; else None.

        Raises:
            StoreError: if the store cannot be used.
        """
        document = self.store.secrets.get(SURVEY, self.connection)
        if document is None or document.get("form") != FORM:
            return None
        read_at, refused_at = (datetime.fromisoformat(document[name]) for name in ("read_at", "refused_at"))
        if not self._is_good(read_at):
            return None
        refused = Refused(**document["refused"]) if self._is_good(refused_at) else Refused()
        return Remembered(document["described"], tuple(document["wanted"]), read_at, refused, refused_at)

    def _is_good(self, moment: datetime) -> bool:
        # A clock that was ahead must not make anything good for longer.
        return timedelta(0) <= self.clock() - moment < GOOD_FOR

    def keep_survey(self, survey: Remembered) -> None:
        """Remember a survey in place of the one there was.

        Raises:
            StoreError: if the store cannot be used.
        """
        document = {
            "form": FORM,
            "described": survey.described,
            "wanted": list(survey.wanted),
            "read_at": survey.read_at.isoformat(),
            "refused": survey.refused.as_document(),
            "refused_at": survey.refused_at.isoformat(),
        }
        self.store.secrets.put(SURVEY, self.connection, document)

    def forget_survey(self) -> None:
        """Have the next run read the organization, which may be another one now.

        Raises:
            StoreError: if the store cannot be used.
        """
        self.store.secrets.delete(SURVEY, self.connection)

    def identities(self, organization: str) -> Identities:
        """Return the ids by which an organization's modules and fields are known.

        Raises:
            StoreError: if the store cannot be used.
        """
        document: Mapping[str, Any] | None = self.store.secrets.get(IDENTITIES, organization)
        if document is None or document.get("form") != FORM:
            return Identities()
        return Identities(document["modules"], document["fields"], document.get("pipeline", ""))

    def keep_identities(self, organization: str, identities: Identities) -> None:
        """Remember ids.

        Raises:
            StoreError: if the store cannot be used.
        """
        self.store.secrets.put(IDENTITIES, organization, {"form": FORM, **identities.as_document()})
