"""Answers to calls that make or change things of the metadata: one result for each thing sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response
from sandbox.zoho.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Callable


def outcome(make: Callable[[], str], message: str) -> dict[str, Any]:
    """Return the result of making one thing: its id with `message`, or Zoho's error."""
    try:
        made = make()
    except RowError as refused:
        return refused.body
    return {"code": "SUCCESS", "details": {"id": made}, "message": message, "status": "success"}


def answer(name: str, results: list[dict[str, Any]], success: int) -> Response:
    """Return the answer with all results below `name`: `success` if all went well, 400 if none did, else 207."""
    good = sum(result["status"] == "success" for result in results)
    status = success if good == len(results) else 400 if good == 0 else 207
    return Response(status, {name: results})
