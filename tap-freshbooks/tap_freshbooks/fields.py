"""Kinds of fields: the JSON schema of each, and the exact conversion of what FreshBooks sends.

Every field but the keys is nullable, and none is required: null is FreshBooks saying that there is nothing. A value
that is not of its field's kind is turned into it where nothing is lost by that (a number where text is expected); where
it cannot be, the field is left out of the record, as one is that FreshBooks did not send, so that nobody takes what is
not known for what is empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tap_freshbooks.timestamps import eastern_to_utc, eastern_to_utc_exact, utc_to_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Schema = dict[str, Any]

_UNUSABLE = (TypeError, ValueError, ArithmeticError)
"""What a conversion raises where the value is not of the field's kind."""
MOST_TYPES = 1000
"""Combinations of types that are remembered as right."""


@dataclass
class Notes:
    """Names of fields that were passed over while converting, those of objects inside a record as ``lines.name``."""

    unknown: set[str] = field(default_factory=set)
    """What the schema does not have."""
    unusable: set[str] = field(default_factory=set)
    """What had a value that is not of the field's kind; ``lines.?`` for one of them that is no object."""


@dataclass(frozen=True)
class Kind:
    """A kind of field."""

    schema: Schema
    """Of its values, as they are emitted."""
    convert: Callable[[Any, Notes], Any]
    """Turns any value but None into one of the kind, or raises `TypeError` or `ValueError`."""
    plain: type | None = None
    """The type of values that are taken as they are."""


class Fields:
    """The fields of a record, or of an object inside one."""

    def __init__(self, kinds: dict[str, Kind] | None = None, *, prefix: str = "", **names_by_kind: str) -> None:
        """Take fields.

        Args:
            kinds: fields of kinds made by `nested` and `several`.
            prefix: put before the names in `Notes`.
            names_by_kind: names, separated by blanks, by the name of their kind in `KINDS`.
        """
        self.kinds = {name: KINDS[kind] for kind, names in names_by_kind.items() for name in names.split()}
        self.kinds.update(kinds or {})
        self.prefix = prefix
        self._names = frozenset(self.kinds)
        self._plain = [(name, kind.plain, kind.convert) for name, kind in self.kinds.items() if kind.plain]
        self._plain_names = [name for name, _, _ in self._plain]
        self._converted = [(name, kind.convert) for name, kind in self.kinds.items() if not kind.plain]
        self._good_types: set[tuple[type, ...]] = set()

    @property
    def schema(self) -> Schema:
        """The JSON schema; unknown fields never get as far as a record, so none are allowed."""
        return {
            "type": "object",
            "properties": {name: self.kinds[name].schema for name in sorted(self.kinds)},
            "additionalProperties": False,
        }

    def convert(self, row: dict[str, Any], notes: Notes) -> dict[str, Any]:
        """Return those of these fields that a row of FreshBooks has, each with a value that can be read, or null."""
        values: Iterable[Any] = list(map(row.get, self._plain_names))
        types = tuple(map(type, values))
        # Nearly all rows of a list have the same types, so that a look at all of them at once says that all are right.
        if types not in self._good_types:
            values = [
                value if value is None or type(value) is plain else _read(value, convert, notes)
                for value, (_, plain, convert) in zip(values, self._plain, strict=True)
            ]
            if types == tuple(map(type, values)) and len(self._good_types) < MOST_TYPES:
                self._good_types.add(types)
        record = dict(zip(self._plain_names, values, strict=True))
        for name, convert in self._converted:
            value = row.get(name)
            record[name] = None if value is None else _read(value, convert, notes)
        for name in [name for name, value in record.items() if value is _UNREAD]:
            del record[name]
            notes.unusable.add(self.prefix + name)
        for name in self._names.difference(row):
            del record[name]
        if not self._names.issuperset(row):
            notes.unknown.update(self.prefix + name for name in row.keys() - self._names)
        return record


_UNREAD = object()
"""In place of a value that cannot be read."""


def _read(value: Any, convert: Callable[[Any, Notes], Any], notes: Notes) -> Any:
    try:
        return convert(value, notes)
    except _UNUSABLE:
        return _UNREAD


def nested(fields: Fields) -> Kind:
    """Make the kind of an object with fields of its own."""

    def convert(value: Any, notes: Notes) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        return fields.convert(value, notes)

    return Kind(_nullable(fields.schema), convert)


