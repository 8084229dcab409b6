"""Reading records over HTTP ("Get Records through a COQL Query", "Get Records", "Get Deleted Records")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho import coql, coql_syntax
from sandbox.zoho.errors import ApiError
from sandbox.zoho.external_ids import record_named
from sandbox.zoho.metadata import module_named
from sandbox.zoho.permissions import need_view
from sandbox.zoho.render import Renderer
from sandbox.zoho.sharing import visible

if TYPE_CHECKING:
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.organization import Organization


class ReadRoutes:
    """Reads records."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("POST", "/crm/v8/coql")
    def coql(self, call: ApiCall) -> Response:
        """Answer a query."""
        if "zohocrm.coql.read" not in {scope.lower() for scope in call.token.scopes}:
            raise ApiError(401, "OAUTH_SCOPE_MISMATCH")
        body = call.json()
        text = body.get("select_query")
        if not isinstance(text, str):
            raise ApiError(400, "MANDATORY_NOT_FOUND", {"api_name": "select_query", "json_path": "$.select_query"})
        select = coql_syntax.parse(text, backslash=self._org.switches.coql_backslash)
        call.need("modules", select.module, "READ")
        call.cost = coql.cost(select.limit)
        query = coql.Query(self._org, select, call.user)
        need_view(self._org, query.module, coql.unknown_module(select.module))
        rows, more = query.run()
        if not rows:
            return Response(204)
        answer: dict[str, Any] = {"data": rows, "info": {"count": len(rows), "more_records": more}}
        if "fields" in (body.get("include_meta") or []):
            answer["fields"] = query.fields()
        return Response(body=answer)

    @route("GET", "/crm/v8/{module}/{record_id}")
    def record(self, call: ApiCall, module: str, record_id: str) -> Response:
        """Answer with one record with all its fields."""
        call.need("modules", module, "READ")
        found = module_named(self._org, module)
        named = record_named(self._org, found, record_id, call.request.headers.get("x-external", ""))
        row = self._org.tables[found.api_name].rows.get(named)
        sees = visible(self._org, found.api_name, call.user)
        if row is None or (sees is not None and not sees(row)):
            status = self._org.switches.unknown_id_status
            if status == 204:  # noqa: PLR2004
                return Response(204)
            raise ApiError(status, "INVALID_DATA", {"id": record_id}, "the id given seems to be invalid")
        names: Any = found.fields
        if chosen := call.request.param("fields"):
            names = dict.fromkeys(["id", *(name for name in chosen.split(",") if name in found.fields)])
        return Response(body={"data": [Renderer(self._org, found, names).show(row)]})
