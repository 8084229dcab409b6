"""Custom fields, made and changed through the API ("Create Custom Fields", "Update Custom Fields")."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.http import route
from sandbox.zoho import permissions
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.model import UNIQUE_TYPES
from sandbox.zoho.results import answer, outcome

if TYPE_CHECKING:
    from sandbox.http import Response
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization

FIELDS_PER_CALL = 5
UNIQUE_FIELDS = 2
_LENGTHS = {
    "text": 255,
    "textarea": 2000,
    "email": 100,
    "phone": 30,
    "website": 450,
    "currency": 16,
    "double": 16,
    "percent": 5,
    "integer": 9,
    "bigint": 18,
    "picklist": 120,
    "multiselectpicklist": 120,
    "date": 20,
    "datetime": 120,
    "lookup": 120,
    "boolean": 5,
}
"""The types that can be made here, with the longest length of each."""
_TEXTAREAS = {"small": 2000, "large": 32000, "rich_text": 50000}


class Customizing:
    """Makes fields as the edition allows."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("POST", "/crm/v8/settings/fields")
    def create_fields(self, call: ApiCall) -> Response:
        """Make up to five fields of a module."""
        call.need("settings", "fields", "CREATE")
        module = self._module(call)
        sent = call.items("fields", FIELDS_PER_CALL)

        def make(raw: Any, at: int) -> str:
            return self.make_field(module, raw, f"$.fields[{at}]").id

        results = [outcome(partial(make, raw, at), "field created") for at, raw in enumerate(sent)]
        return answer("fields", results, 201)

    @route("PATCH", "/crm/v8/settings/fields/{field_id}")
    def update_field(self, call: ApiCall, field_id: str) -> Response:
        """Change a field: make it unique, or give it another label or length."""
        call.need("settings", "fields", "UPDATE")
        module = self._module(call)
        (raw,) = call.items("fields", 1)
        return answer("fields", [outcome(lambda: self.change_field(module, field_id, raw), "field updated")], 200)

    def make_field(self, module: Module, raw: Any, path: str) -> Field:
        """Make one field of what was sent.

        Raises:
            RowError: if Zoho would refuse it.
        """
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        for name in ("field_label", "data_type"):
            if raw.get(name) in (None, ""):
                raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"})
        label, data_type = raw["field_label"], raw["data_type"]
        self._check_label(module, label, path)
        if data_type not in _LENGTHS:
            details = {"api_name": "data_type", "json_path": f"{path}.data_type", "supported_values": list(_LENGTHS)}
            raise RowError("INVALID_DATA", details)
        options = self._options(raw, data_type, path)
        custom = sum(each.custom for each in module.fields.values())
        cap = self._org.switches.custom_field_caps[self._org.edition]
        if custom >= cap:
            code = self._org.switches.field_limit_code
            raise RowError(code, {"limit": cap, "json_path": path}, "custom field limit exceeded")
        if raw.get("unique"):
            self._check_unique(module, data_type, raw["unique"], path)
            options["unique"] = True
        field = self._org.new_field(label, data_type, custom=True, **options)
        taken = module.fields.keys()
        if field.api_name in taken:
            field.api_name = next(name for n in range(1, 1000) if (name := f"{field.api_name}{n}") not in taken)
        self._org.add_field(module, field)
        return field

    def _options(self, raw: dict[str, Any], data_type: str, path: str) -> dict[str, Any]:
        """Read what belongs to a type: its length, decimals, choices or the module that it points to."""
        options: dict[str, Any] = {"length": _length(raw, data_type, path)}
        if data_type in ("currency", "double"):
            options["decimals"] = raw.get("decimal_place", 2 if data_type == "currency" else 9)
        elif data_type in ("picklist", "multiselectpicklist"):
            values = raw.get("pick_list_values")
            if not isinstance(values, list) or not values:
                details = {"api_name": "pick_list_values", "json_path": f"{path}.pick_list_values"}
                raise RowError("MANDATORY_NOT_FOUND", details)
            options["choices"] = [str(value.get("display_value")) for value in values]
        elif data_type == "lookup":
            options["lookup"] = self._lookup(raw.get("lookup"), path)
        if isinstance(raw.get("external"), dict):
            if data_type != "text":
                raise RowError("NOT_ALLOWED", {"api_name": "external", "json_path": f"{path}.external"})
            options["external"] = raw["external"]
        return options

    def _lookup(self, raw: Any, path: str) -> str:
        """Read which module a lookup points to: by API name, or by id."""
        details = {"api_name": "module", "json_path": f"{path}.lookup.module"}
        module = raw.get("module") if isinstance(raw, dict) else None
        if module is None:
            raise RowError("MANDATORY_NOT_FOUND", details)
        if isinstance(module, dict):
            for name, each in self._org.modules.items():
                if module.get("api_name", name) == name and module.get("id", each.id) == each.id and module:
                    return name
        raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", **details})

    def _check_label(self, module: Module, label: Any, path: str) -> None:
        most = self._org.switches.label_length
        details = {"api_name": "field_label", "json_path": f"{path}.field_label"}
        if not isinstance(label, str):
            raise RowError("INVALID_DATA", {"expected_data_type": "text", **details})
        if len(label) > most:
            raise RowError("INVALID_DATA", {"maximum_length": most, **details})
        if any(each.label.casefold() == label.casefold() for each in module.fields.values()):
            raise RowError("DUPLICATE_DATA", details)

    def _check_unique(self, module: Module, data_type: str, unique: Any, path: str) -> None:
        details = {"api_name": "unique", "json_path": f"{path}.unique"}
        if data_type not in UNIQUE_TYPES:
            raise RowError("NOT_ALLOWED", details, "unique is not allowed for this data type")
        if not isinstance(unique, dict) or unique.get("case_sensitive") is not False:
            sensitive = {"api_name": "case_sensitive", "json_path": f"{path}.unique.case_sensitive"}
            raise RowError("INVALID_DATA", sensitive)
        if len(module.unique_fields()) >= UNIQUE_FIELDS:
            raise RowError("LIMIT_EXCEEDED", {"limit": UNIQUE_FIELDS, **details}, "unique field limit exceeded")

    def change_field(self, module: Module, field_id: str, raw: Any) -> str:
        """Change a field as was sent and give its id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        path = "$.fields[0]"
        field = next((each for each in module.fields.values() if field_id in (each.id, each.api_name)), None)
        if field is None:
            raise RowError("INVALID_DATA", {"resource_path_index": 2}, "the id given seems to be invalid")
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        if raw.get("unique") and not field.unique:
            self._check_unique(module, field.data_type, raw["unique"], path)
            rows = self._org.tables[module.api_name].rows.values()
            keys = [str(row[field.api_name]).casefold() for row in rows if field.api_name in row]
            if len(keys) != len(set(keys)):
                details = {"api_name": field.api_name, "json_path": f"{path}.unique"}
                raise RowError("DUPLICATE_DATA", details, "the field holds duplicate values")
            field.unique = True
            self._org.tables[module.api_name].index(field.api_name)
        if "field_label" in raw and raw["field_label"] != field.label:
            self._check_label(module, raw["field_label"], path)
            field.label = raw["field_label"]
        if "length" in raw:
            field.length = _length(raw, field.data_type, path)
        return field.id

    def _module(self, call: ApiCall) -> Module:
        name = call.required("module")
        module = self._org.modules.get(name)
        if module is None:
            raise ApiError(400, "INVALID_MODULE", {"param_name": "module"})
        permissions.need(self._org, permissions.CUSTOMIZE)
        return module


def _length(raw: dict[str, Any], data_type: str, path: str) -> int:
    most = _LENGTHS[data_type]
    textarea = raw.get("textarea")
    if data_type == "textarea" and isinstance(textarea, dict):
        most = _TEXTAREAS.get(str(textarea.get("type")), most)
    length = raw.get("length", most)
    if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= most:
        details = {"maximum_length": most, "api_name": "length", "json_path": f"{path}.length"}
        raise RowError("DEPENDENT_MISMATCH", details)
    return length
