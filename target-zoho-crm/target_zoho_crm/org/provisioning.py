"""Fields and modules that the target needs: what is missing is created, and read back under the names Zoho gave.

Nothing here trusts an answer: after each round of creating, the module is read again, and only what is still missing
counts as refused. So an answer that is lost, or another process that does the same at the same time, does no harm: Zoho
refuses a second field, or module, of a label (DUPLICATE_DATA).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.answers import PERMISSION_CODES, SAFE_DETAILS
from target_zoho_crm.api.auth import safe_code
from target_zoho_crm.api.coql import chunks
from target_zoho_crm.errors import (
    ConfigurationError,
    LostAnswerError,
    PermissionDeniedError,
    RequestError,
    UnavailableError,
)
from target_zoho_crm.org.fields import FieldPlan, FieldSpec, ModuleSpec, describe, plan_fields
from target_zoho_crm.org.organization import find_module, read_labels, read_module
from target_zoho_crm.org.requirements import (
    FIELDS_PER_CALL,
    Provisioned,
    Requirement,
    missing_in_words,
    name_label,
    requirements,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.organization import Module, Organization

ROUNDS = 4
"""How often creating and reading back is tried before giving up."""

LIMIT_CODES = frozenset({"LIMIT_EXCEEDED", "LIMIT_REACHED", "LICENSE_LIMIT_EXCEEDED"})
DUPLICATE_CODES = frozenset({"DUPLICATE_DATA"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provision:
    """Every module asked for, by `ModuleSpec.name`."""

    modules: Mapping[str, Provisioned]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Why a module could not be created, as a sentence, by `ModuleSpec.name`."""


@dataclass(frozen=True)
class _Refusal:
    """Why Zoho did not create something."""

    code: str
    details: Mapping[str, Any]

    def __str__(self) -> str:
        known = [f"{name} {str(self.details[name])[:80]}" for name in SAFE_DETAILS if name in self.details]
        return ", ".join([safe_code(self.code), *known])


def provision(
    client: ZohoClient,
    organization: Organization,
    wanted: Sequence[ModuleSpec],
    *,
    create_fields: bool = True,
) -> Provision:
    """Create the fields and modules that are missing, and give every wanted field as Zoho has it.

    A module that the organization cannot have, or that Zoho refuses to create, is in `unavailable`.

    Raises:
        ConfigurationError: if something is missing and `create_fields` is false (nothing is written then), a field is
            there with another type, or Zoho refuses to create one.
        PermissionDeniedError: if the user may not create fields.
        UnavailableError: if what was created does not show.
    """
    found = requirements(_with_modules(client, organization, wanted), wanted)
    _check(found, create_fields=create_fields)
    unavailable = {one.spec.name: one.unavailable for one in found if one.unavailable}

    def provided(one: Requirement) -> Provisioned | None:
        module = one.module
        if module is None and one.unavailable is None:
            module = _create_module(client, one.spec, unavailable)
        return _complete(client, module, one.spec) if module is not None else None

    # The modules at once: each takes several calls, of which the next needs what the last one gave.
    given = zip(found, client.map(provided, found), strict=True)
    return Provision({one.spec.name: module for one, module in given if module is not None}, unavailable)


def _with_modules(client: ZohoClient, organization: Organization, wanted: Sequence[ModuleSpec]) -> Organization:
    """Read those of the wanted modules that are there and were not read yet."""
    names = {organization.find(spec.name) for spec in wanted} - organization.modules.keys() - {None}
    read = {name: read_module(client, name, organization.labels[name]) for name in sorted(filter(None, names))}
    return replace(organization, modules={**organization.modules, **read}) if read else organization


def _check(found: Sequence[Requirement], *, create_fields: bool) -> None:
    """Stop before the first write if a person has to do something."""
    problems = [one.problem for one in found if one.problem]
    if problems:
        raise ConfigurationError(" ".join(problems))
    missing = missing_in_words(found)
    if missing and not create_fields:
        raise ConfigurationError(
            f"create_fields is false, and Zoho lacks {missing}. Create them with `freshbooks-zoho setup`, or by hand, "
            "or set create_fields."
        )


def _complete(client: ZohoClient, module: Module, spec: ModuleSpec) -> Provisioned:
    """Create a module's missing fields, a few a call, until reading the module shows them all."""
    created: set[str] = set()
    not_unique: set[str] = set()
    for _ in range(ROUNDS):
        plan = plan_fields(module, spec.fields, not_unique=not_unique)
        if not plan.missing:
            return _provisioned(module, spec, plan, created)
        if plan.downgraded:
            logger.warning(
                "%s has two unique fields already, so %s will not be unique; records are looked up before each write",
                module.api_name,
                ", ".join(plan.downgraded),
            )
        refusals: dict[str, _Refusal] = {}
        for some in chunks(plan.missing, FIELDS_PER_CALL):
            refusals |= _create_fields(client, module, some)
        created |= {one.label for one in plan.missing} - refusals.keys()
        module = read_module(client, module.api_name, module.label)
        still_missing = {one.label for one in plan_fields(module, spec.fields).missing}
        for one in plan.missing:
            if one.label in refusals and one.label in still_missing:
                if not one.unique or refusals[one.label].code not in LIMIT_CODES:
                    _refuse(module, one, refusals[one.label])
                not_unique.add(one.label)
    hidden = ", ".join(repr(one.label) for one in plan_fields(module, spec.fields).missing)
    raise UnavailableError(
        f"Zoho does not show the fields of {module.api_name} that it was asked to create ({hidden}): where one is "
        "among the module's unused fields (Zoho CRM, Setup, Modules and Fields), put it into the layout; otherwise run "
        "again in a few minutes."
    )


