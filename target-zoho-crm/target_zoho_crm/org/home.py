"""Which organization FreshBooks' records belong in: the one they were written to first, until a person says otherwise.

A login can belong to several organizations, and every firm begins with a trial one. In another organization nothing of
what the store knows holds: no record that was written is there, and what has not changed since comes to no run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_store import Store
    from target_zoho_crm.org.memory import Memory
    from target_zoho_crm.org.provisioning import Provisioned
    from target_zoho_crm.org.survey import Survey

HOME = "zoho home"
"""Kind of the store's documents; each is named by a FreshBooks account."""
BRING_ALL = "meltano run --full-refresh tap-freshbooks target-zoho-crm"
ADOPT = "freshbooks-zoho setup --adopt"
_AT_ONCE = 5000


@dataclass(frozen=True)
class Home:
    """The organization that the records of a FreshBooks account are written to.

    Attributes:
        account: the FreshBooks account id.
        organization: Zoho's id of the organization (`zgid`).
        led_to: the id of another one that the connection was last found to lead to; empty where it leads home.
        moved_at: when a person had everything brought to this one, in ISO format; empty if it is the first one.
    """

    account: str
    organization: str
    led_to: str = ""
    moved_at: str = ""

    @property
    def problem(self) -> str | None:
        """A sentence, where the connection leads to another organization."""
        if not self.led_to:
            return None
        return (
            f"This is another Zoho organization ({self.led_to}) than the one that FreshBooks {self.account} was synced "
            f"to ({self.organization}), so nothing is written. If it is meant from now on, run {ADOPT}, which has "
            "everything brought there; if not, connect to the former one: freshbooks-zoho connect zoho."
        )


@dataclass(frozen=True)
class Homes:
    """The homes of the FreshBooks accounts in a store."""

    store: Store

    def of(self, account: str | None) -> Home | None:
        """Return the home of an account; of None, the only one there is; None where there is none.

        Raises:
            StoreError: if the store cannot be used.
        """
        if account is not None:
            document = self.store.secrets.get(HOME, account)
            return None if document is None else Home(account, **document)
        found = self.store.secrets.all(HOME)
        return next((Home(name, **document) for name, document in found.items()), None) if len(found) == 1 else None

    def check(self, account: str | None, organization: str, *, keeps: bool = True) -> str | None:
        """Return a sentence if this organization is not the account's home, and remember that for those who ask later.

        Args:
            account: the FreshBooks account id; None where it is not known.
            organization: the id of the one that the connection leads to.
            keeps: whether it is remembered.

        Raises:
            StoreError: if the store cannot be used.
        """
        home = self.of(account)
        if home is None or not organization:
            return None
        seen = replace(home, led_to="" if organization == home.organization else organization)
        if keeps and seen != home:
            self._put(seen)
        return seen.problem

    def settle(self, account: str, organization: str) -> None:
        """Remember the organization to which the first records of an account are written; later ones change nothing.

        Raises:
            StoreError: if the store cannot be used.
        """
        if organization and self.of(account) is None:
            self._put(Home(account, organization))

    def move(self, home: Home, now: datetime) -> int:
        """Make the organization that the connection leads to the home, and have everything brought there.

        What was written to the former one is queued for the next runs, with what waited, and forgotten. All of it comes
        again after a crash in between, for the home changes last.

        Args:
            home: as it was, with `led_to`.
            now: aware; it tells the objects that are still to be brought.

        Returns:
            How many objects were queued.

        Raises:
            StoreError: if the store cannot be used.
        """
        waiting = [(one.stream, one.object_id) for one in self.store.pending.all(home.account)]
        objects = list(dict.fromkeys([*self.store.written.objects(home.account), *waiting]))
        bring_again(self.store, home.account, objects, now)
        self.store.written.forget_all(home.account)
        self._put(Home(home.account, home.led_to, moved_at=now.isoformat()))
        return len(objects)

    def still_to_bring(self, account: str | None) -> str | None:
        """Return a sentence as long as not everything has been brought to the organization that a person moved to.

        Raises:
            StoreError: if the store cannot be used.
        """
        home = self.of(account)
        if home is None or not home.moved_at:
            return None
        moved_at = datetime.fromisoformat(home.moved_at)
        left = sum(one.queued_at == moved_at for one in self.store.pending.all(home.account))
        if not left:
            return None
        return (
            f"{left} objects are still to be brought to the Zoho organization {home.organization}, which took the "
            f"place of another one on {moved_at:%Y-%m-%d}. The next runs bring them; for all at once, run: {BRING_ALL}"
        )

    def _put(self, home: Home) -> None:
        document = {name: value for name, value in asdict(home).items() if name != "account"}
        self.store.secrets.put(HOME, home.account, document)


def refill(memory: Memory, found: Survey, made: Provisioned) -> int:
    """Have records that were written before brought again, so that fields that were made since are filled in them, too.

    Args:
        memory: of the connection.
        found: the organization before the fields were made.
        made: which fields were made.

    Returns:
        How many objects were queued.

    Raises:
        StoreError: if the store cannot be used.
    """
    if memory.account is None:
        return 0
    streams = [stream for stream, one in found.requirements.items() if made.created.get(one.spec.name)]
    objects = [each for stream in streams for each in memory.store.written.objects(memory.account, stream)]
    bring_again(memory.store, memory.account, objects, memory.clock())
    return len(objects)


def refilled_in_words(number: int) -> str:
    """Return a sentence about the records that `refill` has queued."""
    return (
        f"What was made now is empty in {number} records that were written before: the next runs fill it; for all at "
        f"once, run: {BRING_ALL}"
    )


def bring_again(store: Store, account: str, objects: Iterable[tuple[str, str]], now: datetime) -> None:
    """Have objects brought by the next runs, whether FreshBooks changes them or not.

    Args:
        store: that holds the queue.
        account: the FreshBooks account id.
        objects: stream and id of each.
        now: aware.

    Raises:
        StoreError: if the store cannot be used.
    """
    rows = [(account, stream, number, "retry", now) for stream, number in objects]
    for start in range(0, len(rows), _AT_ONCE):
        store.pending.queue_many(rows[start : start + _AT_ONCE])  # type: ignore[arg-type]
