"""Values that fit: what FreshBooks says, in the form and size that a field of Zoho takes.

Zoho refuses a record with one value too long, of another type or not in a picklist, so each value is fitted to what the
organization's own field metadata says. Dates, lengths and formats: the CRM API's pages "Fields Metadata" and "Insert
Records".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.money import MoneyError, read_decimal

if TYPE_CHECKING:
    from target_zoho_crm.mapping.metadata import Field

ELLIPSIS = "…"
NUMBERS = frozenset({"currency", "double", "percent", "integer", "bigint"})
LOOKUPS = frozenset({"lookup", "ownerlookup", "userlookup"})
CONTACTS = frozenset({"email", "phone", "website"})

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?|\n")
_ONE_LINE = re.compile(r"\r\n?|[\n\t]")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'&/=?^{}~!#$*|-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
_PHONE = re.compile(r"[0-9A-Za-z+().,/;:#*\- ]*[0-9][0-9A-Za-z+().,/;:#*\- ]*")
_PATTERNS = {"email": _EMAIL, "phone": _PHONE}


class UnfitError(ValueError):
    """A value that cannot be made to fit without saying something else; the record is rejected.

    Attributes:
        field: the field's API name, or FreshBooks' name of the property where there is no field.
        expected: what would have fitted.
    """

    def __init__(self, field: str, expected: str, code: str = "VALUE_NOT_ACCEPTED") -> None:
        super().__init__(f"{field}: {expected} is expected")
        self.field = field
        self.expected = expected
        self.code = code


@dataclass
class Fitter:
    """Fits values, and counts what had to be changed for it.

    Attributes:
        shortened: how many texts were cut, by field.
        emptied: how many values were left out because Zoho would have refused the whole record for them, by field.
        rounded: how many amounts were rounded to the decimals of a field of Zoho's own, by field.
    """

    shortened: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    rounded: Counter[str] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        """How many values are not there as FreshBooks has them."""
        return self.shortened.total() + self.emptied.total() + self.rounded.total()

    def fit(self, target: Field, value: Any) -> Any:
        """Give the value as it is sent, or None for an empty one.

        Raises:
            UnfitError: if it is a number with more decimals than the field has, or not of the field's type at all.
        """
        if value is None or value == "":
            return None
        return fit_for(target)(self, target, value)


def fit_text(fitter: Fitter, target: Field, value: Any) -> str | None:
    """Give a text in one line, of a textarea in several, shortened where it is too long."""
    text = clean(value if type(value) is str else str(value), lines=target.data_type == "textarea")
    if target.length and len(text) > target.length:
        fitter.shortened[target.api_name] += 1
        text = text[: target.length - 1].rstrip() + ELLIPSIS
    return text or None


def fit_contact(fitter: Fitter, target: Field, value: Any) -> str | None:
    """Give an e-mail address, a phone number or a web address as a whole, or nothing."""
    text = clean(str(value))
    pattern = _PATTERNS.get(target.data_type)
    if (pattern and not pattern.fullmatch(text)) or (target.length and len(text) > target.length):
        fitter.emptied[target.api_name] += 1
        return None
    return text or None


def fit_choice(fitter: Fitter, target: Field, value: Any) -> str | None:
    """Give the choice of a picklist that is meant, or nothing; any text where the choices are not known."""
    if not target.choices:
        return fit_text(fitter, target, value)
    text = clean(str(value))
    for same in (str, str.casefold):
        for choice in target.choices:
            if same(text) in {same(choice.display), same(choice.actual)}:
                return choice.display
    fitter.emptied[target.api_name] += 1
    return None


def clean(text: str, *, lines: bool = False) -> str:
    """Remove control characters and outer white space; without `lines`, make line ends spaces."""
    # What is printable has none of either, and to ask is faster than to search.
    if (text.replace("\n", " ") if lines else text).isprintable():
        return text.strip()
    return _CONTROL.sub("", _LINE_END.sub("\n", text) if lines else _ONE_LINE.sub(" ", text)).strip()


def fit_number(_: Fitter, target: Field, value: Any) -> Decimal | int:
    """Give a number with the field's decimals, if it is the same number then.

    Raises:
        UnfitError: if it is none, or has more decimals than the field, or more digits.
    """
    try:
        number = read_decimal(value)
    except MoneyError as error:
        raise UnfitError(target.api_name, "a number") from error
    whole = target.data_type in {"integer", "bigint"}
    places = 0 if whole else target.decimal_places
    if places is None:
        return number
    if number.adjusted() + places > _MAX_DIGITS or number != (fitted := number.quantize(_step(places))):
        raise UnfitError(target.api_name, f"a number with at most {places} decimals")
    return int(fitted) if whole else fitted


def fit_amount(fitter: Fitter, target: Field, value: Any) -> Decimal | None:
    """Return an amount with the field's decimals, see `shown_amount`; what is not the exact amount is counted.

    Raises:
        UnfitError: if it is no number, or has more digits than any field.
    """
    try:
        amount = read_decimal(value)
    except MoneyError as error:
        raise UnfitError(target.api_name, "a number") from error
    if amount.adjusted() + (target.decimal_places or 0) > _MAX_DIGITS:
        raise UnfitError(target.api_name, "a number of fewer digits")
    shown = shown_amount(target, amount)
    if shown is None:
        fitter.emptied[target.api_name] += 1
    elif shown != amount:
        fitter.rounded[target.api_name] += 1
    return shown


def shown_amount(target: Field, amount: Decimal) -> Decimal | None:
    """Return an amount as a field shows it: exactly, or, where the field has too few decimals for that, in another way.

    Zoho's own fields have as many decimals as an administrator gave them, and take the amount rounded half up. Fields
    of ours are there to be added up, so that they show nothing rather than a rounded amount: None.
    """
    places = target.decimal_places
    if places is None or amount.adjusted() + places > _MAX_DIGITS:
        return amount
    rounded = amount.quantize(_step(places), rounding=ROUND_HALF_UP)
    return rounded if rounded == amount or not target.custom else None


_MAX_DIGITS = 24
"""Far beyond any field of Zoho's, and within what Decimal can quantize."""


