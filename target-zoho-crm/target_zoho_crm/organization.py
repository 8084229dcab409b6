"""What the target knows of a Zoho organization before it writes: modules, fields, currencies, pipelines, edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_zoho_crm.client import ZohoClient


@dataclass(frozen=True)
class Field:
    """A field of a module, as Zoho describes it."""

    api_name: str
    label: str
    data_type: str
    """Zoho's token: text, textarea, email, phone, picklist, date, datetime, integer, bigint, double, currency, …"""
    length: int | None = None
    """The longest text, or the most digits, it takes."""
    decimal_places: int | None = None
    unique: bool = False
    custom: bool = False
    read_only: bool = False
    mandatory: bool = False
    picklist: tuple[str, ...] = ()
    """The display values, which are what a write has to send."""
    lookup_module: str | None = None


@dataclass(frozen=True)
class Module:
    """A module and its fields, by API name."""

    api_name: str
    label: str
    """Its plural label, as the tab in the CRM is called."""
    fields: Mapping[str, Field]

    def by_label(self, label: str) -> Field | None:
        """Give the field of that label, in upper or lower case; a field of our own first."""
        found = [field for field in self.fields.values() if field.label.casefold() == label.casefold()]
        return next((field for field in found if field.custom), found[0] if found else None)


@dataclass(frozen=True)
class Pipeline:
    """A sales pipeline of the Deals module with its stages, in order; all names are display values."""

    name: str
    stages: tuple[str, ...]
    default: bool = False
    layout_id: str | None = None


@dataclass(frozen=True)
class Organization:
    """One Zoho CRM organization."""

    id: str
    edition: str
    """Free, standard, professional, enterprise, ultimate, …, in lower case; as Zoho writes it."""
    currency: str
    """ISO code of the home currency."""
    currencies: frozenset[str] | None
    """ISO codes of the active currencies, the home currency among them; None: the organization has but one."""
    time_zone: str
    modules: Mapping[str, Module] = field(default_factory=dict)
    """The modules that were read, by API name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """API name by plural label, of every module that the consent may see."""
    pipelines: tuple[Pipeline, ...] = ()
    """Those of the Deals module; empty where the organization does not have the feature."""


def read_organization(client: ZohoClient, modules: Sequence[str] = ("Accounts", "Deals")) -> Organization:
    """Read the organization and the modules named, by API name or label; modules that it does not have are left out."""
    raise NotImplementedError


def read_module(client: ZohoClient, api_name: str, label: str | None = None) -> Module:
    """Read one module's fields (one call)."""
    raise NotImplementedError
