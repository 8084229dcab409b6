"""Notification channels over HTTP ("Notification APIs": enable, details, update, disable)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.channels import shown
from sandbox.zoho.errors import ApiError, RowError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.channels import Channels, Subscription
    from sandbox.zoho.organization import Organization

ITEMS = 50
_PATH = "/crm/v8/actions/watch"
_SUBSCRIBED = "Successfully subscribed for actions-watch of the given module"
_UPDATED = "Successfully updated the subscribe details"
_REMOVED = "Successfully removed the subscribe details"
_ENDED = "Successfully un-subscribed from actions-watch"


class WatchRoutes:
    """Enables, shows, changes and disables channels."""

    def __init__(self, org: Organization, channels: Channels) -> None:
        self._org, self._channels = org, channels

    @route("POST", _PATH)
    def enable(self, call: ApiCall) -> Response:
        """Enable channels."""
        call.need("notifications", None, "CREATE", "WRITE")
        return self._write(call, self._channels.enable, 201)

    @route("PUT", _PATH)
    def replace(self, call: ApiCall) -> Response:
        """Replace the details of channels."""
        call.need("notifications", None, "UPDATE", "WRITE")
        return self._write(call, self._channels.replace, 200)

    @route("PATCH", _PATH)
    def change(self, call: ApiCall) -> Response:
        """Change some details of channels."""
        call.need("notifications", None, "UPDATE", "WRITE")
        return self._write(call, self._channels.change, 200)

    @route("GET", _PATH)
    def details(self, call: ApiCall) -> Response:
        """Show channels: one row for each module in each."""
        call.need("notifications", None, "READ")
        page, per_page = call.number("page", 1), call.number("per_page", 200, 200)
        module = call.request.param("module")
        if module is not None and module not in self._org.modules:
            raise ApiError(400, "INVALID_MODULE", {"param_name": "module"})
        alive = self._channels.alive(call.request.param("channel_id"), module)
        rows = alive[(page - 1) * per_page : page * per_page]
        if not rows:
            return Response(204)
        info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(alive) > page * per_page}
        return Response(body={"watch": [self._row(call, each) for each in rows], "info": info})

    @route("DELETE", _PATH)
    def disable(self, call: ApiCall) -> Response:
        """Disable channels."""
        call.need("notifications", None, "DELETE")
        ids = call.request.param("channel_ids")
        if not ids:
            raise ApiError(400, "EXPECTED_PARAM_MISSING", {"param_name": "channel_ids"}, "expected param missing")
        results: list[dict[str, Any]] = []
        for channel_id in ids.split(","):
            results += self._ended(call, channel_id)
        return _answer(results, 200)

    def _ended(self, call: ApiCall, channel_id: str) -> list[dict[str, Any]]:
        try:
            ended = self._channels.disable(channel_id)
        except RowError as refused:
            return [refused.body]
        return [_success(self._resource(call, each), _ENDED) for each in ended]

    def _write(self, call: ApiCall, write: Callable[[Any, int], list[Subscription]], success: int) -> Response:
        results = [self._outcome(call, write, raw, index) for index, raw in enumerate(call.items("watch", ITEMS))]
        return _answer(results, success)

    def _outcome(
        self, call: ApiCall, write: Callable[[Any, int], list[Subscription]], raw: Any, index: int
    ) -> dict[str, Any]:
        try:
            written = write(raw, index)
        except RowError as refused:
            return refused.body
        removed = call.request.method == "PATCH" and raw.get("_delete_events") is True
        offset = self._org.switches.watch_offset_hours
        events = [
            {**({} if removed else {"channel_expiry": shown(each.expires_at, offset)}), **self._resource(call, each)}
            for each in written
        ]
        message = _REMOVED if removed else _UPDATED if call.request.method == "PATCH" else _SUBSCRIBED
        return _success({"events": events}, message)

    def _resource(self, call: ApiCall, each: Subscription) -> dict[str, Any]:
        return {
            "resource_uri": f"{call.origin}/crm/v2/{each.module}",
            "resource_id": self._org.modules[each.module].id,
            "resource_name": each.module,
            "channel_id": each.channel_id,
        }

    def _row(self, call: ApiCall, each: Subscription) -> dict[str, Any]:
        return {
            "notify_on_related_action": each.related,
            "channel_expiry": shown(each.expires_at, self._org.switches.watch_offset_hours),
            "return_affected_field_values": each.affected_values,
            **self._resource(call, each),
            "notify_url": each.notify_url,
            "fields": None,
            "notification_condition": each.conditions,
            "events": [f"{each.module}.{event}" for event in ("edit", "create", "delete") if event in each.events],
            "token": each.token,
        }


def _success(details: dict[str, Any], message: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def _answer(results: list[dict[str, Any]], success: int) -> Response:
    good = sum(result["status"] == "success" for result in results)
    return Response(success if good == len(results) else 400 if not good else 207, {"watch": results})
