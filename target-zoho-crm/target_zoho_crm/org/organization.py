"""An organization, asked for and understood: what Zoho says is kept as it is worth remembering, and read from there.

The pages are those of the CRM API's metadata: "Get Organization Data", "Modules Metadata", "Fields Metadata", "Layouts
Metadata", "Get Pipelines in a Layout" and "Get Currencies".
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.errors import PermissionDeniedError, RequestError, ScopeError
from target_zoho_crm.mapping.metadata import Choice, Field
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.model import DEALS, Listing, Module, Organization, PageLayout, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_zoho_crm.api.client import ZohoClient

STANDARD_MODULES = ("Accounts", DEALS)

Described = dict[str, Any]
"""What Zoho said of an organization, as JSON: `org`, `modules`, `currencies` (None: it has but one), and `fields` and
`layouts` by API name of the module, `pipelines` by id of the layout."""

_MODULE = ("id", "api_name", "plural_label", "generated_type", "creatable", "editable", "deletable")
_ORG = ("id", "zgid", "iso_code", "time_zone")
_LICENSE = ("paid_type", "trial_type", "trial_expiry")
_FIELD = (
    "id", "api_name", "field_label", "display_label", "data_type", "length", "decimal_place", "unique", "custom_field",
    "read_only", "field_read_only", "system_mandatory",
)  # fmt: skip

logger = logging.getLogger(__name__)


def describe_organization(
    client: ZohoClient, modules: Sequence[str] = STANDARD_MODULES, identities: Identities | None = None
) -> Described:
    """Ask for the organization and the modules named; those that it does not have are left out.

    This takes a call each for the organization, its currencies and its list of modules, two for each module, and, where
    Deals has pipelines, one for each layout of Deals. The client learns how many calls it may make at a time.

    Args:
        client: the organization's API.
        modules: API names or labels.
        identities: by which modules are known.

    Raises:
        ZohoError: if it cannot be read.
    """
    first: list[Any] = client.map(lambda ask: ask(client), (_ask_org, _ask_modules, _ask_currencies))
    described: Described = dict(zip(("org", "modules", "currencies"), first, strict=True))
    client.set_edition(edition_of(described["org"].get("license_details") or {}))
    listed = {one["api_name"]: _listing(one) for one in described["modules"]}
    known = identities or Identities()
    wanted = list(dict.fromkeys(name for one in modules if (name := known.find_module(listed, one))))
    asks: list[Callable[[], Any]] = [
        *(lambda name=name: ask_fields(client, name) for name in wanted),
        *(lambda name=name: _ask_layouts(client, name) for name in wanted),
    ]
    answers = client.map(lambda ask: ask(), asks)
    described["fields"] = dict(zip(wanted, answers, strict=False))
    described["layouts"] = dict(zip(wanted, answers[len(wanted) :], strict=True))
    layouts = _with_pipelines(described)
    pipelines = client.map(lambda layout: ask_pipelines(client, layout), layouts)
    described["pipelines"] = dict(zip(layouts, pipelines, strict=True))
    return described


def organization_of(described: Described) -> Organization:
    """Return the organization that Zoho's words, as `describe_organization` kept them, are about."""
    org, listed = described["org"], {one["api_name"]: _listing(one) for one in described["modules"]}
    currencies = described["currencies"]
    pipelines = [parse_pipeline(one, layout) for layout, found in described["pipelines"].items() for one in found]
    return Organization(
        id=str(org.get("zgid") or org.get("id") or ""),
        edition=edition_of(org.get("license_details") or {}),
        currency=str(org.get("iso_code") or ""),
        currencies=frozenset(currencies) if currencies else None,
        time_zone=str(org.get("time_zone") or "UTC"),
        modules={
            name: replace(
                parse_module(listed[name], fields, described["layouts"].get(name) or ()),
                unused=frozenset(described.get("unused", {}).get(name, ())),
            )
            for name, fields in described["fields"].items()
        },
        listed=listed,
        denied={one["api_name"]: frozenset(_denied(one)) for one in described["modules"]},
        pipelines=tuple(sorted(pipelines, key=lambda pipeline: not pipeline.default)),
        owner=described.get("owner"),
        foreign={name: tuple(values) for name, values in described.get("foreign", {}).items()},
    )


