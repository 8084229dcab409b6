"""The organization as its administrator changes it; tests are administrators too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.crm import Crm
from sandbox.zoho.customizing import UNIQUE_FIELDS, Customizing
from sandbox.zoho.errors import error as _error
from sandbox.zoho.model import Choice
from sandbox.zoho.organization import EDITIONS
from sandbox.zoho.writer import Refusal

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from sandbox.zoho.model import Field, Pipeline
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.switches import Switches
    from sandbox.zoho.writer import Writer

_WITH_CURRENCIES = ("enterprise", "ultimate")


class Administration(Crm):
    """Edition, fields, stages, currencies and permissions."""

    def __init__(self, organization: Organization, writer: Writer, lock: threading.RLock) -> None:
        super().__init__(organization, writer, lock)
        self._customizing = Customizing(organization)

    @property
    def switches(self) -> Switches:
        """Where Zoho's behaviour is uncertain: which reading holds."""
        return self.organization.switches

    @property
    def edition(self) -> str:
        """``free``, ``standard``, ``professional``, ``enterprise`` or ``ultimate``."""
        return self.organization.edition

    @edition.setter
    def edition(self, edition: str) -> None:
        if edition not in EDITIONS:
            raise ValueError(f"unknown edition {edition!r}; there are {', '.join(EDITIONS)}")
        self.organization.edition = edition

    # fields and modules

    def fields(self, module: str) -> dict[str, Field]:
        """Give the fields of a module by API name; their lengths and flags may be changed in place."""
        return self.organization.modules[module].fields

    def add_custom_field(self, module: str, label: str, data_type: str = "text", **options: Any) -> str:
        """Add a custom field, and give its API name.

        Args:
            module: the module.
            label: its label.
            data_type: its type.
            options: as in the API's field JSON; ``unique=True`` for a unique one.

        Raises:
            RowError: if Zoho would refuse it.
        """
        if options.pop("unique", False):
            options["unique"] = {"case_sensitive": False}
        with self.lock:
            raw = {"field_label": label, "data_type": data_type, **options}
            return self._customizing.make_field(self.organization.modules[module], raw, "$.fields[0]").api_name

    def use_up_unique_fields(self, module: str) -> None:
        """Give a module as many unique fields as it may have, none of them ours."""
        with self.lock:
            for number in range(len(self.organization.modules[module].unique_fields()), UNIQUE_FIELDS):
                self.add_custom_field(module, f"Legacy Key {number + 1}", unique=True)

    def add_custom_module(self, api_name: str, singular: str, plural: str) -> None:
        """Add a custom module, whatever the edition."""
        with self.lock:
            self.organization.add_module(api_name, singular, plural, f"{singular} Name")

    # stages and pipelines

    def rename_stage(self, old: str, new: str) -> None:
        """Rename a stage everywhere: what is displayed changes, the actual value stays."""
        with self.lock:
            for choice in self._stages(old):
                choice.display_value = new
            table = self.organization.tables["Deals"]
            for record_id, row in table.rows.items():
                if row.get("Stage") == old:
                    table.update(record_id, {"Stage": new})

    def remove_stage(self, name: str, pipeline: str | None = None) -> None:
        """Remove a stage: from one pipeline, or from the organization."""
        with self.lock:
            org = self.organization
            for each in org.pipelines:
                if pipeline in (None, each.display_value):
                    each.stages = [stage for stage in each.stages if stage.display_value != name]
            if pipeline is None:
                stage_field = org.modules["Deals"].fields["Stage"]
                stage_field.choices = [choice for choice in stage_field.choices if choice.display_value != name]

    def add_pipeline(self, name: str, stages: Sequence[str], *, default: bool = False) -> Pipeline:
        """Add a pipeline with stages, which are made if Deals do not have them."""
        with self.lock:
            org = self.organization
            known = org.modules["Deals"].fields["Stage"]
            for stage in stages:
                if stage not in known.values():
                    known.choices.append(Choice(org.next_id(), stage, stage))
            chosen = [choice for stage in stages for choice in known.choices if choice.display_value == stage]
            copies = [Choice(each.id, each.display_value, each.actual_value) for each in chosen]
            pipeline = org.add_pipeline(name, copies)
            if default:
                org.make_default(pipeline)
            return pipeline

    def switch_pipelines_off(self) -> None:
        """Be an organization that does not use pipelines: Deals have no field Pipeline, and any stage will do."""
        with self.lock:
            org = self.organization
            org.uses_pipelines = False
            del org.modules["Deals"].fields["Pipeline"]
            for row in org.tables["Deals"].rows.values():
                row.pop("Pipeline", None)

    def rename_pipeline(self, old: str, new: str) -> None:
        """Rename a pipeline: what is displayed changes, the actual value stays."""
        with self.lock:
            org = self.organization
            for pipeline in org.pipelines:
                if pipeline.display_value == old:
                    pipeline.display_value = new
            for choice in org.modules["Deals"].fields["Pipeline"].choices:
                if choice.display_value == old:
                    choice.display_value = new
            table = org.tables["Deals"]
            for record_id, row in table.rows.items():
                if row.get("Pipeline") == old:
                    table.update(record_id, {"Pipeline": new})

    def _stages(self, name: str) -> list[Choice]:
        org = self.organization
        held = [*org.modules["Deals"].fields["Stage"].choices, *(each for p in org.pipelines for each in p.stages)]
        return [choice for choice in held if choice.display_value == name]

    # currencies

    def enable_multi_currency(self, rates: dict[str, Decimal]) -> None:
        """Switch several currencies on for good, with the rates of those besides the organization's own.

        Raises:
            ValueError: if the edition has only one.
        """
        if self.edition not in _WITH_CURRENCIES:
            raise ValueError(f"the edition {self.edition} has one currency; several need {_WITH_CURRENCIES}")
        with self.lock:
            self.organization.enable_currencies(rates)

    def deactivate_currency(self, iso_code: str) -> None:
        """Take a currency out of use."""
        with self.lock:
            self.organization.currencies[iso_code].is_active = False
            self.organization.refresh_currencies()

    # refusals

    def forbid(self, action: str, module: str | None = None) -> None:
        """Take a permission from the user of the API, who is then told NO_PERMISSION.

        Args:
            action: ``view``, ``create``, ``edit`` or ``delete`` with a module; ``customize`` (fields, modules) without.
            module: the module.
        """
        what = "Zoho_CRM" if module is None else module
        self.organization.forbidden.add(f"Crm_Implied_{action.capitalize()}_{what}")

    def permit(self) -> None:
        """Give back every permission."""
        self.organization.forbidden.clear()

    def refuse(
        self,
        module: str,
        error: str | dict[str, Any] = "RECORD_LOCKED",
        *,
        when: Callable[[dict[str, Any]], bool] | dict[str, Any] | None = None,
    ) -> None:
        """Refuse records that the API sends, whatever they hold, until `allow`.

        Args:
            module: the module.
            error: Zoho's code, or a whole error with code, details and message.
            when: which records: a predicate of what was sent, or field values; None is all.
        """
        body = _error(error) if isinstance(error, str) else {**_error(error["code"]), **error}

        def chosen(row: dict[str, Any]) -> bool:
            if callable(when):
                return when(row)
            return all(row.get(name) == value for name, value in (when or {}).items())

        with self.lock:
            self._writer.refusals.append(Refusal(module, body, chosen))

    def allow(self) -> None:
        """End every refusal of records."""
        with self.lock:
            self._writer.refusals.clear()
