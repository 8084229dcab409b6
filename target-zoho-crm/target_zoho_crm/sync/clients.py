"""Clients become Accounts."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING

from target_zoho_crm.mapping.describing import client_name, text
from target_zoho_crm.mapping.layout import DELETED, OWNER
from target_zoho_crm.mapping.values import Fitter, UnfitError
from target_zoho_crm.sync.matching import (
    Ambiguous,
    Candidate,
    Link,
    Match,
    Merged,
    New,
    Party,
    match_clients,
    same_name,
)
from target_zoho_crm.sync.planning import Action, Reject, Rejection, Skip, Wait, plan
from target_zoho_crm.sync.planning import Link as LinkAction
from target_zoho_crm.sync.reading import is_key, lookup_id
from target_zoho_crm.sync.syncing import StreamSync
from target_zoho_crm.sync.writing import Written
from target_zoho_crm.sync.written import former_records

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_zoho_crm.sync.incoming import Source
    from target_zoho_crm.sync.reading import Held
    from target_zoho_crm.sync.writing import Outcome, Outcomes

NAME = "Account_Name"


class Clients(StreamSync):
    """Brings clients to Zoho, and makes accounts of customers that are known from their invoices only."""

    stream = "clients"

    @override
    def bring(self, sources: Mapping[str, Source]) -> tuple[Mapping[str, Action], Outcomes]:
        return self.begin(self.plan(sources))

    def plan(self, sources: Mapping[str, Source]) -> Iterator[Action]:
        """Give what is to be done for each record."""
        matches, held, refused = self._match(sources)
        fitter = Fitter()
        for key, source in sources.items():
            if key in refused:
                yield Reject(key, refused[key])
            else:
                yield self._plan_one(source, matches[key], held, fitter)
        self.count_fitted(fitter)

    @override
    def note(
        self, sources: Mapping[str, Source], actions: Mapping[str, Action], outcomes: Mapping[str, Outcome]
    ) -> dict[str, str]:
        taken = {key: wait for key, outcome in outcomes.items() if (wait := _name_is_taken(key, outcome))}
        others = {key: outcome for key, outcome in outcomes.items() if key not in taken}
        ids = super().note(sources, {**actions, **taken}, others)
        self._run.accounts.update(ids)
        made = {key: outcome for key, outcome in others.items() if isinstance(outcome, Written) and key in ids}
        self._run.owners.update(
            (outcome.id, self.ready.organization.owner if OWNER not in outcome.left_out else None)
            for outcome in made.values()
            if outcome.how == "created"
        )
        return ids

    def stand_in(self, sources: Mapping[str, Source]) -> dict[str, str]:
        """Make accounts for customers whose own record is not in Zoho, from what their invoices say.

        Returns:
            Zoho ids by FreshBooks ID, of those for which it worked.
        """
        actions: dict[str, Action] = {}
        for action in self.plan(sources):
            # The customer's own record says more than an invoice, so of a person's account only the key is written.
            if isinstance(action, LinkAction):
                action = _key_only(action, self.layout.key.api_name)  # noqa: PLW2901
                self._values[action.key] = dict(action.changes)
            actions[action.key] = action
        outcomes = self._run.carry_out(self.layout.destination, list(actions.values()), self._values)
        return self.note(sources, actions, outcomes)

    def _plan_one(self, source: Source, match: Match, held: Mapping[str, Held], fitter: Fitter) -> Action:
        if isinstance(match, Ambiguous):
            return Wait(source.key, "ambiguous", candidates=match.candidates)
        if isinstance(match, Merged):
            return Skip(source.key, "unchanged", match.id)
        if isinstance(match, New) and source.key in self.left_alone:
            return Skip(source.key, "unchanged")
        account = None if isinstance(match, New) else held[match.id]
        setting = self.setting(held=account, currency=self._new_currency(source), owner=self.ready.organization.owner)
        desired = self.map(source, setting, fitter)
        if isinstance(desired, Reject):
            return desired
        return plan(
            desired,
            account,
            self.layout.fields,
            held_updated=self.layout.held_updated(account),
            linking=isinstance(match, Link),
        )

    def _new_currency(self, source: Source) -> str | None:
        """Return the currency that a new account gets from the client; None for the organization's."""
        wanted = text(source.record.get("currency_code"))
        return wanted if wanted in (self.layout.currencies or ()) else None

    def _match(self, sources: Mapping[str, Source]) -> tuple[dict[str, Match], dict[str, Held], dict[str, Rejection]]:
        """Return each client's match, the accounts that were read, by Zoho id, and the clients that have no match.

        Those are the clients whose name Zoho cannot be asked for, so that nobody knows whether it has them.
        """
        # A client of the last batch may be taking the account that one of this batch would take.
        self._run.settle()
        reader = self._run.reader
        linked = reader.by_key(self.layout, sources.keys(), [*self.layout.reads, OWNER])
        self._run.owners.update((str(row["id"]), lookup_id(row.get(OWNER))) for row in linked.values())
        parties = [self._party(source) for source in sources.values()]
        merged = self._merged([source for key, source in sources.items() if key not in linked])
        wanted = [party for party in parties if party.key not in linked and party.key not in merged]
        unlinked, refused = reader.unlinked_named(self.layout, {party.name for party in wanted})
        email = self.layout.named("FreshBooks Email")
        key = self.layout.key.api_name
        candidates = [
            Candidate(
                str(row["id"]),
                text(row.get(NAME)),
                text(row.get(email.api_name)) if email else "",
                foreign=bool(row.get(key)),
            )
            for row in unlinked
        ]
        contested = _contested(wanted, candidates)
        emails = reader.contact_emails(contested) if contested else {}
        others = [party for party in parties if party.key not in merged]
        matches = match_clients(others, {key: str(row["id"]) for key, row in linked.items()}, candidates, emails)
        matches.update((key, self._taken_in(row)) for key, row in merged.items())
        without = {party.key: refused[party.name] for party in wanted if party.name in refused}
        held = {str(row["id"]): row for row in (*linked.values(), *unlinked, *merged.values())}
        return matches, held, without

    def _merged(self, sources: Iterable[Source]) -> dict[str, Held]:
        """Return the accounts that people merged those of clients into, by FreshBooks ID: where their deals are now.

        Merging deletes the one account for good and moves what was related to it, so the deals tell. It is looked for
        only where an account was there once and is not any more.
        """
        by_key = {source.key: source for source in sources}
        gone = former_records(self._run.store.written, self.stream, by_key)
        written = self._run.store.written
        deals = {
            key: set(written.children(by_key[key].account, "invoices", str(by_key[key].id)).values()) for key in gone
        }
        invoices = self.ready.layouts["invoices"]
        field = invoices.named(NAME)
        if field is None or not any(deals.values()):
            return {}
        rows = self._run.reader.by_id(invoices.module, set().union(*deals.values()), [field.api_name])
        points_to = {str(row["id"]): lookup_id(row.get(field.api_name)) for row in rows}
        accounts: dict[str, str] = {}
        for key, ids in deals.items():
            found = Counter(account for deal in ids if (account := points_to.get(deal)))
            if found:
                accounts[key] = found.most_common(1)[0][0]
        held = self._run.reader.by_id(self.layout.module, set(accounts.values()), [*self.layout.reads, OWNER])
        there = {str(row["id"]): self.layout.as_displayed(row) for row in held}
        return {key: there[account] for key, account in accounts.items() if account in there}

    def _taken_in(self, account: Held) -> Match:
        """Return what an account is to a client whose own was merged into it."""
        record_id = str(account["id"])
        return Merged(record_id) if is_key(account.get(self.layout.key.api_name)) else Link(record_id)

    def _party(self, source: Source) -> Party:
        """Give what of a client counts for matching; the name in the length that Zoho has it in."""
        name = client_name(source.record)
        field = self.layout.named(NAME)
        with contextlib.suppress(UnfitError):
            name = (Fitter().fit(field, name) if field else None) or name
        return Party(source.key, name, text(source.record.get("email")), source.record.get("vis_state") == DELETED)


def _contested(parties: Iterable[Party], candidates: Iterable[Candidate]) -> set[str]:
    """Give the candidates of those names of which there is more than one client or account, so that e-mails matter."""
    clients: dict[str, int] = {}
    for party in parties:
        clients[same_name(party.name)] = clients.get(same_name(party.name), 0) + 1
    accounts: dict[str, list[str]] = {}
    for candidate in candidates:
        accounts.setdefault(same_name(candidate.name), []).append(candidate.id)
    return {
        account_id for name, ids in accounts.items() if len(ids) > 1 or clients.get(name, 0) > 1 for account_id in ids
    }


def _name_is_taken(key: str, outcome: Outcome) -> Wait | None:
    """Return what to do with a client whose account cannot be made because names are unique: a person decides."""
    if isinstance(outcome, Rejection) and (outcome.code, outcome.field) == ("DUPLICATE_DATA", NAME) and outcome.record:
        return Wait(key, "ambiguous", candidates=(outcome.record,))
    return None


def _key_only(action: LinkAction, key: str) -> LinkAction:
    return LinkAction(action.key, action.id, {key: action.key}, {key: action.held.get(key)})