def ask_owner(client: ZohoClient, email: str) -> str | None:
    """Return the id of the active user with an e-mail address (a call for each two hundred); None if there is none."""
    page = 1
    while True:
        params: dict[str, str | int] = {"type": "ActiveUsers", "page": page, "per_page": 200}
        body = client.request("GET", "users", params=params).body or {}
        for user in _list(body, "users"):
            if str(user.get("email") or "").casefold() == email.casefold():
                return str(user["id"])
        if not (body.get("info") or {}).get("more_records"):
            return None
        page += 1


def read_organization(client: ZohoClient, modules: Sequence[str] = STANDARD_MODULES) -> Organization:
    """Ask for the organization and the modules named, and return it.

    Raises:
        ZohoError: if it cannot be read.
    """
    return organization_of(describe_organization(client, modules))


def edition_of(license_details: Mapping[str, Any]) -> str:
    """Return the edition in lower case; during a trial, the one that is tried (the page "Get Organization Data")."""
    paid = str(license_details.get("paid_type") or "free").casefold()
    if paid == "free" and license_details.get("trial_expiry") and license_details.get("trial_type"):
        return str(license_details["trial_type"]).casefold()
    return paid


def read_module(client: ZohoClient, listing: Listing) -> Module:
    """Return one module with its fields (one call)."""
    return parse_module(listing, ask_fields(client, listing.api_name))


def read_listed(client: ZohoClient) -> dict[str, Listing]:
    """Return the modules that there are, by API name (one call)."""
    return {one["api_name"]: _listing(one) for one in _ask_modules(client)}


def parse_field(described: Mapping[str, Any]) -> Field:
    """Turn Zoho's description of a field into a `Field` (the page "Fields Metadata")."""
    lookup = described.get("lookup") or {}
    target = lookup.get("module") or {}
    return Field(
        id=str(described.get("id") or ""),
        api_name=str(described["api_name"]),
        label=str(described.get("field_label") or described.get("display_label") or described["api_name"]),
        data_type=str(described.get("data_type") or ""),
        length=described.get("length"),
        decimal_places=described.get("decimal_place"),
        unique=bool(described.get("unique")),
        custom=bool(described.get("custom_field")),
        read_only=bool(described.get("read_only") or described.get("field_read_only")),
        mandatory=bool(described.get("system_mandatory")),
        choices=_choices(described.get("pick_list_values")),
        lookup_module=(target.get("api_name") if isinstance(target, dict) else target) or None,
        restricted=bool((described.get("private") or {}).get("restricted")),
        layouts=tuple(str(one["name"]) for one in described.get("layout_associations") or () if one.get("name")),
    )


def parse_module(
    listing: Listing, fields: Iterable[Mapping[str, Any]], layouts: Iterable[Mapping[str, Any]] = ()
) -> Module:
    """Turn Zoho's description of a module's fields and layouts into a `Module`."""
    parsed = (parse_field(one) for one in fields if one.get("api_name"))
    pages = tuple(PageLayout(str(one["id"]), str(one["name"]), dict(one["required"])) for one in layouts)
    return Module(listing.api_name, listing.label, {one.api_name: one for one in parsed}, listing.id, pages)


def parse_pipeline(described: Mapping[str, Any], layout_id: str) -> Pipeline:
    """Turn Zoho's description of a pipeline into a `Pipeline` (the page "Get Pipelines in a Layout")."""
    return Pipeline(
        name=str(described["display_value"]),
        stages=_choices(described.get("maps")),
        default=bool(described.get("default")),
        layout_id=layout_id,
        actual=str(described.get("actual_value") or ""),
        id=str(described.get("id") or ""),
    )


def _choices(values: Iterable[Mapping[str, Any]] | None) -> tuple[Choice, ...]:
    return tuple(
        Choice(str(one["display_value"]), str(one.get("actual_value") or ""), str(one.get("forecast_type") or ""))
        for one in values or ()
        if one.get("display_value") is not None
    )


def _listing(described: Mapping[str, Any]) -> Listing:
    return Listing(
        api_name=str(described["api_name"]),
        label=str(described.get("plural_label") or described["api_name"]),
        id=str(described.get("id") or ""),
        custom=described.get("generated_type") == "custom",
    )


