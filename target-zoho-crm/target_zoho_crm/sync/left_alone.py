"""What people deleted in Zoho and do not want back: it is not made again, whatever FreshBooks says of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_store import Store

KIND = "left alone"
"""Of the store's documents; each is named by a FreshBooks account."""


@dataclass
class LeftAlone:
    """The objects that are not made again.

    Args:
        store: where they are noted.
        stream: whose objects `in` is about.
    """

    store: Store
    stream: str
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        """Whether the object with this FreshBooks ID is left alone."""
        account, _, number = key.rpartition(":")
        if account not in self._known:
            self._known[account] = frozenset(_load(self.store, account).get(self.stream, ()))
        return number in self._known[account]


def leave_alone(store: Store, account: str, stream: str, object_ids: Iterable[str]) -> None:
    """Have objects not made again in Zoho once they are gone there.

    Raises:
        StoreError: if the store cannot be used.
    """
    document: dict[str, list[str]] = defaultdict(list, _load(store, account))
    document[stream] = sorted({*document[stream], *object_ids})
    store.secrets.put(KIND, account, document)


def bring_back(store: Store, account: str, stream: str, object_ids: Iterable[str]) -> None:
    """Have objects made again after all.

    Raises:
        StoreError: if the store cannot be used.
    """
    document = _load(store, account)
    left = set(document.get(stream, ())) - set(object_ids)
    if len(left) < len(document.get(stream, ())):
        store.secrets.put(KIND, account, {**document, stream: sorted(left)})


def _load(store: Store, account: str) -> dict[str, list[str]]:
    return {stream: list(ids) for stream, ids in (store.secrets.get(KIND, account) or {}).items()}
