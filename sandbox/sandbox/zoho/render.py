"""Kept values as answers show them, and answers as JSON in which amounts keep every digit."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record


_DECIMAL = re.compile(r'"\\u0001decimal:([-0-9.]+)"')


@lru_cache(maxsize=20_000)
def local(moment: datetime, time_zone: str) -> str:
    """Write a moment in a time zone, without fractions of a second."""
    return moment.astimezone(ZoneInfo(time_zone)).isoformat(timespec="seconds")


def encode(body: Any) -> bytes:
    """Write a value as JSON; decimals come out as numbers, digit by digit."""

    def mark(value: Any) -> str:
        if isinstance(value, Decimal):
            return f"\x01decimal:{value:f}"
        raise TypeError(f"{type(value).__name__} is no JSON value")

    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=mark)
    if "\\u0001" in text:
        text = _DECIMAL.sub(r"\1", text)
    return text.encode()


class Renderer:
    """Shows the records of one module, for one answer.

    Args:
        org: the organization.
        module: the module.
        names: the fields to show.
        to_person: show what a person sees in the CRM, where the API may answer otherwise.
    """

    def __init__(self, org: Organization, module: Module, names: Iterable[str], *, to_person: bool = False) -> None:
        self._org = org
        self._zone = org.time_zone
        self._to_person = to_person
        self._shows = [(name, self.shower(module.fields[name])) for name in names]

    def show(self, row: Record) -> dict[str, Any]:
        """Return a record as Zoho answers it: null for what is empty."""
        return {
            name: None if (value := row.get(name)) is None else show(value) if show else value
            for name, show in self._shows
        }

    def shower(self, field: Field) -> Callable[[Any], Any] | None:
        """Return what turns a kept value of a field into what is shown; None where it is shown as it is."""
        if field.restricted and not self._to_person:
            return lambda _: None
        if field.data_type == "datetime":
            return self._local
        if field.data_type == "ownerlookup":
            return self._user
        if field.data_type == "lookup" and field.lookup is not None:
            return self._reference(field.lookup)
        if field.data_type == "picklist" and self._org.switches.reads_actual_values and not self._to_person:
            actual = {each.display_value: each.actual_value for each in field.choices}
            return lambda value: actual.get(value, value)
        return None

    def _local(self, moment: datetime) -> str:
        return local(moment, self._zone)

    def _user(self, user_id: str) -> dict[str, Any]:
        return self._org.user(user_id).reference()

    def _reference(self, module: str) -> Callable[[Any], Any]:
        rows = self._org.tables[module].rows
        name = self._org.modules[module].name_field

        def show(record_id: str) -> dict[str, Any] | None:
            row = rows.get(record_id)
            return None if row is None else {"name": row.get(name), "id": record_id}

        return show
