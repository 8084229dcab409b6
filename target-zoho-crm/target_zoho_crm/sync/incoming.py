"""Singer records as they come in: which FreshBooks record each one is, and which version of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.values import read_instant
from target_zoho_crm.sync.planning import Rejection, is_older

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from target_zoho_crm.mapping.tables import Record


@dataclass(frozen=True)
class Source:
    """One record of one of FreshBooks' streams.

    Attributes:
        account: the FreshBooks account (business) it belongs to.
        id: its number there.
        record: its properties.
        read_at: when the tap asked for it, so that an event after that is not taken for covered.
    """

    account: str
    id: int
    record: Record
    read_at: datetime
    updated: datetime | None

    @cached_property
    def key(self) -> str:
        """The FreshBooks ID."""
        return f"{self.account}:{self.id}"


@dataclass(frozen=True)
class Malformed:
    """A record that is none: what is wrong with it, and what is known of which one it is and when it was read."""

    account: str | None
    id: int | None
    error: Rejection
    read_at: datetime


def read_source(record: Record, run_started: datetime) -> Source | Malformed:
    """Read the identity of a record; everything else is looked at by the mapping.

    Args:
        record: as it came, with Singer's `_sdc_extracted_at`.
        run_started: when this run began, which counts as the time of reading where the record does not say.
    """
    read_at = read_instant(record.get("_sdc_extracted_at")) or run_started
    account, number = record.get("account_id"), _number(record.get("id"))
    account = account.strip() if isinstance(account, str) else None
    if not account or number is None:
        missing = "id" if account else "account_id"
        return Malformed(account or None, number, Rejection("MALFORMED", missing, "the key of the record"), read_at)
    updated = record.get("updated")
    moment = read_instant(updated) if isinstance(updated, str) else None
    if updated is not None and moment is None:
        return Malformed(account, number, Rejection("MALFORMED", "updated", "a date-time with its offset"), read_at)
    as_it_is = record["account_id"] == account and record["id"] is number
    return Source(
        account=account,
        id=number,
        record=record if as_it_is else {**record, "account_id": account, "id": number},
        read_at=read_at,
        updated=moment,
    )


def newest(sources: Iterable[Source]) -> dict[str, Source]:
    """Keep one version of each record, by FreshBooks ID: the one read last, unless it is certainly older."""
    kept: dict[str, Source] = {}
    for source in sources:
        held = kept.get(source.key)
        if held is None or not is_older(source.updated, held.updated):
            kept[source.key] = source
    return kept


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.strip().isdigit() else None
