"""Reading objects by id, with what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from tap_freshbooks.client import WORKERS, FreshBooksClient, Page
from tap_freshbooks.errors import NotFoundError
from tap_freshbooks.pages import in_parallel, read_pages
from tap_freshbooks.resources import PAYMENTS, RESOURCES, Resource

if TYPE_CHECKING:
    from tap_freshbooks.window import Filters

CHUNK = 50
"""Ids in one search: a URL of some 2 kB, and no more rows than fit on one page."""
SEARCH_FROM = 5
"""As many ids as make a search cheaper than a GET of each."""
DELETED = 1

Ids = Iterable[int]
Found = tuple[int, "Page | None"]
"""An id, and the page of one row with that object, None if there is no such object."""


class Objects:
    """Reads lists and objects of one account."""

    def __init__(self, client: FreshBooksClient, account_id: str) -> None:
        self._client = client
        self._account_id = account_id

    def pages(self, resource: Resource, filters: Filters) -> Iterator[Page]:
        """Read a list."""
        return read_pages(lambda number: self._client.page(self._account_id, resource, number, filters), WORKERS)

    def by_get(self, resource: Resource, ids: Ids) -> Iterator[Found]:
        """Read objects, each by a GET of its own; deleted ones as well."""
        return in_parallel(lambda object_id: (object_id, self._one(resource, object_id)), ids, WORKERS)

    def by_search(self, resource: Resource, ids: Ids) -> Iterator[Found]:
        """Read objects by searching for many at once.

        What the search does not give, deleted objects for one, is read by a GET; so is everything if FreshBooks answers
        with other objects, because it passes over filters it does not know.
        """
        ids = list(ids)
        chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
        if len(ids) < SEARCH_FROM:
            yield from self.by_get(resource, ids)
            return
        for wanted, page in in_parallel(lambda chunk: (chunk, self._search(resource, chunk)), chunks, WORKERS):
            rows = {row["id"]: row for row in page.rows}
            found = rows if rows.keys() <= set(wanted) else {}
            yield from ((object_id, replace(page, rows=[row])) for object_id, row in found.items())
            yield from self.by_get(resource, [object_id for object_id in wanted if object_id not in found])

    def payments_of(self, invoice_ids: Ids) -> Iterator[Page]:
        """Read the payments of invoices, but for the deleted ones."""
        for invoice_id, pages in in_parallel(self._payments, invoice_ids, WORKERS):
            for page in pages:
                yield replace(page, rows=[row for row in page.rows if row.get("invoiceid") == invoice_id])

    def _one(self, resource: Resource, object_id: int) -> Page | None:
        try:
            return self._client.one(self._account_id, resource, object_id)
        except NotFoundError:
            return None

    def _search(self, resource: Resource, ids: list[int]) -> Page:
        return self._client.page(self._account_id, resource, 1, _filters(resource, ids))

    def _payments(self, invoice_id: int) -> tuple[int, list[Page]]:
        filters = [("search[invoiceid]", str(invoice_id))]
        return invoice_id, list(
            read_pages(lambda number: self._client.page(self._account_id, PAYMENTS, number, filters), workers=1)
        )


def _filters(resource: Resource, ids: Ids) -> Filters:
    return [(f"search[{resource.ids_filter}][]", str(object_id)) for object_id in ids]


@dataclass
class Family:
    """Objects with what they depend on."""

    pages: dict[str, list[Page]] = field(default_factory=dict)
    """By stream: pages of one row each, or of an invoice's payments."""
    missing: list[tuple[str, int]] = field(default_factory=list)
    """Stream and id of what was asked for and does not exist."""


def read_family(
    objects: Objects,
    read: Callable[[Resource, Ids], Iterator[Found]],
    wanted: Mapping[str, Ids],
    streams: Iterable[str],
) -> Family:
    """Read objects, then the invoices and clients they depend on.

    Parents are read last, so that each is as new as its children. With a deleted payment come the other payments of its
    invoice: the date of the last one may have changed.

    Args:
        objects: reads the payments of an invoice.
        read: `Objects.by_get` or `Objects.by_search`.
        wanted: ids by stream.
        streams: to read at all; the others are passed over.
    """
    family = Family()
    needed: dict[str, dict[int, bool]] = {name: dict.fromkeys(wanted.get(name, ()), True) for name in RESOURCES}
    for resource in reversed(RESOURCES.values()):
        if resource.name not in streams:
            continue
        pages = family.pages.setdefault(resource.name, [])
        for object_id, page in read(resource, list(needed[resource.name])):
            if page is not None:
                pages.append(page)
            elif needed[resource.name][object_id]:
                family.missing.append((resource.name, object_id))
        if resource is PAYMENTS:
            pages.extend(objects.payments_of(invoices_of_deleted(chain.from_iterable(page.rows for page in pages))))
        for row in chain.from_iterable(page.rows for page in pages):
            for parent, name in resource.parents.items():
                if row.get(name):
                    needed[parent].setdefault(row[name], False)
    return family


def invoices_of_deleted(payments: Iterable[Mapping[str, object]]) -> list[int]:
    """Give the invoices of those payments that are deleted, each once."""
    found = {row["invoiceid"]: None for row in payments if row.get("vis_state") == DELETED and row.get("invoiceid")}
    return [invoice_id for invoice_id in found if isinstance(invoice_id, int)]
