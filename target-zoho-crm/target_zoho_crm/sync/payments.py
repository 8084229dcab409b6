"""Payments become records of a module of their own, and the last payment's date of their deal.

The deal's date is written first: should the run end in between, the payments come again, still differ from what Zoho
holds and lead to the same date.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from target_zoho_crm.mapping.describing import text
from target_zoho_crm.mapping.layout import DELETED
from target_zoho_crm.mapping.tables import KEY, LAST_PAYMENT, STATES
from target_zoho_crm.mapping.values import Fitter
from target_zoho_crm.sync.invoices import Deal
from target_zoho_crm.sync.left_alone import LeftAlone
from target_zoho_crm.sync.planning import Action, Delete, Reject, Rejection, Skip, Update, Wait, plan, plan_deletion
from target_zoho_crm.sync.reading import lookup_id
from target_zoho_crm.sync.syncing import StreamSync
from target_zoho_crm.sync.writing import Written

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.sync.incoming import Source
    from target_zoho_crm.sync.reading import Held
    from target_zoho_crm.sync.writing import Outcomes


@dataclass
class Change:
    """What the payments of a batch mean for one deal: dates to count, dates that count no more."""

    dates: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    """FreshBooks IDs of the payments in the batch."""


def last_payment(held: str | None, change: Change, others: Iterable[str] = ()) -> str | None:
    """Give the date of a deal's last payment.

    Args:
        held: the date that Zoho holds.
        change: the payments of this batch.
        others: dates of the deal's other payments; they matter only where the held date is one that is gone.
    """
    known = {*change.dates, *others}
    if held is not None and held not in change.gone:
        known.add(held)
    return max(known, default=None)


def invoice_key(payment: Source) -> str | None:
    """Give the FreshBooks ID of the payment's invoice."""
    number = text(payment.record.get("invoiceid"))
    return f"{payment.account}:{number}" if number.isdigit() and int(number) else None


