"""The mapping's table bound to an organization: which column of which module each of its rows is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.metadata import as_displayed
from target_zoho_crm.mapping.money import MoneyError
from target_zoho_crm.mapping.tables import KEY, LEAVE, ONCE, SHARED, UPDATED, Record, Row, Setting, freshbooks_id
from target_zoho_crm.mapping.values import CONTACTS, Fit, Fitter, UnfitError, fit_for, read_instant
from target_zoho_crm.sync.planning import Desired, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from target_zoho_crm.mapping.metadata import Field

OWNER = "Owner"
"""Zoho's field of the user whose a record is; it is set when one is made, and people's from then on."""
DELETED = 1
"""FreshBooks' `vis_state` of a deleted record."""
_AMOUNTS = {"amount": "Amount", "paid": "FreshBooks Paid", "outstanding": "FreshBooks Outstanding"}


@dataclass(frozen=True)
class Column:
    """A row of the table and the field it goes to."""

    row: Row
    field: Field


@dataclass(frozen=True)
class Destination:
    """Where records are written.

    Attributes:
        stream: whose records they are.
        module: API name.
        key: API name of the field that tells records apart.
        key_unique: whether Zoho keeps that field unique, so that it can be the key of an upsert.
        delicate: API names of fields that a record can do without, so that a refused value is left out.
        process: API names of the fields of a deal's way through the pipeline, which a process in Zoho may hold; a
            record that is there does without a change of them.
        unique: API names of the other fields that Zoho keeps unique: an upsert would take any record that has the same
            value there, whosever it is (Kaizen #56).
        hidden: API names of the fields that the layout which new records name does not show, or may not.
    """

    stream: str
    module: str
    key: str
    key_unique: bool
    delicate: frozenset[str] = frozenset()
    unique: frozenset[str] = frozenset()
    process: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Extra:
    """A line of the setting `extra_fields`: a field, and the path of the FreshBooks property that goes into it.

    Where the line has a constant, that is written instead.
    """

    field: Field
    path: tuple[str, ...]
    constant: str | None = None

    def value(self, record: Record) -> Any:
        """Return what goes into the field."""
        return self.constant if self.constant is not None else follow(record, self.path)


