"""The fields the target wants, as data: compared with what a module has, and described as Zoho wants to be told.

The rules are those of the CRM API's page "Create Custom Fields".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.tables import KEY
from target_zoho_crm.org.identity import READ_ONLY, Identities, objection

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_zoho_crm.mapping.metadata import Field, FieldSpec
    from target_zoho_crm.org.model import Module

MAX_LABEL = 25
UNIQUE_FIELDS = 2
"""The most unique fields of a module, in every edition."""
DECIMALS = 2

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
class ModuleSpec:
    """A module the target writes to.

    `name` is an API name ("Accounts") or a plural label ("FreshBooks Payments"). `fields` are in the order in which
    they are needed: where there is no room for all, the last ones are left out. With `singular`, the module is created
    where it is missing.
    """

    name: str
    fields: tuple[FieldSpec, ...]
    singular: str | None = None


@dataclass(frozen=True)
class FieldPlan:
    """What has to be done for the fields of one module."""

    present: Mapping[str, Field]
    """By label of the mapping, which the field itself may not have any more."""
    missing: tuple[FieldSpec, ...]
    """To be created as they stand here; a unique one beyond the module's two is no longer unique."""
    unusable: tuple[str, ...] = ()
    """One sentence for each field that is there and cannot be used."""
    downgraded: tuple[str, ...] = ()
    """Labels of the missing fields that cannot be unique any more."""
    gone: tuple[str, ...] = ()
    """Labels of the missing fields that were there once."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why Zoho did not make a field when it was asked last, by label; it is done without, and not asked for again."""
    unused: tuple[str, ...] = ()
    """Labels of fields that exist and are in no layout: done without, and never made a second time."""
    read_only: tuple[str, ...] = ()
    """Labels of fields that the user may not write, and that can be done without."""


def plan_fields(
    module: Module,
    wanted: Sequence[FieldSpec],
    *,
    identities: Identities | None = None,
    refused: Mapping[str, str] | None = None,
    not_unique: Collection[str] = (),
) -> FieldPlan:
    """Compare what a module has with what is wanted.

    Args:
        module: as Zoho describes it.
        wanted: the fields.
        identities: by which they are known.
        refused: why Zoho did not make some of them, by label.
        not_unique: labels of fields that Zoho has refused to make unique.
    """
    known = identities or Identities()
    present: dict[str, Field] = {}
    missing: list[FieldSpec] = []
    unusable: list[str] = []
    downgraded: list[str] = []
    without: dict[str, str] = {}
    unused: list[str] = []
    read_only: list[str] = []
    unique_left = UNIQUE_FIELDS - sum(one.unique for one in module.fields.values())
    for spec in wanted:
        existing = known.find_field(module, spec)
        wrong = objection(existing, spec) if existing else None
        if existing is not None and wrong == READ_ONLY and spec.label != KEY:
            read_only.append(spec.label)
        elif existing is not None:
            present[spec.label] = existing
            if wrong:
                unusable.append(f"the field {spec.label!r} of {module.api_name} {wrong}")
        elif known.is_unused(module, spec.label):
            unused.append(spec.label)
        elif refused and spec.label in refused:
            without[spec.label] = refused[spec.label]
        elif not spec.unique or (unique_left > 0 and spec.label not in not_unique):
            unique_left -= spec.unique
            missing.append(spec)
        else:
            missing.append(replace(spec, unique=False))
            downgraded.append(spec.label)
    gone = tuple(spec.label for spec in missing if known.is_gone(module, spec.label))
    return FieldPlan(
        present, tuple(missing), tuple(unusable), tuple(downgraded), gone, without, tuple(unused), tuple(read_only)
    )


def describe(spec: FieldSpec, related_list: str) -> dict[str, Any]:
    """Return the body that creates a field.

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
        body["decimal_place"] = DECIMALS
    if spec.data_type == "currency":
        body["currency"] = {"rounding_option": "normal"}
    if spec.lookup_module is not None:
        body["lookup"] = {"module": {"api_name": spec.lookup_module}, "display_label": related_list}
    if spec.unique:
        body["unique"] = {"case_sensitive": False}
    return body
