"""Refusals that tests order: of single records, or of a whole call because of one of them.

Zoho's specification of 2026-08 declares for "Insert Records", "Update Records" and "Upsert Records", besides an error
in the place of each record, the same errors flat (one for the call, `details.json_path` names the record if anything
does), and refusals of the request in a wrapper with one item, however many records were sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import ApiError, RowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHAPES = ("row", "flat", "unnamed", "one_item")
_ZOHO_BROKE = 500


@dataclass(frozen=True)
class Refusal:
    """Records that are refused whatever they hold.

    `answered` is ``row`` (an error in the record's place), ``flat`` (the whole call is answered by the record's error),
    ``unnamed`` (the same without `json_path`) or ``one_item`` (the error alone in ``data``).
    """

    module: str
    body: dict[str, Any]
    when: Callable[[dict[str, Any]], bool]
    answered: str = "row"
    status: int = 400

    def __post_init__(self) -> None:
        """Refuse a shape that nobody knows.

        Raises:
            ValueError: if `answered` is none of `SHAPES`.
        """
        if self.answered not in SHAPES:
            raise ValueError(f"unknown shape of a refusal {self.answered!r}; there are {', '.join(SHAPES)}")

    def row_error(self, index: int) -> RowError:
        """Return the error of the record at a position of the call."""
        return RowError(self.body["code"], self._details(index), self.body["message"])

    def call_error(self, rows: Sequence[Any]) -> ApiError | None:
        """Return the answer to a whole call, about the first of its records that is refused; None if none is.

        A flat error with status 500 names no record: what breaks Zoho is not known to it.
        """
        at = next((at for at, row in enumerate(rows) if isinstance(row, dict) and self.when(row)), None)
        if at is None:
            return None
        body = self.body
        if self.answered == "flat" and self.status < _ZOHO_BROKE:
            body = {**body, "details": self._details(at)}
        refused = ApiError(self.status, body["code"])
        refused.body = {"data": [body]} if self.answered == "one_item" else body
        return refused

    def _details(self, index: int) -> dict[str, Any]:
        """Return the details with the path of the record, also in each of several errors."""
        details = dict(self.body["details"])
        if "errors" in details:
            return {**details, "errors": [_placed(each, index) for each in details["errors"]]}
        placed: dict[str, Any] = _placed({"details": details}, index)["details"]
        return placed


def _placed(error: dict[str, Any], index: int) -> dict[str, Any]:
    details = error.get("details") or {}
    path = f"$.data[{index}]"
    if "api_name" in details:
        path += f".{details['api_name']}"
    return {**error, "details": {"json_path": path, **details}}
