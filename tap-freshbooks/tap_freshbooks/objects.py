"""Reading objects by id, with what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from tap_freshbooks.client import WORKERS, FreshBooksClient, Page
from tap_freshbooks.errors import (
    AccessDeniedError,
    FreshBooksError,
    NotFoundError,
    UnreadableObjectError,
    concerns_one_object,
)
from tap_freshbooks.pages import in_parallel, read_pages
from tap_freshbooks.resources import PAYMENTS, RESOURCES, Resource

if TYPE_CHECKING:
    from tap_freshbooks.relations import Former
    from tap_freshbooks.window import Filters

CHUNK = 50
"""Ids in one search: a URL of some 2 kB, and no more rows than fit on one page."""
SEARCH_FROM = 5
"""As many ids as make a search cheaper than a GET of each."""
DELETED = 1

Ids = Iterable[int]
Found = tuple[int, Page | FreshBooksError]
"""An id, and the page of one row with that object, or why there is none.

The error is a `NotFoundError` or an `UnreadableObjectError`; any other is raised.
"""


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
            rows = {row["id"]: row for row in page.rows} if page is not None else {}
            if page is not None and rows.keys() <= set(wanted):
                yield from ((object_id, replace(page, rows=[row])) for object_id, row in rows.items())
            else:
                rows = {}
            yield from self.by_get(resource, [object_id for object_id in wanted if object_id not in rows])

    def payments_of(self, invoice_ids: Ids) -> Iterator[Found]:
        """Read the payments of invoices, but for the deleted ones: each invoice's pages, or why there are none."""
        for invoice_id, pages in in_parallel(self._payments, invoice_ids, WORKERS):
            yield from ((invoice_id, page) for page in pages)

    def _one(self, resource: Resource, object_id: int) -> Page | FreshBooksError:
        try:
            return self._client.one(self._account_id, resource, object_id)
        except (NotFoundError, UnreadableObjectError) as error:
            return error

    def _search(self, resource: Resource, ids: list[int]) -> Page | None:
        """Return what a search gives; None where one of the objects may be what keeps FreshBooks from answering."""
        try:
            return self._client.page(self._account_id, resource, 1, _filters(resource, ids))
        except FreshBooksError as error:
            if not concerns_one_object(error):
                raise
            return None

    def _payments(self, invoice_id: int) -> tuple[int, list[Page | FreshBooksError]]:
        filters = [("search[invoiceid]", str(invoice_id))]
        try:
            pages = list(
                read_pages(lambda number: self._client.page(self._account_id, PAYMENTS, number, filters), workers=1)
            )
        except FreshBooksError as error:
            if isinstance(error, AccessDeniedError) or not concerns_one_object(error):
                raise
            return invoice_id, [error]
        return invoice_id, [
            replace(page, rows=[row for row in page.rows if row.get("invoiceid") == invoice_id]) for page in pages
        ]


def _filters(resource: Resource, ids: Ids) -> Filters:
    return [(f"search[{resource.ids_filter}][]", str(object_id)) for object_id in ids]


@dataclass(frozen=True)
class Unread:
    """An object that FreshBooks does not give."""

    stream: str
    object_id: int
    error: FreshBooksError
    asked_for: bool
    """False for a parent that only another object names."""

    @property
    def is_missing(self) -> bool:
        """Whether there is no such object, or no longer."""
        return isinstance(self.error, NotFoundError)


@dataclass
class Family:
    """Objects with what they depend on."""

    pages: dict[str, list[Page]] = field(default_factory=dict)
    """By stream: pages of one row each, or of an invoice's payments."""
    unread: list[Unread] = field(default_factory=list)
    """What was asked for, or is needed by that, and is not given."""


def read_family(
    objects: Objects,
    read: Callable[[Resource, Ids], Iterator[Found]],
    wanted: Mapping[str, Ids],
    streams: Collection[str],
    former: Former,
) -> Family:
    """Read objects, then the invoices and clients they depend on.

    Parents are read last, so that each is as new as its children. With a payment that is deleted or has moved come the
    other payments of the invoice that it left, for the date of the last one may have changed, and with an invoice that
    has moved come the client that it left and its payments.

    Args:
        objects: reads the payments of an invoice.
        read: `Objects.by_get` or `Objects.by_search`.
        wanted: ids by stream.
        streams: to read at all; the others are passed over.
        former: what objects that moved belonged to before.
    """
    family = Family()
    needed: dict[str, dict[int, bool]] = {name: dict.fromkeys(wanted.get(name, ()), True) for name in RESOURCES}
    for resource in reversed(RESOURCES.values()):
        if resource.name not in streams:
            continue
        pages = family.pages.setdefault(resource.name, [])
        asked_for = {object_id for object_id, is_asked_for in needed[resource.name].items() if is_asked_for}
        pages.extend(given(read(resource, list(needed[resource.name])), resource.name, family.unread, asked_for))
        rows = list(chain.from_iterable(page.rows for page in pages))
        left = former(resource, rows)
        if resource is PAYMENTS:
            bereft = dict.fromkeys([*invoices_of_deleted(rows), *left.values()])
            pages.extend(given(objects.payments_of(bereft), "invoices", family.unread))
        elif "payments" in streams:
            family.pages["payments"].extend(given(objects.payments_of(left), resource.name, family.unread))
        if resource.belongs_to is not None:
            for parent_id in left.values():
                needed[resource.belongs_to].setdefault(parent_id, False)
        for row in chain.from_iterable(page.rows for page in pages):
            for parent, name in resource.parents.items():
                if row.get(name):
                    needed[parent].setdefault(row[name], False)
    return family


def given(found: Iterable[Found], stream: str, unread: list[Unread], asked_for: Collection[int] = ()) -> Iterator[Page]:
    """Return the pages of those objects that FreshBooks gives, and add the others to a list.

    Args:
        found: what reading them gave.
        stream: theirs, or that of the objects they were searched by.
        unread: takes what is not given.
        asked_for: ids that are not read for the sake of another object alone.
    """
    for object_id, page in found:
        if isinstance(page, Page):
            yield page
        else:
            unread.append(Unread(stream, object_id, page, object_id in asked_for))


def invoices_of_deleted(payments: Iterable[Mapping[str, object]]) -> list[int]:
    """Give the invoices of those payments that are deleted, each once."""
    found = {row["invoiceid"]: None for row in payments if row.get("vis_state") == DELETED and row.get("invoiceid")}
    return [invoice_id for invoice_id in found if isinstance(invoice_id, int)]
