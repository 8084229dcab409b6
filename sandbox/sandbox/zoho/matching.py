"""Which record an upsert means ("Upsert Records": duplicate_check_fields and the order in which fields are checked)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def ineligible(fields: Sequence[object], system_key: str, unique: Sequence[str]) -> int | None:
    """Return the position of the first field that is neither system-defined nor unique, and so may not be checked."""
    for position, name in enumerate(fields):
        if name != system_key and name not in unique:
            return position
    return None


def check_order(fields: Sequence[str] | None, system_key: str, unique: Sequence[str]) -> list[str]:
    """Return the fields in the order in which they are checked.

    Without a choice it is the system-defined field, then every unique one. With one it is the chosen fields first, and
    after them all *other unique fields* all the same; the system-defined field only if it was chosen.
    """
    chosen = list(dict.fromkeys(fields)) if fields else [system_key]
    return chosen + [name for name in unique if name not in chosen]


def match(
    order: Sequence[str], row: Mapping[str, object], find: Callable[[str, object], Sequence[str]]
) -> tuple[str | None, tuple[str, ...]]:
    """Find the records that a row means: those of the first field with a hit.

    A field that is empty or absent in the row matches nothing.

    Args:
        order: the fields, as from `check_order`.
        row: what was sent.
        find: gives the ids of the records with a value in a field, oldest first.

    Returns:
        The field that hit and the ids; (None, ()) without a hit.
    """
    for name in order:
        value = row.get(name)
        if value is None or value == "" or not isinstance(value, (str, int)):
            continue
        if ids := find(name, value):
            return name, tuple(ids)
    return None, ()
