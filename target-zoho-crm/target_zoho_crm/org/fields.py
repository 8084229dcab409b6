"""The fields the target wants, as data: compared with what a module has, and described as Zoho wants to be told.

The rules are those of the CRM API's page "Create Custom Fields".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_zoho_crm.org.organization import Field, Module

MAX_LABEL = 25
UNIQUE_FIELDS = 2
"""The most unique fields of a module, in every edition."""

USABLE_TYPES = {
    "email": ("text",),
    "currency": ("double",),
    "double": ("currency",),
    "integer": ("bigint",),
}
"""The types, besides its own, of a field that can take what is written to one of a type."""

LENGTHS = {
    "text": 255,
    "email": 100,
    "phone": 30,
    "website": 450,
    "integer": 9,
    "bigint": 18,
    "currency": 16,
    "double": 16,
}
"""The longest that Zoho creates; of texts in characters, of numbers in digits."""

TEXT_AREAS = ((2000, "small"), (32000, "large"), (50000, "rich_text"))


@dataclass(frozen=True)
class FieldSpec:
    """A field the target wants; Zoho takes labels of up to 25 characters."""

    label: str
    data_type: str
    length: int | None = None
    unique: bool = False
    lookup_module: str | None = None
    """API name of the module that a lookup points to."""
    decimal_places: int = 2


@dataclass(frozen=True)
class ModuleSpec:
    """A module the target writes to.

    `name` is an API name ("Accounts") or a plural label ("FreshBooks Payments"). With `singular`, the module is created
    where it is missing.
    """

    name: str
    fields: tuple[FieldSpec, ...]
    singular: str | None = None


@dataclass(frozen=True)
class FieldPlan:
    """What has to be done for the fields of one module."""

    present: Mapping[str, Field]
    """By label."""
    missing: tuple[FieldSpec, ...]
    """To be created as they stand here; a unique one beyond the module's two is no longer unique."""
    unusable: tuple[str, ...] = ()
    """One sentence for each field that is there and cannot be used."""
    downgraded: tuple[str, ...] = ()
    """Labels of the missing fields that cannot be unique any more."""


def plan_fields(module: Module, wanted: Sequence[FieldSpec], *, not_unique: Collection[str] = ()) -> FieldPlan:
    """Compare what a module has with what is wanted.

    Args:
        module: as Zoho describes it.
        wanted: the fields, which are found by their labels.
        not_unique: labels of fields that Zoho has refused to make unique.
    """
    present: dict[str, Field] = {}
    missing: list[FieldSpec] = []
    unusable: list[str] = []
    downgraded: list[str] = []
    unique_left = UNIQUE_FIELDS - sum(field.unique for field in module.fields.values())
    for spec in wanted:
        field = module.by_label(spec.label)
        if field is not None:
            present[spec.label] = field
            if objection := _objection(field, spec):
                unusable.append(f"the field {spec.label!r} of {module.api_name} {objection}")
        elif not spec.unique or (unique_left > 0 and spec.label not in not_unique):
            unique_left -= spec.unique
            missing.append(spec)
        else:
            missing.append(replace(spec, unique=False))
            downgraded.append(spec.label)
    return FieldPlan(present, tuple(missing), tuple(unusable), tuple(downgraded))


def _objection(field: Field, spec: FieldSpec) -> str | None:
    if field.data_type != spec.data_type and field.data_type not in USABLE_TYPES.get(spec.data_type, ()):
        return f"is of type {field.data_type} and has to be {spec.data_type}"
    if field.read_only:
        return "cannot be written"
    if spec.lookup_module and field.lookup_module != spec.lookup_module:
        return f"points to {field.lookup_module} and has to point to {spec.lookup_module}"
    return None


def describe(spec: FieldSpec, related_list: str) -> dict[str, Any]:
    """Give the body that creates a field.

    Amounts are kept as they are sent, without rounding. A unique field is not case sensitive, which is the only kind
    that the API creates. Without profiles, everyone may see and change the field.

    Args:
        spec: the field.
        related_list: how the list of records that point there with a lookup is called in the other module.

    Raises:
        ValueError: if the label is longer than Zoho takes.
    """
    if len(spec.label) > MAX_LABEL:
        raise ValueError(f"Zoho takes labels of {MAX_LABEL} characters, and {spec.label!r} has {len(spec.label)}")
    body: dict[str, Any] = {"field_label": spec.label, "data_type": spec.data_type}
    length = spec.length or LENGTHS.get(spec.data_type)
    if spec.data_type == "textarea":
        length, kind = next((area for area in TEXT_AREAS if (spec.length or 0) <= area[0]), TEXT_AREAS[-1])
        body["textarea"] = {"type": kind}
    if length is not None:
        body["length"] = length
    if spec.data_type in {"currency", "double"}:
        body["decimal_place"] = spec.decimal_places
    if spec.data_type == "currency":
        body["currency"] = {"rounding_option": "normal"}
    if spec.lookup_module is not None:
        body["lookup"] = {"module": {"api_name": spec.lookup_module}, "display_label": related_list}
    if spec.unique:
        body["unique"] = {"case_sensitive": False}
    return body
