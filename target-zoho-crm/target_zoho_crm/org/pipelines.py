"""Which pipeline takes the deals, and whether it has the stages they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.org.organization import DEALS, Pipeline

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_zoho_crm.org.organization import Organization


def pipelines_of(organization: Organization) -> tuple[Pipeline, ...]:
    """Give the organization's pipelines; without the feature, the Stage field's values as one that has no name.

    A nameless pipeline is not sent with a deal.
    """
    if organization.pipelines:
        return organization.pipelines
    deals = organization.modules.get(DEALS)
    stage = deals.fields.get("Stage") if deals else None
    return (Pipeline("", stage.picklist if stage else (), default=True),)


def check_stages(
    pipelines: Sequence[Pipeline], pipeline_setting: str | None, stages_needed: Collection[str]
) -> Pipeline:
    """Choose the pipeline that the setting names, or else the default one, and check that it has the stages.

    Args:
        pipelines: those there are, as `pipelines_of` gives them.
        pipeline_setting: the setting `pipeline`.
        stages_needed: every stage that a deal may be given.

    Raises:
        ConfigurationError: naming the unknown pipeline or stages, those there are, and the setting to change.
    """
    pipeline = _choose(pipelines, pipeline_setting)
    unknown = sorted(set(stages_needed) - set(pipeline.stages))
    if not unknown:
        return pipeline
    where = f"the pipeline {pipeline.name!r}" if pipeline.name else "the field Stage of Deals"
    raise ConfigurationError(
        f"Invoices would be given the {_named('stage', unknown)}, which {where} does not have; it has "
        f"{_named('stage', pipeline.stages)}. Change stage_map so that it names only these"
        + (", or choose another pipeline with the setting pipeline." if pipeline.name else ".")
    )


def _choose(pipelines: Sequence[Pipeline], setting: str | None) -> Pipeline:
    if not setting:
        return next((one for one in pipelines if one.default), pipelines[0])
    for same in (str, str.casefold):
        for one in pipelines:
            if one.name and same(one.name) == same(setting):
                return one
    named = [one.name for one in pipelines if one.name]
    if not named:
        raise ConfigurationError(
            f"The setting pipeline is {setting!r}, but this Zoho organization has no pipelines; remove the setting."
        )
    raise ConfigurationError(
        f"The setting pipeline is {setting!r}, which Zoho does not have; it has {_named('pipeline', named)}. Name one "
        "of these, or remove the setting to use the default one."
    )


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"no {what}s"
    return f"{what}{'s' if len(names) > 1 else ''} " + ", ".join(repr(name) for name in names)
