"""Fields and choices: those that a module has, as Zoho describes them, and those that the mapping wants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPEN, WON, LOST = "Open", "Closed Won", "Closed Lost"
"""The kinds of a stage of Deals (`forecast_type` on the page "Get Pipelines in a Layout")."""


@dataclass(frozen=True)
class Choice:
    """A value of a pick list; a rename changes what is displayed, never the actual value.

    What is displayed is what a write has to send (Kaizen #205); a read may give either.
    """

    display: str
    actual: str = ""
    kind: str = ""
    """Of a stage of Deals: Open, Closed Won or Closed Lost, as far as Zoho says; else empty."""


@dataclass(frozen=True)
class Field:
    """A field of a module, as Zoho describes it (the page "Fields Metadata")."""

    api_name: str
    label: str
    data_type: str
    """Zoho's token: text, textarea, email, phone, picklist, date, datetime, integer, bigint, double, currency, …"""
    length: int | None = None
    """The longest text, or the most digits, it takes."""
    decimal_places: int | None = None
    unique: bool = False
    custom: bool = False
    read_only: bool = False
    mandatory: bool = False
    choices: tuple[Choice, ...] = ()
    lookup_module: str | None = None
    layouts: tuple[str, ...] = ()
    """Names of the module's layouts that show it."""
    id: str = ""
    """Zoho's id of the field, which no rename changes."""
    restricted: bool = False
    """Whether its values are kept from the API (GDPR): it can be written, and reads as empty."""

    @cached_property
    def displayed(self) -> Mapping[str, str]:
        """Actual value → what is displayed, of the choices for which the two differ."""
        shown = {choice.display for choice in self.choices}
        return {
            choice.actual: choice.display for choice in self.choices if choice.actual and choice.actual not in shown
        }


@dataclass(frozen=True)
class FieldSpec:
    """A field that the mapping wants; Zoho takes labels of up to 25 characters."""

    label: str
    data_type: str
    length: int | None = None
    unique: bool = False
    lookup_module: str | None = None
    """API name of the module that a lookup points to."""


def as_displayed(fields: Iterable[Field], row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it was read from Zoho, its choices by what is displayed: a read may give the actual values.

    Args:
        fields: those of the row's whose displayed and actual values differ; others may be among them.
        row: values by API name.
    """
    changed = {
        field.api_name: field.displayed[value]
        for field in fields
        if isinstance(value := row.get(field.api_name), str) and value in field.displayed
    }
    return {**row, **changed} if changed else row