def several(fields: Fields) -> Kind:
    """Return the kind of a list of objects with fields of their own; what is no object among them is left out."""

    def convert(value: Any, notes: Notes) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise TypeError("not a list")
        found = [item for item in value if isinstance(item, dict)]
        if len(found) < len(value):
            notes.unusable.add(f"{fields.prefix}?")
        return [fields.convert(item, notes) for item in found]

    return Kind({"type": ["array", "null"], "items": fields.schema}, convert)


def _text(value: Any, _notes: Notes) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError("not text")


def _integer(value: Any, _notes: Notes) -> int | None:
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, (int, str)) or (isinstance(value, Decimal) and value == value.to_integral_value()):
        return int(value)
    raise TypeError("not an integer")


def _vis_state(value: Any, notes: Notes) -> int | None:
    """Take 0 (active), 1 (deleted) or 2 (archived): https://www.freshbooks.com/api/active_deleted."""
    state = _integer(value, notes)
    if state not in {None, 0, 1, 2}:
        raise ValueError("not a state")
    return state


def _boolean(value: Any, _notes: Notes) -> bool:
    if value in (0, "0", "false", ""):
        return False
    if value in (1, "1", "true"):
        return True
    raise TypeError("not a boolean")


def _day(value: Any, _notes: Notes) -> str | None:
    if not isinstance(value, str):
        raise TypeError("not a date")
    try:
        return _iso_day(value[:10])
    except ValueError:
        if _is_blank(value):
            return None
        raise


@lru_cache(maxsize=4096)
def _iso_day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _moment(to_utc: Callable[[str], str]) -> Callable[[Any, Notes], str | None]:
    def convert(value: Any, _notes: Notes) -> str | None:
        if not isinstance(value, str):
            raise TypeError("not a timestamp")
        try:
            return to_utc(value)
        except ValueError:
            if _is_blank(value):
                return None
            raise

    return convert


def _is_blank(text: str) -> bool:
    """Say whether a date says that there is none, as older rows do: with nothing, or with ``0000-00-00``."""
    return not text.strip("0-: ")


def _list(value: Any, _notes: Notes) -> list[Any]:
    if isinstance(value, list) and all(isinstance(item, (dict, str, int)) for item in value):
        return value
    raise TypeError("not a list")


def _money(value: Any, _notes: Notes) -> dict[str, str | None]:
    """Take ``{"amount": "12.50", "code": "USD"}``; older answers have a JSON number in it."""
    if not isinstance(value, dict):
        raise TypeError("not money")
    amount, code = value.get("amount"), value.get("code")
    if not isinstance(amount, str):
        if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
            raise TypeError("not an amount")
        amount = f"{amount:f}" if isinstance(amount, Decimal) else str(amount)
    if not _AMOUNT.fullmatch(amount) or not isinstance(code, str):
        raise TypeError("not an amount with its currency")
    return {"amount": amount, "code": code}


_AMOUNT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def _balances(value: Any, notes: Notes) -> list[dict[str, str | None]]:
    """Take ``[{"amount": {"amount": "12.50", "code": "USD"}}]``, one entry a currency."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise TypeError("not a list of balances")
    return [_money(entry["amount"] if isinstance(entry.get("amount"), dict) else entry, notes) for entry in value]


def _nullable(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


_MONEY_SCHEMA = {
    "type": "object",
    "properties": {"amount": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]}},
    "additionalProperties": False,
}
_MOMENT_SCHEMA = {"type": ["string", "null"], "format": "date-time"}

KINDS = {
    "number_key": Kind({"type": "integer"}, _integer, int),
    "text_key": Kind({"type": "string"}, _text, str),
    "text": Kind({"type": ["string", "null"]}, _text, str),
    "integer": Kind({"type": ["integer", "null"]}, _integer, int),
    "vis_state": Kind({"type": ["integer", "null"]}, _vis_state),
    "boolean": Kind({"type": ["boolean", "null"]}, _boolean, bool),
    "day": Kind({"type": ["string", "null"], "format": "date"}, _day),
    "eastern": Kind(_MOMENT_SCHEMA, _moment(eastern_to_utc)),
    "eastern_exact": Kind(_MOMENT_SCHEMA, _moment(eastern_to_utc_exact)),
    "utc": Kind(_MOMENT_SCHEMA, _moment(utc_to_utc)),
    "list": Kind({"type": ["array", "null"], "items": {"type": ["object", "string", "integer"]}}, _list),
    "money": Kind(_nullable(_MONEY_SCHEMA), _money),
    "balances": Kind({"type": ["array", "null"], "items": _MONEY_SCHEMA}, _balances),
}
"""By the names that the tables in `tap_freshbooks.schemas` use."""
