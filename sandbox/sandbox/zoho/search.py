"""Search over HTTP ("Search Records"): criteria that act like "contains", on an index that may lag behind."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError
from sandbox.zoho.listing import PER_PAGE
from sandbox.zoho.metadata import module_named
from sandbox.zoho.render import Renderer
from sandbox.zoho.sharing import visible
from sandbox.zoho.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

    Test = Callable[[Record], bool]

MAX_CRITERIA = 10
MAX_ROWS = 2000
_WORDS = {"email": ("email",), "phone": ("phone",), "word": ("text", "email", "phone", "textarea", "website")}
_PART = re.compile(r"(?P<open>\()|(?P<close>\))|(?P<text>(?:\\.|[^()\\])+)")
_ORDERED = {
    "greater_than": lambda value, wanted: value > wanted,
    "greater_equal": lambda value, wanted: value >= wanted,
    "less_than": lambda value, wanted: value < wanted,
    "less_equal": lambda value, wanted: value <= wanted,
}


class Search:
    """Searches one module."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("GET", "/crm/v8/{module}/search")
    def search(self, call: ApiCall, module: str) -> Response:
        """Find records by criteria, e-mail, phone or word; the first of these that is there counts."""
        if "zohosearch.securesearch.read" not in {scope.lower() for scope in call.token.scopes}:
            raise ApiError(401, "OAUTH_SCOPE_MISMATCH")
        call.need("modules", module, "READ")
        found = module_named(self._org, module)
        test = self._test(call, found)
        page, per_page = call.number("page", 1), call.number("per_page", PER_PAGE, PER_PAGE)
        if page * per_page > MAX_ROWS:
            raise ApiError(400, "LIMIT_REACHED", {"limit": MAX_ROWS})
        horizon = self._org.clock.now() - timedelta(seconds=self._org.switches.search_delay)
        rows = self._org.tables[found.api_name].rows.values()
        sees = visible(self._org, found.api_name, call.user) or (lambda _: True)
        hits = [row for row in rows if row["Modified_Time"] <= horizon and test(row) and sees(row)]
        shown = hits[(page - 1) * per_page : page * per_page]
        if not shown:
            return Response(204)
        wanted = call.request.param("fields")
        names: Any = found.fields
        if wanted:
            names = dict.fromkeys([*(name for name in wanted.split(",") if name in found.fields), "id"])
        show = Renderer(self._org, found, names).show
        info = {"per_page": per_page, "count": len(shown), "page": page, "more_records": len(hits) > page * per_page}
        return Response(body={"data": [show(row) for row in shown], "info": info})

    def _test(self, call: ApiCall, module: Module) -> Test:
        text = call.request.param("criteria")
        if text:
            return _Criteria(module, text).test()
        for name, kinds in _WORDS.items():
            if wanted := call.request.param(name):
                fields = [each.api_name for each in module.fields.values() if each.data_type in kinds]
                return lambda row: any(_contains(row.get(each), wanted) for each in fields)
        raise ApiError(400, "REQUIRED_PARAM_MISSING", {"param_name": "criteria"})


class _Criteria:
    """Reads ``((Field:operator:value)and(...))``."""

    def __init__(self, module: Module, text: str) -> None:
        self._module = module
        self._parts = [(str(match.lastgroup), match.group()) for match in _PART.finditer(text)]
        self._at = self._count = 0

    def test(self) -> Test:
        found = self._term()
        if self._at < len(self._parts):
            raise _bad()
        return found

    def _term(self) -> Test:
        self._expect("open")
        if self._peek() == "text":
            found = self._criterion(self._parts[self._at][1])
            self._at += 1
        else:
            found = self._term()
            while (joint := self._joint()) is not None:
                found = _join(joint, found, self._term())
        self._expect("close")
        return found

    def _joint(self) -> str | None:
        if self._at < len(self._parts) and self._parts[self._at][1].strip() in ("and", "or"):
            self._at += 1
            return self._parts[self._at - 1][1].strip()
        return None

    def _criterion(self, text: str) -> Test:
        self._count += 1
        if self._count > MAX_CRITERIA:
            raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_CRITERIA, "param_name": "criteria"})
        name, _, rest = text.partition(":")
        operator, separator, wanted = rest.partition(":")
        field = self._module.fields.get(name)
        if field is None or not separator:
            raise _bad()
        parts = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\),", wanted)]
        return _criterion(field, operator, parts)

    def _peek(self) -> str | None:
        return self._parts[self._at][0] if self._at < len(self._parts) else None

    def _expect(self, kind: str) -> None:
        if self._peek() != kind:
            raise _bad()
        self._at += 1


def _criterion(field: Field, operator: str, wanted: list[str]) -> Test:
    name, first = field.api_name, wanted[0]
    if operator == "equals":
        return lambda row: _contains(row.get(name), first)
    if operator == "not_equal":
        return lambda row: not _contains(row.get(name), first)
    if operator == "starts_with":
        return lambda row: str(row.get(name, "")).casefold().startswith(first.casefold())
    if operator == "in":
        return lambda row: any(_contains(row.get(name), each) for each in wanted)
    compare = _ORDERED.get(operator)
    limits = [_comparable(field, each) for each in wanted]
    if compare is not None:
        return lambda row: (value := row.get(name)) is not None and compare(value, limits[0])
    if operator == "between" and len(limits) > 1:
        return lambda row: (value := row.get(name)) is not None and limits[0] <= value <= limits[1]
    raise _bad()


def _comparable(field: Field, text: str) -> Any:
    if field.data_type == "datetime":
        return parse_datetime(text, z=True)
    if field.data_type in ("currency", "double", "percent", "integer", "bigint"):
        try:
            return Decimal(text)
        except InvalidOperation:
            raise _bad() from None
    return text


def _contains(value: Any, wanted: str) -> bool:
    """Compare as search does: text that contains the words is equal to them."""
    if value is None:
        return wanted == "null"
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    return wanted.casefold() in value.casefold() if isinstance(value, str) else str(value) == wanted


def _join(joint: str, left: Test, right: Test) -> Test:
    if joint == "and":
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def _bad() -> ApiError:
    return ApiError(400, "INVALID_QUERY", {"param_name": "criteria"}, "invalid query formed")
