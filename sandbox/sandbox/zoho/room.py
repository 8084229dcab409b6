"""How many records an organization may have (MAX_RECORDS_LIMIT_REACHED, as users report it; only inserts meet it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import ApiError, RowError

if TYPE_CHECKING:
    from sandbox.zoho.organization import Organization

SHAPES = ("row", "flat", "one_item")
_CODE = "MAX_RECORDS_LIMIT_REACHED"


@dataclass(frozen=True)
class Room:
    """The limit, and the shape in which what is beyond it is refused."""

    records: int
    shape: str

    def __post_init__(self) -> None:
        """Refuse a shape that nobody knows.

        Raises:
            ValueError: if `shape` is none of `SHAPES`.
        """
        if self.shape not in SHAPES:
            raise ValueError(f"unknown shape {self.shape!r}; there are {', '.join(SHAPES)}")

    def check_row(self, org: Organization) -> None:
        """Refuse a new record beyond the limit.

        Raises:
            RowError: MAX_RECORDS_LIMIT_REACHED.
        """
        if self._beyond(org, 1):
            raise RowError(_CODE, self._details)

    def check_call(self, org: Organization, new: int) -> None:
        """Refuse a call whose new records go beyond the limit.

        Raises:
            ApiError: MAX_RECORDS_LIMIT_REACHED, flat or as the only item of ``data``.
        """
        if new and self._beyond(org, new):
            refused = ApiError(400, _CODE, self._details)
            if self.shape == "one_item":
                refused.body = {"data": [refused.body]}
            raise refused

    @property
    def _details(self) -> dict[str, Any]:
        return {"max_no_of_records": self.records}

    def _beyond(self, org: Organization, new: int) -> bool:
        return sum(len(table.rows) for table in org.tables.values()) + new > self.records
