"""Clients become Accounts."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from target_zoho_crm.mapping.describing import client_name, text
from target_zoho_crm.mapping.layout import DELETED
from target_zoho_crm.mapping.values import Fitter, UnfitError
from target_zoho_crm.sync.matching import Ambiguous, Candidate, Link, Match, New, Party, match_clients, same_name
from target_zoho_crm.sync.planning import Action, Reject, Rejection, Wait, plan
from target_zoho_crm.sync.planning import Link as LinkAction
from target_zoho_crm.sync.syncing import StreamSync

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
        account = None if isinstance(match, New) else held[match.id]
        desired = self.map(source, self.setting(held=account, currency=self._new_currency(source)), fitter)
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
        linked = reader.by_key(self.layout, sources.keys())
        parties = [self._party(source) for source in sources.values()]
        wanted = [party for party in parties if party.key not in linked]
        unlinked, refused = reader.unlinked_named(self.layout, {party.name for party in wanted})
        email = self.layout.named("FreshBooks Email")
        candidates = [
            Candidate(str(row["id"]), text(row.get(NAME)), text(row.get(email.api_name)) if email else "")
            for row in unlinked
        ]
        contested = _contested(wanted, candidates)
        emails = reader.contact_emails(contested) if contested else {}
        matches = match_clients(parties, {key: str(row["id"]) for key, row in linked.items()}, candidates, emails)
        without = {party.key: refused[party.name] for party in wanted if party.name in refused}
        return matches, {str(row["id"]): row for row in (*linked.values(), *unlinked)}, without

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
