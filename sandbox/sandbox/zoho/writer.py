"""Writing single records: values checked, uniqueness enforced, the write noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.zoho import deals
from sandbox.zoho.errors import RowError, error
from sandbox.zoho.lookups import WrongLookupError, resolve
from sandbox.zoho.matching import check_order, match
from sandbox.zoho.table import Deleted
from sandbox.zoho.values import WrongValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sandbox.zoho.model import Field, Module, User
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record
    from sandbox.zoho.values import Check


class Write(NamedTuple):
    """One change of one record."""

    module: str
    action: str
    """``insert``, ``update`` or ``delete``."""
    id: str
    sent: tuple[str, ...]
    """The fields that were sent, as far as the module has them and they can be written."""
    changed: tuple[str, ...]
    """The fields whose value is another than before, those that Zoho derives included."""
    by: str
    """``api`` or ``person``."""


class Workflow(NamedTuple):
    """One automation that a write set off."""

    trigger: str
    """``workflow``, ``approval`` or ``blueprint``."""
    module: str
    action: str
    id: str


@dataclass
class Batch:
    """What the records of one call share."""

    module: Module
    by: User
    via: str = "api"
    now: datetime | None = None
    duplicate_check_fields: Sequence[str] | None = None
    triggers: Sequence[str] = ("workflow", "approval", "blueprint")
    unmodified_since: datetime | None = None
    external: dict[str, str] = field(default_factory=dict)
    """Lookup fields that are given by an external id, with that field's name in the other module."""
    checks: dict[str, Check | None] = field(default_factory=dict)
    mandatory: list[str] = field(default_factory=list)
    unique: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    inserted: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Refusal:
    """Records that are refused whatever they hold, for tests."""

    module: str
    body: dict[str, Any]
    when: Callable[[dict[str, Any]], bool]