def _provisioned(module: Module, spec: ModuleSpec, plan: FieldPlan, created: set[str]) -> Provisioned:
    if created:
        logger.info("created in %s: %s", module.api_name, ", ".join(sorted(created)))
    return Provisioned(
        module,
        plan.present,
        tuple(one.label for one in spec.fields if one.label in created),
        all(plan.present[one.label].unique for one in spec.fields if one.unique),
    )


def _create_fields(client: ZohoClient, module: Module, specs: Sequence[FieldSpec]) -> dict[str, _Refusal]:
    """Ask for up to five fields; give the refusals by label. A label that is there already is none."""
    body = {"fields": [describe(spec, module.label) for spec in specs]}
    try:
        answer = client.request("POST", "settings/fields", params={"module": module.api_name}, json=body)
    except LostAnswerError:
        return {}
    except RequestError as error:
        return {spec.label: _Refusal(error.code, error.details) for spec in specs if error.code not in DUPLICATE_CODES}
    results = (answer.body or {}).get("fields") or []
    return {
        spec.label: _Refusal(str(result.get("code")), result.get("details") or {})
        for spec, result in zip(specs, results, strict=False)
        if result.get("status") != "success" and result.get("code") not in DUPLICATE_CODES
    }


def _refuse(module: Module, spec: FieldSpec, refusal: _Refusal) -> None:
    where = f"the field {spec.label!r} ({spec.data_type}) in {module.api_name}"
    if refusal.code in PERMISSION_CODES:
        raise PermissionDeniedError(
            f"The Zoho user who gave the consent may not create {where} ({refusal}): grant the profile Module "
            "Customization (Zoho CRM, Setup, Security Control, Profiles), or give consent as an administrator."
        )
    if refusal.code in LIMIT_CODES:
        raise ConfigurationError(
            f"Zoho refuses {where}, for the module has as many custom fields as the edition allows ({refusal}): remove "
            "some, or move to a larger edition."
        )
    raise ConfigurationError(f"Zoho refuses to create {where} ({refusal}); create it by hand and run again.")


def _create_module(client: ZohoClient, spec: ModuleSpec, unavailable: dict[str, str]) -> Module | None:
    """Create a module (500 credits); give None and note the reason if Zoho refuses."""
    for _ in range(ROUNDS):
        refusal = _ask_for_module(client, spec)
        labels = read_labels(client)
        api_name = find_module(labels, spec.name)
        if api_name is not None:
            logger.info("created the module %s", api_name)
            return read_module(client, api_name, labels[api_name])
        if refusal is not None:
            unavailable[spec.name] = (
                f"Zoho refuses to create the module {spec.name!r} ({refusal}); create it by hand (Zoho CRM, Setup, "
                "Modules and Fields), or grant the user who gave the consent the permission to."
            )
            return None
    raise UnavailableError(
        f"Zoho does not show the module {spec.name!r} that it was asked to create; run again in a few minutes."
    )


def _ask_for_module(client: ZohoClient, spec: ModuleSpec) -> _Refusal | None:
    """Ask for a module, open to the profiles that may see Deals (the page "Create Custom Module")."""
    body: dict[str, Any] = {
        "plural_label": spec.name,
        "singular_label": spec.singular or spec.name,
        "api_name": spec.name.replace(" ", "_"),
        "display_field": {"field_label": name_label(spec), "data_type": "text"},
    }
    if profiles := _profiles(client):
        body["profiles"] = [{"id": profile} for profile in profiles]
    try:
        answer = client.request("POST", "settings/modules", json={"modules": [body]})
    except LostAnswerError:
        return None
    except PermissionDeniedError:
        return _Refusal("NO_PERMISSION", {})
    except RequestError as error:
        return _Refusal(error.code, error.details)
    result: dict[str, Any] = next(iter((answer.body or {}).get("modules") or []), {})
    if result.get("status") == "success" or result.get("code") in DUPLICATE_CODES:
        return None
    return _Refusal(str(result.get("code")), result.get("details") or {})


def _profiles(client: ZohoClient) -> list[str]:
    """Give the ids of the profiles that may see Deals, which a new module has to name."""
    body = client.request("GET", "settings/modules").body or {}
    deals: dict[str, Any] = next((one for one in body.get("modules") or [] if one.get("api_name") == "Deals"), {})
    return [str(profile["id"]) for profile in deals.get("profiles") or () if profile.get("id")]