@dataclass(frozen=True)
class Layout:
    """Where the records of one stream go.

    Attributes:
        stream: clients, invoices or payments.
        module: API name.
        columns: the rows that have a field in this organization.
        currency: ISO code of the organization's home currency.
        currencies: those that a new record may have, where records of this module have a currency of their own; None
            where they do not.
        extras: the user's own lines.
        missing: API names of fields that are not there yet (only in a dry run); they cannot be read.
        page_layout: Zoho's id of the layout that a new record names, where the module has several; else None.
        page_name: the name of that layout.
        foreign: whether the field of the FreshBooks ID also holds values that are not ours.
        new_key: whether this run made the unique field of the FreshBooks ID, so that only its own records have one.
    """

    stream: str
    module: str
    columns: tuple[Column, ...]
    currency: str
    currencies: frozenset[str] | None = None
    extras: tuple[Extra, ...] = ()
    missing: frozenset[str] = frozenset()
    page_layout: str | None = None
    page_name: str | None = None
    foreign: bool = False
    new_key: bool = False

    def named(self, label: str) -> Field | None:
        """Give the field of the row with that label (or API name, of a field of Zoho's own)."""
        return next((column.field for column in self.columns if label in _labels(column.row)), None)

    @cached_property
    def key(self) -> Field:
        """The field that holds the FreshBooks ID."""
        found = self.named(KEY)
        if found is None:
            raise LookupError(f"{self.module} has no field {KEY}")
        return found

    @cached_property
    def updated(self) -> Field | None:
        """The field that holds FreshBooks Updated."""
        return self.named(UPDATED)

    @cached_property
    def amounts(self) -> Mapping[str, Field]:
        """The fields that amounts go to, by FreshBooks' property."""
        found = {name: self.named(label) for name, label in _AMOUNTS.items()}
        return {name: field for name, field in found.items() if field is not None}

    def currency_of(self, held: Mapping[str, Any]) -> str:
        """Return the currency of a record that was read from Zoho: what it was made with, whether still active or not.

        Nothing changes it (Zoho's FAQ on several currencies), so no amount in another one belongs into that record.
        """
        own = self.named("Currency") if self.currencies is not None else None
        return str((held.get(own.api_name) if own else None) or self.currency)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """All fields that are written, by API name."""
        found = [column.field for column in self.columns] + [extra.field for extra in self.extras]
        return {field.api_name: field for field in found}

    @cached_property
    def restricted(self) -> frozenset[str]:
        """API names of the fields whose values Zoho keeps from the API (the page "Fields Metadata", `private`)."""
        return frozenset(name for name, field in self.fields.items() if field.restricted)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """API names of what has to be read to compare a record with what Zoho holds, `id` first."""
        return ("id", *(name for name in self.fields if name not in self.missing))

    @cached_property
    def destination(self) -> Destination:
        """Where the records are written.

        Nobody should miss a client for a bad e-mail, or for a part of an address that a picklist does not have. So a
        record can do without ways to reach somebody, what people in Zoho may enter themselves, and the user's own
        fields; and where the owner is not active any more, the user who gave the consent gets it.
        """
        shared = {column.field.api_name for column in self.columns if column.row.owner == SHARED}
        extras = {extra.field.api_name for extra in self.extras}
        contacts = {name for name, field in self.fields.items() if field.data_type in CONTACTS}
        delicate = frozenset(shared | extras | contacts | {OWNER}) - {self.key.api_name}
        unique = frozenset(name for name, field in self.fields.items() if field.unique) - {self.key.api_name}
        process = frozenset(column.field.api_name for column in self.columns if column.row.deals_only)
        page = self.page_name
        hidden = frozenset(name for name, field in self.fields.items() if page and page not in field.layouts)
        key = self.key
        return Destination(self.stream, self.module, key.api_name, key.unique, delicate, unique, process, hidden)

    @cached_property
    def _renamed(self) -> list[Field]:
        """The pick lists in which a choice is displayed otherwise than it is kept."""
        return [field for field in self.fields.values() if field.displayed]

    def as_displayed(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row as it was read, its choices by what is displayed."""
        return as_displayed(self._renamed, row) if self._renamed else row

    def held_updated(self, held: Mapping[str, Any] | None) -> datetime | None:
        """Give FreshBooks Updated of a record read from Zoho."""
        return read_instant(held.get(self.updated.api_name)) if held and self.updated else None

    def desired(self, record: Record, setting: Setting, fitter: Fitter) -> Desired:
        """Map a FreshBooks record.

        Raises:
            UnfitError: if one of its values cannot be written; field and expectation are named, the value is not.
        """
        values, once = self._values(record, setting, fitter)
        for extra in self.extras:
            values[extra.field.api_name] = fitter.fit(extra.field, extra.value(record))
        if self.page_layout is not None:
            once["Layout"] = {"id": self.page_layout}
        if setting.owner is not None:
            once[OWNER] = {"id": setting.owner}
        return Desired(
            key=freshbooks_id(record),
            values=values,
            once=once,
            updated=read_instant(record.get("updated")),
            deleted=record.get("vis_state") == DELETED,
        )

    @cached_property
    def _steps(self) -> list[tuple[Row, Field, Callable[[Record, Setting], Any], Fit]]:
        """What is done for each column."""
        return [(one.row, one.field, one.row.value, fit_for(one.field)) for one in self.columns]

    def _values(self, record: Record, setting: Setting, fitter: Fitter) -> tuple[Values, Values]:
        """Give the values of all columns, and those for a new record only."""
        values: Values = {}
        once: Values = {}
        blocks: dict[str, Values] = {}
        for row, field, value_of, fit in self._steps:
            try:
                value = value_of(record, setting)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise _malformed(row, error) from error
            if value is LEAVE:
                continue
            value = None if value is None or value == "" else fit(fitter, field, value)
            if row.block is not None:
                blocks.setdefault(row.block, {})[field.api_name] = value
            elif value is not None:
                (once if row.owner == ONCE else values)[field.api_name] = value
            elif row.owner not in _OTHERS_TOO:
                if field.mandatory:
                    raise UnfitError(field.api_name, "a value that the field accepts")
                values[field.api_name] = None
        for block in blocks.values():
            if any(value is not None for value in block.values()):
                values.update(block)
        return values, once


_OTHERS_TOO = (SHARED, ONCE)
"""Owners of fields in which an empty value changes nothing."""


def _malformed(row: Row, error: Exception) -> UnfitError:
    return UnfitError(
        row.label, str(error) if isinstance(error, MoneyError) else f"FreshBooks' {row.source}", "MALFORMED"
    )


def _labels(row: Row) -> tuple[str | None, str | None]:
    return row.zoho, row.ours.label if row.ours else None


def follow(record: Any, path: tuple[str, ...]) -> Any:
    """Give what a dotted path leads to, None where it leads nowhere; a list or an object is no value."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return None if isinstance(record, (dict, list)) else record
