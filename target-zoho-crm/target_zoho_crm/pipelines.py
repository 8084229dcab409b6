"""Which pipeline takes the deals, and whether it has the stages they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_zoho_crm.organization import Pipeline


def check_stages(pipelines: Sequence[Pipeline], pipeline_setting: str | None, stages_needed: Collection[str]) -> Pipeline:
    """Choose the pipeline that the setting names, or the default one, and check that it has the stages.

    Where the organization has no pipelines, give one made of the Stage field's picklist (`stage_picklist`).

    Raises:
        ConfigurationError: naming the unknown pipeline or stages, those there are, and the setting to change.
    """
    raise NotImplementedError


def stage_picklist(stages: Sequence[str]) -> Pipeline:
    """Give the stages of an organization without pipelines as a nameless pipeline; it is not sent with a deal."""
    raise NotImplementedError
