"""Before the first write: is everything there that the run needs? What is missing and may be created is.

Whatever is wrong stops the run here, so that nothing is half done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.org.access import check_consent
from target_zoho_crm.org.binding import bind
from target_zoho_crm.org.provisioning import provision
from target_zoho_crm.org.survey import read_survey, shortages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.org.organization import Organization
    from target_zoho_crm.org.requirements import Creation
    from target_zoho_crm.settings import Settings

logger = logging.getLogger("target-zoho-crm")


@dataclass(frozen=True)
class Ready:
    """What preflight found.

    Attributes:
        organization: as it was read.
        layouts: where each stream goes; without "payments" they are only rolled up on the deals.
        stages: status → stage.
        pipeline: the one to send with each deal; None where the organization has none.
        to_create: in a dry run, what a real run would create first.
        shortages: in a dry run, why Zoho may refuse that, a sentence each.
    """

    organization: Organization
    layouts: Mapping[str, Layout]
    stages: Mapping[str, str]
    pipeline: str | None
    to_create: tuple[Creation, ...] = ()
    shortages: tuple[str, ...] = ()


def prepare(client: ZohoClient, settings: Settings) -> Ready:
    """Check the organization against the settings, and create the fields and the module that are missing.

    In a dry run nothing is created; the layouts then name fields that are not there yet.

    Raises:
        ConfigurationError: if a setting or the organization has to be changed first.
        ZohoError: if a scope or a permission is missing, or Zoho refuses for another reason.
    """
    found = read_survey(client, settings)
    if found.problems:
        raise ConfigurationError(" ".join(found.problems))
    modules = [layout.module for layout in found.layouts.values()]
    creations = found.creations if settings.create_fields else ()
    check_consent(client, found.organization, modules, creations=creations, delete=settings.delete)
    _warn(found.unavailable)
    pipeline = found.pipeline.name if found.pipeline else None
    if not found.creations or (settings.dry_run and settings.create_fields):
        return Ready(found.organization, found.layouts, found.stages, pipeline, found.creations, shortages(found))
    wanted = {stream: one.spec for stream, one in found.requirements.items() if not one.unavailable}
    provisioned = provision(client, found.organization, list(wanted.values()), create_fields=settings.create_fields)
    if provisioned.unavailable and settings.payments_module:
        raise ConfigurationError(" ".join(provisioned.unavailable.values()))
    _warn(provisioned.unavailable.values())
    layouts = {
        stream: _marked(
            bind(stream, provisioned.modules[spec.name], found.organization, found.extras[stream]),
            found.layouts[stream],
        )
        for stream, spec in wanted.items()
        if spec.name in provisioned.modules
    }
    return Ready(found.organization, layouts, found.stages, pipeline)


def _marked(layout: Layout, before: Layout) -> Layout:
    """Note whether the field of the FreshBooks ID is a new one."""
    return replace(layout, new_key=layout.key.unique and before.key.api_name in before.missing)


def _warn(reasons: Iterable[str]) -> None:
    for reason in reasons:
        logger.warning("%s Until then payments are shown on the deals only, as their last payment's date.", reason)
