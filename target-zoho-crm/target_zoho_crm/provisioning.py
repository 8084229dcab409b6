"""Fields and modules that the target needs: what is missing is created, and read back under the names Zoho gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_zoho_crm.client import ZohoClient
    from target_zoho_crm.organization import Field, Module, Organization


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
    """One sentence for each field that is there with another type than is needed."""
    downgraded: tuple[str, ...] = ()
    """Labels of the missing fields that cannot be unique any more."""


@dataclass(frozen=True)
class Provisioned:
    """A module ready to be written to."""

    module: Module
    """As it is now, created fields included."""
    fields: Mapping[str, Field]
    """The wanted fields by the label of their `FieldSpec`."""
    created: tuple[str, ...] = ()
    """Labels of the fields created now."""

    @property
    def api_name(self) -> str:
        """The module's API name."""
        return self.module.api_name


@dataclass(frozen=True)
class Provision:
    """Every module asked for, by `ModuleSpec.name`."""

    modules: Mapping[str, Provisioned]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Why a module could not be created, as a sentence, by `ModuleSpec.name`."""


def plan_fields(module: Module, wanted: Sequence[FieldSpec]) -> FieldPlan:
    """Compare what a module has with what is wanted."""
    raise NotImplementedError


def provision(
    client: ZohoClient,
    organization: Organization,
    wanted: Sequence[ModuleSpec],
    *,
    create_fields: bool = True,
) -> Provision:
    """Create the fields and modules that are missing, and give every wanted field as Zoho has it.

    A field whose key could not be unique (`Provisioned.fields[label].unique` is false) is no key for an upsert: such
    records are looked up with COQL and then inserted or updated by id.

    Raises:
        ConfigurationError: if something is missing and `create_fields` is false (nothing is written then), or a field is
            there with another type.
        PermissionDeniedError: if the user may not create fields.
    """
    raise NotImplementedError
