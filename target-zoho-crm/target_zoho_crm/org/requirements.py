"""What the target needs of an organization, beside what is there: decided without a network.

Runs, dry runs, `freshbooks-zoho setup` and `doctor` all go by this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.limits import MODULE_CREDITS
from target_zoho_crm.mapping.metadata import Choice, Field, FieldSpec
from target_zoho_crm.mapping.tables import KEY
from target_zoho_crm.org.fields import DECIMALS, FieldPlan, ModuleSpec, plan_fields
from target_zoho_crm.org.identity import Identities, derived_api_name
from target_zoho_crm.org.model import Module

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_zoho_crm.org.model import Organization

ACCOUNTS = "Accounts"
FIELDS_PER_CALL = 5
READ_BACK = 1
"""Calls that see what has been created; each costs a credit."""
AROUND_A_MODULE = 3
"""Calls around the creation of a module: the profiles that it is opened to, the list of modules, its fields."""

CUSTOM_MODULES = {"free": 0, "standard": 10, "professional": 25, "enterprise": 200, "ultimate": 500}
CUSTOM_FIELDS = {"free": 0, "standard": 10, "professional": 155, "enterprise": 300, "ultimate": 500}
"""Custom modules, and custom fields of a module, by edition. Zoho's pages differ, and move: these are for a hint in a
sentence, never a reason not to ask Zoho (the pages "Create Custom Module" and "Create Custom Fields")."""


@dataclass(frozen=True)
class Refused:
    """What Zoho would not make when it was asked last, and so is not asked for again in every run.

    Attributes:
        modules: why, as a sentence, by `ModuleSpec.name`.
        fields: why, as a sentence, by label, by `ModuleSpec.name`.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was refused."""
        return bool(self.modules or self.fields)

    def __or__(self, later: Refused) -> Refused:
        """Return these refusals with later ones."""
        names = dict.fromkeys((*self.fields, *later.fields))
        fields = {name: {**self.fields.get(name, {}), **later.fields.get(name, {})} for name in names}
        return Refused({**self.modules, **later.modules}, fields)

    def as_document(self) -> dict[str, Any]:
        """Return them as JSON."""
        return {"modules": dict(self.modules), "fields": {name: dict(labels) for name, labels in self.fields.items()}}


@dataclass(frozen=True)
class Creation:
    """What is to be created in one module.

    Attributes:
        module: its label, or API name.
        fields: as they are asked for.
        credits: what it costs, with the calls that see what has become of it.
        is_new: whether the module itself is created, too.
        again: labels of the fields that were there once, and have been deleted since.
    """

    module: str
    fields: tuple[FieldSpec, ...]
    credits: int
    is_new: bool = False
    again: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it in words."""
        labels = ", ".join(
            f"{one.label} (again, for it was deleted)" if one.label in self.again else one.label for one in self.fields
        )
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
    def name(self) -> str:
        """The module's API name; what it is called in the settings where it is not there."""
        return self.module.api_name if self.module else self.spec.name

    @property
    def creation(self) -> Creation | None:
        """What is to be created; None for nothing."""
        if self.unavailable or not self.plan.missing:
            return None
        calls = -(-len(self.plan.missing) // FIELDS_PER_CALL) + READ_BACK
        if self.module is None:
            cost = MODULE_CREDITS + AROUND_A_MODULE + calls
            return Creation(self.spec.name, self.plan.missing, cost, is_new=True)
        return Creation(self.module.api_name, self.plan.missing, calls, again=self.plan.gone)

    def expected(self, organization: Organization) -> Module:
        """Return the module as it will be: fields that are yet to be created get the names that Zoho usually gives."""
        return self.module or _future_module(self.spec, organization.currencies)

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields by label, as they are or will be; those that are done without are left out."""
        return {**self.plan.present, **{one.label: _future(one) for one in self.plan.missing}}


def requirements(
    organization: Organization,
    wanted: Sequence[ModuleSpec],
    identities: Identities | None = None,
    refused: Refused | None = None,
) -> list[Requirement]:
    """Compare what is wanted with what the organization has; its modules that are there have been read."""
    known, without = identities or Identities(), refused or Refused()
    return [_requirement(organization, spec, known, without) for spec in wanted]


def _requirement(organization: Organization, spec: ModuleSpec, known: Identities, refused: Refused) -> Requirement:
    module = organization.modules.get(known.find_module(organization.listed, spec.name) or "")
    plan = plan_fields(
        module or _future_module(spec), spec.fields, identities=known, refused=refused.fields.get(spec.name)
    )
    problem = unavailable = None
    if plan.unusable:
        problem = "In Zoho, " + "; ".join(plan.unusable) + ". Rename or remove it, so that the right one fits."
    if KEY in plan.refused:
        problem = f"{plan.refused[KEY]} Without that field nothing can be synced."
    if KEY in plan.unused:
        problem = (
            f"The field {KEY!r} of {spec.name} is among the module's unused fields: put it into the layout again (Zoho "
            f"CRM, Setup, Modules and Fields, {spec.name}, Layouts). Without that field nothing can be synced."
        )
    if module is None and spec.name == ACCOUNTS:
        problem = (
            "This Zoho organization has no module Accounts, which clients go to: it sells to persons only (B2C), or "
            "the user who gave the consent may not see it. Show the module (Zoho CRM, Setup, Modules and Fields), or "
            "let the user's profile see it."
        )
    elif module is None and spec.singular is None:
        problem = (
            f"There is no module {spec.name!r} in Zoho, or the user who gave the consent may not see it; name one by "
            "its API name or its label (invoices_module, payments_module)."
        )
    elif module is None and spec.name in known.modules:
        unavailable = (
            f"The module {spec.name!r} is not there any more: it was deleted, or the profile of the user who gave the "
            "consent may not see it. Let the profile see it, or make it again with `freshbooks-zoho setup`."
        )
    elif module is None:
        unavailable = refused.modules.get(spec.name)
    return Requirement(spec, module, plan, problem, unavailable)


def left_out(one: Requirement) -> list[str]:
    """Return which fields of a module the sync does without, a sentence for each reason."""
    if one.unavailable or one.problem:
        return []
    plan, said = one.plan, []
    if plan.refused:
        said.append(f"{one.name} does without {', '.join(plan.refused)}: {next(iter(plan.refused.values()))}")
    if plan.unused:
        said.append(
            f"{one.name} does without {', '.join(plan.unused)}, among its unused fields now: to have them filled "
            f"again, put them into the layout (Zoho CRM, Setup, Modules and Fields, {one.name}, Layouts)."
        )
    if plan.read_only:
        said.append(
            f"{one.name} does without {', '.join(plan.read_only)}, which the user who gave the consent may not write: "
            "to have them filled, allow it in the user's profile (Zoho CRM, Setup, Security Control, Profiles)."
        )
    return said


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


def shortage(one: Requirement, organization: Organization) -> list[str]:
    """Return a sentence if Zoho may refuse what is to be created, because the edition is known for less room."""
    creation, edition = one.creation, organization.edition
    if creation is None:
        return []
    custom = sum(listing.custom for listing in organization.listed.values())
    modules = CUSTOM_MODULES.get(edition)
    if creation.is_new and modules is not None and custom >= modules:
        sentence = (
            f"The edition {edition} is known to allow {modules} custom modules, and there are {custom}: Zoho may "
            f"refuse the module {creation.module!r}, and payments then show on their deals only."
        )
        return [sentence]
    there = sum(field.custom for field in one.module.fields.values()) if one.module else 0
    allowed = CUSTOM_FIELDS.get(edition)
    if allowed is None or there + len(creation.fields) <= allowed:
        return []
    last = [spec.label for spec in creation.fields][max(allowed - there, 0) :]
    sentence = (
        f"{one.name} has {there} custom fields and needs {len(creation.fields)} more, while the edition {edition} is "
        f"known to allow {allowed}: Zoho may refuse some, and what is needed least is then left out "
        f"({', '.join(last)}); to have all, remove fields that nobody uses, or move to a larger edition."
    )
    return [sentence]


def _future_module(spec: ModuleSpec, currencies: Collection[str] | None = None) -> Module:
    """Describe a module that is yet to be created, with what Zoho itself puts into it."""
    fields = [Field("Name", name_label(spec), "text", length=120, mandatory=True)]
    if currencies is not None:
        choices = tuple(Choice(code) for code in sorted(currencies))
        fields.append(Field("Currency", "Currency", "picklist", choices=choices))
    return Module(derived_api_name(spec.name), spec.name, {one.api_name: one for one in fields})


def name_label(spec: ModuleSpec) -> str:
    """Return the label of the field with the names of a new module's records."""
    return f"{spec.singular or spec.name} Name"[:25].strip()


def _future(spec: FieldSpec) -> Field:
    """Describe a field that is yet to be created."""
    places = DECIMALS if spec.data_type == "currency" else None
    return Field(
        derived_api_name(spec.label), spec.label, spec.data_type, spec.length, places,
        unique=spec.unique, custom=True, lookup_module=spec.lookup_module,
    )  # fmt: skip
