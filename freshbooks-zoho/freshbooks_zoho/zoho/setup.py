"""Zoho made ready for the sync: what is missing, found out first, then created and read back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freshbooks_zoho.settings import TARGET
from target_zoho_crm.errors import ConfigurationError, PermissionDeniedError, ScopeError
from target_zoho_crm.org.home import refill, refilled_in_words
from target_zoho_crm.org.pipelines import CREDITS, create_pipeline
from target_zoho_crm.org.provisioning import provision
from target_zoho_crm.org.requirements import Refused
from target_zoho_crm.org.survey import limits
from target_zoho_crm.org.surveyor import Surveyor

if TYPE_CHECKING:
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.memory import Memory
    from target_zoho_crm.org.pipelines import PipelineState
    from target_zoho_crm.org.requirements import Creation
    from target_zoho_crm.org.survey import Survey
    from target_zoho_crm.settings import Settings

PIPELINE = "FreshBooks Invoices"
"""A name for a pipeline of the invoices' own."""

SHARING = (
    "Zoho shows a record to its owner and to those above in the role hierarchy, unless the organization shares more, "
    "and its API does not say what that hides. Records that the connected user does not see are not found, and "
    "accounts are then made a second time: give consent as a user who sees all, and look who sees what in Zoho CRM, "
    "Setup, Security Control, Data Sharing Settings."
)
"""What to know about private records: the metadata that the consent covers tell neither roles nor sharing rules."""


@dataclass(frozen=True)
class Prospect:
    """What an organization has, and what `create` would add.

    Attributes:
        survey: the organization beside what the settings ask for.
        pipeline_setting: the setting `pipeline` as it is; what was asked for may be another one.
        refused: what Zoho would not create, a sentence each.
        refilled: how many records are brought again, because what was created is empty in them.
    """

    survey: Survey
    pipeline_setting: str | None
    refused: tuple[str, ...] = ()
    refilled: int = 0

    @property
    def creations(self) -> tuple[Creation, ...]:
        """Fields and modules to be created."""
        return () if self.refused else self.survey.creations

    @property
    def pipeline(self) -> PipelineState | None:
        """The pipeline to be created; None for none."""
        state = self.survey.pipeline
        return state if state is not None and state.can_be_made else None

    @property
    def blocking(self) -> tuple[str, ...]:
        """What has to be put right before anything can be created."""
        problems = (self.survey.elsewhere, *(one.problem for one in self.survey.requirements.values()))
        return tuple(one for one in problems if one)

    @property
    def credits(self) -> int:
        """What creating costs in API credits."""
        return sum(one.credits for one in self.creations) + (CREDITS if self.pipeline else 0)

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to create."""
        return not self.creations and self.pipeline is None

    @property
    def to_do(self) -> tuple[str, ...]:
        """What is left to a person, a sentence each."""
        made = self.pipeline.problem if self.pipeline else None
        return (*(one for one in self.survey.problems if one != made), *self.refused, *self._to_set())

    def _to_set(self) -> list[str]:
        """Say so where a pipeline is there that the setting does not name."""
        state = self.survey.pipeline
        if state is None or not state.wanted or state.chosen is None or state.wanted == self.pipeline_setting:
            return []
        name = repr(state.chosen.name)
        return [f"Deals do not go into the pipeline {name} yet. Run: meltano config set {TARGET} pipeline {name}"]

    @property
    def limits(self) -> tuple[str, ...]:
        """What this organization cannot have, and what that means."""
        return limits(self.survey)

    @property
    def advice(self) -> tuple[str, ...]:
        """What follows from what was created, and what might be better, a sentence each."""
        refilled = [refilled_in_words(self.refilled)] if self.refilled else []
        return (*refilled, *self._about_pipeline(), SHARING)

    def _about_pipeline(self) -> tuple[str, ...]:
        state = self.survey.pipeline
        if state is None or state.wanted or state.chosen is None or not state.chosen.name:
            return ()
        if state.new_default:
            return (state.new_default,)
        sentence = (
            f"Deals go into {state.chosen.name!r}, the default pipeline, so that invoices count in its forecasts. For "
            f"a pipeline of their own, run: freshbooks-zoho setup --pipeline {PIPELINE!r}"
        )
        return (sentence,)


def look(
    client: ZohoClient,
    settings: Settings,
    memory: Memory,
    pipeline: str | None = None,
    refused: Refused | None = None,
) -> Prospect:
    """Find out what is missing; nothing is created.

    Args:
        client: the organization's API.
        settings: of the target.
        memory: takes what is read; what Zoho refused to make before is forgotten, so that it is asked for again.
        pipeline: the name of a pipeline to use, and to make where there is none, instead of the setting's.
        refused: what Zoho has refused to make just now.

    Raises:
        ZohoError: if the organization cannot be read, or a setting names a module that cannot take the records.
    """
    surveyor = Surveyor(client, replace(settings, pipeline=pipeline or settings.pipeline), memory)
    return Prospect(surveyor.read(refused, anew=True), settings.pipeline)


def adopt(memory: Memory) -> int:
    """Have everything brought to the organization that the connection leads to now, and return how much was queued.

    Raises:
        StoreError: if the store cannot be used.
    """
    home = memory.homes.of(memory.account)
    return memory.homes.move(home, memory.clock()) if home is not None and home.led_to else 0


def create(client: ZohoClient, settings: Settings, memory: Memory, prospect: Prospect) -> Prospect:
    """Create what is missing, and look again; what Zoho refuses is in `Prospect.refused`, what came before it is made.

    Args:
        client: the organization's API.
        settings: of the target.
        memory: as for `look`.
        prospect: what was found before.

    Raises:
        ZohoError: if Zoho cannot be asked.
    """
    survey = prospect.survey
    refused, refilled = Refused(), 0
    sentences: list[str] = []
    try:
        made = provision(client, [one for one in survey.requirements.values() if one.creation], survey.identities)
        refused, refilled = made.refused, refill(memory, survey, made)
        if prospect.pipeline and prospect.pipeline.wanted:
            create_pipeline(client, survey.organization, prospect.pipeline.wanted, prospect.pipeline.needed)
    except (ConfigurationError, PermissionDeniedError, ScopeError) as error:
        sentences.append(str(error))
    again = look(client, settings, memory, survey.pipeline.wanted if survey.pipeline else None, refused)
    left_out = [one for one in again.survey.left_out if one not in survey.left_out]
    return replace(again, refused=(*again.survey.unavailable, *left_out, *sentences), refilled=refilled)
