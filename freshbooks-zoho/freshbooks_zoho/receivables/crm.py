"""Zoho's figures, read with COQL: field names as the organization has them, pages that follow each other by id."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from freshbooks_zoho.receivables.figures import Client, Currencies, Invoice, Payment
from freshbooks_zoho.receivables.owing import Receivables
from target_zoho_crm.api.coql import quote, select
from target_zoho_crm.errors import ConfigurationError, RequestError
from target_zoho_crm.mapping.money import read_decimal
from target_zoho_crm.org.surveyor import Surveyor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from decimal import Decimal

    from freshbooks_zoho.receivables.owing import Owing
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.org.memory import Memory
    from target_zoho_crm.settings import Settings

PAGE = 2000
"""The most rows of a call, for three credits; paging by LIMIT ends at 100,000 (the page "COQL Limitations")."""

logger = logging.getLogger(__name__)

Figure = TypeVar("Figure", bound="Client | Invoice | Payment")
Row = dict[str, Any]


@dataclass(frozen=True)
class Held(Generic[Figure]):
    """A record of Zoho's.

    Attributes:
        number: FreshBooks' id, as its FreshBooks ID says.
        id: Zoho's own.
        figure: what it says.
        currency: of the record; the organization's where it has none of its own.
    """

    number: str
    id: str
    figure: Figure
    currency: str = ""


class Crm:
    """The records of one FreshBooks account in one organization.

    Args:
        client: the organization's API.
        layouts: where each stream goes.
        account: the FreshBooks account id.
        stages: status → stage.
        other_stages: the same in the other pipelines, in which deals stay that are there.
    """

    def __init__(
        self,
        client: ZohoClient,
        layouts: Mapping[str, Layout],
        account: str,
        stages: Mapping[str, str],
        other_stages: Iterable[Mapping[str, str]] = (),
    ) -> None:
        self._client, self._layouts, self._account, self._stages = client, layouts, account, stages
        self.other_stages = tuple(other_stages)

    @classmethod
    def open(cls, client: ZohoClient, settings: Settings, memory: Memory, account: str) -> Crm:
        """Look how the organization is set up now; nothing is created.

        Raises:
            ZohoError: if fields are missing, or Zoho cannot be asked.
        """
        found = Surveyor(client, settings, memory).read()
        if found.problems:
            raise ConfigurationError(" ".join(found.problems))
        if found.creations:
            raise ConfigurationError(
                f"Zoho is not set up: it lacks {'; '.join(map(str, found.creations))}. Run: freshbooks-zoho setup"
            )
        tables = found.pipeline.own_tables.values() if found.pipeline else ()
        return cls(client, found.layouts, account, found.stages, [one.stages for one in tables])

    @property
    def has_payments(self) -> bool:
        """Whether there is a module for payments."""
        return "payments" in self._layouts

    @property
    def stages(self) -> Mapping[str, str] | None:
        """The stage of each status; None where invoices become something that has none."""
        return self._stages if self._name("invoices", "Stage") else None

    def currencies(self, stream: str) -> Currencies:
        """Return the currencies of a stream's module."""
        layout = self._layouts[stream]
        named = layout.named("Currency") is not None
        return Currencies(layout.currency, layout.currencies, named=named, fields=layout.amounts)

    def module(self, stream: str) -> str:
        """Return the API name of a stream's module."""
        return self._layouts[stream].module

    def clients(self) -> Iterator[Held[Client]]:
        """Read all accounts that carry a FreshBooks ID."""
        names = self._names("clients", "Currency", "FreshBooks Outstanding", "FreshBooks Overdue", "FreshBooks State")
        for number, row in self._scan("clients", names.values()):
            currency, outstanding, overdue, state = (row.get(name) for name in names.values())
            figure = Client(_amount(outstanding), _amount(overdue), _word(state))
            yield Held(number, row["id"], figure, _word(currency) or self._layouts["clients"].currency)

    def invoices(self) -> Iterator[Held[Invoice]]:
        """Read all deals, or records of the custom module, that carry a FreshBooks ID."""
        names = self._names(
            "invoices",
            "Currency",
            "Amount",
            "FreshBooks Paid",
            "FreshBooks Outstanding",
            "FreshBooks Due Date",
            "FreshBooks Status",
            "FreshBooks State",
            "Stage",
        )
        client = self._through("invoices", "Account_Name", "clients")
        for number, row in self._scan("invoices", [*names.values(), client]):
            currency, amount, paid, outstanding, due, status, state, stage = (row.get(name) for name in names.values())
            currency = _word(currency) or self._layouts["invoices"].currency
            figure = Invoice(
                self._number(row.get(client)), currency, _amount(amount), _amount(paid), _amount(outstanding),
                due and intern(due), _word(status), _word(state), _word(stage) if self.stages else None,
            )  # fmt: skip
            yield Held(number, row["id"], figure, currency)

    def payments(self) -> Iterator[Held[Payment]]:
        """Read all payments that carry a FreshBooks ID."""
        names = self._names("payments", "Currency", "Amount", "Date", "FreshBooks State")
        client = self._through("payments", "Account", "clients")
        invoice = self._through("payments", "Deal", "invoices")
        for number, row in self._scan("payments", [*names.values(), client, invoice]):
            currency, amount, day, state = (row.get(name) for name in names.values())
            currency = _word(currency) or self._layouts["payments"].currency
            figure = Payment(
                self._number(row.get(client)), self._number(row.get(invoice)), currency, _amount(amount),
                day and intern(day), _word(state),
            )  # fmt: skip
            yield Held(number, row["id"], figure, currency)

    @property
    def receivables(self) -> Receivables:
        """What the organization has to say who is past due.

        Raises:
            ConfigurationError: if that is too little.
        """
        return Receivables.of(self._layouts["invoices"])

    def past_due_query(self, today: date) -> str:
        """Return the query for who is past due, without its LIMIT.

        Raises:
            ConfigurationError: if the organization does not have the fields that say it.
        """
        receivables = self.receivables
        return receivables.sums_query(receivables.where(self._ours("invoices"), today))

    def past_due(self, today: date) -> list[Owing]:
        """Return who is past due, by account and currency.

        Zoho is asked to add up. Where it does not (its pages show MIN of numbers and COUNT of some fields only), the
        same invoices are read and added up here.

        Raises:
            ConfigurationError: if the organization does not have the fields that say it.
            ZohoError: if Zoho cannot be asked.
        """
        receivables = self.receivables
        where = receivables.where(self._ours("invoices"), today)
        try:
            return receivables.read_sums(self._client.query(receivables.sums_query(where)))
        except (RequestError, KeyError, TypeError, ValueError) as error:
            code = error.code if isinstance(error, RequestError) else "an answer that cannot be read"
            logger.info("Zoho does not add up what is past due (%s), so the invoices are read one by one.", code)
        return receivables.add_up(self._rows(receivables.columns, receivables.module, where))

    def without_amounts(self) -> Iterator[tuple[str, str]]:
        """Read FreshBooks' id and the currency of each deal, or record of the custom module, that shows no balance."""
        layout = self._layouts["invoices"]
        names = self._names("invoices", "Currency", "FreshBooks Outstanding")
        where = f"({self._ours('invoices')} and {names['FreshBooks Outstanding']} is null)"
        for row in self._rows([layout.key.api_name, *filter(None, [names["Currency"]])], layout.module, where):
            number = self._number(row.get(layout.key.api_name))
            if number is not None:
                yield number, _word(row.get(names["Currency"])) or layout.currency

    def _names(self, stream: str, *labels: str) -> dict[str, str]:
        """Return the API names of fields; of one that the organization does not have, a name that no row has."""
        return {label: field.api_name if (field := self._layouts[stream].named(label)) else "" for label in labels}

    def _name(self, stream: str, label: str) -> str:
        return self._names(stream, label)[label]

    def _through(self, stream: str, label: str, parent: str) -> str:
        """Return the column that leads through a lookup to the parent's FreshBooks ID; empty where there is none."""
        name = self._name(stream, label)
        return f"{name}.{self._layouts[parent].key.api_name}" if name else ""

    def _ours(self, stream: str) -> str:
        return f"{self._layouts[stream].key.api_name} like {quote(f'{self._account}:%')}"

    def _scan(self, stream: str, fields: Iterable[str]) -> Iterator[tuple[str, Row]]:
        """Return FreshBooks' id and the row of every record of the account, in the order of Zoho's ids."""
        layout = self._layouts[stream]
        wanted = [layout.key.api_name, *(name for name in fields if name)]
        for row in self._rows(wanted, layout.module, self._ours(stream)):
            number = self._number(row.get(layout.key.api_name))
            if number is not None:
                yield number, layout.as_displayed(row)

    def _rows(self, fields: Iterable[str], module: str, where: str) -> Iterator[Row]:
        """Return the rows that a criterion is true of, page by page, in the order of Zoho's ids."""
        wanted = list(dict.fromkeys(["id", *fields]))
        last: str | None = None
        while True:
            criterion = where if last is None else f"({where} and id > {quote(last)})"
            query = f"{select(wanted, module, criterion)} limit 0, {PAGE}"
            body = self._client.request("POST", "coql", json={"select_query": query}).body or {}
            rows = body.get("data") or []
            yield from rows
            if not rows or not (body.get("info") or {}).get("more_records"):
                return
            last = str(rows[-1]["id"])

    def _number(self, key: Any) -> str | None:
        """Return FreshBooks' id out of a FreshBooks ID; None if it is none of this account's."""
        account, _, number = str(key or "").partition(":")
        return number if account == self._account else None


def _amount(value: Any) -> Decimal | None:
    return None if value is None else read_decimal(value)


def _word(value: Any) -> str:
    return intern(str(value)) if value is not None else ""
