"""COQL, Zoho's query language: a `Select` evaluated ("Get Records through a COQL Query", "COQL Limitations")."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.zoho.coql_syntax import Criterion, Junction, criteria
from sandbox.zoho.errors import ApiError
from sandbox.zoho.render import Renderer
from sandbox.zoho.table import key_of
from sandbox.zoho.values import parse_datetime, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.zoho.coql_syntax import Column, Condition, Select
    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

    Get = Callable[[Record], Any]
    Test = Callable[[Record], bool]

MAX_LIMIT = 2000
MAX_ROWS = 100_000
_MAX_ORDER, _MAX_GROUP, _MAX_AGGREGATES, _MAX_DEPTH = 10, 4, 5, 2
_NUMBERS = frozenset({"currency", "double", "percent", "integer"})


def cost(limit: int) -> int:
    """Give the API credits of a query by its LIMIT."""
    return 1 if limit <= 200 else 2 if limit <= 1000 else 3  # noqa: PLR2004


class Query:
    """One query against an organization."""

    def __init__(self, org: Organization, select: Select) -> None:
        self._org, self._select = org, select
        module = org.modules.get(select.module)
        if module is None:
            raise ApiError(400, "INVALID_QUERY", {"reason": "invalid module", "module": select.module})
        self._module: Module = module
        self._rows = org.tables[module.api_name].rows
        self._check_limits()

    def run(self) -> tuple[list[dict[str, Any]], bool]:
        """Give the rows and whether there are more.

        Raises:
            ApiError: INVALID_QUERY for columns and values that do not fit, LIMIT_EXCEEDED beyond Zoho's limits.
        """
        select = self._select
        test = self._test(select.where)
        aggregates = [column for column in select.columns if column.function]
        if aggregates or select.group_by:
            found = self._aggregate([self._rows[each] for each in self._matching(test)])
            return found[select.offset : select.offset + select.limit], len(found) > select.offset + select.limit
        show = self._shower(select.columns)
        matching: Iterable[str] = self._matching(test)
        if select.order_by:
            ordered = [self._rows[record_id] for record_id in matching]
            for order in reversed(select.order_by):
                get = self._getter(order.path)[0]
                ordered.sort(key=lambda row, get=get: _sort_key(get(row)), reverse=order.descending)  # type: ignore[misc]
            rows: Iterator[Record] = iter(ordered)
        else:
            rows = (self._rows[record_id] for record_id in matching)
        page = list(islice(rows, select.offset, select.offset + select.limit + 1))
        return [show(row) for row in page[: select.limit]], len(page) > select.limit

    # columns

    def _getter(self, path: str) -> tuple[Get, Field, Module]:
        """Give what reads a column, which may lead through lookups, with the field at its end and that one's module."""
        *steps, last = path.split(".")
        if len(steps) > _MAX_DEPTH:
            raise ApiError(400, "LIMIT_EXCEEDED", {"limit": _MAX_DEPTH, "column_name": path}, "join limit exceeded")
        module, hops = self._module, []
        for step in steps:
            field = module.fields.get(step)
            if field is None or field.lookup is None:
                raise _bad_column(path)
            hops.append((step, self._org.tables[field.lookup].rows))
            module = self._org.modules[field.lookup]
        if last not in module.fields:
            raise _bad_column(path)

        if not hops:
            return lambda row: row.get(last), module.fields[last], module

        def get(row: Record | None) -> Any:
            for step, rows in hops:
                row = rows.get(row.get(step)) if row is not None else None
            return row.get(last) if row is not None else None

        return get, module.fields[last], module

    def _shower(self, columns: Iterable[Column]) -> Callable[[Record], dict[str, Any]]:
        shows = []
        for column in columns:
            get, field, module = self._getter(column.path)
            shows.append((column.name, get, Renderer(self._org, module, ()).shower(field)))
        if all(column.name != "id" for column in columns):
            shows.append(("id", lambda row: row["id"], None))

        def show(row: Record) -> dict[str, Any]:
            return {
                name: None if (value := get(row)) is None else shower(value) if shower else value
                for name, get, shower in shows
            }

        return show

    # conditions

    def _matching(self, test: Test) -> Iterator[str]:
        rows = self._rows
        candidates = self._candidates(self._select.where)
        ids = self._scan() if candidates is None else sorted(candidates)
        return (record_id for record_id in ids if test(rows[record_id]))

    def _scan(self) -> Iterator[str]:
        """Give all ids in order, from the one on that the condition begins with (``id > '...'``)."""
        start, including = _start(self._select.where)
        return self._org.tables[self._module.api_name].after(start, including=including)

    def _candidates(self, condition: Condition) -> set[str] | None:
        """Give the ids that indexes leave possible; None where no index helps."""
        if isinstance(condition, Junction):
            left, right = self._candidates(condition.left), self._candidates(condition.right)
            if condition.operator == "or":
                return None if left is None or right is None else left | right
            return right if left is None else left if right is None else left & right
        if condition.operator not in ("=", "in"):
            return None
        name = condition.column
        if name.endswith(".id") and name.count(".") == 1:
            name = name[:-3]
        if name == "id":
            return {str(value) for value in condition.values if str(value) in self._rows}
        index = self._org.tables[self._module.api_name].indexes.get(name)
        if index is None:
            return None
        field = self._module.fields[name]
        found: set[str] = set()
        for value in condition.values:
            found.update(index.find(self._literal(field, condition.column, value)))
        return found

    def _test(self, condition: Condition) -> Test:
        if isinstance(condition, Junction):
            left, right = self._test(condition.left), self._test(condition.right)
            if condition.operator == "and":
                return lambda row: left(row) and right(row)
            return lambda row: left(row) or right(row)
        get, field, _ = self._getter(condition.column)
        operator = condition.operator
        if operator == "is null":
            return lambda row: get(row) is None
        if operator == "is not null":
            return lambda row: get(row) is not None
        if operator.endswith("like"):
            return self._like(condition, get, field)
        values = [key_of(self._literal(field, condition.column, value)) for value in condition.values]
        if operator.endswith("in"):
            among = frozenset(values)
            if operator == "in":
                return lambda row: key_of(get(row)) in among
            return lambda row: (value := get(row)) is not None and key_of(value) not in among
        if operator.endswith("between"):
            low, high = values
            inside = operator == "between"
            return lambda row: (value := get(row)) is not None and (low <= key_of(value) <= high) is inside
        return _comparison(operator, get, values[0])

    def _like(self, condition: Criterion, get: Get, field: Field) -> Test:
        pattern = condition.values[0]
        if not isinstance(pattern, str) or field.data_type in _NUMBERS or "%" in pattern.strip("%"):
            raise _bad_value(condition.column)
        core = pattern.strip("%").casefold()
        starts, ends = not pattern.startswith("%"), not pattern.endswith("%")
        negated = condition.operator == "not like"

        def fits(text: str) -> bool:
            if starts and ends:
                return text == core
            return text.startswith(core) if starts else text.endswith(core) if ends else core in text

        return lambda row: (value := get(row)) is not None and fits(str(value).casefold()) is not negated

    def _literal(self, field: Field, column: str, value: Any) -> Any:
        """Turn a literal into what the column holds, or refuse the query."""
        kind = field.data_type
        if field.api_name == "id":
            kind = "lookup"
        if kind == "boolean":
            if not isinstance(value, bool):
                raise _bad_value(column)
            return value
        if isinstance(value, bool):
            raise _bad_value(column)
        if kind in _NUMBERS or kind == "bigint":
            try:
                return Decimal(value)
            except InvalidOperation:
                raise _bad_value(column) from None
        if kind == "datetime":
            moment = parse_datetime(value, z=True)
            if moment is None:
                raise _bad_value(column)
            return moment
        return value

    # aggregates

    def _aggregate(self, rows: list[Record]) -> list[dict[str, Any]]:
        select = self._select
        grouped = [self._getter(path) for path in select.group_by]
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
                get, field, module = self._getter(column.path)
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
                raise _bad_column(order.path)
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


