"""Clients: names, user names, balances."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import errors, shapes
from sandbox.freshbooks.balances import NAMES
from sandbox.freshbooks.collection import Collection
from sandbox.freshbooks.records import Client
from sandbox.freshbooks.texts import client_text

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Mapping
    from datetime import date


class Clients(Collection[Client]):
    """The clients of an account."""

    kind = "clients"
    single = "client"
    includes = frozenset({*NAMES, *shapes.CLIENT_INCLUDES, "last_activity"})

    def __init__(self, books: Any) -> None:
        super().__init__(books)
        self._usernames: dict[str, int] = {}

    @override
    def create(self, data: Mapping[str, Any]) -> Client:
        if not any(data.get(field) for field in ("fname", "lname", "organization", "email")):
            raise errors.ApiError(
                422,
                errors.NAMELESS_CLIENT,
                "At least one of: first name, last name, organization or email is required.",
                object="client",
            )
        now = self.world.now()
        client = Client(
            id=self.world.next_id("clients"),
            updated=now,
            fields=self._values(data),
            signed_up=now,
            username=self.username(data),
            currency=data.get("currency_code") or self.books.currency,
        )
        self.rows[client.id] = client
        self.changed(client)
        self.announce(client, "create")
        return client

    @override
    def edit(self, record: Client, data: Mapping[str, Any]) -> None:
        record.fields = record.fields | self._values(data)
        record.currency = data.get("currency_code") or record.currency
        self.bump(record)
        names = self.names(record)
        for invoice in record.invoices:
            invoice.cache = None  # it shows the client's current organization
            if invoice.stage == "draft" and invoice.names != names and self.world.switches.client_edit_touches_drafts:
                invoice.names = names
                self.bump(invoice, record.updated)

    @override
    def write(self, record: Client, includes: Names[str], today: date) -> str:
        return client_text(record, self.books.account_id, today, includes)

    @override
    def cache_key(self, record: Client, includes: Names[str], today: date) -> Any:
        if "last_activity" in includes:
            return None
        return (*sorted(includes), today) if includes else ""

    def balances_changed(self, client: Client) -> None:
        """Note that an invoice or a credit of a client has changed; the client does not count as updated."""
        client.balances = None
        client.cache = None

    @staticmethod
    def names(client: Client) -> tuple[str, str, str]:
        """Give organization, fname and lname, as an invoice takes them over."""
        fields = client.fields
        return fields.get("organization", ""), fields.get("fname", ""), fields.get("lname", "")

    def username(self, data: Mapping[str, Any]) -> str:
        """Make a user name from the name or the e-mail address; a number sets it apart from the same one before."""
        full_name = f"{data.get('fname') or ''}{data.get('lname') or ''}"
        source = full_name or data.get("organization") or str(data.get("email", "")).partition("@")[0]
        base = re.sub(r"[^a-z0-9]", "", str(source).lower()) or "client"
        count = self._usernames[base] = self._usernames.get(base, 0) + 1
        return base if count == 1 else f"{base}{count}"

    @staticmethod
    def _values(data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            field: value if value is not None else shapes.CLIENT[field]
            for field, value in data.items()
            if field in shapes.CLIENT_WRITABLE
        }
