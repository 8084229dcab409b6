"""Which Zoho Account a FreshBooks client is: the rule, as a function of what both sides hold.

1. The account that carries the client's FreshBooks ID.
2. Else the accounts that carry no FreshBooks ID and have exactly the client's name (upper and lower case and the amount
   of white space make no difference). One: it is linked. Several: the one whose e-mail is the client's; an account's
   e-mails are its FreshBooks Email and those of its Contacts. Still not exactly one: nobody guesses, the client waits.
   So it does for an account that carries somebody else's value in the field of the FreshBooks ID.
3. Else a new account.

Where several clients of one batch would take the same account, their e-mail decides in the same way, then that one of
them was deleted: it takes what the others leave. If neither decides, all of them wait.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Party:
    """What of a client counts for matching: its FreshBooks ID, its name as it will be in Zoho, its e-mail or ""."""

    key: str
    name: str
    email: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Candidate:
    """An account that carries no FreshBooks ID: its Zoho id, its name, its FreshBooks Email or "".

    A foreign one carries something else in that field: it is another integration's, and only a person may give it away.
    """

    id: str
    name: str
    email: str = ""
    foreign: bool = False


@dataclass(frozen=True)
class Linked:
    """The account `id` already carries the client's FreshBooks ID."""

    id: str


@dataclass(frozen=True)
class Link:
    """The account `id` is the client's and does not yet carry its FreshBooks ID."""

    id: str


@dataclass(frozen=True)
class Merged:
    """A person merged the client's account into the account `id`, which carries another client's FreshBooks ID."""

    id: str


@dataclass(frozen=True)
class Ambiguous:
    """It could be any of these accounts (Zoho ids, in order)."""

    candidates: tuple[str, ...]


@dataclass(frozen=True)
class New:
    """There is no account for the client."""


Match = Linked | Link | Merged | Ambiguous | New


def same_name(name: str) -> str:
    """Give a name in the form in which two equal names are equal strings (NFC, white space collapsed, case folded)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", " ".join(name.split())).casefold())


def same_email(email: str) -> str:
    """Give an e-mail address in the form in which two equal ones are equal strings."""
    return email.strip().casefold()


def match_clients(
    clients: Sequence[Party],
    linked: Mapping[str, str],
    candidates: Iterable[Candidate],
    contact_emails: Mapping[str, Iterable[str]],
) -> dict[str, Match]:
    """Decide which account each client is.

    Args:
        clients: the clients of one batch, each FreshBooks ID once.
        linked: FreshBooks ID → id of the account that carries it.
        candidates: accounts without a FreshBooks ID, at least all those with the name of one of the clients.
        contact_emails: account id → e-mail addresses of its Contacts, for the candidates where it matters.

    Returns:
        FreshBooks ID → match, for every client. No account is ever given to two clients.
    """
    by_name: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_name[same_name(candidate.name)].append(candidate)
    claims: dict[str, list[Party]] = defaultdict(list)
    matches: dict[str, Match] = {}
    for client in clients:
        if client.key in linked:
            matches[client.key] = Linked(linked[client.key])
        elif same_name(client.name) in by_name:
            claims[same_name(client.name)].append(client)
        else:
            matches[client.key] = New()
    for name, claimants in claims.items():
        matches.update(_settle(claimants, by_name[name], contact_emails))
    return matches


def _settle(
    clients: Sequence[Party], accounts: Sequence[Candidate], contact_emails: Mapping[str, Iterable[str]]
) -> dict[str, Match]:
    """Distribute the accounts of one name among the clients of that name.

    An account that an e-mail gives away is no longer free, so the rule is applied again to what is left, as the next
    run would do.
    """
    emails = {
        account.id: {
            same_email(email) for email in (account.email, *contact_emails.get(account.id, ())) if email.strip()
        }
        for account in accounts
    }
    waiting = {client.key: same_email(client.email) for client in clients}
    deleted = {client.key for client in clients if client.deleted}
    foreign = {account.id for account in accounts if account.foreign}
    matches: dict[str, Match] = {}
    while waiting and emails:
        first = {key: email for key, email in waiting.items() if key not in deleted} or waiting
        free = {account_id: addresses for account_id, addresses in emails.items() if account_id not in foreign}
        links = _by_email(first, free) or _by_email(waiting, free)
        if not links and len(first) == len(emails) == len(free) == 1:
            links = {next(iter(first)): next(iter(free))}
        if not links:
            return matches | dict.fromkeys(waiting, Ambiguous(tuple(sorted(emails))))
        for key, account_id in links.items():
            matches[key] = Link(account_id)
            del waiting[key], emails[account_id]
    return matches | dict.fromkeys(waiting, New())


def _by_email(clients: Mapping[str, str], accounts: Mapping[str, set[str]]) -> dict[str, str]:
    """Pair each client with the one account that has its e-mail, where no other client has it too."""
    wanted = {key: [id_ for id_, emails in accounts.items() if email in emails] for key, email in clients.items()}
    takers = Counter(account_id for ids in wanted.values() for account_id in ids)
    return {key: ids[0] for key, ids in wanted.items() if len(ids) == 1 and takers[ids[0]] == 1}
