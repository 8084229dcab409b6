"""Columns of COQL: fields of the module, or of those that its lookups lead to ("COQL", joins by dots)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.model import Field, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

    Get = Callable[[Record], Any]

MAX_DEPTH = 2


class Columns:
    """The columns of one module."""

    def __init__(self, org: Organization, module: Module) -> None:
        self._org, self._module = org, module

    def getter(self, path: str) -> tuple[Get, Field, Module]:
        """Return what reads a column, which may lead through lookups, with the field at its end and that one's module.

        Raises:
            ApiError: if there is no such column, or it is too far away.
        """
        *steps, last = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise ApiError(400, "LIMIT_EXCEEDED", {"limit": MAX_DEPTH, "column_name": path}, "join limit exceeded")
        module, hops = self._module, []
        for step in steps:
            field = module.fields.get(step)
            if field is None or field.lookup is None:
                raise bad_column(path)
            hops.append((step, self._org.tables[field.lookup].rows))
            module = self._org.modules[field.lookup]
        if last not in module.fields:
            raise bad_column(path)

        if not hops:
            return lambda row: row.get(last), module.fields[last], module

        def get(row: Record) -> Any:
            for step, rows in hops:
                other = rows.get(row[step]) if step in row else None
                if other is None:
                    return None
                row = other
            return row.get(last)

        return get, module.fields[last], module


def bad_column(path: str) -> ApiError:
    """Return the answer to a column that is not there."""
    details = {"column_name": path, "reason": "column given seems to be invalid"}
    return ApiError(400, "INVALID_QUERY", details, "invalid query formed")


def bad_value(path: str) -> ApiError:
    """Return the answer to a literal that a column cannot be compared with."""
    message = "value given seems to be invalid for the column"
    return ApiError(400, "INVALID_QUERY", {"column_name": path, "reason": message}, message)
