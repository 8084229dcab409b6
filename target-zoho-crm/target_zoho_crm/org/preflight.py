"""Before the first write: is everything there that the run needs? What is missing and may be created is.

Whatever is wrong stops the run here, so that nothing is half done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.org.access import check_consent
from target_zoho_crm.org.home import refill, refilled_in_words
from target_zoho_crm.org.provisioning import provision
from target_zoho_crm.org.surveyor import Surveyor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.mapping.stages import StageTable
    from target_zoho_crm.org.memory import Memory
    from target_zoho_crm.org.model import Organization
    from target_zoho_crm.org.requirements import Creation
    from target_zoho_crm.org.survey import Survey
    from target_zoho_crm.settings import Settings

logger = logging.getLogger("target-zoho-crm")


@dataclass(frozen=True)
class Ready:
    """What preflight found.

    Attributes:
        organization: as it was read.
        layouts: where each stream goes; without "payments" they are only rolled up on the deals.
        stages: status → stage.
        pipeline: the one that new deals go into; None where the organization has none.
        own_tables: name of a pipeline → the stages in it, for the deals that are there already.
        is_remembered: whether this is from an earlier run, so that Zoho may have changed since.
        to_create: in a dry run, what a real run would create first.
        shortages: in a dry run, what the organization may have no room for, a sentence each.
        notes: in a dry run, what else is to be known about it, a sentence each.
    """

    organization: Organization
    layouts: Mapping[str, Layout]
    stages: Mapping[str, str]
    pipeline: str | None
    is_remembered: bool = False
    to_create: tuple[Creation, ...] = ()
    shortages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own_tables: Mapping[str, StageTable] = field(default_factory=dict)


def prepare(client: ZohoClient, settings: Settings, memory: Memory | None = None, *, anew: bool = False) -> Ready:
    """Check the organization against the settings, and create the fields and the module that are missing.

    In a dry run nothing is created; the layouts then name fields that are not there yet.

    Args:
        client: the organization's API.
        settings: of the target.
        memory: what is remembered of the organization; None for nothing.
        anew: whether to read it, although it is remembered.

    Raises:
        ConfigurationError: if a setting or the organization has to be changed first.
        ZohoError: if a scope or a permission is missing, or Zoho refuses for another reason.
        StoreError: if the store cannot be used.
    """
    surveyor = Surveyor(client, settings, memory, keeps=not settings.dry_run)
    found = None if anew or settings.dry_run else surveyor.remembered()
    # What is wrong may have been put right since, and what is missing may be there.
    is_remembered = found is not None and not found.problems and not found.creations
    if found is None or not is_remembered:
        found = surveyor.read()
    if found.problems:
        raise ConfigurationError(" ".join(found.problems))
    modules = [layout.module for layout in found.layouts.values()]
    creations = found.creations if settings.create_fields else ()
    if not is_remembered or client.granted() is not None:
        check_consent(client, found.organization, modules, creations=creations, delete=settings.delete)
    if settings.dry_run and (settings.create_fields or not found.creations):
        return _ready(found, is_remembered=is_remembered)
    if found.creations:
        found = _provided(surveyor, found)
    if not is_remembered:
        _report(found)
    return _ready(found, is_remembered=is_remembered)


def _provided(surveyor: Surveyor, found: Survey) -> Survey:
    """Create what is missing, and return the organization as it is then."""
    for sentence in found.shortages:
        logger.warning("%s", sentence)
    for creation in found.creations:
        if creation.again:
            logger.warning(
                "In %s, this was deleted in Zoho and is made again: %s", creation.module, ", ".join(creation.again)
            )
    wanted = [one for one in found.requirements.values() if not one.unavailable]
    settings = surveyor.settings
    made = provision(surveyor.client, wanted, found.identities, create_fields=settings.create_fields)
    new_keys = {stream for stream, layout in found.layouts.items() if layout.key.api_name in layout.missing}
    again = surveyor.read(made.refused, new_keys=new_keys)
    if again.problems:
        raise ConfigurationError(" ".join(again.problems))
    if surveyor.memory and (number := refill(surveyor.memory, found, made)):
        logger.warning("%s", refilled_in_words(number))
    layouts = {
        stream: replace(layout, new_key=layout.key.unique and stream in new_keys)
        for stream, layout in again.layouts.items()
    }
    return replace(again, layouts=layouts)


def _report(found: Survey) -> None:
    for reason in found.unavailable:
        logger.warning("%s Until then payments are shown on the deals only, as their last payment's date.", reason)
    for sentence in found.left_out:
        logger.warning("%s", sentence)
    for sentence in (*found.cautions, *_about_pipeline(found)):
        logger.info("%s", sentence)


def _about_pipeline(found: Survey) -> tuple[str, ...]:
    state = found.pipeline
    return tuple(one for one in (state.explained, state.new_default) if one) if state else ()


def _ready(found: Survey, *, is_remembered: bool) -> Ready:
    return Ready(
        found.organization,
        found.layouts,
        found.stages,
        found.pipeline.name if found.pipeline else None,
        is_remembered=is_remembered,
        to_create=found.creations,
        shortages=(*found.shortages, *found.left_out),
        notes=(*found.cautions, *_about_pipeline(found)),
        own_tables=found.pipeline.own_tables if found.pipeline else {},
    )
