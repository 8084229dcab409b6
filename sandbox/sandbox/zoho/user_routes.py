"""Users over HTTP ("Get Users")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response, route
from sandbox.zoho.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.call import ApiCall
    from sandbox.zoho.model import User
    from sandbox.zoho.organization import Organization

PER_PAGE = 200
_TYPES: dict[str, Callable[[User, ApiCall], bool]] = {
    "AllUsers": lambda _, __: True,
    "ActiveUsers": lambda user, _: user.active,
    "DeactiveUsers": lambda user, _: not user.active,
    "CurrentUser": lambda user, call: user.id == call.user.id,
}


class UserRoutes:
    """Shows users."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    @route("GET", "/crm/v8/users")
    def users(self, call: ApiCall) -> Response:
        """Answer with the users of a type, all of them unless said."""
        call.need("users", None, "READ")
        kind = call.request.param("type") or "AllUsers"
        if kind not in _TYPES:
            raise ApiError(400, "INVALID_DATA", {"param_name": "type", "supported_values": list(_TYPES)})
        page, per_page = call.number("page", 1), call.number("per_page", PER_PAGE, PER_PAGE)
        found = [each for each in self._org.users_by_id.values() if _TYPES[kind](each, call)]
        shown = found[(page - 1) * per_page : page * per_page]
        if not shown:
            return Response(204)
        info = {"per_page": per_page, "count": len(shown), "page": page, "more_records": len(found) > page * per_page}
        return Response(body={"users": [self._described(each) for each in shown], "info": info})

    @route("GET", "/crm/v8/users/{user_id}")
    def user(self, call: ApiCall, user_id: str) -> Response:
        """Answer with one user."""
        call.need("users", None, "READ")
        user = self._org.users_by_id.get(user_id)
        return Response(body={"users": [self._described(user)]}) if user is not None else Response(204)

    def _described(self, user: User) -> dict[str, Any]:
        first, _, last = user.name.rpartition(" ")
        manager = self._org.users_by_id.get(user.manager or "")
        return {
            "id": user.id,
            "first_name": first or None,
            "last_name": last,
            "full_name": user.name,
            "email": user.email,
            "status": "active" if user.active else "disabled",
            "confirm": True,
            "zuid": user.id[-9:],
            "type__s": "Regular User",
            "role": {"name": "CEO" if manager is None else "Manager", "id": user.id},
            "profile": {"name": user.profile, "id": self._org.profiles[user.profile]},
            "Reporting_To": None if manager is None else {"name": manager.name, "id": manager.id},
        }
