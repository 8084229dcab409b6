"""What the target knows of a Zoho organization before it writes: modules, fields, currencies, pipelines, edition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_zoho_crm.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_zoho_crm.api.client import ZohoClient

DEALS = "Deals"
STANDARD_MODULES = ("Accounts", DEALS)


@dataclass(frozen=True)
class Field:
    """A field of a module, as Zoho describes it."""

    api_name: str
    label: str
    data_type: str
    """Zoho's token: text, textarea, email, phone, picklist, date, datetime, integer, bigint, double, currency, …"""
    length: int | None = None
    """The longest text, or the most digits, it takes."""
    decimal_places: int | None = None
    unique: bool = False
    custom: bool = False
    read_only: bool = False
    mandatory: bool = False
    picklist: tuple[str, ...] = ()
    """The display values, which are what a write has to send."""
    lookup_module: str | None = None
    layouts: tuple[str, ...] = ()
    """Names of the module's layouts that show it."""


@dataclass(frozen=True)
class Module:
    """A module and its fields, by API name."""

    api_name: str
    label: str
    """Its plural label, as the tab in the CRM is called."""
    fields: Mapping[str, Field]

    def by_label(self, label: str) -> Field | None:
        """Give the field of that label, in upper or lower case; a field of the organization's own first."""
        found = [one for one in self.fields.values() if one.label.casefold() == label.casefold()]
        return next((one for one in found if one.custom), found[0] if found else None)


@dataclass(frozen=True)
class Pipeline:
    """A sales pipeline of the Deals module with its stages, in order; all names are display values."""

    name: str
    stages: tuple[str, ...]
    default: bool = False
    layout_id: str | None = None


@dataclass(frozen=True)
class Organization:
    """One Zoho CRM organization."""

    id: str
    edition: str
    """Free, standard, professional, enterprise, ultimate, …: as Zoho writes it, in lower case."""
    currency: str
    """ISO code of the home currency."""
    currencies: frozenset[str] | None
    """ISO codes of the active currencies, the home currency among them; None: the organization has but one."""
    time_zone: str
    modules: Mapping[str, Module] = field(default_factory=dict)
    """The modules that were read, by API name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The plural label of every module that the consent may see, by API name."""
    pipelines: tuple[Pipeline, ...] = ()
    """Those of the Deals module, the default ones first; empty where the organization does not have the feature."""
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the user may not do with records, by API name of the module: create, edit, delete; as far as Zoho says."""

    def find(self, name: str) -> str | None:
        """Give the API name of the module with this API name or plural label; None if there is none."""
        return find_module(self.labels, name)


def read_organization(client: ZohoClient, modules: Sequence[str] = STANDARD_MODULES) -> Organization:
    """Read the organization and the modules named, by API name or label; those that it does not have are left out.

    This takes a call each for the organization, its currencies and its list of modules, one for each module's fields,
    and, where Deals is among them and has pipelines, one for each layout of Deals: six for Accounts and Deals with one
    layout, seven where the layouts have to be asked for. The client learns how many calls it may make at a time.
    """
    first: list[Any] = client.map(lambda read: read(client), (_read_described, _read_modules, _read_currencies))
    described, listed, currencies = first
    labels = {name: _label(one) for name, one in listed.items()}
    edition = edition_of(described.get("license_details") or {})
    client.set_edition(edition)
    wanted = [api_name for name in modules if (api_name := find_module(labels, name))]
    metadata = dict(zip(wanted, client.map(lambda name: _read_fields(client, name), wanted), strict=True))
    layouts = read_layouts(client, metadata.get(DEALS, []))
    pipelines = [one for found in client.map(lambda layout: read_pipelines(client, layout), layouts) for one in found]
    return Organization(
        id=str(described.get("zgid") or described.get("id") or ""),
        edition=edition,
        currency=str(described.get("iso_code") or ""),
        currencies=currencies,
        time_zone=str(described.get("time_zone") or "UTC"),
        modules={name: _module(name, labels[name], metadata[name]) for name in wanted},
        labels=labels,
        denied={name: frozenset(_denied(one)) for name, one in listed.items()},
        pipelines=tuple(sorted(pipelines, key=lambda pipeline: not pipeline.default)),
    )


def edition_of(license_details: Mapping[str, Any]) -> str:
    """Give the edition in lower case; during a trial, the one that is tried (the page "Get Organization Data")."""
    paid = str(license_details.get("paid_type") or "free").casefold()
    if paid == "free" and license_details.get("trial_expiry") and license_details.get("trial_type"):
        return str(license_details["trial_type"]).casefold()
    return paid


def read_module(client: ZohoClient, api_name: str, label: str | None = None) -> Module:
    """Read one module's fields (one call)."""
    return _module(api_name, label or api_name, _read_fields(client, api_name))


