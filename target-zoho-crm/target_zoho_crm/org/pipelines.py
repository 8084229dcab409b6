"""Which pipeline takes the deals, whether it has the stages they need, and how one of their own is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.answers import PERMISSION_CODES
from target_zoho_crm.api.auth import safe_code
from target_zoho_crm.errors import ConfigurationError, LostAnswerError, PermissionDeniedError, RequestError
from target_zoho_crm.mapping.stages import StageTable, stage_table
from target_zoho_crm.org.model import DEALS, Pipeline
from target_zoho_crm.org.organization import ask_fields, ask_pipelines, parse_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.metadata import Choice
    from target_zoho_crm.org.model import Organization

CREDITS = 3
"""What making a pipeline costs: the stages' ids, the creation, and reading it back."""
WHERE = "Zoho CRM, Setup, Customization, Pipelines"


@dataclass(frozen=True)
class PipelineState:
    """The pipeline that deals go into, beside what they need of it.

    Attributes:
        wanted: the setting `pipeline`; None for the default one.
        chosen: the pipeline; None where there is none of that name.
        table: the stage of each status in it; where it is yet to be made, in one that has all stages of Deals.
        needed: the stages that deals may be given, in the order in which Zoho lists them.
        unknown: those that no pipeline can have, because deals do not have them at all.
        there: the pipelines by name; none where the organization does without pipelines.
        own_tables: name of a pipeline → the table in it: a deal that is there stays there as long as it has the stage
            that the deal needs. Empty where a setting says which pipeline takes all deals.
        default: name of the default pipeline.
    """

    wanted: str | None
    chosen: Pipeline | None
    table: StageTable
    needed: tuple[str, ...]
    unknown: tuple[str, ...]
    there: tuple[str, ...]
    own_tables: Mapping[str, StageTable] = field(default_factory=dict)
    default: str = ""

    @property
    def to_remember(self) -> str:
        """The id of the pipeline that new deals go on going into, whichever is the default later; empty for none."""
        return self.chosen.id if self.chosen and not self.wanted else ""

    @property
    def new_default(self) -> str | None:
        """A sentence, where another pipeline has become the default since deals went into this one."""
        if self.wanted or self.chosen is None or self.default in {"", self.chosen.name}:
            return None
        return (
            f"Deals go on going into the pipeline {self.chosen.name!r}, although {self.default!r} is Zoho's default "
            f"now. For that one, run: meltano config set target-zoho-crm pipeline {self.default!r}"
        )

    @property
    def name(self) -> str | None:
        """What is sent with a deal; None for nothing."""
        return (self.chosen.name or None) if self.chosen else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that the pipeline does not have."""
        return self.table.missing

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
            f"{_named('stage', [stage.display for stage in self.chosen.stages])}. Change stage_map so that it names "
            "only these"
            + (
                f", add the missing ones ({WHERE}), or choose another pipeline with the setting pipeline."
                if self.chosen.name
                else "."
            )
        )

    @property
    def explained(self) -> str | None:
        """A sentence with the table, where it is not the usual one because the pipeline has stages of its own."""
        if self.problem or not self.table.by_kind:
            return None
        where = f"the pipeline {self.name!r}" if self.name else "the field Stage"
        return (
            f"Not all usual stages are in {where}, so invoices get theirs by their kinds: "
            f"{'; '.join(self.table.in_words())}. The setting stage_map names others."
        )


def pipelines_of(organization: Organization) -> tuple[Pipeline, ...]:
    """Return the organization's pipelines; without the feature, the Stage field's values as one that has no name.

    A nameless pipeline is not sent with a deal. Where a pipeline does not say of which kind a stage is, the field does.
    """
    stages = _stages(organization)
    kinds = {stage.display: stage.kind for stage in stages}
    told = tuple(
        replace(
            one, stages=tuple(replace(stage, kind=stage.kind or kinds.get(stage.display, "")) for stage in one.stages)
        )
        for one in organization.pipelines
    )
    return told or (Pipeline("", stages, default=True),)


def pipeline_state(
    organization: Organization, wanted: str | None, stage_map: Mapping[str, str] | None = None, first: str = ""
) -> PipelineState:
    """Choose the pipeline that the setting names, else the one of before, else the default; fit the stages to it.

    Args:
        organization: as it was read, with Deals.
        wanted: the setting `pipeline`.
        stage_map: the setting of that name.
        first: id of the pipeline that was chosen first; empty for none.
    """
    there = pipelines_of(organization)
    chosen = _choose(there, wanted, first)
    listed = tuple(
        {stage.display: stage for stage in (*_stages(organization), *(s for one in there for s in one.stages))}.values()
    )
    table = stage_table(stage_map, chosen.stages if chosen else listed)
    used = set(table.stages.values())
    names = [stage.display for stage in listed]
    needed = (*(name for name in names if name in used), *sorted(used - set(names)))
    return PipelineState(
        wanted=wanted,
        chosen=chosen,
        table=replace(table, missing=tuple(sorted(table.missing))),
        needed=needed,
        unknown=tuple(name for name in needed if name not in names),
        there=tuple(one.name for one in there if one.name),
        own_tables={} if wanted else {one.name: stage_table(stage_map, one.stages) for one in there if one.name},
        default=next((one.name for one in there if one.default), ""),
    )


def _choose(pipelines: Sequence[Pipeline], wanted: str | None, first: str) -> Pipeline | None:
    """Return the pipeline that is, or was before a rename, called as wanted; else the first one, else the default."""
    if not wanted:
        before = next((one for one in pipelines if first and one.id == first), None)
        return before or next((one for one in pipelines if one.default), pipelines[0])
    for same in (str, str.casefold):
        for name in ("name", "actual"):
            for one in pipelines:
                if one.name and same(getattr(one, name)) == same(wanted):
                    return one
    return None


def _stages(organization: Organization) -> tuple[Choice, ...]:
    deals = organization.modules.get(DEALS)
    stage = deals.fields.get("Stage") if deals else None
    return stage.choices if stage else ()


def create_pipeline(client: ZohoClient, organization: Organization, name: str, stages: Sequence[str]) -> Pipeline:
    """Make a pipeline of stages that deals have already, and return it as it is read back.

    An answer that is lost does no harm: the name can be given once only, and what counts is what is there then (the
    pages "Create a Pipeline" and "Get Pipelines"). It goes into the layout of the default pipeline.

    Raises:
        PermissionDeniedError: if the user may not create pipelines.
        ConfigurationError: if Zoho refuses for another reason.
        ZohoError: as for any call.
    """
    layout = str(organization.pipelines[0].layout_id)
    stage = next(one for one in ask_fields(client, DEALS) if one["api_name"] == "Stage")
    ids = {str(value["display_value"]): str(value["id"]) for value in stage["pick_list_values"]}
    maps = [{"id": ids[each], "sequence_number": number} for number, each in enumerate(stages, 1)]
    refusal = _ask(client, layout, {"display_value": name, "maps": maps})
    there = [parse_pipeline(one, layout) for one in ask_pipelines(client, layout)]
    made = next((one for one in there if one.name.casefold() == name.casefold()), None)
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
    """Ask for a pipeline, and return the code of the refusal; None for none."""
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


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"no {what}s"
    return f"{what}{'s' if len(names) > 1 else ''} " + ", ".join(repr(name) for name in names)
