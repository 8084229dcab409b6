"""Which module, and which field, is meant: by its id first, for labels and API names are the administrator's.

A label can be changed and translated at any time, and an API name on Zoho's own pages; an id stays. So what was made
or adopted once is known by its id. Where that is not known (a lost store, another one), the API name tells, which Zoho
derives from the label when it makes something and does not change with it. A label only serves to adopt what people
made by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_zoho_crm.mapping.metadata import Field, FieldSpec
    from target_zoho_crm.org.model import Listing, Module

USABLE_TYPES = {
    "email": ("text",),
    "currency": ("double",),
    "double": ("currency",),
    "integer": ("bigint",),
}
"""The types, besides its own, of a field that can take what is written to one of a type."""
READ_ONLY = "cannot be written"
"""What stands in the way of a field that the user's profile may only read."""


@dataclass(frozen=True)
class Identities:
    """The ids by which an organization's modules and fields are known.

    Attributes:
        modules: name in the settings or the mapping → id of the module.
        fields: id of the module → label of the mapping → id of the field.
        pipeline: id of the pipeline that deals went into first, because it was the default then; empty for none.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pipeline: str = ""

    def find_module(self, listed: Mapping[str, Listing], name: str) -> str | None:
        """Return the API name of the module that is called this in the settings; None if there is none.

        Args:
            listed: the organization's modules, by API name.
            name: an API name or a plural label.
        """
        known = self.modules.get(name)
        by_id = next((one.api_name for one in listed.values() if known and one.id == known), None)
        if by_id or name in listed:
            return by_id or name
        derived = listed.get(derived_api_name(name))
        if derived is not None and derived.custom:
            return derived.api_name
        return next((one.api_name for one in listed.values() if one.label.casefold() == name.casefold()), None)

    def find_field(self, module: Module, spec: FieldSpec) -> Field | None:
        """Return the field of the module that was made, or can be adopted, for this one of the mapping; else None."""
        known = self.fields.get(module.id, {}).get(spec.label)
        if known and (by_id := next((one for one in module.fields.values() if one.id == known), None)):
            return by_id
        derived = module.fields.get(derived_api_name(spec.label))
        if derived is not None and derived.custom and objection(derived, spec) in {None, READ_ONLY}:
            return derived
        return by_label(module, spec.label)

    def named(self, module: Module, name: str) -> Field | None:
        """Return the field that the settings name by its API name or its label; else None."""
        known = self.fields.get(module.id, {}).get(name)
        by_id = next((one for one in module.fields.values() if known and one.id == known), None)
        return by_id or module.fields.get(name) or by_label(module, name)

    def only_listed(self, listed: Mapping[str, Listing]) -> Identities:
        """Return these identities without the modules that are not listed any more, as if they had never been there."""
        ids = {one.id for one in listed.values()}
        return replace(self, modules={name: id_ for name, id_ in self.modules.items() if id_ in ids})

    def is_gone(self, module: Module, label: str) -> bool:
        """Whether the field was there once and is not any more."""
        known = self.fields.get(module.id, {}).get(label)
        return known is not None and all(one.id != known for one in module.fields.values())

    def is_unused(self, module: Module, label: str) -> bool:
        """Whether the field is there, and in no layout."""
        return self.fields.get(module.id, {}).get(label) in module.unused

    def learned(
        self, modules: Mapping[str, Module], found: Mapping[str, Mapping[str, Field]], pipeline: str = ""
    ) -> Identities:
        """Return these identities with what was found now.

        Args:
            modules: name in the settings → the module.
            found: name in the settings → label → the field.
            pipeline: id of the pipeline that deals go into although no setting names it; empty for none.
        """
        fields: dict[str, Mapping[str, str]] = dict(self.fields)
        for name, module in modules.items():
            if module.id:
                ids = {label: one.id for label, one in found.get(name, {}).items() if one.id}
                fields[module.id] = {**fields.get(module.id, {}), **ids}
        ids_of_modules = {name: module.id for name, module in modules.items() if module.id}
        return Identities({**self.modules, **ids_of_modules}, fields, pipeline or self.pipeline)

    def as_document(self) -> dict[str, Any]:
        """Return them as JSON."""
        fields = {id_: dict(labels) for id_, labels in self.fields.items()}
        return {"modules": dict(self.modules), "fields": fields, "pipeline": self.pipeline}


def by_label(module: Module, label: str) -> Field | None:
    """Return the field of that label, in upper or lower case; one of the organization's own before Zoho's."""
    found: Iterable[Field] = (one for one in module.fields.values() if one.label.casefold() == label.casefold())
    return min(found, key=lambda one: not one.custom, default=None)


def objection(field: Field, spec: FieldSpec) -> str | None:
    """Return why the field cannot take what the mapping has for it, as the end of a sentence; None if it can."""
    if field.data_type != spec.data_type and field.data_type not in USABLE_TYPES.get(spec.data_type, ()):
        return f"is of type {field.data_type} and has to be {spec.data_type}"
    if field.read_only:
        return READ_ONLY
    if spec.lookup_module and field.lookup_module != spec.lookup_module:
        return f"points to {field.lookup_module} and has to point to {spec.lookup_module}"
    return None


def derived_api_name(label: str) -> str:
    """Return the API name that Zoho gives to what is made with a label: words joined by underscores."""
    return re.sub(r"\s+", "_", re.sub(r"[^0-9A-Za-z\s]", "", label).strip())
