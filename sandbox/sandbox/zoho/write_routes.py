"""Writing records over HTTP ("Insert Records", "Update Records", "Upsert Records", "Delete Records")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho import permissions
from sandbox.zoho.batch import Batch
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.external_ids import lookups_by_external_id, record_named
from sandbox.zoho.matching import ineligible
from sandbox.zoho.metadata import module_named
from sandbox.zoho.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

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

        return self._answer(call, batch, rows, write, "upsert")

    @route("POST", "/crm/v8/{module}")
    def insert(self, call: ApiCall, module: str) -> Response:
        """Insert up to a hundred records."""
        call.need("modules", module, "CREATE", "WRITE")
        found = module_named(self._org, module)
        self._permit(found, "Create")
        batch = self._batch(call, found, "insert")
        rows = call.items("data", MAX_RECORDS)
        return self._answer(
            call, batch, rows, lambda raw, index: (self._writer.insert(batch, raw, index), "insert", None), "insert"
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
            call, batch, rows, lambda raw, index: (self._writer.update(batch, raw, index), "update", None), "update"
        )

    def _delete(self, call: ApiCall, module: Module, ids: list[str]) -> Response:
        self._permit(module, "Delete")
        batch = Batch(self._org, module, call.user, triggers=self._triggers_of(call))
        results = [self._deleted(batch, record_id) for record_id in ids]
        return Response(self._status(results, 200), {"data": results})

    def _deleted(self, batch: Batch, record_id: str) -> dict[str, Any]:
        try:
            self._writer.removals.delete(batch, record_id)
        except RowError as refused:
            return refused.body
        return _success({"id": record_id}, "record deleted")

    def _answer(
        self, call: ApiCall, batch: Batch, rows: list[Any], write: Callable[[Any, int], Done], kind: str
    ) -> Response:
        """Return the results of writing every row; `kind` is insert, update or upsert."""
        call.cost = -(-len(rows) // _PER_CREDIT)
        self._writer.check(batch, rows, kind)
        users = {each.id: {"name": each.name, "id": each.id} for each in self._org.users_by_id.values()}
        now = self._org.local(batch.now)
        written = self._org.tables[batch.module.api_name].rows

        def outcome(raw: Any, index: int) -> dict[str, Any]:
            try:
                record_id, action, key = write(raw, index)
            except RowError as refused:
                return refused.body
            row = written[record_id]
            details = {
                "Modified_Time": now,
                "Modified_By": users[row["Modified_By"]],
                "Created_Time": now if action == "insert" else self._org.local(row["Created_Time"]),
                "id": record_id,
                "Created_By": users[row["Created_By"]],
                "$approval_state": "approved",
            }
            result = _success(details, "record added" if action == "insert" else "record updated")
            if kind != "upsert":
                return result
            named = self._org.switches.insert_names_duplicate_field if action == "insert" else key
            return {"code": "SUCCESS", "duplicate_field": named, "action": action, **result}

        results = [outcome(raw, index) for index, raw in enumerate(rows)]
        return Response(self._status(results, 201 if kind == "insert" else 200), {"data": results})

    def _status(self, results: list[dict[str, Any]], success: int) -> int:
        """Return the status by what became of the records."""
        bad = [result for result in results if result["status"] == "error"]
        if not bad:
            return success
        if len(bad) < len(results):
            return self._org.switches.mixed_status
        codes = {result["code"] for result in bad}
        if codes == {"ALREADY_MODIFIED"}:
            return 412
        denied = codes <= {"NO_PERMISSION", "AUTHORIZATION_FAILED"}
        return 403 if denied else self._org.switches.all_failed_status

    def _batch(self, call: ApiCall, module: Module, action: str) -> Batch:
        body, headers = call.json(), call.request.headers
        skipped = self._skipped(body.get("skip_feature_execution") or [], action)
        keys = body.get("duplicate_check_fields") if action == "upsert" else None
        return Batch(
            self._org,
            module,
            call.user,
            duplicate_check_fields=self._duplicate_check_fields(module, keys) if keys else None,
            triggers=self._triggers(body["trigger"]) if "trigger" in body else TRIGGERS[:3],
            without_cadences={each.get("action", action) for each in skipped if each["name"] == "cadences"},
            unmodified_since=_unmodified_since(headers.get("if-unmodified-since")),
            external=lookups_by_external_id(headers.get("x-external", "")),
        )

    def _skipped(self, sent: list[Any], action: str) -> list[dict[str, Any]]:
        """Return the features to skip; an upsert says for each of them at which action."""
        for position, each in enumerate(sent):
            for name in ("name", "action") if action == "upsert" else ("name",):
                if not isinstance(each, dict) or name not in each:
                    path = f"$.skip_feature_execution[{position}].{name}"
                    raise ApiError(400, "MANDATORY_NOT_FOUND", {"api_name": name, "json_path": path})
        self.skipped_features += sent
        return sent

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

    @staticmethod
    def _triggers_of(call: ApiCall) -> tuple[str, ...]:
        return TRIGGERS[:3] if call.request.param("wf_trigger", "true") == "true" else ()

    def _named(self, call: ApiCall, module: Module, given: str) -> str:
        """Return the id that a path names, which with X-EXTERNAL is the value of an external field."""
        return record_named(self._org, module, given, call.request.headers.get("x-external", ""))

    def _permit(self, module: Module, *verbs: str) -> None:
        permissions.need(self._org, *(permissions.named(verb, module.api_name) for verb in verbs))


def _unmodified_since(header: str | None) -> datetime | None:
    if header is None:
        return None
    moment = parse_datetime(header, z=True)
    if moment is None:
        raise ApiError(400, "INVALID_DATA", {"header": "If-Unmodified-Since"})
    return moment


def _success(details: dict[str, Any], message: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}
