"""What an organization is made of: its modules with their fields and layouts, its pipelines, its currencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_zoho_crm.mapping.metadata import Choice, Field

DEALS = "Deals"


@dataclass(frozen=True)
class PageLayout:
    """A layout of a module: which of its fields a new record has to have (the page "Layouts Metadata")."""

    id: str
    name: str
    required: Mapping[str, str] = field(default_factory=dict)
    """API name → label of the fields that are mandatory in it."""


@dataclass(frozen=True)
class Listing:
    """A module as the list of modules has it: all of them are listed, few are read."""

    api_name: str
    label: str
    """Its plural label, as the tab in the CRM is called."""
    id: str = ""
    custom: bool = False


@dataclass(frozen=True)
class Module:
    """A module that was read."""

    api_name: str
    label: str
    fields: Mapping[str, Field]
    """By API name."""
    id: str = ""
    layouts: tuple[PageLayout, ...] = ()
    """The active ones, the standard one first; none where they may not be read."""
    unused: frozenset[str] = frozenset()
    """Ids of fields that exist and are in no layout, as far as they were asked for."""

    @property
    def has_own_currencies(self) -> bool:
        """Whether its records have a currency of their own; they keep it where several are not allowed any more."""
        field = self.fields.get("Currency")
        return field is not None and field.data_type == "picklist" and not field.custom


@dataclass(frozen=True)
class Pipeline:
    """A sales pipeline of the Deals module with its stages, in order."""

    name: str
    """What is displayed."""
    stages: tuple[Choice, ...]
    default: bool = False
    layout_id: str | None = None
    actual: str = ""
    """Its name from before a rename."""
    id: str = ""


@dataclass(frozen=True)
class Organization:
    """One Zoho CRM organization."""

    id: str
    edition: str
    """Free, standard, professional, enterprise, ultimate, …: as Zoho writes it, in lower case."""
    currency: str
    """ISO code of the home currency."""
    currencies: frozenset[str] | None
    """ISO codes of the active currencies, the home currency among them; None: the organization has but one."""
    time_zone: str
    modules: Mapping[str, Module] = field(default_factory=dict)
    """The modules that were read, by API name."""
    listed: Mapping[str, Listing] = field(default_factory=dict)
    """Every module that the consent may see, by API name."""
    pipelines: tuple[Pipeline, ...] = ()
    """Those of the Deals module, the default ones first; empty where the organization does not have the feature."""
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the user may not do with records, by API name of the module: create, edit, delete; as far as Zoho says."""
    owner: str | None = None
    """Zoho id of the user whom the setting `owner` names; None where it names nobody."""
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Some values of the field of the FreshBooks ID that are not ours, by API name of the module."""
