"""Custom modules, made through the API ("Create Custom Module")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.http import route
from sandbox.zoho import permissions
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.organization import api_name_of
from sandbox.zoho.results import answer, outcome

if TYPE_CHECKING:
    from sandbox.http import Response
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Module
    from sandbox.zoho.organization import Organization

MODULE_CREDITS = 500
_LABEL = re.compile(r"[A-Za-z0-9 ]{1,25}")
_API_NAME = re.compile(r"(?!.*__)(?!.*_$)[A-Za-z][A-Za-z0-9_]{0,49}")


class CustomModules:
    """Makes modules as the edition allows."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("POST", "/crm/v8/settings/modules")
    def create_module(self, call: ApiCall) -> Response:
        """Make a custom module; it costs 500 credits, refused ones too unless that is switched off."""
        call.need("settings", "modules", "CREATE")
        permissions.need(self._org, permissions.CUSTOMIZE)
        (raw,) = call.items("modules", 1)
        switches = self._org.switches
        if switches.refused_module_costs:
            call.cost = MODULE_CREDITS
        cap = switches.custom_module_caps[self._org.edition]
        if cap == 0 and switches.custom_module_refusal == "NOT_SUPPORTED":
            raise ApiError(403, "NOT_SUPPORTED", {}, "custom modules are not supported in this edition")
        result = outcome(lambda: self._make(raw, cap).id, "module created successfully")
        if result["status"] == "success":
            call.cost = MODULE_CREDITS
        return answer("modules", [result], 201)

    def _make(self, raw: Any, cap: int) -> Module:
        """Make one module of what was sent, or refuse it by a RowError, a taken singular label by an ApiError."""
        path = "$.modules[0]"
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        for name in ("singular_label", "plural_label", "profiles"):
            if not raw.get(name):
                raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"})
        for name in ("singular_label", "plural_label"):
            if not isinstance(raw[name], str) or not _LABEL.fullmatch(raw[name]):
                details = {"api_name": name, "json_path": f"{path}.{name}", "maximum_length": 25}
                raise RowError("INVALID_DATA", details)
        api_name = raw.get("api_name") or api_name_of(raw["plural_label"])
        if not isinstance(api_name, str) or not _API_NAME.fullmatch(api_name):
            raise RowError("INVALID_DATA", {"api_name": "api_name", "json_path": f"{path}.api_name"})
        for position, profile in enumerate(raw["profiles"]):
            if not isinstance(profile, dict) or profile.get("id") not in self._org.profiles.values():
                raise RowError("INVALID_DATA", {"api_name": "id", "json_path": f"{path}.profiles[{position}].id"})
        self._check_new({**raw, "api_name": api_name}, path)
        if sum(module.custom for module in self._org.modules.values()) >= cap:
            message = f"The maximum number of custom modules ({cap}) for your current edition has been reached."
            raise RowError("LIMIT_EXCEEDED", {"limit": cap}, message)
        display = raw.get("display_field")
        name_label = display.get("field_label") if isinstance(display, dict) else None
        return self._org.add_module(
            api_name, raw["singular_label"], raw["plural_label"], name_label or f"{raw['singular_label']} Name"
        )

    def _check_new(self, wanted: dict[str, Any], path: str) -> None:
        """Refuse names that a module has; Zoho says so of a singular label flat, of the others wrapped."""
        known = self._org.modules.values()
        for name, taken in (
            ("api_name", [each.api_name for each in known]),
            ("singular_label", [each.singular for each in known]),
            ("plural_label", [each.plural for each in known]),
        ):
            if wanted[name].casefold() not in map(str.casefold, taken):
                continue
            details = {"api_name": name, "json_path": f"{path}.{name}"}
            message = f"A module with this {name} already exists. Please use a unique {name}."
            if name == "singular_label":
                raise ApiError(400, "DUPLICATE_DATA", details, message)
            raise RowError("DUPLICATE_DATA", details, message)
