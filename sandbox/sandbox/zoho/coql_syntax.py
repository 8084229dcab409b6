"""COQL, Zoho's query language: from text to a `Select` ("Get Records through a COQL Query")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from sandbox.zoho.coql_tokens import Token, syntax_error, tokens
from sandbox.zoho.errors import ApiError

MAX_CRITERIA = 25
_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_FUNCTIONS = frozenset({"sum", "count", "min", "max", "avg"})
_CLAUSES = frozenset({"from", "where", "group", "order", "limit", "offset", "and", "or", "by", "as"})


@dataclass(frozen=True)
class Criterion:
    """One comparison; `values` holds none (null tests), one, two (between) or many (in) literals."""

    column: str
    operator: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Junction:
    """Two conditions joined by ``and`` or ``or``."""

    operator: str
    left: Condition
    right: Condition


if TYPE_CHECKING:
    from typing import TypeAlias

Condition: TypeAlias = Union[Criterion, Junction]  # noqa: UP007  (evaluated, also by Python 3.9's typing)


class Column(NamedTuple):
    """One column to select: a field, or an aggregate function of one; `name` is its key in the answer."""

    path: str
    function: str | None
    name: str


class Order(NamedTuple):
    """One column to sort by."""

    path: str
    descending: bool


@dataclass(frozen=True)
class Select:
    """One query."""

    columns: tuple[Column, ...]
    module: str
    where: Condition
    group_by: tuple[str, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int = 200
    offset: int = 0


def parse(text: str, *, backslash: bool = False) -> Select:
    """Read a query.

    Args:
        text: the query.
        backslash: a backslash in a string takes the next character as it is (else only a doubled quote does).

    Raises:
        ApiError: SYNTAX_ERROR where it is none.
    """
    return _Parser(text, tokens(text, backslash=backslash)).select()


def criteria(condition: Condition) -> list[Criterion]:
    """Return the comparisons of a condition, left to right."""
    if isinstance(condition, Criterion):
        return [condition]
    return criteria(condition.left) + criteria(condition.right)


class _Parser:
    """Recursive descent over the words of one query."""

    def __init__(self, text: str, words: list[Token]) -> None:
        self._text, self._words, self._at = text, words, 0
        self._criteria = 0

    def select(self) -> Select:
        self._keyword("select")
        columns = [self._column()]
        while self._take(","):
            columns.append(self._column())
        self._keyword("from")
        module = self._name()
        if not self._peek("where"):
            raise ApiError(400, "SYNTAX_ERROR", {"clause": "where"}, "missing clause")
        self._keyword("where")
        where = self._condition()
        group_by: list[str] = []
        order_by: list[Order] = []
        if self._take("group"):
            self._keyword("by")
            group_by = [self._name()]
            while self._take(","):
                group_by.append(self._name())
        if self._take("order"):
            self._keyword("by")
            order_by = [self._order()]
            while self._take(","):
                order_by.append(self._order())
        limit, offset = self._limits()
        if self._at < len(self._words):
            raise self._error()
        return Select(tuple(columns), module, where, tuple(group_by), tuple(order_by), limit, offset)

    def _column(self) -> Column:
        name = self._name()
        function = None
        if name.lower() in _FUNCTIONS and self._take("("):
            function = name.lower()
            path = self._name()
            self._mark(")")
            name = f"{function.upper()}({path})"
        else:
            path = name
        word = self._word()
        if self._take("as") or (word is not None and word.kind == "word" and word.text.lower() not in _CLAUSES):
            name = self._name()
        return Column(path, function, name)

    def _order(self) -> Order:
        path = self._name()
        descending = self._take("desc")
        if not descending:
            self._take("asc")
        return Order(path, descending)

    def _limits(self) -> tuple[int, int]:
        limit, offset = 200, 0
        if self._take("limit"):
            limit = self._whole()
            if self._take(","):
                offset, limit = limit, self._whole()
        if self._take("offset"):
            offset = self._whole()
        return limit, offset

    def _condition(self) -> Condition:
        """Read one term, or two joined; a third needs brackets of its own."""
        left = self._term()
        for operator in ("and", "or"):
            if self._take(operator):
                return Junction(operator, left, self._term())
        return left

    def _term(self) -> Condition:
        if self._take("("):
            inside = self._condition()
            self._mark(")")
            return inside
        self._criteria += 1
        if self._criteria > MAX_CRITERIA:
            raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_CRITERIA, "clause": "where"}, "criteria limit exceeded")
        column = self._name()
        word = self._word()
        if word is not None and word.text in _COMPARISONS:
            self._at += 1
            return Criterion(column, "!=" if word.text == "<>" else word.text, (self._literal(),))
        if self._take("is"):
            negated = self._take("not")
            self._keyword("null")
            return Criterion(column, "is not null" if negated else "is null")
        prefix = "not " if self._take("not") else ""
        if self._take("in"):
            return Criterion(column, prefix + "in", self._list())
        if self._take("like"):
            return Criterion(column, prefix + "like", (self._literal(),))
        if self._take("between"):
            low = self._literal()
            self._keyword("and")
            return Criterion(column, prefix + "between", (low, self._literal()))
        raise self._error()

    def _list(self) -> tuple[Any, ...]:
        word = self._word()
        if word is not None and word.kind == "strings":
            self._at += 1
            return tuple(word.value)
        self._mark("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._mark(")")
        return tuple(values)

    def _literal(self) -> Any:
        word = self._word()
        if word is None:
            raise self._error()
        self._at += 1
        if word.kind in ("string", "number"):
            return word.value
        if word.text.lower() in ("true", "false"):
            return word.text.lower() == "true"
        self._at -= 1
        raise self._error()

    def _whole(self) -> int:
        word = self._word()
        if word is None or word.kind != "number" or not word.text.isdigit():
            raise self._error()
        self._at += 1
        return int(word.text)

    def _name(self) -> str:
        word = self._word()
        if word is None or word.kind != "word":
            raise self._error()
        self._at += 1
        return word.text

    def _word(self) -> Token | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _peek(self, text: str) -> bool:
        word = self._word()
        return word is not None and word.kind in ("word", "mark") and word.text.lower() == text

    def _take(self, text: str) -> bool:
        if self._peek(text):
            self._at += 1
            return True
        return False

    def _keyword(self, text: str) -> None:
        if not self._take(text):
            raise self._error()

    _mark = _keyword

    def _error(self) -> ApiError:
        word = self._word()
        return syntax_error(self._text, word.position if word else len(self._text.rstrip()))
