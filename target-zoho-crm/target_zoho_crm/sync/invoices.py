"""Invoices become Deals, or records of a custom module."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from target_zoho_crm.mapping.describing import text
from target_zoho_crm.mapping.layout import DELETED
from target_zoho_crm.mapping.stages import stage_of
from target_zoho_crm.mapping.tables import LAST_PAYMENT
from target_zoho_crm.mapping.values import Fitter
from target_zoho_crm.sync.clients import Clients
from target_zoho_crm.sync.incoming import Source
from target_zoho_crm.sync.left_alone import LeftAlone
from target_zoho_crm.sync.planning import Action, Reject, Rejection, Skip, Wait, plan, plan_deletion
from target_zoho_crm.sync.reading import lookup_id
from target_zoho_crm.sync.syncing import StreamSync

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.sync.reading import Held
    from target_zoho_crm.sync.writing import Outcome, Outcomes

ACCOUNT = "Account_Name"
ADDRESS = ("street", "street2", "city", "province", "code", "country")


def customer_number(invoice: Source) -> int | None:
    """Give the id of an invoice's client; None for none."""
    number = text(invoice.record.get("customerid"))
    return (int(number) if number.isdigit() else 0) or None


def customer_key(invoice: Source) -> str | None:
    """Give the FreshBooks ID of an invoice's client; None for none."""
    number = customer_number(invoice)
    return f"{invoice.account}:{number}" if number else None


def customer_of(invoice: Source) -> Source | None:
    """Give an invoice's customer in the form of a client record, as far as the invoice knows it; None for none."""
    record = invoice.record
    number = customer_number(invoice)
    if number is None:
        return None
    client = {
        "account_id": invoice.account,
        "id": number,
        "organization": text(record.get("current_organization")) or text(record.get("organization")),
        **{name: record.get(name) for name in ("fname", "lname", "currency_code")},
        **{f"p_{part}": record.get(part) for part in ADDRESS},
    }
    return Source(invoice.account, number, client, invoice.read_at, None)


@dataclass(frozen=True)
class Deal:
    """What is known of the deal (or custom record) of an invoice.

    Attributes:
        id: in Zoho.
        account: Zoho id of its account.
        last_payment: the date that Zoho holds.
    """

    id: str
    account: str | None = None
    last_payment: str | None = None


class Invoices(StreamSync):
    """Brings invoices to Zoho."""

    stream = "invoices"
    _held: Mapping[str, Held] = MappingProxyType({})

    @override
    def bring(self, sources: Mapping[str, Source]) -> tuple[Mapping[str, Action], Outcomes]:
        return self.begin(self.plan(sources))

    def plan(self, sources: Mapping[str, Source]) -> Iterator[Action]:
        """Give what is to be done for each record."""
        account_key = f"{self._account_field()}.{self.ready.layouts['clients'].key.api_name}"
        held = self._run.reader.by_key(self.layout, sources.keys(), [*self.layout.reads, *self._joined(account_key)])
        self._held = held
        kept = {key: source for key, source in sources.items() if not self.to_be_deleted(source)}
        customers = {key: customer for key, source in kept.items() if (customer := customer_key(source))}
        accounts = self._accounts(kept, customers, held, account_key)
        self._run.learn_owners(accounts[of] for key, of in customers.items() if key not in held and of in accounts)
        fitter = Fitter()
        for key, source in sources.items():
            if key not in kept:
                self._run.removed.add(key)
                yield plan_deletion(key, held.get(key))
            else:
                account = accounts.get(customers[key]) if key in customers else None
                yield self._plan_one(source, account, held.get(key), fitter)
        self.count_fitted(fitter)

    @override
    def note(
        self, sources: Mapping[str, Source], actions: Mapping[str, Action], outcomes: Mapping[str, Outcome]
    ) -> dict[str, str]:
        ids = super().note(sources, actions, outcomes)
        last = self.layout.named(LAST_PAYMENT)
        for key, deal in ids.items():
            if key in self._run.removed:
                continue
            customer = customer_key(sources[key])
            account = self._run.accounts.get(customer) if customer else None
            paid = self._held.get(key, {}).get(last.api_name) if last else None
            self._run.deals[key] = Deal(deal, account, paid)
        return ids

    def _plan_one(self, source: Source, account: str | None, held: Held | None, fitter: Fitter) -> Action:
        customer_left = (of := customer_key(source)) is not None and of in self._clients_left_alone
        if held is None and (source.key in self.left_alone or (account is None and customer_left)):
            return Skip(source.key, "unchanged")
        if account is None and not customer_left:
            customer = customer_number(source)
            if customer is None:
                return Reject(source.key, Rejection("MALFORMED", "customerid", "the id of a client"))
            return Wait(source.key, "parent", waits_for=f"clients:{customer}")
        owner = self._run.owners.get(account or "")
        setting = self.setting(held=held, account=account, owner=owner)
        setting.stages, setting.pipeline = self._stages_for(source, held)
        desired = self.map(source, setting, fitter)
        if isinstance(desired, Reject):
            return desired
        return plan(desired, held, self.layout.fields, held_updated=self.layout.held_updated(held))

    def _stages_for(self, source: Source, held: Held | None) -> tuple[Mapping[str, str], str | None]:
        """Return the stages that count for a deal, and the pipeline to send with it.

        A deal stays in the pipeline it is in, which people may have chosen, as long as that has the stage it needs.
        """
        own = self.ready.own_tables.get(text(held.get("Pipeline"))) if held else None
        if own is not None:
            deleted = source.record.get("vis_state") == DELETED
            found = stage_of(source.record.get("v3_status"), own.stages, deleted=deleted)
            if found.stage not in own.missing:
                return own.stages, None
        return self.ready.stages, self.ready.pipeline

    def _accounts(
        self, sources: Mapping[str, Source], customers: Mapping[str, str], held: Mapping[str, Held], account_key: str
    ) -> dict[str, str]:
        """Give the Zoho ids of the customers' accounts, by FreshBooks ID of the client.

        Known from this run, or from the deal itself where it points to the right one; else looked up; else made from
        what the invoice says, unless the client waits because nobody knows which account it is.
        """
        known = self._run.accounts
        for key, row in held.items():
            account = lookup_id(row.get(self._account_field()))
            if account and key in customers and row.get(account_key) == customers[key]:
                known.setdefault(customers[key], account)
        missing = {
            customer.key: customer
            for key, wanted in customers.items()
            if wanted not in known and (customer := customer_of(sources[key]))
        }
        layout = self.ready.layouts["clients"]
        found = self._run.reader.by_key(layout, missing.keys(), ["id"])
        known.update({key: str(row["id"]) for key, row in found.items()})
        unknown = {key: customer for key, customer in missing.items() if key not in known}
        waiting = self._run.follow_up.is_ambiguous({key: (one.account, one.id) for key, one in unknown.items()})
        stand_ins = {
            key: customer
            for key, customer in unknown.items()
            if key not in waiting and key not in self._clients_left_alone
        }
        if stand_ins:
            self._run.settle()
            Clients(self._run).stand_in(stand_ins)
        return known

    @cached_property
    def _clients_left_alone(self) -> LeftAlone:
        return LeftAlone(self._run.store, Clients.stream)

    def _account_field(self) -> str:
        field = self.layout.named(ACCOUNT)
        return field.api_name if field else ACCOUNT

    def _joined(self, account_key: str) -> list[str]:
        """Give the column with the FreshBooks ID of the deal's account, where there is such a field already."""
        layout: Layout = self.ready.layouts["clients"]
        return [] if layout.key.api_name in layout.missing else [account_key]