def _start(condition: Condition) -> tuple[str, bool]:
    """Find a lower bound of id that must hold for the whole condition."""
    if isinstance(condition, Junction):
        if condition.operator == "or":
            return "", False
        return max(_start(condition.left), _start(condition.right))
    if condition.column == "id" and condition.operator in (">", ">="):
        return str(condition.values[0]), condition.operator == ">="
    return "", False


def _comparison(operator: str, get: Get, wanted: Any) -> Test:
    if operator == "=":
        return lambda row: key_of(get(row)) == wanted
    if operator == "!=":
        return lambda row: (value := get(row)) is not None and key_of(value) != wanted
    if operator == "<":
        return lambda row: (value := get(row)) is not None and key_of(value) < wanted
    if operator == "<=":
        return lambda row: (value := get(row)) is not None and key_of(value) <= wanted
    if operator == ">":
        return lambda row: (value := get(row)) is not None and key_of(value) > wanted
    return lambda row: (value := get(row)) is not None and key_of(value) >= wanted


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


def _bad_column(path: str) -> ApiError:
    return ApiError(
        400,
        "INVALID_QUERY",
        {"column_name": path, "reason": "column given seems to be invalid"},
        "invalid query formed",
    )


def _bad_value(path: str) -> ApiError:
    message = "value given seems to be invalid for the column"
    return ApiError(400, "INVALID_QUERY", {"column_name": path, "reason": message}, message)
