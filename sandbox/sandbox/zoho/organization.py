"""The organization: its edition, modules, pipelines, currencies and users, and the records in it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.zoho.model import Choice, Currency, Field, Module, Pipeline, User
from sandbox.zoho.render import local
from sandbox.zoho.standard import MODULES, PIPELINE, STAGES, Standard, audit_fields
from sandbox.zoho.switches import Switches
from sandbox.zoho.table import Table
from sandbox.zoho.values import check_for

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.clock import Clock
    from sandbox.zoho.values import Check

EDITIONS = ("free", "standard", "professional", "enterprise", "ultimate")
_FIRST_ID = 554597400000000000
_INDEXED = {"Accounts": ("Account_Name",), "Contacts": ("Email",), "Leads": ("Email",), "Deals": ("Deal_Name",)}


class Organization:
    """The state of one Zoho CRM organization."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.switches = Switches()
        self.edition = "enterprise"
        self.users = 5
        self.zgid = "698244000"
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
        self._last_id = _FIRST_ID
        self._checks: dict[str, dict[str, Check | None]] = {}
        self.integration = User(self.next_id(), "CRM Integration", "integration@example.com")
        self.person = User(self.next_id(), "CRM Person", "person@example.com")
        self.profiles = {"Administrator": self.next_id(), "Standard": self.next_id()}
        """The ids of the users' profiles, by name."""
        self.users_by_id = {each.id: each for each in (self.integration, self.person)}
        for name, (singular, plural, fields) in MODULES.items():
            self._ship(name, singular, plural, fields)
        self._ship_pipeline()

    # identity and time

    def next_id(self) -> str:
        """Give an id that nothing has yet: 18 digits, growing."""
        self._last_id += 3
        return str(self._last_id)

    def now(self) -> datetime:
        """Give the time in whole seconds, as Zoho keeps it (UTC)."""
        return self.clock.now().replace(microsecond=0)

    def local(self, moment: datetime) -> str:
        """Write a moment in the organization's time zone, without fractions of a second."""
        return local(moment, self.time_zone)

    def user(self, user_id: str) -> User:
        """Give the user with an id."""
        return self.users_by_id[user_id]

    # modules and fields

    def checks(self, module: Module) -> dict[str, Check | None]:
        """Give the check of every field that can be written; None for lookups."""
        checks = self._checks.get(module.api_name)
        if checks is None or len(checks) != sum(not field.read_only for field in module.fields.values()):
            checks = {
                name: check_for(field, self.switches) for name, field in module.fields.items() if not field.read_only
            }
            self._checks[module.api_name] = checks
        return checks

    def add_module(self, api_name: str, singular: str, plural: str, name_label: str) -> Module:
        """Add a custom module with its name field."""
        name = Standard("Name", name_label, "text", 120, {"mandatory": True})
        owner = Standard("Owner", "Owner", "ownerlookup", 120)
        module = self._ship(api_name, singular, plural, [owner, name])
        module.custom = True
        return module

    def add_field(self, module: Module, field: Field) -> None:
        """Add a field to a module."""
        module.fields[field.api_name] = field
        if field.unique or field.external or field.data_type in ("lookup", "email"):
            self.tables[module.api_name].index(field.api_name)
        if field.data_type == "currency" and module.custom and self.currencies:
            self._add_currency_fields(module)

    def new_field(self, label: str, data_type: str, **options: Any) -> Field:
        """Make a field without putting it anywhere; its API name is derived from the label."""
        choices = [Choice(self.next_id(), value, value) for value in options.pop("choices", ())]
        api_name = options.pop("api_name", None) or api_name_of(label)
        return Field(self.next_id(), api_name, label, data_type, choices=choices, **options)

    def _ship(self, name: str, singular: str, plural: str, fields: list[Standard]) -> Module:
        module = Module(self.next_id(), name, singular, plural, self.next_id())
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
        stage = self.modules["Deals"].fields["Stage"]
        stages = [Choice(choice.id, choice.display_value, choice.actual_value) for choice in stage.choices]
        assert [each.actual_value for each in stages] == list(STAGES)  # noqa: S101
        self.pipelines = []
        self.add_pipeline(PIPELINE, stages)

    def add_pipeline(self, name: str, stages: list[Choice]) -> Pipeline:
        """Add a pipeline; the first one is the default."""
        pipeline = Pipeline(self.next_id(), name, name, not self.pipelines, stages)
        self.pipelines.append(pipeline)
        if self.uses_pipelines:
            self.modules["Deals"].fields["Pipeline"].choices.append(Choice(pipeline.id, name, name))
        return pipeline

    def make_default(self, pipeline: Pipeline) -> None:
        """Let a pipeline be the default one."""
        for each in self.pipelines:
            each.default = each is pipeline

    def pipeline(self, name: str | None) -> Pipeline | None:
        """Give the pipeline displayed under a name; the default one for None."""
        for pipeline in self.pipelines:
            if pipeline.default if name is None else pipeline.display_value == name:
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
