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
    ZohoError,
)
from target_zoho_crm.mapping.tables import KEY
from target_zoho_crm.org.fields import FieldPlan, describe, plan_fields
from target_zoho_crm.org.identity import Identities, derived_api_name
from target_zoho_crm.org.model import Listing
from target_zoho_crm.org.organization import read_listed, read_module
from target_zoho_crm.org.requirements import FIELDS_PER_CALL, Refused, Requirement, missing_in_words, name_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.metadata import FieldSpec
    from target_zoho_crm.org.fields import ModuleSpec
    from target_zoho_crm.org.model import Module

ROUNDS = 4
"""How often creating and reading back is tried before giving up."""

LIMIT_CODES = frozenset({"LIMIT_EXCEEDED", "LIMIT_REACHED", "LICENSE_LIMIT_EXCEEDED", "FIELD_LIMIT_EXCEEDED"})
DUPLICATE_CODES = frozenset({"DUPLICATE_DATA"})

logger = logging.getLogger("target-zoho-crm")


@dataclass(frozen=True)
class _Refusal:
    """Why Zoho did not create something."""

    code: str
    details: Mapping[str, Any]
    denial: str = ""
    """What is to be granted, where it is a permission that is missing."""

    def __str__(self) -> str:
        known = [f"{name} {str(self.details[name])[:80]}" for name in SAFE_DETAILS if name in self.details]
        return ", ".join([safe_code(self.code), *known])

    def without(self, module: Module, spec: FieldSpec) -> str:
        """Return what to say of a field that is done without.

        Raises:
            ConfigurationError: if it is the one of the FreshBooks ID.
            PermissionDeniedError: likewise, for want of a permission.
        """
        error = self._error(module, spec)
        if spec.label == KEY:
            raise error
        return str(error)

    def _error(self, module: Module, spec: FieldSpec) -> ZohoError:
        where = f"the field {spec.label!r} ({spec.data_type}) in {module.api_name}"
        if self.code in PERMISSION_CODES:
            return PermissionDeniedError(
                f"The Zoho user who gave the consent may not create {where} ({self}): grant the profile Module "
                "Customization (Zoho CRM, Setup, Security Control, Profiles), or give consent as an administrator. "
                f"{self.denial}".strip()
            )
        if self.code in LIMIT_CODES:
            return ConfigurationError(
                f"Zoho refuses {where}, for the module has as many custom fields as the edition allows ({self}): "
                "remove some, or move to a larger edition."
            )
        if self.code in DUPLICATE_CODES:
            return ConfigurationError(
                f"Zoho has {where} and does not show it: put it into the layout, where it is among the module's unused "
                "fields (Zoho CRM, Setup, Modules and Fields), or let the user's profile see it."
            )
        return ConfigurationError(f"Zoho refuses to create {where} ({self}); create it by hand and run again.")


@dataclass(frozen=True)
class Provisioned:
    """What came of creating.

    Attributes:
        created: labels of the fields that were made, by `ModuleSpec.name`.
        refused: what Zoho would not make, and the sync can do without.
    """

    created: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Refused = field(default_factory=Refused)


def provision(
    client: ZohoClient,
    found: Sequence[Requirement],
    identities: Identities | None = None,
    *,
    create_fields: bool = True,
) -> Provisioned:
    """Create the fields and modules that are missing.

    Args:
        client: the organization's API.
        found: what is needed, beside what is there.
        identities: by which modules and fields are known.
        create_fields: whether anything may be created.

    Raises:
        ConfigurationError: if something is missing and `create_fields` is false (nothing is written then), a field is
            there with another type, or Zoho refuses to create the field of the FreshBooks ID.
        PermissionDeniedError: if the user may not create fields.
        UnavailableError: if what was created does not show.
    """
    _check(found, create_fields=create_fields)
    known = identities or Identities()
    missing = [one for one in found if one.creation]
    there = [one for one in missing if one.module]
    # A new module comes last: its credits are spent only if nothing of the others stops the run.
    parts = client.map(lambda one: _provide(client, one, known), there)
    parts += [_provide(client, one, known) for one in missing if one not in there]
    created: dict[str, tuple[str, ...]] = {}
    refused = Refused()
    for part in parts:
        created.update(part.created)
        refused |= part.refused
    return Provisioned(created, refused)


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


def _provide(client: ZohoClient, required: Requirement, known: Identities) -> Provisioned:
    """Create what one module lacks. It takes several calls, of which the next needs what the last one gave."""
    module = required.module
    if module is None:
        made = _create_module(client, required.spec, known)
        if isinstance(made, str):
            return Provisioned(refused=Refused(modules={required.spec.name: made}))
        module = made
    created, refused = _complete(client, module, required, known)
    fields = {required.spec.name: refused} if refused else {}
    return Provisioned({required.spec.name: created}, Refused(fields=fields))


