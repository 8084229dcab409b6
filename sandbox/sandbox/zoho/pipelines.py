"""Pipelines of the Deals layout over HTTP ("Get Pipelines", "Create a Pipeline")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho import permissions
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.model import Choice
from sandbox.zoho.results import answer, outcome

if TYPE_CHECKING:
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Pipeline
    from sandbox.zoho.organization import Organization

_CATEGORIES = {"Closed Won": "Closed Won", "Closed Lost": "Closed Lost", "Closed Lost to Competition": "Closed Lost"}
_PATH = "/crm/v8/settings/pipeline"


class Pipelines:
    """Shows and makes pipelines."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("GET", _PATH)
    def all(self, call: ApiCall) -> Response:
        """Give all pipelines; nothing where the organization does not use them."""
        call.need("settings", "pipeline", "READ")
        self._need_layout(call)
        if not self._org.uses_pipelines:
            return Response(204)
        return Response(body={"pipeline": [_describe(each) for each in self._org.pipelines]})

    @route("GET", _PATH + "/{pipeline_id}")
    def one(self, call: ApiCall, pipeline_id: str) -> Response:
        """Give one pipeline."""
        call.need("settings", "pipeline", "READ")
        self._need_layout(call)
        found = [_describe(each) for each in self._org.pipelines if each.id == pipeline_id]
        return Response(body={"pipeline": found}) if found and self._org.uses_pipelines else Response(204)

    @route("POST", _PATH)
    def create(self, call: ApiCall) -> Response:
        """Make a pipeline of stages that Deals have already."""
        call.need("settings", "pipeline", "CREATE")
        self._need_layout(call)
        permissions.need(self._org, permissions.CUSTOMIZE)
        (raw,) = call.items("pipeline", 1)
        return answer("pipeline", [outcome(lambda: self._make(raw).id, "Pipeline created successfully")], 201)

    def _make(self, raw: Any) -> Pipeline:
        path = "$.pipeline[0]"
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": path})
        for name in ("display_value", "maps"):
            if not raw.get(name):
                raise RowError("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"})
        name = raw["display_value"]
        if any(each.display_value.casefold() == str(name).casefold() for each in self._org.pipelines):
            raise RowError("DUPLICATE_DATA", {"api_name": "display_value", "json_path": f"{path}.display_value"})
        stages = {choice.id: choice for choice in self._org.modules["Deals"].fields["Stage"].choices}
        chosen: list[tuple[int, Choice]] = []
        for position, each in enumerate(raw["maps"]):
            here = f"{path}.maps[{position}]"
            for key in ("id", "sequence_number"):
                if each.get(key) is None:
                    raise RowError("MANDATORY_NOT_FOUND", {"api_name": key, "json_path": f"{here}.{key}"})
            if each["id"] not in stages:
                raise RowError("INVALID_DATA", {"api_name": "id", "json_path": f"{here}.id"})
            stage = stages[each["id"]]
            chosen.append((each["sequence_number"], Choice(stage.id, stage.display_value, stage.actual_value)))
        made = self._org.add_pipeline(name, [stage for _, stage in sorted(chosen, key=lambda each: each[0])])
        if raw.get("default") is True:
            self._org.make_default(made)
        return made

    def _need_layout(self, call: ApiCall) -> None:
        if call.required("layout_id") != self._org.modules["Deals"].layout_id:
            raise ApiError(400, "INVALID_DATA", {"param_name": "layout_id"})


def _describe(pipeline: Pipeline) -> dict[str, Any]:
    maps = [
        {
            "id": stage.id,
            "display_value": stage.display_value,
            "actual_value": stage.actual_value,
            "sequence_number": number,
            "forecast_type": _CATEGORIES.get(stage.actual_value, "Open"),
            "forecast_category": {"id": stage.id, "name": _CATEGORIES.get(stage.actual_value, "Pipeline")},
        }
        for number, stage in enumerate(pipeline.stages, 1)
    ]
    return {
        "id": pipeline.id,
        "display_value": pipeline.display_value,
        "actual_value": pipeline.actual_value,
        "default": pipeline.default,
        "child_available": False,
        "parent": None,
        "maps": maps,
    }
