"""The organization as its administrator changes it; tests are administrators too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho.administration.access import Access
from sandbox.zoho.administration.people import People
from sandbox.zoho.administration.sales import Sales
from sandbox.zoho.administration.schema import Schema
from sandbox.zoho.organization import EDITIONS

if TYPE_CHECKING:
    from decimal import Decimal

    from sandbox.zoho.switches import Switches

_WITH_CURRENCIES = ("enterprise", "ultimate")


class Administration(Schema, Sales, People, Access):
    """Everything an administrator changes: fields, stages, users, permissions, the edition and its currencies."""

    @property
    def switches(self) -> Switches:
        """Where Zoho's behaviour is uncertain: which reading holds."""
        return self.organization.switches

    @property
    def edition(self) -> str:
        """``free``, ``standard``, ``professional``, ``enterprise`` or ``ultimate``.

        An edition with one currency takes the others out of use.
        """
        return self.organization.edition

    @edition.setter
    def edition(self, edition: str) -> None:
        if edition not in EDITIONS:
            raise ValueError(f"unknown edition {edition!r}; there are {', '.join(EDITIONS)}")
        with self.lock:
            self.organization.edition = edition
            if edition not in _WITH_CURRENCIES:
                for each in self.organization.currencies.values():
                    each.is_active = each.is_base
                self.organization.refresh_currencies()

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
