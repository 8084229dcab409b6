"""Lists of records over HTTP ("Get Records", "Get Deleted Records")."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError
from sandbox.zoho.metadata import module_named
from sandbox.zoho.render import Renderer
from sandbox.zoho.sharing import visible
from sandbox.zoho.values import parse_datetime

if TYPE_CHECKING:
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.removals import Deleted
    from sandbox.zoho.table import Record

PER_PAGE = 200
MAX_FIELDS = 50
MAX_IDS = 100
PAGED_ROWS = 2000
"""How far `page` goes; beyond it one needs the page token."""
TOKEN_ROWS = 100_000
_TOKEN_LIFE = timedelta(hours=24)
_SORTS = ("id", "Created_Time", "Modified_Time")
_CUSTOM_VIEW_COST, _DELETED_COST = 3, 2


@dataclass(frozen=True)
class PageToken:
    """The place where a list goes on, bound to its parameters."""

    module: str
    parameters: tuple[tuple[str, str], ...]
    start: int
    expires_at: datetime


class Listing:
    """Lists records and deleted ones."""

    def __init__(self, org: Organization) -> None:
        self._org = org
        self._tokens: dict[str, PageToken] = {}

    @route("GET", "/crm/v8/{module}/deleted")
    def deleted(self, call: ApiCall, module: str) -> Response:
        """List deleted records: those in the recycle bin (60 days), those gone for good (up to 120), or both."""
        call.need("modules", module, "READ")
        found = module_named(self._org, module)
        call.cost = _DELETED_COST
        kind = call.request.param("type", "all")
        if kind not in ("all", "recycle", "permanent"):
            raise ApiError(400, "INVALID_DATA", {"param_name": "type"})
        page, per_page = call.number("page", 1), call.number("per_page", PER_PAGE, PER_PAGE)
        since = _since(call)
        now = self._org.clock.now()
        shown = []
        for each in reversed(self._org.tables[found.api_name].deleted):
            state = each.state(now)
            if state and kind in ("all", state) and (since is None or each.at > since):
                shown.append(self._bin(each, state))
        rows = shown[(page - 1) * per_page : page * per_page]
        if not rows:
            return Response(204 if since is None else 304)
        info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(shown) > page * per_page}
        return Response(body={"data": rows, "info": info})

    @route("GET", "/crm/v8/{module}")
    def records(self, call: ApiCall, module: str) -> Response:
        """List records, newest first unless sorted otherwise."""
        call.need("modules", module, "READ")
        found = module_named(self._org, module)
        names = chosen_fields(call, found)
        if call.request.param("cvid"):
            call.cost = _CUSTOM_VIEW_COST
        per_page = call.number("per_page", PER_PAGE, PER_PAGE)
        sort_by, order = call.request.param("sort_by", "id") or "id", call.request.param("sort_order", "desc")
        if sort_by not in _SORTS or order not in ("asc", "desc"):
            raise ApiError(400, "INVALID_DATA", {"param_name": "sort_by" if sort_by not in _SORTS else "sort_order"})
        page, start = self._place(call, found, per_page)
        rows = self._rows(call, found)
        if not rows:
            return Response(204 if _since(call) is None else 304)
        rows.sort(key=lambda row: (row[sort_by], row["id"]), reverse=order == "desc")
        shown = rows[start : start + per_page]
        if not shown:
            return Response(204)
        more = len(rows) > start + per_page
        info = {
            "per_page": per_page,
            "next_page_token": self._token(call, found, start + per_page) if more else None,
            "count": len(shown),
            "sort_by": sort_by,
            "page": page,
            "previous_page_token": self._token(call, found, max(start - per_page, 0)) if start else None,
            "page_token_expiry": self._org.local(self._org.now() + _TOKEN_LIFE) if more else None,
            "sort_order": order,
            "more_records": more,
        }
        show = Renderer(self._org, found, names).show
        return Response(body={"data": [show(row) for row in shown], "info": info})

    def _rows(self, call: ApiCall, module: Module) -> list[Record]:
        table = self._org.tables[module.api_name]
        ids = call.request.param("ids")
        if ids is None:
            rows = list(table.rows.values())
        else:
            wanted = ids.split(",")
            if len(wanted) > MAX_IDS:
                raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_IDS, "param_name": "ids"})
            rows = [table.rows[each] for each in dict.fromkeys(wanted) if each in table.rows]
        since = _since(call)
        if since is not None:
            rows = [row for row in rows if row["Modified_Time"] > since]
        sees = visible(self._org, module.api_name, call.user)
        return rows if sees is None else [row for row in rows if sees(row)]

    def _place(self, call: ApiCall, module: Module, per_page: int) -> tuple[int, int]:
        """Return the page and the position of its first record."""
        token = call.request.param("page_token")
        if token is None:
            page = call.number("page", 1)
            if page * per_page > PAGED_ROWS:
                details = {"limit": PAGED_ROWS, "param_name": "page"}
                raise ApiError(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", details)
            return page, (page - 1) * per_page
        if call.request.param("page") is not None:
            raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": ["page", "page_token"]})
        held = self._tokens.get(token)
        if held is None:
            raise ApiError(400, "INVALID_DATA", {"param_name": "page_token"})
        if held.expires_at <= self._org.clock.now():
            raise ApiError(400, "EXPIRED_VALUE", {"param_name": "page_token"})
        if (held.module, held.parameters) != (module.api_name, _parameters(call)):
            raise ApiError(400, "TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        if held.start >= TOKEN_ROWS:
            raise ApiError(400, "PAGINATION_LIMIT_EXCEEDED", {"limit": TOKEN_ROWS})
        return held.start // per_page + 1, held.start

    def _token(self, call: ApiCall, module: Module, start: int) -> str:
        token = secrets.token_hex(32)
        expires_at = self._org.clock.now() + _TOKEN_LIFE
        self._tokens[token] = PageToken(module.api_name, _parameters(call), start, expires_at)
        return token

    def _bin(self, deleted: Deleted, kind: str) -> dict[str, Any]:
        return {
            "deleted_by": deleted.deleted_by,
            "id": deleted.record_id,
            "display_name": deleted.name,
            "type": kind,
            "created_by": deleted.created_by,
            "deleted_time": self._org.local(deleted.at),
        }


def chosen_fields(call: ApiCall, module: Module) -> dict[str, None]:
    """Read the fields to show, which must be said; those that the module does not have are passed over.

    Raises:
        ApiError: REQUIRED_PARAM_MISSING, or LIMIT_EXCEEDED beyond fifty.
    """
    names = call.required("fields").split(",")
    if len(names) > MAX_FIELDS:
        raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_FIELDS, "param_name": "fields"})
    return dict.fromkeys([*(name for name in map(str.strip, names) if name in module.fields), "id"])


def _since(call: ApiCall) -> datetime | None:
    header = call.request.headers.get("if-modified-since")
    if header is None:
        return None
    moment = parse_datetime(header, z=True)
    if moment is None:
        raise ApiError(400, "INVALID_DATA", {"header": "If-Modified-Since"})
    return moment


def _parameters(call: ApiCall) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in call.request.query if pair[0] not in ("page", "page_token")))
