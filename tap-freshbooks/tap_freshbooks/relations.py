"""What an object belonged to before: FreshBooks does not say it, but the store knows what was written last.

When an invoice goes to another client, or a payment to another invoice or to none, FreshBooks calls the object itself
updated, and not what it leaves (https://www.freshbooks.com/api/invoices and /api/payments tell of no such thing). Yet
the balance of the one, and the last payment of the other, are no longer what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_store import Store
    from tap_freshbooks.client import Row
    from tap_freshbooks.resources import Resource

Former = Callable[["Resource", "Iterable[Row]"], "dict[int, int]"]
"""Returns, for those of a resource's rows that moved, the id of what each belonged to before."""


def moved(rows: Iterable[Row], field: str, before: dict[str, str]) -> dict[int, int]:
    """Return what rows belonged to before, by their own ids, for those that belong to something else now.

    Args:
        rows: as FreshBooks gives them.
        field: that names what a row belongs to.
        before: ids of what they belonged to, by their own ids, both as text.
    """
    found = {}
    for row in rows:
        former = before.get(str(row["id"]), "")
        if field in row and former.isdecimal() and former != str(row[field]):
            found[row["id"]] = int(former)
    return found


def former_parents(store: Store, account: str, resource: Resource, rows: Iterable[Row]) -> dict[int, int]:
    """Return what rows belonged to when they were written last, for those that moved since.

    Raises:
        StoreError: if the store cannot be used.
    """
    if resource.belongs_to is None:
        return {}
    rows = list(rows)
    records = store.written.record_ids(account, resource.name, [str(row["id"]) for row in rows])
    before = {
        record.object_id: record.parent
        for record in store.written.of_records(records.values()).values()
        if record.parent is not None and (record.account, record.stream) == (account, resource.name)
    }
    return moved(rows, resource.parents[resource.belongs_to], before)
