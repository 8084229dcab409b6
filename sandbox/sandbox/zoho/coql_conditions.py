"""Conditions of COQL: tests of a record, and the records that indexes leave possible."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from sandbox.zoho.coql_columns import Columns, bad_value
from sandbox.zoho.coql_syntax import Criterion, Junction, criteria
from sandbox.zoho.table import key_of
from sandbox.zoho.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.zoho.coql_columns import Get
    from sandbox.zoho.coql_syntax import Condition
    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

    Test = Callable[[Record], bool]

_COMPARE = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_NUMBERS = frozenset({"currency", "double", "percent", "integer"})


class Conditions:
    """Finds the records of a module that fit a condition."""

    def __init__(self, org: Organization, module: Module) -> None:
        self._module = module
        self._table = org.tables[module.api_name]
        self._columns = Columns(org, module)

    def matching(self, where: Condition) -> Iterator[str]:
        """Return the ids of the records that fit, in order; lazily, so that a small page costs little."""
        rows, test = self._table.rows, self.test(where)
        candidates = self._candidates(where)
        if candidates is None:
            start, including = _start(where)
            return (each for each in self._table.after(start, including=including) if test(rows[each]))
        if all(self._index_of(each) is not None for each in criteria(where)):
            return iter(sorted(candidates))
        return (each for each in sorted(candidates) if test(rows[each]))

    def _index_of(self, criterion: Criterion) -> str | None:
        """Return the indexed field that tells which records fit a criterion; None if there is none."""
        if criterion.operator not in ("=", "in"):
            return None
        name = criterion.column
        if name.endswith(".id") and name.count(".") == 1:
            name = name[:-3]
        return name if name == "id" or name in self._table.indexes else None

    def _candidates(self, condition: Condition) -> set[str] | None:
        """Return the ids that indexes leave possible; None where no index helps."""
        if isinstance(condition, Junction):
            left, right = self._candidates(condition.left), self._candidates(condition.right)
            if condition.operator == "or":
                return None if left is None or right is None else left | right
            return right if left is None else left if right is None else left & right
        name = self._index_of(condition)
        if name is None:
            return None
        if name == "id":
            return {str(value) for value in condition.values if str(value) in self._table.rows}
        index, field = self._table.indexes[name], self._module.fields[name]
        found: set[str] = set()
        for value in condition.values:
            found.update(index.find(self._literal(field, condition.column, value)))
        return found

    def test(self, condition: Condition) -> Test:
        """Return the test of a condition: nothing but null fits null, and text is compared without case.

        Raises:
            ApiError: for columns that are not there and literals that do not fit them.
        """
        if isinstance(condition, Criterion):
            return self._criterion(condition)
        left, right = self.test(condition.left), self.test(condition.right)
        if condition.operator == "and":
            return lambda row: left(row) and right(row)
        return lambda row: left(row) or right(row)

    def _criterion(self, condition: Criterion) -> Test:
        get, field, _ = self._columns.getter(condition.column)
        operator = condition.operator
        if operator in ("is null", "is not null"):
            return lambda row: (get(row) is None) is (operator == "is null")
        if operator.endswith("like"):
            return self._like(condition, get, field)
        values = [key_of(self._literal(field, condition.column, value)) for value in condition.values]
        if operator.endswith("in"):
            among, inside = frozenset(values), operator == "in"
            return lambda row: (value := get(row)) is not None and (key_of(value) in among) is inside
        if operator.endswith("between"):
            (low, high), inside = values, operator == "between"
            return lambda row: (value := get(row)) is not None and (low <= key_of(value) <= high) is inside
        return _comparison(operator, get, values[0])

    def _like(self, condition: Criterion, get: Get, field: Field) -> Test:
        pattern = condition.values[0]
        if not isinstance(pattern, str) or field.data_type in _NUMBERS or "%" in pattern.strip("%"):
            raise bad_value(condition.column)
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
                raise bad_value(column)
            return value
        if isinstance(value, bool):
            raise bad_value(column)
        if kind in _NUMBERS or kind == "bigint":
            try:
                return Decimal(value)
            except InvalidOperation:
                raise bad_value(column) from None
        if kind == "datetime":
            moment = parse_datetime(value, z=True)
            if moment is None:
                raise bad_value(column)
            return moment
        return value


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
    compare = _COMPARE[operator]
    return lambda row: (value := get(row)) is not None and bool(compare(key_of(value), wanted))