def _denied(module: Mapping[str, Any]) -> list[str]:
    flags = {"create": "creatable", "edit": "editable", "delete": "deletable"}
    return [what for what, flag in flags.items() if module.get(flag) is False]


def _ask_org(client: ZohoClient) -> Described:
    described = next(iter(_list(client.request("GET", "org").body, "org")), {})
    return {**_some(described, _ORG), "license_details": _some(described.get("license_details") or {}, _LICENSE)}


def _ask_modules(client: ZohoClient) -> list[Described]:
    """Ask for the modules, which are those that the user's profile may view (the page "Modules Metadata")."""
    described = _list(client.request("GET", "settings/modules").body, "modules")
    return [_some(one, _MODULE) for one in described if one.get("api_name")]


def _ask_currencies(client: ZohoClient) -> list[str] | None:
    """Ask for the active currencies; None where there is but one.

    Zoho's own papers name three codes and two statuses for that, so any refusal that is not about the token, a scope or
    a permission, which are errors of other kinds, is understood.
    """
    try:
        body = client.request("GET", "org/currencies").body
    except RequestError:
        return None
    return sorted(str(one["iso_code"]) for one in _list(body, "currencies") if one.get("is_active", True)) or None


def ask_fields(client: ZohoClient, module: str) -> list[Described]:
    """Ask for the fields of a module (one call), and return of each what is worth remembering."""
    described = _list(client.request("GET", "settings/fields", params={"module": module}).body, "fields")
    return [
        {
            **_some(one, _FIELD),
            "lookup": _some(one.get("lookup") or {}, ("module",)),
            "private": _some(one.get("private") or {}, ("restricted",)),
            "pick_list_values": [
                _some(value, ("id", "display_value", "actual_value", "forecast_type"))
                for value in one.get("pick_list_values") or ()
            ],
            "layout_associations": [_some(each, ("id", "name")) for each in one.get("layout_associations") or ()],
        }
        for one in described
    ]


def _ask_layouts(client: ZohoClient, module: str) -> list[Described]:
    """Ask for the active layouts of a module; none where they may not be read, for a run can do without them."""
    try:
        body = client.request("GET", "settings/layouts", params={"module": module}).body
    except (RequestError, ScopeError, PermissionDeniedError) as error:
        logger.info("The layouts of %s are not known: %s", module, error)
        return []
    return [
        {"id": str(one["id"]), "name": str(one.get("name") or one["id"]), "required": _required(one)}
        for one in _list(body, "layouts")
        if one.get("id") and one.get("status", "active") == "active"
    ]


def _required(layout: Mapping[str, Any]) -> dict[str, str]:
    fields = [one for section in layout.get("sections") or () for one in section.get("fields") or ()]
    return {
        str(one["api_name"]): str(one.get("field_label") or one["api_name"])
        for one in fields
        if one.get("api_name") and one.get("required")
    }


def _with_pipelines(described: Described) -> list[str]:
    """Return the ids of Deals' layouts, where there is the field Pipeline, which there is where the feature is on."""
    pipeline = next((one for one in described["fields"].get(DEALS, ()) if one.get("api_name") == "Pipeline"), None)
    if pipeline is None:
        return []
    layouts = described["layouts"].get(DEALS) or pipeline.get("layout_associations") or ()
    return [str(one["id"]) for one in layouts if one.get("id")]


def ask_pipelines(client: ZohoClient, layout_id: str) -> list[Described]:
    """Ask for the pipelines of a layout of Deals (one call), and return of each what is worth remembering."""
    body = client.request("GET", "settings/pipeline", params={"layout_id": layout_id}).body
    return [
        {
            **_some(one, ("id", "display_value", "actual_value", "default")),
            "maps": [_some(each, ("display_value", "actual_value", "forecast_type")) for each in one.get("maps") or ()],
        }
        for one in _list(body, "pipeline")
    ]


def _some(described: Mapping[str, Any], names: Iterable[str]) -> Described:
    return {name: described[name] for name in names if name in described}


def _list(body: Any, key: str) -> list[Described]:
    found = (body or {}).get(key)
    return found if isinstance(found, list) else []
