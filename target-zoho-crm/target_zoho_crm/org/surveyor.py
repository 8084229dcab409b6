"""An organization is surveyed: from memory where that is good enough, else read and remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from target_zoho_crm.org.foreign import ask_foreign
from target_zoho_crm.org.identity import Identities
from target_zoho_crm.org.memory import Memory, Remembered
from target_zoho_crm.org.organization import ask_owner, describe_organization, organization_of
from target_zoho_crm.org.requirements import Refused
from target_zoho_crm.org.specs import module_names
from target_zoho_crm.org.survey import Survey, survey
from target_zoho_crm.org.unused import ask_unused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.metadata import Field
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.settings import Settings


@dataclass(frozen=True)
class Surveyor:
    """Surveys the organization that the settings lead to.

    Args:
        client: the organization's API.
        settings: of the target.
        memory: what is remembered; None for nothing.
        keeps: whether what is read is remembered.
    """

    client: ZohoClient
    settings: Settings
    memory: Memory | None = None
    keeps: bool = True

    def current(self) -> Survey:
        """Return the survey that is remembered, or else one that is read now.

        Raises:
            ZohoError: as `read` does.
            StoreError: if the store cannot be used.
        """
        return self.remembered() or self.read()

    def remembered(self) -> Survey | None:
        """Return the survey of an earlier run, if it is still good and has what the settings ask for; else None.

        Raises:
            ConfigurationError: if a setting names a module that cannot take the records.
            StoreError: if the store cannot be used.
        """
        kept = self.memory.survey() if self.memory else None
        if kept is None or kept.wanted != self._wanted:
            return None
        organization = organization_of(kept.described)
        self.client.set_edition(organization.edition)
        return self._at_home(survey(organization, self.settings, self._identities(organization), kept.refused))

    def fields(self, module: str) -> Iterable[Field]:
        """Return the fields of a module (its API name) as the last run knew them; none where that is too long ago.

        Raises:
            StoreError: if the store cannot be used.
        """
        found = self.remembered()
        there = found.organization.modules.get(module) if found else None
        return there.fields.values() if there else ()

    def read(self, refused: Refused | None = None, *, anew: bool = False, new_keys: Collection[str] = ()) -> Survey:
        """Read the organization.

        Args:
            refused: what Zoho has just refused to make; None for what is remembered of that.
            anew: whether a person decides about what is to be made: then what Zoho refused before, and a module that is
                gone, are wanted again.
            new_keys: streams whose field of the FreshBooks ID has just been made, so that nothing is in it yet.

        Raises:
            ConfigurationError: if a setting names a module that cannot take the records.
            ZohoError: if it cannot be read, for want of a scope or a permission, say.
            StoreError: if the store cannot be used.
        """
        read_at = self.memory.clock() if self.memory else datetime.now(timezone.utc)
        before = self.memory.survey() if self.memory else None
        refused_at = read_at
        if refused is None and before is not None and not anew:
            refused, refused_at = before.refused, before.refused_at
        refused = refused or Refused()
        names = module_names(self.settings)
        known = self._identities(organization_of(before.described)) if before else None
        described = describe_organization(self.client, names, known)
        if self.settings.owner:
            described["owner"] = ask_owner(self.client, self.settings.owner)
        organization = organization_of(described)
        identities = self._identities(organization)
        if anew:
            identities = identities.only_listed(organization.listed)
        found = survey(organization, self.settings, identities, refused)
        if unused := self._unused(found):
            described["unused"] = unused
            found = survey(organization_of(described), self.settings, identities, refused)
        layouts = [layout for stream, layout in found.layouts.items() if stream not in new_keys]
        there = [one for one in layouts if one.key.api_name not in one.missing]
        values = self.client.map(lambda layout: ask_foreign(self.client, layout), there)
        if any(values):
            described["foreign"] = {one.module: some for one, some in zip(there, values, strict=True) if some}
            found = survey(organization_of(described), self.settings, identities, refused)
        if self.memory and self.keeps:
            self.memory.keep_survey(Remembered(described, self._wanted, read_at, refused, refused_at))
            if found.identities != identities:
                self.memory.keep_identities(organization.id, found.identities)
        return self._at_home(found)

    def _unused(self, found: Survey) -> dict[str, list[str]]:
        """Ask for the unused fields of the modules in which one of ours is not listed any more; by API name."""
        asked = [one.module for one in found.requirements.values() if one.module and one.plan.gone]
        answers = self.client.map(lambda module: ask_unused(self.client, module), asked)
        return {module.api_name: ids for module, ids in zip(asked, answers, strict=True) if ids}

    def _at_home(self, found: Survey) -> Survey:
        """Return the survey with the problem first that this is not the organization records were written to, if so."""
        if self.memory is None:
            return found
        organization = found.organization.id
        elsewhere = self.memory.homes.check(self.memory.account, organization, keeps=self.keeps)
        return replace(found, elsewhere=elsewhere, problems=(elsewhere, *found.problems)) if elsewhere else found

    @property
    def _wanted(self) -> tuple[str, ...]:
        """What is asked for beside the organization itself."""
        return (*module_names(self.settings), self.settings.owner or "")

    def _identities(self, organization: Organization) -> Identities:
        return self.memory.identities(organization.id) if self.memory else Identities()
