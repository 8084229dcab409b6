"""Objects still to sync, tried again or taken off the list by a person: for the commands and the status page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from freshbooks_zoho.zoho.watch import ZOHO
from target_zoho_crm.sync.left_alone import LeftAlone, bring_back

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from singer_store import PendingObject, Store


@dataclass(frozen=True)
class Choice:
    """Objects that somebody has named.

    Attributes:
        found: those that are still to be synced.
        missing: ids of those that are not.
    """

    found: tuple[PendingObject, ...]
    missing: tuple[str, ...] = ()


def still_to_sync(store: Store, account: str | None) -> list[PendingObject]:
    """Give the objects still to sync, of one account or (None) of all; what Zoho told about is none of them.

    Raises:
        StoreError: if the store cannot be used.
    """
    return [one for one in store.pending.all(account) if one.account != ZOHO]


def choose(objects: Iterable[PendingObject], stream: str | None = None, ids: Collection[str] = ()) -> Choice:
    """Choose objects by what somebody has named: all of them, those of a stream, or some of a stream."""
    found = tuple(one for one in objects if stream in (None, one.stream) and (not ids or one.object_id in ids))
    here = {one.object_id for one in found}
    return Choice(found, tuple(object_id for object_id in dict.fromkeys(ids) if object_id not in here))


def with_waiting(chosen: Sequence[PendingObject], objects: Iterable[PendingObject]) -> list[PendingObject]:
    """Give the chosen objects with those that wait for them, and for those: they can follow at once."""
    family = list(chosen)
    left = [one for one in objects if one not in family]
    for parent in family:
        name = f"{parent.stream}:{parent.object_id}"
        family += [one for one in left if (one.account, one.waits_for) == (parent.account, name)]
        left = [one for one in left if one not in family]
    return family


def retry(store: Store, objects: Iterable[PendingObject]) -> None:
    """Ask for objects to be synced again: by a process that serves within seconds, else by the next run.

    Raises:
        StoreError: if the store cannot be used.
    """
    now = datetime.now(timezone.utc)
    store.pending.queue_many([(one.account, one.stream, one.object_id, "retry", now) for one in objects])


def take_back(store: Store, account: str, stream: str, object_ids: Collection[str]) -> tuple[str, ...]:
    """Have objects that were dismissed for good synced again, and return which of them had been.

    Raises:
        StoreError: if the store cannot be used.
    """
    left = LeftAlone(store, stream)
    back = tuple(object_id for object_id in object_ids if f"{account}:{object_id}" in left)
    bring_back(store, account, stream, back)
    now = datetime.now(timezone.utc)
    store.pending.queue_many([(account, stream, object_id, "retry", now) for object_id in back])
    return back


def dismiss(store: Store, objects: Iterable[PendingObject]) -> None:
    """Take objects off the list; a later change in FreshBooks brings them again, and so does the daily sweep.

    One that is asked for again meanwhile stays.

    Raises:
        StoreError: if the store cannot be used.
    """
    for one in objects:
        store.pending.clear(one.account, one.stream, {one.object_id: one.covered_from})
