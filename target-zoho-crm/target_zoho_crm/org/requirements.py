"""What the target needs of an organization, beside what is there: decided without a network.

Runs, dry runs, `freshbooks-zoho setup` and `doctor` all go by this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_zoho_crm.api.limits import MODULE_CREDITS
from target_zoho_crm.org.fields import FieldPlan, FieldSpec, ModuleSpec, plan_fields
from target_zoho_crm.org.organization import Field, Module

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_zoho_crm.org.organization import Organization

FIELDS_PER_CALL = 5
READ_BACK = 1
"""Calls that see what has been created; each costs a credit."""
AROUND_A_MODULE = 3
"""Calls around the creation of a module: the profiles that it is opened to, the list of modules, its fields."""

EDITIONS_WITH_MODULES = frozenset({"enterprise", "zohoone", "ultimate", "crmplus"})
"""Where the API may create a module (the page "Create Custom Module"); elsewhere every run would ask in vain."""

CUSTOM_FIELDS = {"free": 0, "standard": 10, "professional": 155, "enterprise": 300, "ultimate": 500}
"""Custom fields of a module by edition (the page "Create Custom Fields", which says nothing of the free one)."""


@dataclass(frozen=True)
class Provisioned:
    """A module ready to be written to."""

    module: Module
    """As it is now, created fields included."""
    fields: Mapping[str, Field]
    """The wanted fields by the label of their `FieldSpec`."""
    created: tuple[str, ...] = ()
    """Labels of the fields created now."""
    key_unique: bool = True
    """Whether every field that should be unique is; if not, records are looked up and written by id, not upserted."""

    @property
    def api_name(self) -> str:
        """The module's API name."""
        return self.module.api_name


@dataclass(frozen=True)
class Creation:
    """What is to be created in one module.

    Attributes:
        module: its label, or API name.
        fields: as they are asked for.
        credits: what it costs, with the calls that see what has become of it.
        is_new: whether the module itself is created, too.
    """

    module: str
    fields: tuple[FieldSpec, ...]
    credits: int
    is_new: bool = False

    def __str__(self) -> str:
        """Give it in words."""
        labels = ", ".join(one.label for one in self.fields)
        if self.is_new:
            return f"the module {self.module!r} with {labels} ({self.credits} credits)"
        return f"in {self.module}: {labels} ({self.credits} credits)"


@dataclass(frozen=True)
class Requirement:
    """A module that is needed, beside what there is of it.

    Attributes:
        spec: what is needed.
        module: as it is; None where there is none.
        plan: which fields are there and which are not; of a missing module all are missing.
        problem: a sentence, where a person has to put something right first.
        unavailable: a sentence, where this organization has to do without the module.
    """

    spec: ModuleSpec
    module: Module | None
    plan: FieldPlan
    problem: str | None = None
    unavailable: str | None = None

    @property
    def creation(self) -> Creation | None:
        """What is to be created; None for nothing."""
        if self.unavailable or not self.plan.missing:
            return None
        calls = -(-len(self.plan.missing) // FIELDS_PER_CALL) + READ_BACK
        if self.module is None:
            cost = MODULE_CREDITS + AROUND_A_MODULE + calls
            return Creation(self.spec.name, self.plan.missing, cost, is_new=True)
        return Creation(self.module.api_name, self.plan.missing, calls)

    def expected(self, organization: Organization) -> Provisioned:
        """Give the module as it will be; fields that are yet to be created get the names that Zoho usually gives."""
        fields = {**self.plan.present, **{one.label: _future(one) for one in self.plan.missing}}
        return Provisioned(self.module or _future_module(self.spec, organization.currencies), fields)


def requirements(organization: Organization, wanted: Sequence[ModuleSpec]) -> list[Requirement]:
    """Compare what is wanted with what the organization has; its modules that are there have been read."""
    return [_requirement(organization, spec) for spec in wanted]


def _requirement(organization: Organization, spec: ModuleSpec) -> Requirement:
    module = organization.modules.get(organization.find(spec.name) or "")
    plan = plan_fields(module or _future_module(spec), spec.fields)
    problem = unavailable = None
    if plan.unusable:
        problem = "In Zoho, " + "; ".join(plan.unusable) + ". Rename or remove it, so that the right one fits."
    if module is None and spec.singular is None:
        problem = (
            f"There is no module {spec.name!r} in Zoho, or the user who gave the consent may not see it; name one by "
            "its API name or its label (invoices_module, payments_module)."
        )
    elif module is None and organization.edition not in EDITIONS_WITH_MODULES:
        unavailable = (
            f"There is no module {spec.name!r}, and Zoho creates modules through its API only from the Enterprise "
            "edition on; where the edition has custom modules, create it by hand (Zoho CRM, Setup, Modules and Fields)."
        )
    return Requirement(spec, module, plan, problem, unavailable)


def missing_in_words(found: Iterable[Requirement]) -> str:
    """Name everything that is to be created, with types; empty for nothing."""
    return "; ".join(
        (f"in {one.module.api_name}, the fields " if one.module else f"the module {one.spec.name!r} with the fields ")
        + ", ".join(
            f"{field.label!r} ({field.data_type}{', unique' if field.unique else ''})" for field in one.plan.missing
        )
        for one in found
        if one.creation
    )


def _future_module(spec: ModuleSpec, currencies: Collection[str] | None = None) -> Module:
    """Describe a module that is yet to be created, with what Zoho itself puts into it."""
    fields = [Field("Name", name_label(spec), "text", length=120, mandatory=True)]
    if currencies is not None:
        fields.append(Field("Currency", "Currency", "picklist", picklist=tuple(sorted(currencies))))
    return Module(spec.name.replace(" ", "_"), spec.name, {one.api_name: one for one in fields})


def name_label(spec: ModuleSpec) -> str:
    """Give the label of the field with the names of a new module's records."""
    return f"{spec.singular or spec.name} Name"[:25].strip()


def _future(spec: FieldSpec) -> Field:
    """Describe a field that is yet to be created."""
    places = spec.decimal_places if spec.data_type == "currency" else None
    return Field(
        spec.label.replace(" ", "_"), spec.label, spec.data_type, spec.length, places,
        unique=spec.unique, custom=True, lookup_module=spec.lookup_module,
    )  # fmt: skip