class Writer:
    """Writes records and remembers what was written."""

    def __init__(self, org: Organization) -> None:
        self._org = org
        self.writes: list[Write] = []
        self.workflows_fired: list[Workflow] = []
        self.refusals: list[Refusal] = []
        self.on_write: Callable[[Write], None] = lambda _: None

    def begin(self, batch: Batch) -> Batch:
        """Prepare a call's records."""
        module = batch.module
        batch.now = batch.now or self._org.now()
        batch.checks = self._org.checks(module)
        batch.mandatory = [name for name, each in module.fields.items() if each.mandatory]
        batch.unique = module.unique_fields()
        batch.order = check_order(batch.duplicate_check_fields, module.system_key, batch.unique)
        return batch

    def upsert(self, batch: Batch, raw: Any, index: int) -> tuple[str, str, str | None]:
        """Update the record that a row means, or insert it.

        Returns:
            The id, ``insert`` or ``update``, and the field that matched.

        Raises:
            RowError: if Zoho would refuse the row.
        """
        self._refuse(batch, raw, index)
        table = self._org.tables[batch.module.api_name]
        given = raw.get("id")
        if given is not None and self._org.switches.id_wins:
            return self.update(batch, raw, index), "update", None

        def find(name: str, value: object) -> Sequence[str]:
            ids = table.find(name, value)
            return ids if self._org.switches.batch_sees_itself else [each for each in ids if each not in batch.inserted]

        name, ids = match(batch.order, raw, find)
        if not ids:
            if given is not None:
                return self.update(batch, raw, index), "update", None
            return self.insert(batch, raw, index), "insert", None
        choice = self._org.switches.several_match
        if len(ids) > 1 and choice == "refuse":
            details = {"api_name": name, "json_path": f"$.data[{index}].{name}", "more_records": True}
            raise RowError("DUPLICATE_DATA", details)
        record_id = ids[-1] if choice == "newest" else ids[0]
        return self._update(batch, raw, index, record_id), "update", name

    def insert(self, batch: Batch, raw: Any, index: int) -> str:
        """Insert a row and give its id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        self._refuse(batch, raw, index)
        values = self._read(batch, raw, index, None)
        org, now = self._org, batch.now
        record_id = org.next_id()
        row: Record = {name: value for name, value in values.items() if value is not None}
        row.setdefault("Owner", batch.by.id)
        row |= {
            "id": record_id,
            "Created_By": batch.by.id,
            "Modified_By": batch.by.id,
            "Created_Time": now,
            "Modified_Time": now,
        }
        org.tables[batch.module.api_name].insert(record_id, row)
        batch.inserted.add(record_id)
        self._note(batch, "insert", record_id, raw, tuple(values))
        return record_id

    def update(self, batch: Batch, raw: Any, index: int) -> str:
        """Change the record whose id is in the row.

        Raises:
            RowError: if Zoho would refuse it.
        """
        self._refuse(batch, raw, index)
        record_id = raw.get("id")
        if record_id is None:
            raise RowError("MANDATORY_NOT_FOUND", {"api_name": "id", "json_path": f"$.data[{index}].id"})
        record_id = str(record_id)
        if record_id not in self._org.tables[batch.module.api_name].rows:
            details = {"id": record_id, "api_name": "id", "json_path": f"$.data[{index}].id"}
            raise RowError("INVALID_DATA", details, "the id given seems to be invalid")
        return self._update(batch, raw, index, record_id)

    def delete(self, batch: Batch, record_id: str) -> None:
        """Put a record into the recycle bin; lookups to it become empty.

        Raises:
            RowError: if there is none.
        """
        org, module = self._org, batch.module
        table = org.tables[module.api_name]
        if record_id not in table.rows:
            raise RowError("INVALID_DATA", {"id": record_id}, "the id given seems to be invalid")
        row = table.remove(record_id)
        for other in org.modules.values():
            for name, each in other.fields.items():
                if each.lookup == module.api_name:
                    for pointing in org.tables[other.api_name].find(name, record_id):
                        org.tables[other.api_name].update(pointing, {name: None})
        created_by = org.user(row["Created_By"]).reference()
        moment = batch.now or org.now()
        name = row.get(module.name_field)
        table.deleted.append(Deleted(record_id, name, "recycle", batch.by.reference(), created_by, moment))
        self._note(batch, "delete", record_id, {}, ("Modified_By", "Record_Status__s"))

    def _update(self, batch: Batch, raw: Any, index: int, record_id: str) -> str:
        table = self._org.tables[batch.module.api_name]
        row = table.rows[record_id]
        if batch.unmodified_since is not None and row["Modified_Time"] > batch.unmodified_since:
            raise RowError("ALREADY_MODIFIED", {"api_name": "id", "json_path": f"$.data[{index}].id", "id": record_id})
        values = self._read(batch, raw, index, record_id)
        changed = table.update(record_id, values)
        table.update(record_id, {"Modified_Time": batch.now, "Modified_By": batch.by.id})
        self._note(batch, "update", record_id, raw, tuple(changed))
        return record_id

    def _read(self, batch: Batch, raw: dict[str, Any], index: int, record_id: str | None) -> Record:
        """Check a row and give the values to set.

        Raises:
            RowError: with one error, or several in one.
        """
        org, module = self._org, batch.module
        path = f"$.data[{index}]"
        values: Record = {}
        errors: list[dict[str, Any]] = []
        for name, value in raw.items():
            if name not in batch.checks:
                errors += self._stray(module, name, path)
                continue
            if value is None or value == "":
                values[name] = None
                continue
            check = batch.checks[name]
            try:
                values[name] = check(value) if check else self._resolve(batch, module.fields[name], value, path)
            except WrongValueError as wrong:
                details = {**wrong.details, "api_name": name, "json_path": f"{path}.{name}"}
                errors.append(error("INVALID_DATA", details))
            except WrongLookupError as wrong:
                errors.append(wrong.body)
        existing = org.tables[module.api_name].rows[record_id] if record_id is not None else None
        refused = {each["details"].get("api_name") for each in errors}
        for name in batch.mandatory:
            if name not in refused and (
                values.get(name) is None if existing is None else name in values and values[name] is None
            ):
                errors.append(error("MANDATORY_NOT_FOUND", {"api_name": name, "json_path": f"{path}.{name}"}))
        if module.api_name == "Deals" and not refused & {"Stage", "Pipeline"}:
            errors += deals.complete(org, values, existing, path)
        elif module.api_name in ("Contacts", "Leads"):
            first, last = ((values if n in values else existing or {}).get(n) for n in ("First_Name", "Last_Name"))
            values["Full_Name"] = " ".join(part for part in (first, last) if part) or None
        for name in batch.unique:
            if values.get(name) is not None:
                errors += self._duplicate(module, name, values[name], record_id, path)
        if len(errors) == 1:
            only = errors[0]
            raise RowError(only["code"], only["details"], only["message"])
        if errors:
            raise RowError("MULTIPLE_OR_MULTI_ERRORS", {"errors": errors})
        return values

    def _resolve(self, batch: Batch, lookup: Field, value: Any, path: str) -> Any:
        def create(name: str) -> str:
            accounts = Batch(self._org.modules["Accounts"], batch.by, batch.via, batch.now)
            return self.insert(self.begin(accounts), {"Account_Name": name}, 0)

        by_name = self._org.switches.account_by_name and batch.module.api_name == "Deals"
        external = batch.external.get(lookup.api_name)
        return resolve(self._org, lookup, value, path, external=external, create_account=create if by_name else None)

    def _stray(self, module: Module, name: str, path: str) -> list[dict[str, Any]]:
        """Judge a key that is no writable field: by default it is passed over."""
        if name in module.fields or name in ("id", "Layout", "Tag") or name.startswith("$"):
            return []
        switch = (
            self._org.switches.currency_without_feature if name == "Currency" else self._org.switches.unknown_fields
        )
        if switch == "ignore":
            return []
        return [error("INVALID_DATA", {"api_name": name, "json_path": f"{path}.{name}"}, "invalid field")]

    def _duplicate(
        self, module: Module, name: str, value: Any, record_id: str | None, path: str
    ) -> list[dict[str, Any]]:
        others = [each for each in self._org.tables[module.api_name].find(name, value) if each != record_id]
        if not others:
            return []
        owner = self._org.user(self._org.tables[module.api_name].rows[others[0]]["Owner"])
        details = {
            "api_name": name,
            "json_path": f"{path}.{name}",
            "id": others[0],
            "more_records": len(others) > 1,
            "duplicate_record": {
                "Owner": {"name": owner.name, "id": owner.id, "zuid": owner.id[-9:]},
                "module": {"api_name": module.api_name, "id": module.id},
                "id": others[0],
            },
        }
        return [error("DUPLICATE_DATA", details)]

    def _refuse(self, batch: Batch, raw: Any, index: int) -> None:
        if not isinstance(raw, dict):
            raise RowError("INVALID_DATA", {"expected_data_type": "jsonobject", "json_path": f"$.data[{index}]"})
        if batch.via != "api":
            return
        for refusal in self.refusals:
            if refusal.module == batch.module.api_name and refusal.when(raw):
                body = refusal.body
                details = body["details"] or {"json_path": f"$.data[{index}]"}
                raise RowError(body["code"], details, body["message"])

    def _note(self, batch: Batch, action: str, record_id: str, raw: dict[str, Any], changed: tuple[str, ...]) -> None:
        sent = tuple(name for name in raw if name in batch.checks)
        write = Write(batch.module.api_name, action, record_id, sent, changed, batch.via)
        self.writes.append(write)
        for trigger in batch.triggers:
            self.workflows_fired.append(Workflow(trigger, write.module, action, record_id))
        self.on_write(write)