def read_labels(client: ZohoClient) -> dict[str, str]:
    """Read which modules there are (one call): plural label by API name."""
    return {name: _label(one) for name, one in _read_modules(client).items()}


def find_module(labels: Mapping[str, str], name: str) -> str | None:
    """Give the API name of the module with this API name or plural label; None if there is none."""
    if name in labels:
        return name
    return next((api_name for api_name, label in labels.items() if label.casefold() == name.casefold()), None)


def parse_field(described: Mapping[str, Any]) -> Field:
    """Turn Zoho's description of a field into a `Field` (the page "Fields Metadata")."""
    lookup = described.get("lookup") or {}
    target = lookup.get("module") or {}
    return Field(
        api_name=str(described["api_name"]),
        label=str(described.get("field_label") or described.get("display_label") or described["api_name"]),
        data_type=str(described.get("data_type") or ""),
        length=described.get("length"),
        decimal_places=described.get("decimal_place"),
        unique=bool(described.get("unique")),
        custom=bool(described.get("custom_field")),
        read_only=bool(described.get("read_only") or described.get("field_read_only")),
        mandatory=bool(described.get("system_mandatory")),
        picklist=tuple(
            str(value["display_value"])
            for value in described.get("pick_list_values") or ()
            if value.get("display_value") is not None
        ),
        lookup_module=(target.get("api_name") if isinstance(target, dict) else target) or None,
        layouts=tuple(str(one["name"]) for one in described.get("layout_associations") or () if one.get("name")),
    )


def parse_pipeline(described: Mapping[str, Any], layout_id: str) -> Pipeline:
    """Turn Zoho's description of a pipeline into a `Pipeline` (the page "Get Pipelines in a Layout")."""
    return Pipeline(
        name=str(described["display_value"]),
        stages=tuple(str(stage["display_value"]) for stage in described.get("maps") or ()),
        default=bool(described.get("default")),
        layout_id=layout_id,
    )


def _module(api_name: str, label: str, described: Iterable[Mapping[str, Any]]) -> Module:
    fields = (parse_field(one) for one in described if one.get("api_name"))
    return Module(api_name, label, {one.api_name: one for one in fields})


def _read_modules(client: ZohoClient) -> dict[str, dict[str, Any]]:
    """Read the modules, which are those that the user's profile may view (the page "Modules Metadata")."""
    described = _list(client.request("GET", "settings/modules").body, "modules")
    return {str(one["api_name"]): one for one in described if one.get("api_name")}


def _label(module: Mapping[str, Any]) -> str:
    return str(module.get("plural_label") or module["api_name"])


def _denied(module: Mapping[str, Any]) -> list[str]:
    flags = {"create": "creatable", "edit": "editable", "delete": "deletable"}
    return [what for what, flag in flags.items() if module.get(flag) is False]


def _read_described(client: ZohoClient) -> dict[str, Any]:
    return next(iter(_list(client.request("GET", "org").body, "org")), {})


def _read_fields(client: ZohoClient, module: str) -> list[dict[str, Any]]:
    return _list(client.request("GET", "settings/fields", params={"module": module}).body, "fields")


def _read_currencies(client: ZohoClient) -> frozenset[str] | None:
    """Read the active currencies; both of Zoho's ways to say that there is but one are understood."""
    try:
        body = client.request("GET", "org/currencies").body
    except RequestError as error:
        if error.code in {"FEATURE_NOT_ENABLED", "NOT_SUPPORTED"}:
            return None
        raise
    active = frozenset(str(one["iso_code"]) for one in _list(body, "currencies") if one.get("is_active", True))
    return active or None


def read_layouts(client: ZohoClient, fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the ids of Deals' layouts, if the Pipeline field is there, which it is where the feature is switched on.

    The field says itself which layouts show it; where it does not, they are read.
    """
    pipeline = next((one for one in fields if one.get("api_name") == "Pipeline"), None)
    if pipeline is None:
        return []
    layouts = pipeline.get("layout_associations")
    if not layouts:
        layouts = _list(client.request("GET", "settings/layouts", params={"module": DEALS}).body, "layouts")
    return [str(layout["id"]) for layout in layouts if layout.get("id")]


def read_pipelines(client: ZohoClient, layout_id: str) -> list[Pipeline]:
    """Read the pipelines of a layout of Deals (one call)."""
    body = client.request("GET", "settings/pipeline", params={"layout_id": layout_id}).body
    return [parse_pipeline(one, layout_id) for one in _list(body, "pipeline")]


def _list(body: Any, key: str) -> list[dict[str, Any]]:
    found = (body or {}).get(key)
    return found if isinstance(found, list) else []
