"""Amounts of money: exact, and never shown in a currency that is not theirs."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Money(NamedTuple):
    """An amount and the ISO code of its currency."""

    amount: Decimal
    code: str

    def __str__(self) -> str:
        """Write the amount as FreshBooks does, with its currency: ``1,500.00 USD``."""
        return f"{self.amount:,} {self.code}"


class MoneyError(ValueError):
    """Something that should be money and is not; the message says what is expected, and names no amount."""


def read_decimal(value: Any) -> Decimal:
    """Give a number of the API, which comes as a string, as an exact one.

    Raises:
        MoneyError: if it is not a finite number.
    """
    if type(value) is str or (isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)):
        try:
            number = Decimal(value)
        except InvalidOperation:
            pass
        else:
            if number.is_finite():
                return number
    raise MoneyError("a decimal number")


def read_money(value: Any) -> Money | None:
    """Give ``{"amount": "12.50", "code": "USD"}`` as money; None for none.

    Raises:
        MoneyError: if it is something else.
    """
    if value is None:
        return None
    try:
        return Money(read_decimal(value["amount"]), str(value["code"] or ""))
    except (TypeError, KeyError) as error:
        raise MoneyError("an amount with its currency") from error


def in_currency(balances: Iterable[Any], code: str) -> tuple[Decimal, int]:
    """Give what balances, one per currency, say in one currency, and how many others there are that are not 0.

    Nothing in that currency is 0. Amounts in different currencies are never added.

    Raises:
        MoneyError: if one of them is not money.
    """
    found, others = Decimal(0), 0
    for balance in balances:
        money = read_money(balance)
        if money is None:
            continue
        if money.code == code:
            found += money.amount
        elif money.amount:
            others += 1
    return found, others
