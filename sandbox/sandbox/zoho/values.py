"""What a field accepts: each check gives the value to keep, or raises `WrongValueError` with Zoho's details.

Rules: "Field Types: Data Types and Length Limits" and "Insert Records" of Zoho's API documentation.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.model import Field
    from sandbox.zoho.switches import Switches

    Check = Callable[[Any], Any]

_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s.,;<>()\"]+(\.[^@\s.,;<>()\"]+)+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)")
_NUMBER_DIGITS = {"currency": 16, "double": 16, "percent": 5}
_MAX_DECIMALS = 9


class WrongValueError(Exception):
    """A value that a field does not take, with Zoho's code and details."""

    def __init__(self, code: str = "INVALID_DATA", **details: Any) -> None:
        super().__init__(f"{code} {details}")
        self.code, self.details = code, details


def check_for(field: Field, switches: Switches) -> Check | None:
    """Return the check of a field's type; None for types that need more than the value (lookups) or take nothing."""
    makers: dict[str, Callable[[Field, Switches], Check]] = {
        "text": _text,
        "textarea": _text,
        "phone": _text,
        "website": _text,
        "email": _email,
        "picklist": _picklist,
        "multiselectpicklist": _multiselect,
        "date": _date,
        "datetime": _datetime,
        "currency": _number,
        "double": _number,
        "percent": _number,
        "integer": _integer,
        "bigint": _integer,
        "boolean": _boolean,
    }
    maker = makers.get(field.data_type)
    return maker(field, switches) if maker else None


def _text(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        if type(value) is not str:
            raise WrongValueError(expected_data_type=field.data_type)
        if field.length is not None and len(value) > field.length:
            raise WrongValueError(maximum_length=field.length)
        if field.accepted is not None and value not in field.accepted:
            raise WrongValueError(field.refusal, **_dependee(field))
        return value

    return check


def _dependee(field: Field) -> dict[str, Any]:
    """Return the field on which the values of another depend: the country, for a part of an address."""
    if field.refusal != "DEPENDENT_FIELD_MISSING":
        return {}
    return {"dependee": {"api_name": f"{field.api_name.rpartition('_')[0]}_Country"}}


def _email(field: Field, switches: Switches) -> Check:
    text = _text(field, switches)

    def check(value: Any) -> Any:
        if not _EMAIL.fullmatch(text(value)):
            raise WrongValueError(expected_data_type="email")
        return value

    return check


def _picklist(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        if type(value) is not str:
            raise WrongValueError(expected_data_type="picklist")
        if all(value != choice.display_value for choice in field.choices):
            raise WrongValueError(supported_values=field.values())
        return value

    return check


def _multiselect(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        if not isinstance(value, list):
            raise WrongValueError(expected_data_type="jsonarray")
        if any(each not in field.values() for each in value):
            raise WrongValueError(supported_values=field.values())
        return list(value)

    return check


def _date(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        if type(value) is not str or not _DATE.fullmatch(value):
            raise WrongValueError(expected_data_type="date")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise WrongValueError(expected_data_type="date") from None
        return value

    return check


def _datetime(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        moment = parse_datetime(value, z=switches.datetime_accepts_z)
        if moment is None:
            raise WrongValueError(expected_data_type="datetime")
        return moment

    return check


def _number(field: Field, switches: Switches) -> Check:
    limit = _NUMBER_DIGITS[field.data_type]

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise WrongValueError(expected_data_type="double")
        number = Decimal(value)
        places = field.decimals if field.decimals is not None else _MAX_DECIMALS
        number = plain(number)
        decimals = -int(number.as_tuple().exponent)
        if decimals > places:
            if switches.surplus_decimals != "round":
                raise WrongValueError(maximum_decimal_places=places)
            number = plain(number.quantize(Decimal(1).scaleb(-places)))
        if len(number.as_tuple().digits) > limit:
            raise WrongValueError(maximum_length=limit)
        return number

    return check


def _integer(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    limit = 9 if field.data_type == "integer" else 18
    big = field.data_type == "bigint"

    def check(value: Any) -> Any:
        if big and type(value) is str and value.lstrip("-").isdigit():
            value = int(value)
        if type(value) is not int:
            raise WrongValueError(expected_data_type=field.data_type)
        if len(str(abs(value))) > limit:
            raise WrongValueError(maximum_length=limit)
        return value

    return check


def _boolean(field: Field, switches: Switches) -> Check:  # noqa: ARG001
    def check(value: Any) -> Any:
        if type(value) is not bool:
            raise WrongValueError(expected_data_type="boolean")
        return value

    return check


def parse_datetime(value: Any, *, z: bool = False) -> datetime | None:
    """Read a date-time with an offset and without fractions of a second; None if it is anything else.

    Args:
        value: what was sent.
        z: accept Z for the offset.
    """
    if type(value) is not str:
        return None
    match = _DATETIME.fullmatch(value)
    if match is None or (match[1] == "Z" and not z):
        return None
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def plain(number: Decimal) -> Decimal:
    """Write a number without superfluous zeros and without an exponent: 1200.50 as 1200.5, 1.2E+3 as 1200."""
    number = number.normalize()
    return number.quantize(Decimal(1)) if int(number.as_tuple().exponent) > 0 else number
