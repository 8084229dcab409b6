"""The organization: its edition, modules, pipelines, currencies and users, and the records in it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.zoho.model import Choice, Currency, Field, Layout, Module, Pipeline, User
from sandbox.zoho.render import local
from sandbox.zoho.standard import MODULES, PIPELINE, Stage, Standard, audit_fields
from sandbox.zoho.switches import Switches
from sandbox.zoho.table import Table
from sandbox.zoho.values import check_for

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.clock import Clock
    from sandbox.zoho.errors import ApiError
    from sandbox.zoho.values import Check

EDITIONS = ("free", "standard", "professional", "enterprise", "ultimate")
_FIRST_ID, _IDS = 554597400000000000, 10**12
_FIRST_ZGID = 698244000
_INDEXED = {"Accounts": ("Account_Name",), "Contacts": ("Email",), "Leads": ("Email",), "Deals": ("Deal_Name",)}


class Organization:
    """The state of one Zoho CRM organization.

    Args:
        clock: the sandbox's.
        number: how many organizations there were before it.
        switches: how Zoho behaves; all organizations share them.
    """

    def __init__(self, clock: Clock, number: int = 0, switches: Switches | None = None) -> None:
        self.clock = clock
        self.switches = switches or Switches()
        self.edition = "enterprise"
        self.users = 5
        self.zgid = str(_FIRST_ZGID + number)
        self.name = f"Sandbox Company {number + 1}" if number else "Sandbox Company"
        self.time_zone = "Asia/Kolkata"
        self.iso_code = "USD"
        self.modules: dict[str, Module] = {}
        self.tables: dict[str, Table] = {}
        self.pipelines: list[Pipeline] = []
        self.uses_pipelines = True
        """Whether Deals have the field Pipeline at all."""
        self.currencies: dict[str, Currency] = {}
        self.forbidden: set[str] = set()
        """Permissions taken away, as NO_PERMISSION names them: Crm_Implied_Create_Deals, say."""
        self.closed: ApiError | None = None
        """What every call of the API is answered, if anything."""
        self.private: set[str] = set()
        """The modules whose records are shared with nobody but their owners and those above."""
        self._last_id = _FIRST_ID + number * _IDS
        self._checks: dict[str, tuple[list[Field], dict[str, Check | None]]] = {}
        self.integration = User(self.next_id(), "CRM Integration", "integration@example.com", profile="Administrator")
        """Who consents to the use of the API, unless a test lets another user do so."""
        self.person = User(self.next_id(), "CRM Person", "person@example.com", self.integration.id)
        self.profiles = {"Administrator": self.next_id(), "Standard": self.next_id()}
        """The ids of the users' profiles, by name."""
        self.users_by_id = {each.id: each for each in (self.integration, self.person)}
        for name, (singular, plural, fields) in MODULES.items():
            self._ship(name, singular, plural, fields)
        self._ship_pipeline()

    # identity and time

    def next_id(self) -> str:
        """Return an id that nothing has yet: 18 digits, growing."""
        self._last_id += 3
        return str(self._last_id)

    def now(self) -> datetime:
        """Return the time in whole seconds, as Zoho keeps it (UTC)."""
        return self.clock.now().replace(microsecond=0)

    def local(self, moment: datetime) -> str:
        """Write a moment in the organization's time zone, without fractions of a second."""
        return local(moment, self.time_zone)

    def user(self, user_id: str) -> User:
        """Return the user with an id."""
        return self.users_by_id[user_id]

    # modules and fields

    def checks(self, module: Module) -> dict[str, Check | None]:
        """Return the check of every field that can be written; None for lookups."""
        fields = [each for each in module.fields.values() if each.writable]
        known = self._checks.get(module.api_name)
        if known is None or known[0] != fields:
            known = fields, {each.api_name: check_for(each, self.switches) for each in fields}
            self._checks[module.api_name] = known
        return known[1]

    def add_module(self, api_name: str, singular: str, plural: str, name_label: str) -> Module:
        """Add a custom module with its name field."""
        name = Standard("Name", name_label, "text", 120, {"mandatory": True})
        owner = Standard("Owner", "Owner", "ownerlookup", 120)
        module = self._ship(api_name, singular, plural, [owner, name])
        module.custom = True
        return module

    def add_field(self, module: Module, field: Field) -> None:
        """Add a field to a module; a custom one is shown by the standard layout only ("Create Custom Fields")."""
        module.fields[field.api_name] = field
        if field.custom:
            for layout in module.layouts[1:]:
                layout.hidden.add(field.api_name)
        if field.unique or field.external or field.data_type in ("lookup", "email"):
            self.tables[module.api_name].index(field.api_name)
        if field.data_type == "currency" and module.custom and self.currencies:
            self._add_currency_fields(module)

    def remove_field(self, module: Module, api_name: str) -> None:
        """Take a field out of a module, its layouts and its records."""
        del module.fields[api_name]
        for layout in module.layouts:
            layout.hidden.discard(api_name)
            layout.required.discard(api_name)
        table = self.tables[module.api_name]
        table.indexes.pop(api_name, None)
        for row in table.rows.values():
            row.pop(api_name, None)

    def remove_module(self, api_name: str) -> None:
        """Take a module with its records out of the organization, and the lookups that lead to it."""
        del self.modules[api_name], self.tables[api_name]
        for module in self.modules.values():
            for name in [name for name, each in module.fields.items() if each.lookup == api_name]:
                self.remove_field(module, name)

    def new_field(self, label: str, data_type: str, **options: Any) -> Field:
        """Return a field that is nowhere yet; its API name is derived from the label.

        Args:
            label: its label.
            data_type: its type.
            options: attributes of `Field`; `api_name` for one of its own, `choices` as texts or stages.
        """
        choices = [self.new_choice(value) for value in options.pop("choices", ())]
        api_name = options.pop("api_name", None) or api_name_of(label)
        return Field(self.next_id(), api_name, label, data_type, choices=choices, **options)

    def new_choice(self, value: str | Stage) -> Choice:
        """Return a value of a pick list, or a stage."""
        if isinstance(value, Stage):
            return Choice(self.next_id(), value.display_value, value.actual_value, value.forecast_type)
        return Choice(self.next_id(), value, value)

    def _ship(self, name: str, singular: str, plural: str, fields: list[Standard]) -> Module:
        module = Module(self.next_id(), name, singular, plural, [Layout(self.next_id(), "Standard")])
        self.modules[name] = module
        self.tables[name] = Table()
        for standard in [*fields, *audit_fields()]:
            options = {"length": standard.length, "api_name": standard.api_name, **standard.options}
            self.add_field(module, self.new_field(standard.label, standard.data_type, **options))
        for indexed in _INDEXED.get(name, ("Name",)):
            self.tables[name].index(indexed)
        return module

    # pipelines

    def _ship_pipeline(self) -> None:
        self.add_pipeline(PIPELINE, [replace(each) for each in self.modules["Deals"].fields["Stage"].choices])

    def add_pipeline(self, name: str, stages: list[Choice], layout_id: str | None = None) -> Pipeline:
        """Add a pipeline to a layout of Deals, the standard one unless said; the first of a layout is its default."""
        layout_id = layout_id or self.modules["Deals"].layout_id
        first = all(each.layout_id != layout_id for each in self.pipelines)
        pipeline = Pipeline(self.next_id(), layout_id, name, name, first, stages)
        self.pipelines.append(pipeline)
        if self.uses_pipelines:
            self.modules["Deals"].fields["Pipeline"].choices.append(Choice(pipeline.id, name, name))
        return pipeline

    def make_default(self, pipeline: Pipeline) -> None:
        """Let a pipeline be the default of its layout."""
        for each in self.pipelines:
            if each.layout_id == pipeline.layout_id:
                each.default = each is pipeline

    def pipeline(self, name: str | None, layout_id: str | None = None) -> Pipeline | None:
        """Return the pipeline displayed under a name, the default one for None; None if there is none.

        Args:
            name: what is displayed.
            layout_id: the layout that has to contain it; None is any.
        """
        for pipeline in self.pipelines:
            named = pipeline.default if name is None else pipeline.display_value == name
            if named and layout_id in (None, pipeline.layout_id):
                return pipeline
        return None

    # currencies

    def enable_currencies(self, rates: dict[str, Decimal]) -> None:
        """Switch several currencies on: the organization's own and others with their rates; cannot be undone."""
        if not self.currencies:
            self.currencies[self.iso_code] = Currency(self.next_id(), self.iso_code, Decimal(1), is_base=True)
        for code, rate in rates.items():
            self.currencies[code] = Currency(self.next_id(), code, rate)
        for module in self.modules.values():
            if module.api_name in ("Accounts", "Deals", "Leads", "Contacts") or (
                module.custom and any(field.data_type == "currency" for field in module.fields.values())
            ):
                self._add_currency_fields(module)

    def refresh_currencies(self) -> None:
        """Let the Currency fields offer the currencies that are active now."""
        for module in self.modules.values():
            if "Currency" in module.fields:
                self._add_currency_fields(module)

    def _add_currency_fields(self, module: Module) -> None:
        if "Currency" not in module.fields:
            self.add_field(module, self.new_field("Currency", "picklist", length=120))
            self.add_field(module, self.new_field("Exchange Rate", "double", length=16, decimals=9))
            table = self.tables[module.api_name]
            for record_id in table.rows:
                table.update(record_id, {"Currency": self.iso_code, "Exchange_Rate": Decimal(1)})
        module.fields["Currency"].choices = [
            Choice(each.id, each.iso_code, each.iso_code) for each in self.currencies.values() if each.is_active
        ]


def api_name_of(label: str) -> str:
    """Derive a field's API name from its label: words joined by underscores, other characters dropped."""
    name = re.sub(r"[^0-9A-Za-z ]+", "", label).strip()
    name = re.sub(r" +", "_", name)
    return name if name[:1].isalpha() else f"field_{name}".rstrip("_")
