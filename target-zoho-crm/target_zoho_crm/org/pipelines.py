"""Which pipeline takes the deals, whether it has the stages they need, and how one of their own is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.answers import PERMISSION_CODES
from target_zoho_crm.api.auth import safe_code
from target_zoho_crm.errors import ConfigurationError, LostAnswerError, PermissionDeniedError, RequestError
from target_zoho_crm.org.organization import DEALS, Pipeline, read_layouts, read_pipelines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.organization import Organization

CREDITS = 3
"""What making a pipeline costs: the stages' ids, the creation, and reading it back."""
WHERE = "Zoho CRM, Setup, Customization, Pipelines"


@dataclass(frozen=True)
class PipelineState:
    """The pipeline that deals go into, beside what they need of it.

    Attributes:
        wanted: the setting `pipeline`; None for the default one.
        chosen: the pipeline; None where there is none of that name.
        needed: the stages that deals may be given, in the order in which Zoho lists them.
        missing: those that the pipeline does not have.
        unknown: those that no pipeline can have, because deals do not have them at all.
        there: the pipelines by name; none where the organization does without pipelines.
    """

    wanted: str | None
    chosen: Pipeline | None
    needed: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    there: tuple[str, ...]

    @property
    def name(self) -> str | None:
        """What is sent with a deal; None for nothing."""
        return (self.chosen.name or None) if self.chosen else None

    @property
    def can_be_made(self) -> bool:
        """Whether a pipeline of the wanted name can be created: of stages that are there, where there is none yet."""
        return bool(self.wanted and self.chosen is None and self.there and not self.unknown)

    @property
    def problem(self) -> str | None:
        """A sentence, where deals could not be written; it names what there is, and what to change."""
        if self.chosen is None and not self.there:
            return (
                f"The setting pipeline is {self.wanted!r}, but this Zoho organization has no pipelines; remove the "
                "setting."
            )
        if self.chosen is None:
            how = (
                f"create the {_named('stage', self.unknown)} by hand ({WHERE}, Stages), for Zoho's API cannot, then "
                "the pipeline with `freshbooks-zoho setup`"
                if self.unknown
                else "make it with `freshbooks-zoho setup`"
            )
            return (
                f"The setting pipeline is {self.wanted!r}, which Zoho does not have; it has "
                f"{_named('pipeline', self.there)}. Name one of these, remove the setting to use the default one, or "
                f"{how}."
            )
        if not self.missing:
            return None
        where = f"the pipeline {self.chosen.name!r}" if self.chosen.name else "the field Stage of Deals"
        return (
            f"Invoices would be given the {_named('stage', self.missing)}, which {where} does not have; it has "
            f"{_named('stage', self.chosen.stages)}. Change stage_map so that it names only these"
            + (
                f", add the missing ones ({WHERE}), or choose another pipeline with the setting pipeline."
                if self.chosen.name
                else "."
            )
        )


def pipelines_of(organization: Organization) -> tuple[Pipeline, ...]:
    """Give the organization's pipelines; without the feature, the Stage field's values as one that has no name.

    A nameless pipeline is not sent with a deal.
    """
    return organization.pipelines or (Pipeline("", _stages(organization), default=True),)


def pipeline_state(organization: Organization, wanted: str | None, stages: Collection[str]) -> PipelineState:
    """Choose the pipeline that the setting names, or else the default one, and compare its stages with the needed ones.

    Args:
        organization: as it was read, with Deals.
        wanted: the setting `pipeline`.
        stages: every stage that a deal may be given.
    """
    there = pipelines_of(organization)
    chosen = _choose(there, wanted)
    listed = dict.fromkeys((*_stages(organization), *(stage for one in there for stage in one.stages)))
    needed = (*(stage for stage in listed if stage in stages), *sorted(set(stages) - listed.keys()))
    return PipelineState(
        wanted=wanted,
        chosen=chosen,
        needed=needed,
        missing=tuple(sorted(set(stages) - set(chosen.stages if chosen else ()))),
        unknown=tuple(stage for stage in needed if stage not in listed),
        there=tuple(one.name for one in there if one.name),
    )


def _choose(pipelines: Sequence[Pipeline], wanted: str | None) -> Pipeline | None:
    if not wanted:
        return next((one for one in pipelines if one.default), pipelines[0])
    for same in (str, str.casefold):
        for one in pipelines:
            if one.name and same(one.name) == same(wanted):
                return one
    return None


def _stages(organization: Organization) -> tuple[str, ...]:
    deals = organization.modules.get(DEALS)
    stage = deals.fields.get("Stage") if deals else None
    return stage.picklist if stage else ()


def create_pipeline(client: ZohoClient, name: str, stages: Sequence[str]) -> Pipeline:
    """Make a pipeline of stages that deals have already, and read it back.

    An answer that is lost does no harm: the name can be given once only, and what counts is what is there then (the
    pages "Create a Pipeline" and "Get Pipelines"). It goes into the first layout that shows pipelines.

    Raises:
        PermissionDeniedError: if the user may not create pipelines.
        ConfigurationError: if Zoho refuses for another reason.
        ZohoError: as for any call.
    """
    described = (client.request("GET", "settings/fields", params={"module": DEALS}).body or {}).get("fields") or []
    ids = _stage_ids(described)
    layout = read_layouts(client, described)[0]
    maps = [{"id": ids[stage], "sequence_number": number} for number, stage in enumerate(stages, 1)]
    refusal = _ask(client, layout, {"display_value": name, "maps": maps})
    made = next((one for one in read_pipelines(client, layout) if one.name.casefold() == name.casefold()), None)
    if made is not None:
        return made
    if refusal in PERMISSION_CODES:
        raise PermissionDeniedError(
            f"The Zoho user who gave the consent may not create the pipeline {name!r}: create it by hand ({WHERE}), or "
            "give consent as an administrator."
        )
    raise ConfigurationError(
        f"Zoho refuses to create the pipeline {name!r} ({safe_code(refusal or 'no answer')}): create it by hand "
        f"({WHERE}) with the {_named('stage', stages)}."
    )


def _ask(client: ZohoClient, layout: str, pipeline: dict[str, Any]) -> str | None:
    """Ask for a pipeline; give the code of the refusal."""
    body = {"pipeline": [pipeline]}
    try:
        answer = client.request("POST", "settings/pipeline", params={"layout_id": layout}, json=body)
    except LostAnswerError:
        return None
    except PermissionDeniedError:
        return "NO_PERMISSION"
    except RequestError as error:
        return error.code
    result: dict[str, Any] = next(iter((answer.body or {}).get("pipeline") or []), {})
    return None if result.get("status") == "success" else str(result.get("code"))


def _stage_ids(described: Sequence[dict[str, Any]]) -> dict[str, str]:
    stage = next((one for one in described if one.get("api_name") == "Stage"), {})
    return {str(value["display_value"]): str(value["id"]) for value in stage.get("pick_list_values") or ()}


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"no {what}s"
    return f"{what}{'s' if len(names) > 1 else ''} " + ", ".join(repr(name) for name in names)
