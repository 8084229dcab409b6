"""What the records of one call share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.zoho.matching import check_order

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sandbox.zoho.model import Module, User
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.values import Check


@dataclass
class Batch:
    """One call's module, author and choices, and what follows from them."""

    org: Organization
    module: Module
    by: User
    via: str = "api"
    """``api`` or ``person``."""
    duplicate_check_fields: Sequence[str] | None = None
    triggers: Sequence[str] = ("workflow", "approval", "blueprint")
    without_cadences: Collection[str] = ()
    """The actions, insert and update, for which cadences are to be skipped."""
    unmodified_since: datetime | None = None
    external: dict[str, str] = field(default_factory=dict)
    """Lookup fields that are given by an external id, with that field's name in the other module."""
    inserted: set[str] = field(default_factory=set)
    """The ids of the records that this call inserted."""

    now: datetime = field(init=False)
    checks: dict[str, Check | None] = field(init=False)
    mandatory: list[str] = field(init=False)
    unique: list[str] = field(init=False)
    order: list[str] = field(init=False)
    """The fields in the order in which an upsert checks them."""

    def __post_init__(self) -> None:
        """Look up once what every record needs."""
        self.now = self.org.now()
        self.checks = self.org.checks(self.module)
        self.mandatory = [name for name, each in self.module.fields.items() if each.mandatory]
        self.unique = self.module.unique_fields()
        self.order = check_order(self.duplicate_check_fields, self.module.system_key, self.unique)
