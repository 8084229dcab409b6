"""Pipelines of the layouts of Deals over HTTP ("Get Pipelines", "Create a Pipeline")."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho import permissions
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.results import answer, outcome
from sandbox.zoho.standard import LOST, OPEN, WON

if TYPE_CHECKING:
    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import Choice, Layout, Pipeline
    from sandbox.zoho.organization import Organization

_CATEGORIES = {WON: WON, LOST: LOST}
_PATH = "/crm/v8/settings/pipeline"


class Pipelines:
    """Shows and makes pipelines."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("GET", _PATH)
    def all(self, call: ApiCall) -> Response:
        """Answer with the pipelines of a layout; nothing where the organization does not use them."""
        call.need("settings", "pipeline", "READ")
        found = self._shown(call)
        return Response(body={"pipeline": [_describe(each) for each in found]}) if found else Response(204)

    @route("GET", _PATH + "/{pipeline_id}")
    def one(self, call: ApiCall, pipeline_id: str) -> Response:
        """Answer with one pipeline of a layout."""
        call.need("settings", "pipeline", "READ")
        found = [_describe(each) for each in self._shown(call) if each.id == pipeline_id]
        return Response(body={"pipeline": found}) if found else Response(204)

    @route("POST", _PATH)
    def create(self, call: ApiCall) -> Response:
        """Make a pipeline of stages that Deals have already."""
        call.need("settings", "pipeline", "CREATE")
        layout = self._layout(call)
        permissions.need(self._org, permissions.CUSTOMIZE)
        (raw,) = call.items("pipeline", 1)
        return answer("pipeline", [outcome(lambda: self._make(layout, raw).id, "Pipeline created successfully")], 201)

    def _make(self, layout: Layout, raw: Any) -> Pipeline:
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
            chosen.append((each["sequence_number"], replace(stages[each["id"]])))
        made = self._org.add_pipeline(name, [stage for _, stage in sorted(chosen, key=lambda each: each[0])], layout.id)
        if raw.get("default") is True:
            self._org.make_default(made)
        return made

    def _shown(self, call: ApiCall) -> list[Pipeline]:
        layout = self._layout(call)
        found = [each for each in self._org.pipelines if each.layout_id == layout.id]
        return found if self._org.uses_pipelines else []

    def _layout(self, call: ApiCall) -> Layout:
        layout_id = call.required("layout_id")
        for layout in self._org.modules["Deals"].layouts:
            if layout.id == layout_id:
                return layout
        raise ApiError(400, "INVALID_DATA", {"param_name": "layout_id"}, "Invalid layoutid")


def _describe(pipeline: Pipeline) -> dict[str, Any]:
    maps = [
        {
            "id": stage.id,
            "display_value": stage.display_value,
            "actual_value": stage.actual_value,
            "sequence_number": number,
            "forecast_type": stage.forecast_type,
            "forecast_category": {"id": stage.id, "name": _CATEGORIES.get(stage.forecast_type or OPEN, "Pipeline")},
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
