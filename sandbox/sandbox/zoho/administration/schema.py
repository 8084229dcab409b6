"""Fields and modules, as an administrator sets them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.crm import Crm
from sandbox.zoho.customizing import UNIQUE_FIELDS, Customizing

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from sandbox.zoho.model import Field
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.writer import Writer


class Schema(Crm):
    """Fields and modules."""

    def __init__(self, organization: Organization, writer: Writer, lock: threading.RLock) -> None:
        super().__init__(organization, writer, lock)
        self._customizing = Customizing(organization)

    def fields(self, module: str) -> dict[str, Field]:
        """Return the fields of a module by API name; their lengths and flags may be changed in place."""
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
        """Add as many unique fields to a module as it may have, none of them ours."""
        with self.lock:
            for number in range(len(self.organization.modules[module].unique_fields()), UNIQUE_FIELDS):
                self.add_custom_field(module, f"Legacy Key {number + 1}", unique=True)

    def add_custom_module(self, api_name: str, singular: str, plural: str) -> None:
        """Add a custom module, whatever the edition."""
        with self.lock:
            self.organization.add_module(api_name, singular, plural, f"{singular} Name")

    def rename_module(self, api_name: str, singular: str, plural: str) -> None:
        """Rename a module (a translation is just that); its id and API name stay."""
        with self.lock:
            module = self.organization.modules[api_name]
            module.singular, module.plural = singular, plural

    def rename_field(self, module: str, api_name: str, label: str) -> None:
        """Rename a field (a translation is just that); its id and API name stay."""
        with self.lock:
            self.organization.modules[module].fields[api_name].label = label

    def delete_field(self, module: str, api_name: str) -> None:
        """Delete a field with what records have in it.

        Raises:
            LookupError: if there is no such field.
        """
        with self.lock:
            self.organization.remove_field(self.organization.modules[module], api_name)

    def restrict(self, module: str, api_name: str, values: Iterable[str], code: str = "INVALID_DATA") -> None:
        """Let a text field take certain values only, while its metadata list none, as a field over a global set does.

        Args:
            module: the module.
            api_name: the field.
            values: what it takes.
            code: of the refusal: ``INVALID_DATA``, ``DEPENDENT_FIELD_MISSING`` or ``PATTERN_NOT_MATCHED``.
        """
        with self.lock:
            field = self.organization.modules[module].fields[api_name]
            field.accepted, field.refusal = tuple(values), code

    def make_unique(self, module: str, api_name: str) -> None:
        """Let a field, standard ones too, take no value twice ("Do not allow duplicate values").

        Raises:
            RowError: if its type does not allow that, two records share a value, or two fields are unique already.
        """
        with self.lock:
            raw = {"unique": {"case_sensitive": False}}
            self._customizing.change_field(self.organization.modules[module], api_name, raw)

    def set_unused(self, module: str, api_name: str) -> None:
        """Take a field out of every layout: ``GET settings/fields`` lists it with ``type=all`` only."""
        with self.lock:
            for layout in self.organization.modules[module].layouts:
                layout.hidden.add(api_name)

    def set_read_only(self, module: str, api_name: str) -> None:
        """Let the profile of the API's user only read a field; values that are sent are passed over."""
        with self.lock:
            self.organization.modules[module].fields[api_name].read_only_for_profile = True

    def restrict_for_api(self, module: str, api_name: str) -> None:
        """Keep a field from the API, as privacy settings do: it is read as empty, and written all the same."""
        with self.lock:
            self.organization.modules[module].fields[api_name].restricted = True

    def delete_module(self, api_name: str) -> None:
        """Delete a module with its records; an organization that sells to persons has no Accounts.

        Raises:
            LookupError: if there is no such module.
        """
        with self.lock:
            self.organization.remove_module(api_name)
