"""Money: strings on the wire, `Decimal` inside, and the totals of an invoice.

Source: https://www.freshbooks.com/api/invoices (discount before tax) and the sample answers of the official SDKs.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.freshbooks.records import Line

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def cents(amount: Decimal) -> Decimal:
    """Round to cents, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def decimal(value: object) -> Decimal:
    """Read a number as clients of the API send it: a string, an int or a JSON number.

    Raises:
        ValueError: if it is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError("not a number")  # noqa: TRY004 - as for any other text that is no number
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not number.is_finite():
        raise ValueError("not a number")
    return number


def amount_of(value: Any) -> Decimal:
    """Read an amount: ``{"amount": "100.00", "code": "USD"}`` or the bare number.

    Raises:
        ValueError: if there is no finite number in it.
    """
    return decimal(value.get("amount") if isinstance(value, dict) else value)


def totals(lines: Sequence[Line], discount: Decimal) -> tuple[Decimal, Decimal]:
    """Compute what the lines come to.

    Tax is computed on the discounted line; a compounded second tax is computed on the first as well.

    Args:
        lines: the invoice's lines.
        discount: percentage, as in ``Decimal("10")``.

    Returns:
        The invoice's total and its discount (zero or negative).
    """
    net = sum((line.amount for line in lines), ZERO)
    reduction = -cents(net * discount / 100) if discount else ZERO
    kept = 1 - discount / 100
    tax = Decimal(0)
    for line in lines:
        if line.tax_1 or line.tax_2:
            base = line.amount * kept
            first = base * line.tax_1 / 100
            tax += first + (base + first if line.compounded else base) * line.tax_2 / 100
    return cents(net + reduction + tax), reduction
