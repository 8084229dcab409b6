"""What an organization's metadata is made of: modules, fields, pick lists, pipelines, currencies, users."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from decimal import Decimal

UNIQUE_TYPES = frozenset({"text", "email", "phone", "integer", "bigint", "website"})
"""The types of field that can be unique (Kaizen #56; "Create Custom Fields")."""

SYSTEM_KEYS = {"Leads": "Email", "Contacts": "Email", "Accounts": "Account_Name", "Deals": "Deal_Name"}
"""The system-defined duplicate check field of each module ("Upsert Records"); custom modules have Name."""

JSON_TYPES = {
    "bigint": "string",
    "boolean": "boolean",
    "currency": "double",
    "double": "double",
    "integer": "integer",
    "lookup": "jsonobject",
    "multiselectpicklist": "jsonarray",
    "ownerlookup": "jsonobject",
    "percent": "double",
}


@dataclass
class Choice:
    """One value of a pick list; after a rename its actual value is still the old name.

    Both may differ from the beginning: Zoho's own stage "Identify Decision Makers" is "Id. Decision Makers" ("Get
    Pipelines").
    """

    id: str
    display_value: str
    actual_value: str
    forecast_type: str | None = None
    """Of a stage: ``Open``, ``Closed Won`` or ``Closed Lost``."""

    def describe(self, number: int) -> dict[str, Any]:
        """Return it as field metadata do, at its place in the list, from 1."""
        kind = {} if self.forecast_type is None else {"forecast_type": self.forecast_type}
        return {
            "id": self.id,
            "display_value": self.display_value,
            "actual_value": self.actual_value,
            "reference_value": self.actual_value,
            "sequence_number": number,
            "type": "used",
            **kind,
        }


@dataclass
class Layout:
    """One layout of a module: what it does not show, and what it makes mandatory ("Layouts Metadata")."""

    id: str
    name: str
    hidden: set[str] = field(default_factory=set)
    """API names of fields that it does not show."""
    required: set[str] = field(default_factory=set)
    """API names of fields that new records need, besides those that Zoho itself makes mandatory."""

    def reference(self) -> dict[str, Any]:
        """Return it as `layout_associations` of fields do."""
        return {"id": self.id, "name": self.name, "api_name": self.name.replace(" ", "_")}


@dataclass
class Field:
    """One field of a module."""

    id: str
    api_name: str
    label: str
    data_type: str
    length: int | None = None
    decimals: int | None = None
    custom: bool = False
    read_only: bool = False
    read_only_for_profile: bool = False
    """Whether the user's profile may only read it."""
    restricted: bool = False
    """Whether it is kept from the API, as personal data may be (GDPR): read as empty, written all the same."""
    mandatory: bool = False
    unique: bool = False
    external: dict[str, Any] | None = None
    lookup: str | None = None
    """The API name of the module that a lookup points to."""
    choices: list[Choice] = field(default_factory=list)
    default: str | None = None
    accepted: tuple[str, ...] | None = None
    """What a text may be, although no metadata say so: a field over a global set of values."""
    refusal: str = "INVALID_DATA"
    """The code for what is not accepted."""

    @property
    def writable(self) -> bool:
        """Whether values that are sent are taken; else they are passed over."""
        return not (self.read_only or self.read_only_for_profile)

    def values(self) -> list[str]:
        """Return the values a record may have, as they are displayed."""
        return [choice.display_value for choice in self.choices]

    def describe(self, module_ids: dict[str, str], layouts: Sequence[Layout]) -> dict[str, Any]:
        """Return it as ``GET settings/fields`` does.

        Args:
            module_ids: the modules' ids by API name, for lookups.
            layouts: those that show it.
        """
        lookup: dict[str, Any] = {}
        if self.lookup is not None:
            lookup = {
                "display_label": self.label,
                "api_name": self.api_name,
                "id": self.id,
                "module": {"api_name": self.lookup, "id": module_ids.get(self.lookup)},
            }
        return {
            "id": self.id,
            "api_name": self.api_name,
            "field_label": self.label,
            "display_label": self.label,
            "data_type": self.data_type,
            "json_type": JSON_TYPES.get(self.data_type, "string"),
            "length": self.length,
            "decimal_place": self.decimals,
            "custom_field": self.custom,
            "created_source": "custom" if self.custom else "default",
            "read_only": not self.writable,
            "field_read_only": self.read_only,
            "system_mandatory": self.mandatory,
            "visible": True,
            "type": "used" if layouts else "unused",
            "unique": {"case_sensitive": False} if self.unique else {},
            "external": self.external,
            "layout_associations": [each.reference() for each in layouts],
            "pick_list_values": [choice.describe(number) for number, choice in enumerate(self.choices, 1)],
            "default_value": self.default,
            "lookup": lookup,
            "currency": {"precision": self.decimals, "rounding_option": "normal"}
            if self.data_type == "currency"
            else {},
            "private": {"restricted": True, "type": "Sensitive", "export": False} if self.restricted else None,
            "view_type": {
                "view": True,
                "edit": self.writable,
                "create": self.writable,
                "quick_create": False,
            },
            "operation_type": dict.fromkeys(("web_update", "api_create", "web_create", "api_update"), self.writable),
        }


@dataclass
class Module:
    """One module and its fields, in order."""

    id: str
    api_name: str
    singular: str
    plural: str
    layouts: list[Layout]
    """The standard one first."""
    custom: bool = False
    status: str = "visible"
    """``visible``, or ``user_hidden`` where it is not among the tabs."""
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def layout_id(self) -> str:
        """The id of the standard layout."""
        return self.layouts[0].id

    def layout(self, named: str | None) -> Layout | None:
        """Return the layout with an id or a name, the standard one for None; None if there is none."""
        if named is None:
            return self.layouts[0]
        return next((each for each in self.layouts if named in (each.id, each.name)), None)

    def showing(self, api_name: str) -> list[Layout]:
        """Return the layouts that show a field."""
        return [each for each in self.layouts if api_name not in each.hidden]

    @property
    def system_key(self) -> str:
        """The field by which Zoho itself looks for duplicates."""
        return SYSTEM_KEYS.get(self.api_name, "Name")

    @property
    def name_field(self) -> str:
        """The field whose value is the record's name in lookups."""
        return {"Leads": "Full_Name", "Contacts": "Full_Name"}.get(self.api_name, self.system_key)

    def unique_fields(self) -> list[str]:
        """Return the API names of the unique fields, oldest first."""
        return [name for name, each in self.fields.items() if each.unique]

    def describe(self, number: int, profiles: list[dict[str, str]], denied: Collection[str] = ()) -> dict[str, Any]:
        """Return it as ``GET settings/modules`` does, with the profiles that may see it.

        Args:
            number: its place among the modules, from 1.
            profiles: of the organization.
            denied: what the user may not do with its records: create, edit, delete.
        """
        return {
            "id": self.id,
            "api_name": self.api_name,
            "module_name": self.plural,
            "singular_label": self.singular,
            "plural_label": self.plural,
            "generated_type": "custom" if self.custom else "default",
            "api_supported": True,
            "creatable": "create" not in denied,
            "editable": "edit" not in denied,
            "deletable": "delete" not in denied,
            "viewable": True,
            "visibility": 1,
            "show_as_tab": True,
            "status": self.status,
            "triggers_supported": True,
            "global_search_supported": True,
            "quick_create": True,
            "per_page": 200,
            "sequence_number": number,
            "parent_module": {},
            "profiles": profiles,
        }


@dataclass
class Pipeline:
    """One sales pipeline of a layout of Deals, and the stages in it."""

    id: str
    layout_id: str
    display_value: str
    actual_value: str
    default: bool
    """Whether it is the default of its layout."""
    stages: list[Choice]


@dataclass
class Currency:
    """One currency of an organization that has several."""

    id: str
    iso_code: str
    exchange_rate: Decimal
    is_base: bool = False
    is_active: bool = True


@dataclass
class User:
    """One user of an organization."""

    id: str
    name: str
    email: str
    manager: str | None = None
    """The id of the user above in the hierarchy of roles."""
    profile: str = "Standard"
    active: bool = True

    def reference(self) -> dict[str, Any]:
        """Return it as ``Modified_By`` does."""
        return {"name": self.name, "id": self.id, "email": self.email}
