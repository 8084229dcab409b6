"""COQL, Zoho's query language: a `Select` evaluated ("Get Records through a COQL Query", "COQL Limitations")."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.zoho.coql_columns import Columns, bad_column
from sandbox.zoho.coql_conditions import Conditions
from sandbox.zoho.coql_syntax import Order, criteria
from sandbox.zoho.errors import ApiError
from sandbox.zoho.render import Renderer
from sandbox.zoho.sharing import visible
from sandbox.zoho.table import key_of
from sandbox.zoho.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.zoho.coql_syntax import Column, Select
    from sandbox.zoho.model import Module, User
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

MAX_LIMIT = 2000
MAX_ROWS = 100_000
_BY_ID = (Order("id", descending=False),)
_MAX_ORDER, _MAX_GROUP, _MAX_AGGREGATES = 10, 4, 5
_NUMBERS = frozenset({"integer", "bigint", "double", "percent"})
_DOCUMENTED = {
    "min": _NUMBERS | {"currency"},
    "max": _NUMBERS | {"currency"},
    "count": _NUMBERS | {"lookup", "ownerlookup", "picklist"},
}
"""The types of field that the page names for a function."""


def cost(limit: int) -> int:
    """Return the API credits of a query by its LIMIT."""
    return 1 if limit <= 200 else 2 if limit <= 1000 else 3  # noqa: PLR2004


class Query:
    """One query against an organization, of the records that a user sees; of all of them without one."""

    def __init__(self, org: Organization, select: Select, user: User | None = None) -> None:
        self._org, self._select = org, select
        module = org.modules.get(select.module)
        if module is None:
            raise unknown_module(select.module)
        self.module: Module = module
        self._rows = org.tables[module.api_name].rows
        self._visible = None if user is None else visible(org, module.api_name, user)
        self._columns = Columns(org, module)
        self._conditions = Conditions(org, module)
        self._check_limits()
        self._check_aggregates()

    def run(self) -> tuple[list[dict[str, Any]], bool]:
        """Return the rows and whether there are more.

        Raises:
            ApiError: INVALID_QUERY for columns and values that do not fit, LIMIT_EXCEEDED beyond Zoho's limits.
        """
        select = self._select
        matching: Iterable[str] = self._conditions.matching(select.where)
        if self._visible is not None:
            matching = (each for each in matching if self._visible(self._rows[each]))
        aggregates = [column for column in select.columns if column.function]
        if aggregates or select.group_by:
            found = self._aggregate([self._rows[each] for each in matching])
            return found[select.offset : select.offset + select.limit], len(found) > select.offset + select.limit
        show = self._shower(select.columns)
        if select.order_by and select.order_by != _BY_ID:
            ordered = [self._rows[record_id] for record_id in matching]
            for order in reversed(select.order_by):
                get = self._columns.getter(order.path)[0]
                ordered.sort(key=lambda row, get=get: _sort_key(get(row)), reverse=order.descending)  # type: ignore[misc]
            rows: Iterator[Record] = iter(ordered)
        else:
            rows = (self._rows[record_id] for record_id in matching)
        page = list(islice(rows, select.offset, select.offset + select.limit + 1))
        return [show(row) for row in page[: select.limit]], len(page) > select.limit

    def fields(self) -> dict[str, Any]:
        """Return the metadata of the selected fields (`include_meta`)."""
        found = [self._columns.getter(column.path)[1] for column in self._select.columns]
        return {each.api_name: {"api_name": each.api_name, "data_type": each.data_type} for each in found}

    def _shower(self, columns: Iterable[Column]) -> Callable[[Record], dict[str, Any]]:
        """Return what makes an answer's row of a record; the id is always in it."""
        shows = []
        for column in columns:
            get, field, module = self._columns.getter(column.path)
            shower = Renderer(self._org, module, ()).shower(field)
            shows.append((column.name, None if "." in column.path else column.path, get, shower))
        if all(column.name != "id" for column in columns):
            shows.append(("id", "id", None, None))  # type: ignore[arg-type]

        def show(row: Record) -> dict[str, Any]:
            return {
                name: None
                if (value := row.get(own) if own else get(row)) is None
                else shower(value)
                if shower
                else value
                for name, own, get, shower in shows
            }

        return show

    def _aggregate(self, rows: list[Record]) -> list[dict[str, Any]]:
        select = self._select
        grouped = [self._columns.getter(path) for path in select.group_by]
        for column in select.columns:
            if column.function is None and column.path not in select.group_by:
                raise ApiError(400, "INVALID_QUERY", {"column_name": column.path, "reason": "not in group by"})
        groups: dict[tuple[Any, ...], list[Record]] = {}
        for row in rows:
            groups.setdefault(tuple(get(row) for get, _, _ in grouped), []).append(row)
        if not grouped and not groups:
            groups[()] = []
        result = []
        for key, members in groups.items():
            values = dict(zip(select.group_by, key, strict=True))
            shown: dict[str, Any] = {}
            for column in select.columns:
                get, field, module = self._columns.getter(column.path)
                shower = Renderer(self._org, module, ()).shower(field)
                if column.function is None:
                    value = values[column.path]
                else:
                    value = _apply(column.function, [v for row in members if (v := get(row)) is not None], column.path)
                    shower = shower if column.function in ("min", "max") else None
                shown[column.name] = shower(value) if shower and value is not None else value
            result.append(shown)
        for order in reversed(select.order_by):
            name = next((column.name for column in select.columns if order.path in (column.path, column.name)), None)
            if name is None:
                raise bad_column(order.path)
            result.sort(key=lambda each, name=name: _sort_key(each[name]), reverse=order.descending)  # type: ignore[misc]
        return result

    def _check_limits(self) -> None:
        select, switches = self._select, self._org.switches
        aggregates = sum(column.function is not None for column in select.columns)
        for clause, number, limit in (
            ("select", len(select.columns), switches.coql_columns),
            ("limit", select.limit, MAX_LIMIT),
            ("offset", select.offset + select.limit, MAX_ROWS),
            ("order by", len(select.order_by), _MAX_ORDER),
            ("group by", len(select.group_by), _MAX_GROUP),
            ("aggregate", aggregates, _MAX_AGGREGATES),
        ):
            if number > limit:
                raise ApiError(400, "LIMIT_EXCEEDED", {"limit": limit, "clause": clause}, f"{clause} limit exceeded")
        for each in criteria(select.where):
            if each.operator.endswith("in") and len(each.values) > switches.coql_in:
                details = {"limit": switches.coql_in, "column_name": each.column, "clause": "in"}
                raise ApiError(400, "LIMIT_EXCEEDED", details, "in limit exceeded")

    def _check_aggregates(self) -> None:
        """Refuse functions of fields for which the page does not name them, where that is switched on."""
        if self._org.switches.coql_aggregates == "all":
            return
        for column in self._select.columns:
            field = self._columns.getter(column.path)[1]
            types = _DOCUMENTED.get(column.function or "")
            if types is not None and (field.data_type not in types or field.api_name == "id"):
                details = {"column_name": column.path, "reason": "function not supported for the column"}
                raise ApiError(400, "INVALID_QUERY", details, "invalid query formed")


def unknown_module(name: str) -> ApiError:
    """Return the answer to a query of a module that is not there."""
    return ApiError(400, "INVALID_QUERY", {"reason": "invalid module", "module": name})


def _apply(function: str, values: list[Any], path: str) -> Any:
    if function == "count":
        return len(values)
    if function in ("min", "max"):
        return None if not values else min(values) if function == "min" else max(values)
    if any(isinstance(value, bool) or not isinstance(value, (int, Decimal)) for value in values):
        raise ApiError(400, "INVALID_QUERY", {"column_name": path, "reason": "not a number"})
    total = sum((Decimal(value) for value in values), Decimal(0))
    if function == "sum":
        return plain(total)
    return plain(round(total / len(values), 9)) if values else None


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, key_of(value) if value is not None else 0)
