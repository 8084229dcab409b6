"""COQL, Zoho's query language, as text.

The rules are those of the CRM API's pages "Get Records through COQL Query" and "COQL Limitations": WHERE is mandatory,
at most 25 criteria bracketed in pairs, 50 values in an `in` list, 50 fields, 200 rows for one credit. They do not say
whether a backslash in a text escapes what follows it, so none is ever sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_CRITERIA = 25
MAX_FIELDS = 50
VALUES_PER_IN = 50
ROWS_FOR_ONE_CREDIT = 200

Item = TypeVar("Item")
BACKSLASH = "\\"
_UNSURE = re.compile(r"[\\%]")
"""What a `like` pattern cannot have within it: a backslash, and its own sign for anything."""


def quote(text: str) -> str:
    """Return a text as a COQL string, its quotes doubled.

    Raises:
        ValueError: if there is a backslash in it, which Zoho may take for itself or for an escape (see `begins_like`).
    """
    if BACKSLASH in text:
        raise ValueError("a text with a backslash cannot be asked for as it is")
    return "'" + text.replace("'", "''") + "'"


def begins_like(field: str, text: str) -> str | None:
    """Return the criterion that a field begins as a text does up to its first backslash.

    More rows fit it than have that text, so they have to be compared with it afterwards. Where a text begins with a
    backslash, its longest part without one may be anywhere in the field. None is for a text that has no such part.
    """
    first, *others = _UNSURE.split(text)
    if first.strip():
        return f"{field} like {quote(first.strip() + '%')}"
    longest = max((part.strip() for part in others), key=len, default="")
    return f"{field} like {quote(f'%{longest}%')}" if longest else None


def either(criteria: Sequence[str]) -> str:
    """Join criteria with `or`, bracketed in pairs as COQL demands.

    Raises:
        ValueError: if there are none, or more than 25.
    """
    if not 0 < len(criteria) <= MAX_CRITERIA:
        raise ValueError(f"COQL takes 1 to {MAX_CRITERIA} criteria, not {len(criteria)}")
    joined, *rest = criteria
    for criterion in rest:
        joined = f"({joined} or {criterion})"
    return joined


def equals_any(field: str, values: Sequence[str], per_in: int = VALUES_PER_IN) -> str:
    """Return the criterion that a field has one of these values, in as many `in` lists as it takes.

    Raises:
        ValueError: if there are no values, or more than 25 lists of them, or a backslash in one.
    """
    lists = [", ".join(quote(value) for value in some) for some in chunks(values, per_in)]
    return either([f"{field} in ({some})" for some in lists])


def select(fields: Sequence[str], module: str, where: str, order_by: str | None = "id") -> str:
    """Return a query without its LIMIT, which `ZohoClient.query` adds page by page.

    Args:
        fields: API names, `id` and lookups with a dot (`Account_Name.id`) included.
        module: its API name.
        where: one criterion, or several that are bracketed.
        order_by: what makes pages follow each other; None only where there is one row.

    Raises:
        ValueError: if more fields are asked for than COQL gives.
    """
    if len(fields) > MAX_FIELDS:
        raise ValueError(f"COQL gives {MAX_FIELDS} fields at most, not {len(fields)}")
    order = f" order by {order_by}" if order_by else ""
    return f"select {', '.join(fields)} from {module} where {where}{order}"  # noqa: S608 - values are quoted


def chunks(items: Sequence[Item], size: int = ROWS_FOR_ONE_CREDIT) -> Iterator[Sequence[Item]]:
    """Cut a sequence into parts; the default is what one query answers for one credit, if each value meets one row."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
