"""Writing records over HTTP ("Insert Records", "Update Records", "Upsert Records", "Delete Records")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.matching import ineligible
from sandbox.zoho.metadata import module_named
from sandbox.zoho.values import parse_datetime
from sandbox.zoho.writer import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.writer import Writer

MAX_RECORDS = 100
TRIGGERS = ("workflow", "approval", "blueprint", "pathfinder", "orchestration")
_PER_CREDIT = 10

Done = tuple[str, str, "str | None"]


class WriteRoutes:
    """Writes records and answers each of them at its position."""

    def __init__(self, org: Organization, writer: Writer) -> None:
        self._org, self._writer = org, writer
        self.skipped_features: list[dict[str, Any]] = []
        """What callers asked to skip by skip_feature_execution."""

    @route("POST", "/crm/v8/{module}/upsert")
    def upsert(self, call: ApiCall, module: str) -> Response:
        """Insert or update up to a hundred records."""
        call.need("modules", module, "CREATE", "WRITE")
        found = module_named(self._org, module)
        self._permit(found, "Create", "Edit")
        batch = self._batch(call, found, "upsert")
        rows = call.items("data", MAX_RECORDS)

        def write(raw: Any, index: int) -> Done:
            return self._writer.upsert(batch, raw, index)

        return self._answer(call, batch, rows, write, success=200, upsert=True)

    @route("POST", "/crm/v8/{module}")
    def insert(self, call: ApiCall, module: str) -> Response:
        """Insert up to a hundred records."""
        call.need("modules", module, "CREATE", "WRITE")
        found = module_named(self._org, module)
        self._permit(found, "Create")
        batch = self._batch(call, found, "insert")
        rows = call.items("data", MAX_RECORDS)
        return self._answer(
            call, batch, rows, lambda raw, index: (self._writer.insert(batch, raw, index), "insert", None), success=201
        )

    @route("PUT", "/crm/v8/{module}")
    def update(self, call: ApiCall, module: str) -> Response:
        """Update up to a hundred records by id."""
        call.need("modules", module, "UPDATE", "WRITE")
        return self._update(call, module_named(self._org, module), call.items("data", MAX_RECORDS))

    @route("PUT", "/crm/v8/{module}/{record_id}")
    def update_one(self, call: ApiCall, module: str, record_id: str) -> Response:
        """Update one record."""
        call.need("modules", module, "UPDATE", "WRITE")
        found = module_named(self._org, module)
        rows = call.items("data", 1)
        record_id = self._named(call, found, record_id)
        return self._update(call, found, [{**row, "id": record_id} if isinstance(row, dict) else row for row in rows])

    @route("DELETE", "/crm/v8/{module}")
    def delete(self, call: ApiCall, module: str) -> Response:
        """Delete up to a hundred records."""
        call.need("modules", module, "DELETE")
        found = module_named(self._org, module)
        ids = call.required("ids").split(",")
        if len(ids) > MAX_RECORDS:
            raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_RECORDS, "param_name": "ids"})
        return self._delete(call, found, ids)

    @route("DELETE", "/crm/v8/{module}/{record_id}")
    def delete_one(self, call: ApiCall, module: str, record_id: str) -> Response:
        """Delete one record."""
        call.need("modules", module, "DELETE")
        found = module_named(self._org, module)
        return self._delete(call, found, [self._named(call, found, record_id)])

    def _update(self, call: ApiCall, module: Module, rows: list[Any]) -> Response:
        self._permit(module, "Edit")
        batch = self._batch(call, module, "update")
        return self._answer(
            call, batch, rows, lambda raw, index: (self._writer.update(batch, raw, index), "update", None), success=200
        )

    def _delete(self, call: ApiCall, module: Module, ids: list[str]) -> Response:
        self._permit(module, "Delete")
        batch = self._writer.begin(Batch(module, self._org.integration))
        results = []
        for record_id in ids:
            try:
                self._writer.delete(batch, record_id)
                results.append(_success({"id": record_id}, "record deleted"))
            except RowError as refused:
                results.append(refused.body)
        return Response(self._status(results, 200), {"data": results})

    def _answer(  # noqa: PLR0913
        self,
        call: ApiCall,
        batch: Batch,
        rows: list[Any],
        write: Callable[[Any, int], Done],
        *,
        success: int,
        upsert: bool = False,
    ) -> Response:
        call.cost = -(-len(rows) // _PER_CREDIT)
        self._writer.begin(batch)
        table = self._org.tables[batch.module.api_name]
        users = {each.id: {"name": each.name, "id": each.id} for each in self._org.users_by_id.values()}
        now = self._org.local(self._org.now())
        results: list[dict[str, Any]] = []
        for index, raw in enumerate(rows):
            try:
                record_id, action, key = write(raw, index)
            except RowError as refused:
                results.append(refused.body)
                continue
            row = table.rows[record_id]
            details = {
                "Modified_Time": now,
                "Modified_By": users[row["Modified_By"]],
                "Created_Time": now if action == "insert" else self._org.local(row["Created_Time"]),
                "id": record_id,
                "Created_By": users[row["Created_By"]],
                "$approval_state": "approved",
            }
            result = _success(details, "record added" if action == "insert" else "record updated")
            if upsert:
                result = {"code": "SUCCESS", "duplicate_field": key, "action": action, **result}
            results.append(result)
        return Response(self._status(results, success), {"data": results})

    def _status(self, results: list[dict[str, Any]], success: int) -> int:
        """Give the status by what became of the records."""
        bad = [result for result in results if result["status"] == "error"]
        if not bad:
            return success
        if len(bad) < len(results):
            return self._org.switches.mixed_status
        codes = {result["code"] for result in bad}
        if codes == {"ALREADY_MODIFIED"}:
            return 412
        return 403 if codes <= {"NO_PERMISSION", "AUTHORIZATION_FAILED"} else 400

    def _batch(self, call: ApiCall, module: Module, action: str) -> Batch:
        body = call.json()
        batch = Batch(module, self._org.integration)
        if "trigger" in body:
            batch.triggers = self._triggers(body["trigger"])
        for position, skipped in enumerate(body.get("skip_feature_execution") or []):
            for name in ("name", "action") if action == "upsert" else ("name",):
                if not isinstance(skipped, dict) or name not in skipped:
                    path = f"$.skip_feature_execution[{position}].{name}"
                    raise ApiError(400, "MANDATORY_NOT_FOUND", {"api_name": name, "json_path": path})
            self.skipped_features.append(skipped)
        if action == "upsert" and body.get("duplicate_check_fields"):
            batch.duplicate_check_fields = self._duplicate_check_fields(module, body["duplicate_check_fields"])
        since = call.request.headers.get("if-unmodified-since")
        if since is not None:
            batch.unmodified_since = parse_datetime(since, z=True)
            if batch.unmodified_since is None:
                raise ApiError(400, "INVALID_DATA", {"header": "If-Unmodified-Since"})
        for reference in call.request.headers.get("x-external", "").split(","):
            parts = reference.strip().split(".")
            if len(parts) == 3:  # noqa: PLR2004
                batch.external[parts[1]] = parts[2]
        return batch

    def _triggers(self, value: Any) -> list[str]:
        if not isinstance(value, list) or any(each not in TRIGGERS for each in value):
            details = {"api_name": "trigger", "json_path": "$.trigger", "supported_values": list(TRIGGERS)}
            raise ApiError(400, "INVALID_DATA", details)
        return value

    def _duplicate_check_fields(self, module: Module, value: Any) -> list[str]:
        name = "duplicate_check_fields"
        if not isinstance(value, list):
            details = {"expected_data_type": "jsonarray", "api_name": name, "json_path": f"$.{name}"}
            raise ApiError(400, "INVALID_DATA", details)
        position = ineligible(value, module.system_key, module.unique_fields())
        if position is not None:
            raise ApiError(400, "INVALID_DATA", {"api_name": name, "json_path": f"$.{name}[{position}]"})
        return value

    def _named(self, call: ApiCall, module: Module, given: str) -> str:
        """Give the id that a path names, which with X-EXTERNAL is the value of an external field."""
        return external_id(self._org, call, module, given)

    def _permit(self, module: Module, *verbs: str) -> None:
        missing = [name for verb in verbs if (name := f"Crm_Implied_{verb}_{module.api_name}") in self._org.forbidden]
        if missing:
            raise ApiError(403, "NO_PERMISSION", {"permissions": missing})


def external_id(org: Organization, call: ApiCall, module: Module, given: str) -> str:
    """Give the id that a path names; with the header X-EXTERNAL that is the value of an external field ("External IDs").

    Raises:
        ApiError: INVALID_DATA if the header names no external field of the module.
    """
    for reference in call.request.headers.get("x-external", "").split(","):
        parts = reference.strip().split(".")
        if len(parts) != 2:  # noqa: PLR2004
            continue
        field = module.fields.get(parts[1])
        if parts[0] != module.api_name or field is None or field.external is None:
            raise ApiError(400, "INVALID_DATA", {"header": "X-EXTERNAL"})
        rows = org.tables[module.api_name].rows
        return next((key for key, row in rows.items() if row.get(field.api_name) == given), given)
    return given


def _success(details: dict[str, Any], message: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}
