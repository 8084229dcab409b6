"""Lists: filters, order and pages.

Source: https://www.freshbooks.com/api/parameters. Filters are ANDed; a filter that nobody knows is ignored silently,
and so is an order that nobody knows, which leaves ascending ids. Ranges on times have the granularity of a day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import errors
from sandbox.freshbooks.errors import ApiError
from sandbox.freshbooks.filters import FILTERS, Filter, Kind
from sandbox.freshbooks.money import decimal
from sandbox.freshbooks.records import DELETED
from sandbox.freshbooks.sorting import SORTS
from sandbox.freshbooks.times import EASTERN, UTC, midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from sandbox.freshbooks.collection import Collection
    from sandbox.freshbooks.switches import Switches

PER_PAGE = 15
MOST_PER_PAGE = 100
_SEARCH = re.compile(r"search\[(\w+)\](\[\])?")


@dataclass(frozen=True)
class Page:
    """Which part of the list was asked for."""

    number: int
    size: int

    @classmethod
    def of(cls, query: Iterable[tuple[str, str]]) -> Page:
        """Read ``page`` and ``per_page``: 15 unless told, at most 100, and page 0 is page 1.

        Raises:
            ApiError: if one of them is no number that makes sense.
        """
        values = dict(query)
        try:
            size = int(values.get("per_page", PER_PAGE))
        except ValueError:
            size = 0
        if size < 1:
            raise ApiError(422, errors.BAD_PER_PAGE, "per_page must be a number", field="per_page")
        try:
            number = int(values.get("page", 1))
        except ValueError:
            number = -1
        if number < 0:
            raise ApiError(422, errors.BAD_PAGE, "page must be a number", field="page")
        return cls(number or 1, min(size, MOST_PER_PAGE))

    def pages(self, total: int) -> int:
        """Give the number of pages; none at all where there is nothing."""
        return -(-total // self.size)

    def cut(self, rows: Sequence[int]) -> Sequence[int]:
        """Give the rows on this page; beyond the last page there are none."""
        start = (self.number - 1) * self.size
        return rows[start : start + self.size]


def matching(collection: Collection[Any], query: Sequence[tuple[str, str]]) -> list[int]:
    """Give the ids of the records that a list request is about, in order.

    The answer to the last few questions is kept for as long as nothing changes, since reading a list means asking the
    same question once per page.

    Raises:
        ApiError: 422 if a filter's value does not fit the filter.
    """
    books = collection.books
    asked = tuple(pair for pair in query if pair[0] not in ("page", "per_page", "include[]"))
    key = (collection.kind, asked, books.today(), str(books.world.switches))
    known = books.answers.get(key)
    if known is not None and known[0] == books.revision:
        return known[1]
    ids = _find(collection, asked)
    while len(books.answers) >= 8:  # noqa: PLR2004
        books.answers.pop(next(iter(books.answers)))
    books.answers[key] = books.revision, ids
    return ids


def _find(collection: Collection[Any], query: Sequence[tuple[str, str]]) -> list[int]:
    today, kind = collection.books.today(), collection.kind
    tests, candidates = _tests(collection, query)
    if not any(name in ("search[vis_state]", "search[vis_state][]") for name, _ in query):
        tests.append(lambda record: record.vis_state != DELETED)
    rows: Iterable[Any] = collection.rows.values()
    if candidates is not None:
        rows = (collection.rows[number] for number in sorted(candidates) if number in collection.rows)
    if len(tests) == 1:
        only = tests[0]
        found = [record for record in rows if only(record)]
    else:
        found = [record for record in rows if all(test(record) for test in tests)]
    order = next((value for name, value in query if name == "sort"), None)
    if order is None:
        return [record.id for record in reversed(found)]
    field, _, direction = order.rpartition("_")
    if direction in ("asc", "desc") and field in SORTS[kind]:
        sort_key = SORTS[kind][field]
        found.sort(key=lambda record: sort_key(today, record), reverse=direction == "desc")
    return [record.id for record in found]


def _tests(
    collection: Collection[Any], query: Sequence[tuple[str, str]]
) -> tuple[list[Callable[[Any], bool]], set[int] | None]:
    """Give the filters as tests, and the ids to look at where a filter names them."""
    switches, today = collection.books.world.switches, collection.books.today()
    tests: list[Callable[[Any], bool]] = []
    candidates: set[int] | None = None
    for field, (rule, texts) in _filters(collection.kind, query).items():
        values = [value for text in texts if (value := _value(rule, field, text, switches)) is not None]
        if not values:
            continue
        if rule.names_id:
            candidates = set(values) if candidates is None else candidates.intersection(values)
        tests += [_test(rule, today, value) for value in ([set(values)] if rule.many else values)]
    return tests, candidates


def _filters(kind: str, query: Sequence[tuple[str, str]]) -> dict[str, tuple[Filter, list[str]]]:
    """Read the filters that are known, each with its values.

    Raises:
        ApiError: 422 if a list is given for a single value, or the other way round.
    """
    found: dict[str, tuple[Filter, list[str]]] = {}
    for name, value in query:
        match = _SEARCH.fullmatch(name)
        field, is_list = (match[1], bool(match[2])) if match else (name, False)
        rule = FILTERS[kind].get(field)
        if rule is None or (match is None and rule.kind is not Kind.BOOLEAN):
            continue  # the SDKs write booleans without search[]
        if is_list is not rule.many:
            errno, what = (errors.FILTER_LIST, "list") if rule.many else (errors.FILTER_SCALAR, "single value")
            raise ApiError(422, errno, f"{field} must be a {what}", field=field, value=value)
        found.setdefault(field, (rule, []))[1].append(value)
    return found


def _test(rule: Filter, today: date, wanted: Any) -> Callable[[Any], bool]:
    holds = rule.holds
    return lambda record: holds(today, record, wanted)


def _value(rule: Filter, field: str, value: str, switches: Switches) -> Any:
    """Read a filter's value; None leaves the filter out."""
    if rule.kind is Kind.TEXT:
        return value.lower()
    if rule.kind is Kind.EXACT:
        return value
    if rule.kind is Kind.BOOLEAN:
        if value.lower() not in ("true", "false", "1", "0"):
            raise ApiError(422, errors.FILTER_BOOLEAN, f"{field} must be a boolean", field=field, value=value)
        return value.lower() in ("true", "1")
    if rule.kind in (Kind.DAY, Kind.MOMENT):
        return _day(rule, field, value, switches)
    try:
        return int(value) if rule.kind is Kind.INTEGER else decimal(value)
    except ValueError as error:
        raise ApiError(422, errors.FILTER_NUMBER, f"{field} must be a number", field=field, value=value) from error


def _day(rule: Filter, field: str, value: str, switches: Switches) -> date | datetime | None:
    if len(value) > 10 and switches.timestamp_filter == "ignore":  # noqa: PLR2004
        return None
    text = value[:10] if switches.timestamp_filter == "truncate" else value
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise ApiError(422, errors.FILTER_DATE, f"{field} must be a date", field=field, value=value) from error
    if rule.kind is Kind.DAY:
        return day
    return midnight(day, EASTERN if switches.filter_zone == "eastern" else UTC)
