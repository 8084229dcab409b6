"""What Zoho holds, read with COQL, which sees a record as soon as it is written (search does not)."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.coql import BACKSLASH, MAX_CRITERIA, begins_like, chunks, either, equals_any, select
from target_zoho_crm.errors import PermissionDeniedError, RequestError
from target_zoho_crm.mapping.layout import OWNER
from target_zoho_crm.sync.refusals import rejection_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Layout
    from target_zoho_crm.sync.planning import Rejection

Held = dict[str, Any]
Former = Callable[[str, Collection[str]], Mapping[str, str]]
Twins = Callable[[str, str, str, "Sequence[str]"], None]
KEYS_A_CALL, NAMES_A_CALL = 200, 100
REFUSED_CALLS = 60
"""The most queries for the names of one query: enough for five among a hundred that Zoho refuses."""
NAME = "Account_Name"
logger = logging.getLogger("target-zoho-crm")

_KEY = re.compile(r"[^:]+:[0-9]+")


class Reader:
    """Reads the records that a batch is about, several calls at a time.

    Args:
        client: the organization's API.
        former: gives, for a stream's FreshBooks IDs, the Zoho ids of the records that were written for them.
        twins: is told of several records that carry one FreshBooks ID: stream, module, FreshBooks ID, their ids.

    Attributes:
        left_out: how many calls were not made because a dry run knows the answer; for its estimate.
    """

    def __init__(
        self, client: ZohoClient, former: Former = lambda _stream, _keys: {}, twins: Twins = lambda *_: None
    ) -> None:
        self.left_out = 0
        self._sees_contacts = True
        self._client = client
        self._former = former
        self._twins = twins

    def by_key(self, layout: Layout, keys: Collection[str], fields: Sequence[str] | None = None) -> dict[str, Held]:
        """Return the records that carry these FreshBooks IDs, by FreshBooks ID.

        A record that was written for one of them and has lost it since is still that one's: else there would soon be a
        second one. Where the field is a new one, all that carry one were written by this run.

        Args:
            layout: where to look.
            keys: FreshBooks IDs; two hundred of them cost one call and one credit.
            fields: API names, where not all fields of the layout are needed.
        """
        key = layout.key.api_name
        if key in layout.missing or not keys:
            self.leave_out(0 if layout.key.unique else len(keys))
            return {}
        names = ("id", key, *(fields or layout.reads))
        wanted = [name for name in dict.fromkeys(names) if name not in layout.missing]
        found = {} if layout.new_key else self._carrying(layout, keys, wanted)
        found |= self._written(layout, set(keys) - found.keys(), wanted)
        if layout.foreign:
            found |= self._plainly_numbered(layout, set(keys) - found.keys(), wanted)
        return {key_: layout.as_displayed(row) for key_, row in found.items()}

    def leave_out(self, keys: int) -> None:
        """Note that so many FreshBooks IDs are not asked for, because nothing can be there yet."""
        self.left_out += -(-keys // KEYS_A_CALL)

    def _carrying(self, layout: Layout, keys: Collection[str], wanted: Sequence[str]) -> dict[str, Held]:
        """Return the records that carry these FreshBooks IDs; of several with the same one, the oldest."""
        key = layout.key.api_name
        found: dict[str, list[Held]] = {}
        for row in sorted(self._rows(wanted, layout.module, key, sorted(keys)), key=lambda row: str(row["id"])):
            found.setdefault(str(row.get(key)), []).append(row)
        for key_, rows in found.items():
            if len(rows) > 1:
                self._twins(layout.stream, layout.module, key_, [str(row["id"]) for row in rows])
        return {key_: rows[0] for key_, rows in found.items() if key_ in keys}

    def _plainly_numbered(self, layout: Layout, keys: Collection[str], wanted: Sequence[str]) -> dict[str, Held]:
        """Return the records that an earlier integration has given just the number of a FreshBooks ID."""
        numbers: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            numbers[key.rpartition(":")[2]].append(key)
        found: dict[str, list[Held]] = defaultdict(list)
        for row in self._rows(wanted, layout.module, layout.key.api_name, sorted(numbers)):
            found[str(row.get(layout.key.api_name)).strip()].append(row)
        return {
            numbers[number][0]: rows[0]
            for number, rows in found.items()
            if len(rows) == 1 and len(numbers.get(number, ())) == 1
        }

    def _written(self, layout: Layout, keys: Collection[str], wanted: Sequence[str]) -> dict[str, Held]:
        """Return the records that were written for these FreshBooks IDs, unless they carry another one now.

        Somebody may have emptied theirs, or overwritten it with something that is none.
        """
        former = self._former(layout.stream, keys) if keys else {}
        rows = {str(row["id"]): row for row in self._rows(wanted, layout.module, "id", sorted(former.values()))}
        carried = {id_: str(row.get(layout.key.api_name) or "") for id_, row in rows.items()}
        return {
            key: rows[id_]
            for key, id_ in former.items()
            if id_ in rows and (carried[id_] == key or not is_key(carried[id_]))
        }

    def unlinked_named(self, layout: Layout, names: Iterable[str]) -> tuple[list[Held], dict[str, Rejection]]:
        """Return the accounts without a FreshBooks ID of ours that have one of these names, and perhaps others.

        COQL compares without regard to upper and lower case; the variants make up for white space and Unicode forms.

        Returns:
            The accounts, and the names that Zoho could not be asked for, with its reason.

        Raises:
            RequestError: if Zoho refuses to be asked for any name.
        """
        forms = sorted({(form, name) for name in names for form in _variants(name) if form})
        plain = dict.fromkeys(form for form, _ in forms if BACKSLASH not in form)
        others = dict.fromkeys(form for form, _ in forms if BACKSLASH in form)
        parts = [*chunks(list(plain), NAMES_A_CALL), *chunks(list(others), MAX_CRITERIA)]
        rows: dict[str, Held] = {}
        refused: dict[str, Rejection] = {}
        for found, without in self._client.map(lambda part: self._named(layout, part), parts):
            rows.update((str(row["id"]), row) for row in found if not is_key(row.get(layout.key.api_name)))
            refused.update((name, without[form]) for form, name in forms if form in without)
        return list(rows.values()), refused

    def _named(self, layout: Layout, names: Sequence[str]) -> tuple[list[Held], dict[str, Rejection]]:
        """Ask for names, of which Zoho may refuse some; a refused query is halved until the name is alone.

        What is undecided after `REFUSED_CALLS` queries counts as refused.
        """
        rows: list[Held] = []
        refused: dict[str, Rejection] = {}
        parts, made = [list(names)], 0
        while parts:
            part = parts.pop()
            where = _have_name(part)
            if not where:
                continue
            made += 1
            try:
                rows += self._client.query(select(layout.reads, layout.module, where))
            except RequestError as error:
                if made == 1:
                    # Where a name that breaks nothing is refused too, it is not the name.
                    self._client.query(select(layout.reads, layout.module, _have_name([layout.stream])))
                if len(part) == 1 or made >= REFUSED_CALLS:
                    why = replace(rejection_of(error), field=NAME, expected="a name that Zoho can be asked for")
                    refused.update(dict.fromkeys(part, why))
                else:
                    half = len(part) // 2
                    parts += [part[half:], part[:half]]
        return rows, refused

    def contact_emails(self, account_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the e-mail addresses of these accounts' Contacts, by account id; none where they may not be seen."""
        emails: dict[str, list[str]] = defaultdict(list)
        fields = ("id", "Email", "Account_Name")
        rows: list[Held] = []
        if self._sees_contacts:
            try:
                rows = self._rows(fields, "Contacts", "Account_Name.id", sorted(account_ids))
            except (PermissionDeniedError, RequestError) as error:
                self._sees_contacts = False
                logger.warning(
                    "Clients are matched without the e-mail addresses of Contacts, which may not be read: %s", error
                )
        for row in rows:
            if row.get("Email"):
                emails[lookup_id(row.get("Account_Name")) or ""].append(row["Email"])
        return emails

    def by_id(self, module: str, ids: Collection[str], fields: Sequence[str]) -> list[Held]:
        """Return those of the records that are there, with these fields."""
        return self._rows(list(dict.fromkeys(["id", *fields])), module, "id", sorted(ids))

    def owners(self, account_ids: Collection[str]) -> dict[str, str | None]:
        """Return the Zoho id of each account's owner, by account id."""
        rows = self.by_id("Accounts", account_ids, [OWNER])
        return {str(row["id"]): lookup_id(row.get(OWNER)) for row in rows}

    def related(self, module: str, lookup: str, ids: Collection[str], fields: Sequence[str]) -> list[Held]:
        """Return the records of a module whose lookup points to one of these ids."""
        return self._rows(list(dict.fromkeys(["id", lookup, *fields])), module, f"{lookup}.id", sorted(ids))

    def _rows(self, fields: Sequence[str], module: str, field: str, values: Sequence[str]) -> list[Held]:
        # No id has a backslash, so that what has one is nobody's.
        asked = [value for value in values if BACKSLASH not in value]
        queries = [select(fields, module, equals_any(field, some)) for some in chunks(asked, KEYS_A_CALL)]
        return [row for rows in self._client.map(self._client.query, queries) for row in rows]


def is_key(value: Any) -> bool:
    """Whether a value is a FreshBooks ID as it is written here: account and number."""
    return bool(_KEY.fullmatch(str(value or "")))


def lookup_id(value: Any) -> str | None:
    """Return the id of a lookup as it is read: ``{"name", "id"}``, or nothing."""
    return str(value["id"]) if isinstance(value, dict) and value.get("id") else None


def _have_name(names: Sequence[str]) -> str:
    """Return the criterion that an account has one of these names, or may have it; nothing where none can be asked."""
    plain = [name for name in names if BACKSLASH not in name]
    likes = [begins_like(NAME, name) for name in names if BACKSLASH in name]
    criteria = [*([equals_any(NAME, plain)] if plain else []), *(like for like in likes if like)]
    return either(criteria) if criteria else ""


def _variants(name: str) -> set[str]:
    spaced = {name.strip(), " ".join(name.split())}
    return {unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in spaced}
