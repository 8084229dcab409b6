"""Custom fields and modules, made through the API ("Create Custom Fields", "Create Custom Module")."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.model import UNIQUE_TYPES
from sandbox.zoho.organization import api_name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization

FIELDS_PER_CALL = 5
UNIQUE_FIELDS = 2
MODULE_CREDITS = 500
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
_PLURAL = re.compile(r"[A-Za-z0-9 ]{1,25}")
_API_NAME = re.compile(r"(?!.*__)(?!.*_$)[A-Za-z][A-Za-z0-9_]{0,49}")


class Customizing:
    """Makes fields and modules as the edition allows."""

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

        results = [_outcome(partial(make, raw, at), "field created") for at, raw in enumerate(sent)]
        return _answer("fields", results, 201)

    @route("PATCH", "/crm/v8/settings/fields/{field_id}")
    def update_field(self, call: ApiCall, field_id: str) -> Response:
        """Change a field: make it unique, or give it another label or length."""
        call.need("settings", "fields", "UPDATE")
        module = self._module(call)
        (raw,) = call.items("fields", 1)
        return _answer("fields", [_outcome(lambda: self.change_field(module, field_id, raw), "field updated")], 200)

    @route("POST", "/crm/v8/settings/modules")
    def create_module(self, call: ApiCall) -> Response:
        """Make a custom module; it costs 500 credits."""
        call.need("settings", "modules", "CREATE")
        self._permit()
        cap = self._org.switches.custom_module_caps[self._org.edition]
        if cap == 0 and self._org.switches.custom_module_refusal == "NOT_SUPPORTED":
            raise ApiError(403, "NOT_SUPPORTED", {}, "custom modules are not supported in this edition")
        (raw,) = call.items("modules", 1)
        call.cost = MODULE_CREDITS
        return _answer("modules", [_outcome(lambda: self.make_module(raw, cap).id, "module created")], 201)

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
            raise RowError("LIMIT_EXCEEDED", {"limit": cap, "json_path": path}, "custom field limit exceeded")
        if raw.get("unique"):
            self._check_unique(module, data_type, raw["unique"], path)
            options["unique"] = True
        field = self._org.new_field(label, data_type, custom=True, **options)
        taken = module.fields.keys()
        if field.api_name in taken:
            field.api_name = next(name for n in range(1, 1000) if (name := f"{field.api_name}{n}") not in taken)
        self._org.add_field(module, field)
        return field

    def make_module(self, raw: Any, cap: int) -> Module:
        """Make one module of what was sent.

        Raises:
            RowError: if Zoho would refuse it.
        """
        path = "$.modules[0]"
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        for name in ("singular_label", "plural_label", "profiles"):
            if not raw.get(name):
                raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"})
        for name in ("singular_label", "plural_label"):
            if not isinstance(raw[name], str) or not _PLURAL.fullmatch(raw[name]):
                details = {"api_name": name, "json_path": f"{path}.{name}", "maximum_length": 25}
                raise RowError("INVALID_DATA", details)
        api_name = raw.get("api_name") or api_name_of(raw["plural_label"])
        if not isinstance(api_name, str) or not _API_NAME.fullmatch(api_name):
            raise RowError("INVALID_DATA", {"api_name": "api_name", "json_path": f"{path}.api_name"})
        for position, profile in enumerate(raw["profiles"]):
            if not isinstance(profile, dict) or profile.get("id") not in self._org.profiles.values():
                raise RowError("INVALID_DATA", {"api_name": "id", "json_path": f"{path}.profiles[{position}].id"})
        self._check_new(api_name, raw["plural_label"], path)
        if sum(module.custom for module in self._org.modules.values()) >= cap:
            raise RowError("LIMIT_EXCEEDED", {"limit": cap}, "custom module limit exceeded")
        display = raw.get("display_field")
        name_label = display.get("field_label") if isinstance(display, dict) else None
        return self._org.add_module(
            api_name, raw["singular_label"], raw["plural_label"], name_label or f"{raw['singular_label']} Name"
        )

    def _check_new(self, api_name: str, plural_label: str, path: str) -> None:
        for module in self._org.modules.values():
            for name, ours, theirs in (
                ("api_name", api_name, module.api_name),
                ("plural_label", plural_label, module.plural),
            ):
                if ours.casefold() == theirs.casefold():
                    raise RowError("DUPLICATE_DATA", {"api_name": name, "json_path": f"{path}.{name}", "id": module.id})

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
        self._permit()
        return module

    def _permit(self) -> None:
        if "Crm_Implied_Customize_Zoho_CRM" in self._org.forbidden:
            raise ApiError(403, "NO_PERMISSION", {"permissions": ["Crm_Implied_Customize_Zoho_CRM"]})


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


def _outcome(make: Callable[[], str], message: str) -> dict[str, Any]:
    try:
        return _success(make(), message)
    except RowError as refused:
        return refused.body


def _success(thing_id: str, message: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": thing_id}, "message": message, "status": "success"}


def _answer(name: str, results: list[dict[str, Any]], success: int) -> Response:
    good = sum(result["status"] == "success" for result in results)
    status = success if good == len(results) else 400 if good == 0 else 207
    return Response(status, {name: results})
