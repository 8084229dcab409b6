"""Reading one sent record: every value checked, every error found ("Insert Records", "Upsert Records")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho import currencies, deals
from sandbox.zoho.errors import RowError, error
from sandbox.zoho.lookups import WrongLookupError, resolve
from sandbox.zoho.values import WrongValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.batch import Batch
    from sandbox.zoho.model import Field, Layout, Module
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record

Errors = list[dict[str, Any]]
_PEOPLE = ("Contacts", "Leads")


class RowReader:
    """Turns what was sent into values to keep.

    Args:
        org: the organization.
        create_account: makes an account of a name, for a deal that names its account so.
    """

    def __init__(self, org: Organization, create_account: Callable[[Batch, str], str]) -> None:
        self._org, self._create_account = org, create_account

    def read(self, batch: Batch, raw: dict[str, Any], index: int, record_id: str | None) -> Record:
        """Return the values to set: None clears a field, what is not named stays.

        Args:
            batch: the call.
            raw: what was sent.
            index: the record's position in the call.
            record_id: the record that is updated; None for a new one.

        Raises:
            RowError: with one error, or with several as MULTIPLE_OR_MULTI_ERRORS.
        """
        path = f"$.data[{index}]"
        existing = self._org.tables[batch.module.api_name].rows[record_id] if record_id is not None else None
        layout = self._layout(batch, raw, record_id)
        if raw.get("Layout") and not self._org.switches.named_layout_keeps_other_fields:
            raw = {name: value for name, value in raw.items() if name not in layout.hidden}
        values, errors = self._values(batch, raw, path, existing)
        refused = {each["details"].get("api_name") for each in errors}
        required = self._required(batch, raw, layout) if existing is None else ()
        for name in (*batch.mandatory, *required):
            missing = values.get(name) is None if existing is None else name in values and values[name] is None
            if missing and name not in refused:
                errors.append(error("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"}))
        if not refused & {"Stage", "Pipeline"}:
            errors += self._complete(batch, values, existing, path, layout)
        for name in batch.unique:
            if values.get(name) is not None:
                errors += self._duplicate(batch, name, values[name], record_id, path)
        if len(errors) == 1:
            only = errors[0]
            raise RowError(only["code"], only["details"], only["message"])
        if errors:
            raise RowError("MULTIPLE_OR_MULTI_ERRORS", {"errors": errors})
        return values

    def _values(self, batch: Batch, raw: dict[str, Any], path: str, existing: Record | None) -> tuple[Record, Errors]:
        values: Record = {}
        errors: Errors = []
        checks, fields = batch.checks, batch.module.fields
        for name, value in raw.items():
            if name not in checks:
                if name == "id":
                    continue
                errors += self._stray(batch, name, value, path)
                continue
            if value is None or value == "":
                values[name] = None
                continue
            if name == "Currency" and existing is not None and existing.get(name) == value:
                continue  # one that is out of use goes on where it is
            check = checks[name]
            try:
                values[name] = check(value) if check else self._resolve(batch, fields[name], value, path)
            except WrongValueError as wrong:
                errors.append(error(wrong.code, {**wrong.details, "api_name": name, "json_path": f"{path}.{name}"}))
            except WrongLookupError as wrong:
                errors.append(wrong.body)
        return values, errors

    def _stray(self, batch: Batch, name: str, value: Any, path: str) -> Errors:
        """Judge a key that is no writable field: by default it is passed over."""
        details = {"api_name": name, "json_path": f"{path}.{name}"}
        if name == "Layout" and value is not None:
            return [] if layout_named(batch.module, value) else [error("INVALID_DATA", details)]
        if name in batch.module.fields or name in ("id", "Layout", "Tag") or name.startswith("$"):
            return []
        switches = self._org.switches
        switch = switches.currency_without_feature if name == "Currency" else switches.unknown_fields
        return [] if switch == "ignore" else [error("INVALID_DATA", details, "invalid field")]

    def _resolve(self, batch: Batch, lookup: Field, value: Any, path: str) -> Any:
        by_name = self._org.switches.account_by_name and batch.module.api_name == "Deals"
        create = (lambda name: self._create_account(batch, name)) if by_name else None
        external = batch.external.get(lookup.api_name)
        return resolve(self._org, lookup, value, path, external=external, create_account=create)

    def _layout(self, batch: Batch, raw: dict[str, Any], record_id: str | None) -> Layout:
        """Return the layout of a record: the one that it names, else its own, else the standard one."""
        known = self._org.tables[batch.module.api_name].layouts
        if not known and not raw.get("Layout"):
            return batch.module.layouts[0]
        own = known.get(record_id or "")
        return layout_named(batch.module, raw.get("Layout")) or batch.module.layout(own) or batch.module.layouts[0]

    def _required(self, batch: Batch, raw: dict[str, Any], layout: Layout) -> list[str]:
        """Return what a layout makes mandatory, where that is checked ("Insert Records": mandatory fields)."""
        if not layout.required:
            return []
        if batch.via == "api" and self._org.switches.layout_mandatory == "with_layout" and not raw.get("Layout"):
            return []
        return [name for name in layout.required if name not in batch.mandatory]

    def _complete(self, batch: Batch, values: Record, existing: Record | None, path: str, layout: Layout) -> Errors:
        """Add what follows from the values, and check what belongs together."""
        errors: Errors = []
        if batch.module.api_name in _PEOPLE:
            parts = [(values if name in values else existing or {}).get(name) for name in ("First_Name", "Last_Name")]
            values["Full_Name"] = " ".join(part for part in parts if part) or None
        if self._org.currencies and "Currency" in batch.module.fields:
            errors += currencies.complete(self._org, values, existing, path)
        if batch.module.api_name == "Deals":
            errors += deals.complete(self._org, values, existing, path, layout.id)
        return errors

    def _duplicate(self, batch: Batch, name: str, value: Any, record_id: str | None, path: str) -> Errors:
        table = self._org.tables[batch.module.api_name]
        others = [each for each in table.find(name, value) if each != record_id]
        if not others:
            return []
        owner = self._org.user(table.rows[others[0]]["Owner"])
        details = {
            "api_name": name,
            "json_path": f"{path}.{name}",
            "id": others[0],
            "more_records": len(others) > 1,
            "duplicate_record": {
                "Owner": {"name": owner.name, "id": owner.id, "zuid": owner.id[-9:]},
                "module": {"api_name": batch.module.api_name, "id": batch.module.id},
                "id": others[0],
            },
        }
        return [error("DUPLICATE_DATA", details)]


def layout_named(module: Module, given: Any) -> Layout | None:
    """Return the layout whose id a record names; None if it names none that the module has."""
    wanted = given.get("id") if isinstance(given, dict) else None
    return next((each for each in module.layouts if each.id == wanted), None)