@lru_cache
def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def fit_date(_: Fitter, target: Field, value: Any) -> str:
    """Give ``YYYY-MM-DD``.

    Raises:
        UnfitError: if it is not a date.
    """
    text = str(value)[:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UnfitError(target.api_name, "a date (YYYY-MM-DD)") from error


def fit_datetime(_: Fitter, target: Field, value: Any) -> str:
    """Give the instant in UTC with ``+00:00`` and without a fraction of a second, which Zoho does not take.

    Raises:
        UnfitError: if it is not a date-time with an offset.
    """
    moment = read_instant(value)
    if moment is None:
        raise UnfitError(target.api_name, "a date-time with its offset")
    return moment.isoformat(timespec="seconds")


def fit_boolean(_: Fitter, target: Field, value: Any) -> bool:
    """Give a checkbox's value.

    Raises:
        UnfitError: if it is neither true nor false.
    """
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "1"}:
        return True
    if str(value).lower() in {"false", "0"}:
        return False
    raise UnfitError(target.api_name, "true or false")


def read_instant(value: Any) -> datetime | None:
    """Give an ISO 8601 date-time as an aware one in UTC; None if it is not one, or has no offset."""
    if isinstance(value, str):
        return _parse_instant(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(timezone.utc)


@lru_cache(maxsize=4096)
def _parse_instant(text: str) -> datetime | None:
    """Read the text once for all who look at it while its batch is worked on."""
    try:
        return read_instant(datetime.fromisoformat(text.replace("Z", "+00:00")))
    except ValueError:
        return None


def same(target: Field, desired: Any, held: Any) -> bool:
    """Say whether a fitted value is what Zoho holds, so that there is nothing to write.

    Empty and null are the same, numbers are compared as numbers, instants as instants, lookups by id, and texts without
    the outer white space and the kind of line end, which Zoho may change.
    """
    if desired == held:
        return True
    if desired is None or desired == "" or held is None or held == "":
        return not desired and not held and desired != 0 and held != 0
    if target.data_type in LOOKUPS:
        return _id(desired) == _id(held)
    if target.data_type in NUMBERS:
        return _number(desired) == _number(held)
    if target.data_type == "datetime":
        return read_instant(desired) == read_instant(held)
    return isinstance(held, str) and bool(desired == clean(held, lines=target.data_type == "textarea"))


def _id(lookup: Any) -> str:
    return str(lookup.get("id")) if isinstance(lookup, dict) else str(lookup)


def _number(value: Any) -> Decimal | None:
    try:
        return read_decimal(str(value))
    except MoneyError:
        return None


Fit = Callable[[Fitter, "Field", Any], Any]
FITS: dict[str, Fit] = {
    **dict.fromkeys(LOOKUPS, lambda _fitter, _target, value: value),
    **dict.fromkeys(NUMBERS, fit_number),
    "currency": fit_amount,
    **dict.fromkeys(CONTACTS, fit_contact),
    "picklist": fit_choice,
    "date": fit_date,
    "datetime": fit_datetime,
    "boolean": fit_boolean,
}
"""What fits values of a type, empty ones excepted; those of all others are texts."""


def fit_for(target: Field) -> Fit:
    """Give what fits values of a field."""
    return FITS.get(target.data_type, fit_text)
