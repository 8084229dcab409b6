"""Access tokens and grants, and their rows in the store."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken
from sqlalchemy import and_, select, update

from singer_store.errors import CorruptRowError
from singer_store.schema import dump_json, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Row

    from singer_store.database import Database
    from singer_store.keys import Keyring


@dataclass(frozen=True)
class AccessToken:
    """What plugins work with.

    Attributes:
        value: The token itself; not shown by repr.
        expires_at: UTC.
        details: What came with it and is no secret, such as Zoho's ``api_domain``.
    """

    value: str = field(repr=False)
    expires_at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """The answer of a token endpoint.

    Attributes:
        access_token: Not shown by repr.
        refresh_token: Not shown by repr; None where the service keeps the old one valid (Zoho's refresh).
        expires_in: Life of the access token in seconds.
        details: Whatever belongs to the token and is no secret (``api_domain``); replaces the former details.
        issued_at: When the service says it was issued (FreshBooks' ``created_at``); aware.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    details: Mapping[str, str] = field(default_factory=dict)
    issued_at: datetime | None = None


@dataclass(frozen=True)
class TokenRow:
    """One connection: what is known of its tokens and of the attempts to refresh them."""

    service: str
    client_id: str
    seed: str
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    details: Mapping[str, str] = field(default_factory=dict, hash=False)
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    refreshed_on: str | None = None
    tries: int = 0
    connect_again: str | None = None
    blocked_until: datetime | None = None
    blocked_by: str | None = None
    blocked_message: str | None = None
    grant_number: int = 0


@dataclass(frozen=True)
class Connection:
    """What is known of a connection; nothing of it is a secret.

    Attributes:
        service: Its name.
        issued_at: When the access token was made; None where there is none yet.
        expires_at: When the access token ends; until then, or later, it is renewed by whoever needs one.
        problem: Why only a person can help, in words; None where nobody has to.
        blocked_until: Before that nobody asks for another token, because of the last answer.
    """

    service: str
    issued_at: datetime | None
    expires_at: datetime | None
    problem: str | None
    blocked_until: datetime | None


_CONNECT_AGAIN = {
    "refused": "its refresh token was refused, so it has been used elsewhere or revoked",
    "lost": "its answer to our last refresh was lost, and the refresh token from before it is no longer valid",
    "unanswered": "its refresh token was sent twice and no answer came back, so it may be spent",
    "disconnected": "it was disconnected",
    "missing": "there is none in this store and no refresh token in the settings",
}


def why_connect_again(row: TokenRow, now: datetime) -> str:
    """Return in words why only a person can help, for a row that is marked so."""
    reason = row.connect_again or "missing"
    words = _CONNECT_AGAIN.get(reason, reason)
    if reason == "refused" and row.refreshed_at is not None:
        where = f" on host {row.refreshed_on}" if row.refreshed_on else ""
        words += f", or this store is an older copy (last renewed {_ago(now - row.refreshed_at)}{where})"
    return words


def _ago(age: timedelta) -> str:
    """Return an age in words, in the largest unit of which there are two or more."""
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} seconds ago"


def seed_digest(salt: bytes, seed: str | None) -> str:
    """Name a seed's row without telling anything about the seed; no seed is the empty name."""
    return hmac.new(salt, seed.encode(), hashlib.sha256).hexdigest() if seed else ""


def choose_row(rows: Sequence[TokenRow], seed: str) -> TokenRow | None:
    """Choose a plugin's row among those of its service and client.

    With a seed: its own row or none. Without: the row of a consent given without one, else the one most recently
    refreshed (the seed was taken out of the settings after its first use).
    """
    by_seed = {row.seed: row for row in rows}
    if seed or seed in by_seed:
        return by_seed.get(seed)
    used = [(row.refreshed_at, row) for row in rows if row.refreshed_at is not None]
    if used:
        return max(used, key=lambda pair: pair[0])[1]
    return rows[0] if rows else None


class TokenRows:
    """The table `tokens`, its secret part encrypted."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def of(self, service: str, client_id: str, seed: str) -> TokenRow | None:
        """Give a plugin's row (see `choose_row`).

        Raises:
            CorruptRowError: When that row cannot be decrypted or read.
        """
        found = {row.seed: row for row in self._all(service, client_id)}
        chosen = choose_row([_without_secret(row) for row in found.values()], seed)
        return None if chosen is None else self._open(found[chosen.seed])

    def choose(self, service: str, client_id: str, seed: str) -> TokenRow | None:
        """Give a plugin's row (see `choose_row`) without its secrets, so that a damaged one can be replaced."""
        return choose_row([_without_secret(row) for row in self._all(service, client_id)], seed)

    def connection(self, service: str, client_id: str, seed: str, now: datetime) -> Connection | None:
        """Return what is known of a plugin's connection; None before its first token."""
        row = self.choose(service, client_id, seed)
        if row is None:
            return None
        problem = None if row.connect_again is None else why_connect_again(row, now)
        return Connection(service, row.issued_at, row.expires_at, problem, row.blocked_until)

    def bare(self, service: str, client_id: str, seed: str) -> TokenRow | None:
        """Give exactly that row without its secrets, so that a damaged one can be replaced."""
        return next((_without_secret(row) for row in self._all(service, client_id) if row.seed == seed), None)

    def add(self, row: TokenRow) -> None:
        """Insert a row."""
        with self._database.write() as connection:
            connection.execute(tokens.insert().values(**self._values(row)))

    def put(self, row: TokenRow) -> bool:
        """Write a whole row, unless another grant has been stored since it was read.

        `row.grant_number` is the number that was read plus one.

        Returns:
            Whether it was written.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                update(tokens)
                .where(_identity(row), tokens.c.grant_number == row.grant_number - 1)
                .values(**self._values(row))
            )
            return changed.rowcount == 1

    def note(self, row: TokenRow, **values: Any) -> bool:
        """Write flags (never secrets) on the row, unless another grant has been stored since it was read.

        Returns:
            Whether they were written.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                update(tokens).where(_identity(row), tokens.c.grant_number == row.grant_number).values(**values)
            )
            return changed.rowcount == 1

    def _all(self, service: str, client_id: str) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(
                select(tokens).where(tokens.c.service == service, tokens.c.client_id == client_id)
            ).all()

    def _values(self, row: TokenRow) -> dict[str, Any]:
        values = {column.name: getattr(row, column.name) for column in tokens.c if column.name != "secret"}
        secret = {
            # The row's own name is inside, so that a value moved from another row does not pass.
            "row": [row.service, row.client_id, row.seed],
            "access_token": row.access_token,
            "refresh_token": row.refresh_token,
            "details": dict(row.details),
        }
        return {**values, "secret": self._keyring.encrypt(dump_json(secret))}

    def _open(self, row: Row[Any]) -> TokenRow:
        bare = _without_secret(row)
        try:
            secret = json.loads(self._keyring.decrypt(row.secret))
            if secret["row"] != [bare.service, bare.client_id, bare.seed]:
                raise ValueError  # noqa: TRY301
            names = {column.name: getattr(row, column.name) for column in tokens.c if column.name != "secret"}
            return TokenRow(
                **names,
                access_token=secret["access_token"],
                refresh_token=secret["refresh_token"],
                details=secret["details"],
            )
        except (InvalidToken, ValueError, KeyError, TypeError):
            raise CorruptRowError(
                f"The tokens of {bare.service} in the store {self._database.name} cannot be read although the key is "
                "right: the row is damaged. Restore the store from a backup, or connect again."
            ) from None


def _identity(row: TokenRow) -> ColumnElement[bool]:
    return and_(tokens.c.service == row.service, tokens.c.client_id == row.client_id, tokens.c.seed == row.seed)


def _without_secret(row: Row[Any]) -> TokenRow:
    return TokenRow(**{column.name: getattr(row, column.name) for column in tokens.c if column.name != "secret"})
