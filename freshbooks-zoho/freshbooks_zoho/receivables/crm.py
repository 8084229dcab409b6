"""Zoho's figures, read with COQL: field names as the organization has them, pages that follow each other by id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from sys import intern
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from freshbooks_zoho.receivables.figures import DELETED, NOT_SENT, OVERDUE, Client, Currencies, Invoice, Payment
from target_zoho_crm.api.coql import quote, select
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.money import read_decimal
from target_zoho_crm.org.preflight import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.settings import Settings

PAGE = 2000
"""The most rows of a call, for three credits; paging by LIMIT ends at 100,000 (the page "COQL Limitations")."""

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


@dataclass(frozen=True)
class Owing:
    """What an account owes in one currency; `account` is None where the deals have none."""

    account: str | None
    name: str
    currency: str
    outstanding: Decimal
    invoices: int
    oldest: str | None


class Crm:
    """The records of one FreshBooks account in one organization.

    Args:
        client: the organization's API.
        layouts: where each stream goes.
        account: the FreshBooks account id.
        stages: status → stage.
    """

    def __init__(
        self, client: ZohoClient, layouts: Mapping[str, Layout], account: str, stages: Mapping[str, str]
    ) -> None:
        self._client, self._layouts, self._account, self._stages = client, layouts, account, stages

    @classmethod
    def open(cls, client: ZohoClient, settings: Settings, account: str) -> Crm:
        """Look how the organization is set up; nothing is created.

        Raises:
            ZohoError: if fields are missing, or Zoho cannot be asked.
        """
        ready = prepare(client, replace(settings, dry_run=True, create_fields=True))
        if ready.to_create:
            raise ConfigurationError(
                f"Zoho is not set up: it lacks {'; '.join(map(str, ready.to_create))}. Run: freshbooks-zoho setup"
            )
        return cls(client, ready.layouts, account, ready.stages)

    @property
    def has_payments(self) -> bool:
        """Whether there is a module for payments."""
        return "payments" in self._layouts

    @property
    def stages(self) -> Mapping[str, str] | None:
        """The stage of each status; None where invoices become something that has none."""
        return self._stages if self._name("invoices", "Stage") else None

    def currencies(self, stream: str) -> Currencies:
        """Give the currencies of a stream's module."""
        layout = self._layouts[stream]
        return Currencies(layout.currency, layout.currencies, named=layout.named("Currency") is not None)

    def module(self, stream: str) -> str:
        """Give the API name of a stream's module."""
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
        client = f"{self._name('invoices', 'Account_Name')}.{self._layouts['clients'].key.api_name}"
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
        client = f"{self._name('payments', 'Account')}.{self._layouts['clients'].key.api_name}"
        invoice = f"{self._name('payments', 'Deal')}.{self._layouts['invoices'].key.api_name}"
        for number, row in self._scan("payments", [*names.values(), client, invoice]):
            currency, amount, day, state = (row.get(name) for name in names.values())
            currency = _word(currency) or self._layouts["payments"].currency
            figure = Payment(
                self._number(row.get(client)), self._number(row.get(invoice)), currency, _amount(amount),
                day and intern(day), _word(state),
            )  # fmt: skip
            yield Held(number, row["id"], figure, currency)

    def past_due_query(self, today: date) -> str:
        """Give the query for who is past due, without its LIMIT; accounts of one name stay apart by their ids.

        Drafts and deleted invoices are no receivables; see `figures.is_past_due`.
        """
        layout = self._layouts["invoices"]
        account = self._name("invoices", "Account_Name")
        outstanding, due, status, state = (
            self._name("invoices", f"FreshBooks {name}") for name in ("Outstanding", "Due Date", "Status", "State")
        )
        currency = layout.named("Currency")
        groups = [f"{account}.id", f"{account}.Account_Name", *([currency.api_name] if currency else [])]
        not_sent = ", ".join(quote(each) for each in NOT_SENT)
        where = (
            f"(({self._ours('invoices')} and {state} != {quote(DELETED)})"
            f" and (({outstanding} > 0 and {status} not in ({not_sent}))"
            f" and ({status} = {quote(OVERDUE)} or {due} < {quote(today.isoformat())})))"
        )
        asked = select([*groups, f"SUM({outstanding})", "COUNT(id)", f"MIN({due})"], layout.module, where, None)
        return f"{asked} group by {', '.join(groups)} order by {', '.join(groups)}"

    def past_due(self, today: date) -> list[Owing]:
        """Ask who is past due, by account and currency."""
        layout = self._layouts["invoices"]
        account, currency = self._name("invoices", "Account_Name"), layout.named("Currency")
        outstanding, due = (
            self._name("invoices", "FreshBooks Outstanding"),
            self._name("invoices", "FreshBooks Due Date"),
        )
        return [
            Owing(
                account=row.get(f"{account}.id"),
                name=row.get(f"{account}.Account_Name") or "",
                currency=_word(row.get(currency.api_name) if currency else None) or layout.currency,
                # A sum may come as a binary fraction; the field itself has two decimals.
                outstanding=read_decimal(row[f"SUM({outstanding})"]).quantize(Decimal("0.01")),
                invoices=int(row["COUNT(id)"]),
                oldest=row.get(f"MIN({due})"),
            )
            for row in self._client.query(self.past_due_query(today))
        ]

    def _names(self, stream: str, *labels: str) -> dict[str, str]:
        """Give the API names of fields; of one that the organization does not have, a name that no row has."""
        return {label: field.api_name if (field := self._layouts[stream].named(label)) else "" for label in labels}

    def _name(self, stream: str, label: str) -> str:
        return self._names(stream, label)[label]

    def _ours(self, stream: str) -> str:
        return f"{self._layouts[stream].key.api_name} like {quote(f'{self._account}:%')}"

    def _scan(self, stream: str, fields: Sequence[str] | Any) -> Iterator[tuple[str, Row]]:
        """Give FreshBooks' id and the row of every record of the account, in the order of Zoho's ids."""
        layout = self._layouts[stream]
        wanted = list(dict.fromkeys(["id", layout.key.api_name, *(name for name in fields if name)]))
        last: str | None = None
        while True:
            ours = self._ours(stream)
            where = ours if last is None else f"({ours} and id > {quote(last)})"
            query = f"{select(wanted, layout.module, where)} limit 0, {PAGE}"
            body = self._client.request("POST", "coql", json={"select_query": query}).body or {}
            rows = body.get("data") or []
            for row in rows:
                number = self._number(row.get(layout.key.api_name))
                if number is not None:
                    yield number, row
            if not rows or not (body.get("info") or {}).get("more_records"):
                return
            last = str(rows[-1]["id"])

    def _number(self, key: Any) -> str | None:
        """Give FreshBooks' id out of a FreshBooks ID; None if it is none of this account's."""
        account, _, number = str(key or "").partition(":")
        return number if account == self._account else None


def _amount(value: Any) -> Decimal | None:
    return None if value is None else read_decimal(value)


def _word(value: Any) -> str:
    return intern(str(value)) if value is not None else ""