class Payments(StreamSync):
    """Brings payments to Zoho; where there is no module for them, only their deals learn of them."""

    stream = "payments"

    @override
    def bring(self, sources: Mapping[str, Source]) -> tuple[Mapping[str, Action], Outcomes]:
        invoices = {key for source in sources.values() if (key := invoice_key(source))}
        deals = self._deals(invoices)
        held = self._run.reader.by_key(self.layout, sources.keys()) if self._has_module else {}
        self._run.learn_owners(
            deals[of].account or ""
            for key, one in sources.items()
            if key not in held and (of := invoice_key(one)) in deals
        )
        fitter = Fitter()
        actions = {key: self._plan_one(one, deals, held.get(key), fitter) for key, one in sources.items()}
        self.count_fitted(fitter)
        failed = self._roll_up(sources, actions, deals, held)
        actions.update({key: Reject(key, error) for key, error in failed.items()})
        return self.begin(actions.values()) if self._has_module else (actions, dict)

    @property
    def _has_module(self) -> bool:
        return self.stream in self.ready.layouts

    @property
    def _invoices(self) -> Layout:
        return self.ready.layouts["invoices"]

    def _named(self, label: str) -> str:
        found = self._invoices.named(label)
        return found.api_name if found else ""

    def _deals(self, keys: set[str]) -> dict[str, Deal]:
        """Give the deals of invoices, by FreshBooks ID."""
        known = {key: deal for key in keys if (deal := self._run.deals.get(key)) is not None}
        account, last = self._named("Account_Name"), self._named(LAST_PAYMENT)
        fields = ["id", *filter(None, (account, last))]
        held = self._run.reader.by_key(self._invoices, keys - known.keys(), fields)
        return known | {
            key: Deal(str(row["id"]), lookup_id(row.get(account)), row.get(last)) for key, row in held.items()
        }

    def _plan_one(self, source: Source, deals: Mapping[str, Deal], held: Held | None, fitter: Fitter) -> Action:
        invoice = invoice_key(source)
        deal = deals.get(invoice) if invoice else None
        if self.to_be_deleted(source) or invoice in self._run.removed:
            return plan_deletion(source.key, held)
        if invoice is None or _date(source) is None:
            return Reject(source.key, Rejection("MALFORMED", "date" if invoice else "invoiceid", "a value"))
        nowhere = not self._has_module and (deal or source.record.get("vis_state") == DELETED)
        if nowhere or (held is None and self._is_left_alone(source.key, invoice, deal)):
            return Skip(source.key, "unchanged")
        if deal is None:
            return Wait(source.key, "parent", waits_for=f"invoices:{invoice.split(':')[1]}")
        owner = self._run.owners.get(deal.account or "")
        setting = self.setting(held=held, account=deal.account, deal=deal.id, owner=owner)
        desired = self.map(source, setting, fitter)
        if isinstance(desired, Reject):
            return desired
        return plan(desired, held, self.layout.fields, held_updated=self.layout.held_updated(held))

    def _is_left_alone(self, key: str, invoice: str, deal: Deal | None) -> bool:
        """Whether people do not want the payment back in Zoho, or not the deal that it would belong to."""
        return key in self.left_alone or (deal is None and invoice in self._invoices_left_alone)

    @cached_property
    def _invoices_left_alone(self) -> LeftAlone:
        return LeftAlone(self._run.store, "invoices")

    def _roll_up(
        self,
        sources: Mapping[str, Source],
        actions: Mapping[str, Action],
        deals: Mapping[str, Deal],
        held: Mapping[str, Held],
    ) -> dict[str, Rejection]:
        """Bring the deals' last payment up to date; give the payments for which it did not work."""
        changes = self._changes(sources, actions, deals, held)
        others = self._other_dates(changes, deals)
        name = self._named(LAST_PAYMENT)
        updates = []
        for key, change in changes.items():
            deal = deals[key]
            day = last_payment(deal.last_payment, change, others.get(deal.id, ()))
            if name and day != deal.last_payment:
                updates.append(Update(key, deal.id, {name: day}, {name: deal.last_payment}))
        outcomes = self._run.carry_out(self._invoices.destination, updates) if updates else {}
        for update in updates:
            if isinstance(outcomes.get(update.key), Written):
                self._run.deals[update.key] = replace(deals[update.key], last_payment=update.changes[name])
        failed = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Rejection)}
        if len(outcomes) > len(failed):
            self._run.summary.count(self.stream, "rolled_up", len(outcomes) - len(failed))
        return {payment: error for key, error in failed.items() for payment in changes[key].payments}

    def _changes(
        self,
        sources: Mapping[str, Source],
        actions: Mapping[str, Action],
        deals: Mapping[str, Deal],
        held: Mapping[str, Held],
    ) -> dict[str, Change]:
        """Collect what the batch says about each deal; what is older than what Zoho holds says nothing."""
        changes: dict[str, Change] = {}
        for key, source in sources.items():
            action, invoice = actions[key], invoice_key(source)
            if invoice not in deals or invoice is None or isinstance(action, (Wait, Reject)):
                continue
            if isinstance(action, Skip) and action.reason == "older":
                continue
            change = changes.setdefault(invoice, Change())
            change.payments.add(key)
            day = _date(source)
            before = self._held_date(held.get(key))
            if source.record.get("vis_state") == DELETED or isinstance(action, Delete):
                change.gone.update(one for one in (day, before) if one)
            else:
                change.dates.update([day] if day else [])
                change.gone.update([before] if before and before != day else [])
        return changes

    def _held_date(self, row: Held | None) -> str | None:
        found = self.layout.named("Date") if row and self._has_module else None
        return row.get(found.api_name) if row and found else None

    def _other_dates(self, changes: Mapping[str, Change], deals: Mapping[str, Deal]) -> dict[str, list[str]]:
        """Read the dates of the deals' other payments where the date that is held is gone, by Zoho id of the deal."""
        doubtful = {deals[key].id for key, change in changes.items() if deals[key].last_payment in change.gone}
        if not doubtful or not self._has_module or self.layout.key.api_name in self.layout.missing:
            return {}
        self._run.settle()
        names = {
            label: found.api_name
            for label in ("Deal", "Date", KEY, "FreshBooks State")
            if (found := self.layout.named(label))
        }
        if not {"Deal", "Date"} <= names.keys():
            return {}
        rows = self._run.reader.related(self.layout.module, names["Deal"], doubtful, list(names.values()))
        in_batch = {payment for change in changes.values() for payment in change.payments}
        dates: dict[str, list[str]] = {}
        for row in rows:
            state = row.get(names.get("FreshBooks State", ""))
            if row.get(names[KEY]) in in_batch or state == STATES[DELETED]:
                continue
            if row.get(names["Date"]):
                dates.setdefault(lookup_id(row.get(names["Deal"])) or "", []).append(row[names["Date"]])
        return dates


def _date(payment: Source) -> str | None:
    """Give the payment's date; None if it has none."""
    return _day(str(payment.record.get("date"))[:10])


@lru_cache(maxsize=1024)
def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
