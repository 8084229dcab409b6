"""The API's metadata, read: the organization, modules, fields, layouts, pipelines, currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError
from sandbox.zoho.permissions import may, need_view

if TYPE_CHECKING:
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Field, Layout, Module
    from sandbox.zoho.organization import Organization


class Metadata:
    """What an organization is made of."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("GET", "/crm/v8/org")
    def organization(self, call: ApiCall) -> Response:
        """Answer with the organization ("Get Organization Data")."""
        call.need("org", None, "READ")
        org = self._org
        paid = org.edition != "free"
        body = {
            "id": org.zgid,
            "zgid": org.zgid,
            "company_name": org.name,
            "type": "production",
            "time_zone": org.time_zone,
            "iso_code": org.iso_code,
            "currency": f"{org.iso_code} - {org.iso_code}",
            "currency_symbol": org.iso_code,
            "currency_locale": "en_US",
            "mc_status": bool(org.currencies),
            "country_code": "US",
            "domain_name": f"org{org.zgid}",
            "primary_email": org.person.email,
            "license_details": {
                "paid": paid,
                "paid_type": org.edition,
                "paid_expiry": None,
                "trial_type": None,
                "trial_expiry": None,
                "users_license_purchased": org.users,
            },
        }
        return Response(body={"org": [body]})

    @route("GET", "/crm/v8/settings/modules")
    def modules(self, call: ApiCall) -> Response:
        """Answer with the modules that the user may view ("Modules API")."""
        call.need("settings", "modules", "READ")
        return Response(
            body={"modules": [self._described(one) for one in self._org.modules.values() if self._seen(one)]}
        )

    @route("GET", "/crm/v8/settings/modules/{name}")
    def module(self, call: ApiCall, name: str) -> Response:
        """Answer with one module ("Module Metadata")."""
        call.need("settings", "modules", "READ")
        unknown = ApiError(400, "INVALID_MODULE", {"resource_path_index": 3})
        return Response(body={"modules": [self._described(self._known(_find(self._org, name), unknown))]})

    def _seen(self, module: Module) -> bool:
        return not self._org.switches.modules_follow_profile or may(self._org, "view", module)

    def _described(self, module: Module) -> dict[str, Any]:
        follows = self._org.switches.modules_follow_profile
        actions = ("create", "edit", "delete")
        denied = [each for each in actions if follows and not may(self._org, each, module)]
        number = list(self._org.modules).index(module.api_name) + 1
        return module.describe(number, self._profiles(), denied)

    @route("GET", "/crm/v8/settings/profiles")
    def profiles(self, call: ApiCall) -> Response:
        """Answer with the profiles of the users ("Get Profiles")."""
        call.need("settings", "profiles", "READ")
        shown = [{**each, "display_label": each["name"], "custom": False} for each in self._profiles()]
        return Response(body={"profiles": shown})

    @route("GET", "/crm/v8/settings/fields")
    def fields(self, call: ApiCall) -> Response:
        """Answer with the fields of a module ("Fields Metadata")."""
        call.need("settings", "fields", "READ")
        module, kind = self._module(call), call.request.param("type", "used")
        described = [self._field(module, each) for each in module.fields.values()]
        shown = [each for each in described if kind in ("all", each["type"])]
        return Response(body={"fields": shown}) if shown else Response(204)

    @route("GET", "/crm/v8/settings/fields/{field_id}")
    def field(self, call: ApiCall, field_id: str) -> Response:
        """Answer with one field by its id or API name."""
        call.need("settings", "fields", "READ")
        module = self._module(call)
        for each in module.fields.values():
            if field_id in (each.id, each.api_name):
                return Response(body={"fields": [self._field(module, each)]})
        return Response(204)

    @route("GET", "/crm/v8/settings/layouts")
    def layouts(self, call: ApiCall) -> Response:
        """Answer with the layouts of a module, the standard one first ("Layouts Metadata")."""
        call.need("settings", "layouts", "READ")
        module = self._module(call)
        return Response(body={"layouts": [self._layout(module, each) for each in module.layouts]})

    @route("GET", "/crm/v8/settings/layouts/{layout_id}")
    def layout(self, call: ApiCall, layout_id: str) -> Response:
        """Answer with one layout."""
        call.need("settings", "layouts", "READ")
        module = self._module(call)
        found = [self._layout(module, each) for each in module.layouts if each.id == layout_id]
        return Response(body={"layouts": found}) if found else Response(204)

    @route("GET", "/crm/v8/org/currencies")
    def currencies(self, call: ApiCall) -> Response:
        """Answer with the currencies, where the organization has several ("Get Currencies")."""
        call.need("settings", "currencies", "READ")
        org = self._org
        if not org.currencies:
            status = org.switches.currencies_without_feature_status
            if status == 204:  # noqa: PLR2004
                return Response(204)
            raise ApiError(status, org.switches.currencies_without_feature, {}, "Multi currency is not enabled")
        shown = [
            {
                "id": each.id,
                "iso_code": each.iso_code,
                "name": f"{each.iso_code} - {each.iso_code}",
                "symbol": each.iso_code,
                "exchange_rate": f"{each.exchange_rate:.9f}",
                "is_base": each.is_base,
                "is_active": each.is_active,
                "prefix_symbol": True,
                "format": {"decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": "2"},
            }
            for each in org.currencies.values()
        ]
        return Response(body={"currencies": shown})

    def _module(self, call: ApiCall) -> Module:
        unknown = ApiError(400, "INVALID_MODULE", {"param_name": "module"})
        return self._known(self._org.modules.get(call.required("module")), unknown)

    def _known(self, module: Module | None, unknown: ApiError) -> Module:
        """Return a module that there is, and that the user may see."""
        if module is None:
            raise unknown
        if self._org.switches.modules_follow_profile:
            need_view(self._org, module, unknown)
        return module

    def _ids(self) -> dict[str, str]:
        return {name: module.id for name, module in self._org.modules.items()}

    def _profiles(self) -> list[dict[str, str]]:
        return [{"id": profile_id, "name": name} for name, profile_id in self._org.profiles.items()]

    def _field(self, module: Module, field: Field) -> dict[str, Any]:
        return field.describe(self._ids(), module.showing(field.api_name))

    def _layout(self, module: Module, layout: Layout) -> dict[str, Any]:
        shown = [each for each in module.fields.values() if each.api_name not in layout.hidden]
        fields = [
            {
                **self._field(module, each),
                "required": each.mandatory or each.api_name in layout.required,
                "sequence_number": number,
            }
            for number, each in enumerate(shown, 1)
        ]
        section = {
            "name": f"{module.singular} Information",
            "display_label": f"{module.singular} Information",
            "api_name": f"{module.singular}_Information".replace(" ", "_"),
            "sequence_number": 1,
            "column_count": 2,
            "type": "used",
            "generated_type": "default",
            "fields": fields,
        }
        return {
            **layout.reference(),
            "display_label": layout.name,
            "status": "active",
            "visible": True,
            "generated_type": "custom" if module.custom else "default",
            "profiles": [],
            "sections": [section],
        }


def module_named(org: Organization, name: str) -> Module:
    """Return the module that a path names first, by API name or id.

    Raises:
        ApiError: INVALID_MODULE, or NO_PERMISSION where the user may not see it.
    """
    unknown = ApiError(400, "INVALID_MODULE", {"resource_path_index": 0})
    module = _find(org, name)
    if module is None:
        raise unknown
    need_view(org, module, unknown)
    return module


def _find(org: Organization, name: str) -> Module | None:
    return org.modules.get(name) or next((each for each in org.modules.values() if each.id == name), None)