def _complete(
    client: ZohoClient, module: Module, required: Requirement, known: Identities
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Create a module's missing fields, a few a call, until reading the module shows them all.

    Returns:
        The labels of those that were created, and why others were not, by label.
    """
    created: dict[str, None] = {}
    not_unique: set[str] = set()
    without: dict[str, str] = dict(required.plan.refused)

    def compare() -> FieldPlan:
        return plan_fields(module, required.spec.fields, identities=known, refused=without, not_unique=not_unique)

    for _ in range(ROUNDS):
        plan = compare()
        if not plan.missing:
            labels = tuple(label for label in created if label in plan.present)
            if labels:
                logger.info("created in %s: %s", module.api_name, ", ".join(labels))
            return labels, {label: why for label, why in without.items() if label not in plan.present}
        refusals: dict[str, _Refusal] = {}
        for some in chunks(plan.missing, FIELDS_PER_CALL):
            refusals |= _create_fields(client, module, some)
        created.update(dict.fromkeys(spec.label for spec in plan.missing if spec.label not in refusals))
        again = read_module(client, Listing(module.api_name, module.label, module.id))
        module = replace(again, unused=module.unused)
        missing = {spec.label for spec in compare().missing}
        for spec in plan.missing:
            refusal = refusals.get(spec.label)
            if refusal is None or spec.label not in missing:
                continue
            if spec.unique and refusal.code in LIMIT_CODES:
                not_unique.add(spec.label)
            else:
                without[spec.label] = refusal.without(module, spec)
    hidden = ", ".join(repr(spec.label) for spec in compare().missing)
    raise UnavailableError(
        f"Zoho does not show the fields of {module.api_name} that it was asked to create ({hidden}); run again in a "
        "few minutes."
    )


def _create_fields(client: ZohoClient, module: Module, specs: Sequence[FieldSpec]) -> dict[str, _Refusal]:
    """Ask for up to five fields, and return the refusals by label."""
    body = {"fields": [describe(spec, module.label) for spec in specs]}
    try:
        answer = client.request("POST", "settings/fields", params={"module": module.api_name}, json=body)
    except LostAnswerError:
        return {}
    except PermissionDeniedError as error:
        return {spec.label: _Refusal("NO_PERMISSION", {}, str(error)) for spec in specs}
    except RequestError as error:
        return {spec.label: _Refusal(error.code, error.details) for spec in specs}
    results = (answer.body or {}).get("fields") or []
    return {
        spec.label: _Refusal(str(result.get("code")), result.get("details") or {})
        for spec, result in zip(specs, results, strict=False)
        if result.get("status") != "success"
    }


def _create_module(client: ZohoClient, spec: ModuleSpec, known: Identities) -> Module | str:
    """Create a module (500 credits); return it, or why Zoho refuses.

    It is asked for again only where an answer was lost and the module is not there: whether a refusal costs its
    credits, too, is not known. That it exists already, under another label, is no refusal if it can be found.
    """
    refusal: _Refusal | None = None
    for _ in range(ROUNDS):
        refusal = _ask_for_module(client, spec)
        listed = read_listed(client)
        api_name = known.find_module(listed, spec.name) or known.find_module(listed, derived_api_name(spec.name))
        if api_name is not None:
            logger.info("created the module %s", api_name)
            return read_module(client, listed[api_name])
        if refusal is not None:
            break
    else:
        raise UnavailableError(
            f"Zoho does not show the module {spec.name!r} that it was asked to create; run again in a few minutes."
        )
    if refusal.code in DUPLICATE_CODES:
        return (
            f"Zoho says that the module {spec.name!r} exists ({refusal}), and does not show it: let the user who gave "
            "the consent see it (Zoho CRM, Setup, Modules and Fields, its permissions), or name another module with "
            "the setting payments_module."
        )
    return (
        f"Zoho refuses to create the module {spec.name!r} ({refusal}): create it by hand (Zoho CRM, Setup, Modules and "
        "Fields), where the edition has custom modules, grant the user who gave the consent the permission to, or do "
        "without (set payments_module to none)."
    )


def _ask_for_module(client: ZohoClient, spec: ModuleSpec) -> _Refusal | None:
    """Ask for a module, open to the profiles that may see Deals (the page "Create Custom Module")."""
    body: dict[str, Any] = {
        "plural_label": spec.name,
        "singular_label": spec.singular or spec.name,
        "api_name": derived_api_name(spec.name),
        "display_field": {"field_label": name_label(spec), "data_type": "text"},
    }
    if profiles := _profiles(client):
        body["profiles"] = [{"id": profile} for profile in profiles]
    try:
        answer = client.request("POST", "settings/modules", json={"modules": [body]})
    except LostAnswerError:
        return None
    except PermissionDeniedError as error:
        return _Refusal("NO_PERMISSION", {}, str(error))
    except RequestError as error:
        return _Refusal(error.code, error.details)
    result: dict[str, Any] = next(iter((answer.body or {}).get("modules") or []), {})
    if result.get("status") == "success":
        return None
    return _Refusal(str(result.get("code")), result.get("details") or {})


def _profiles(client: ZohoClient) -> list[str]:
    """Return the ids of the profiles that may see Deals, which a new module has to name."""
    body = client.request("GET", "settings/modules").body or {}
    deals: dict[str, Any] = next((one for one in body.get("modules") or [] if one.get("api_name") == "Deals"), {})
    return [str(profile["id"]) for profile in deals.get("profiles") or () if profile.get("id")]
