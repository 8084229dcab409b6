"""One call of the API, past the gateway: who calls, what they sent, what it costs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import ApiError
from sandbox.zoho.scopes import allowed

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.http import Request
    from sandbox.zoho.model import User
    from sandbox.zoho.oauth import AccessToken


@dataclass
class ApiCall:
    """One authenticated call."""

    request: Request
    token: AccessToken
    user: User
    """Who consented."""
    origin: str
    """The `api_domain` that was called."""
    body: Any
    """What the body says as JSON; None where it says nothing."""
    cost: int = 1
    headers: dict[str, str] = field(default_factory=dict)

    def need(self, group: str, name: str | None, *operations: str) -> None:
        """Refuse a token whose scopes do not allow any of these operations.

        Raises:
            ApiError: OAUTH_SCOPE_MISMATCH.
        """
        if not allowed(self.token.scopes, group, name, operations):
            raise ApiError(401, "OAUTH_SCOPE_MISMATCH")

    def json(self) -> dict[str, Any]:
        """Read the body.

        Raises:
            ApiError: INVALID_DATA if it is no JSON object.
        """
        if not isinstance(self.body, dict):
            raise ApiError(400, "INVALID_DATA", {"expected_data_type": "jsonobject"}, "body")
        return self.body

    def items(self, name: str, most: int) -> list[Any]:
        """Read the body's list of things to write.

        Raises:
            ApiError: if it is missing, empty or too long.
        """
        body = self.json()
        path = {"api_name": name, "json_path": f"$.{name}"}
        if name not in body:
            raise ApiError(400, "MANDATORY_NOT_FOUND", path)
        found = body[name]
        if not isinstance(found, list):
            raise ApiError(400, "INVALID_DATA", {"expected_data_type": "jsonarray", **path})
        if not found:
            raise ApiError(400, "INVALID_DATA", {"minimum_length": 1, **path})
        if len(found) > most:
            raise ApiError(400, "INVALID_DATA", {"maximum_length": most, **path})
        return found

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """Read a whole number of the query.

        Raises:
            ApiError: INVALID_DATA if it is none, or too large.
        """
        text = self.request.param(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
            details: dict[str, Any] = {"param_name": name}
            if most is not None:
                details["maximum_value"] = most
            raise ApiError(400, "INVALID_DATA", details)
        return int(text)

    def required(self, name: str, values: Collection[str] | None = None) -> str:
        """Read a parameter that must be there.

        Raises:
            ApiError: REQUIRED_PARAM_MISSING, or INVALID_DATA if it is none of `values`.
        """
        text = self.request.param(name)
        if not text:
            raise ApiError(400, "REQUIRED_PARAM_MISSING", {"param_name": name})
        if values is not None and text not in values:
            raise ApiError(400, "INVALID_DATA", {"param_name": name, "supported_values": list(values)})
        return text


def read_json(body: bytes) -> Any:
    """Read JSON with every digit of its numbers; None if it is none (NaN and Infinity are none)."""
    if not body:
        return None

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(body, parse_float=Decimal, parse_constant=refuse)
    except ValueError:
        return None
