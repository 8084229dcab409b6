"""What was written last into each record, so that other people's changes can be told from one's own.

The store keeps the names of the fields and a digest of their values. A digest of what Zoho holds in the same fields is
the same if, and only if, nobody has changed one of them since.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_store import WrittenRecord
from target_zoho_crm.mapping.values import clean, read_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from singer_store import WrittenRecords
    from target_zoho_crm.sync.incoming import Source

PARENTS = {"invoices": "customerid", "payments": "invoiceid"}
"""The property that names what an object belongs to: an invoice's client, a payment's invoice."""
_DATE_ENDS = len("2026-07-01")


def fingerprint(values: Mapping[str, Any], names: Iterable[str]) -> bytes:
    """Give the values of fields in the one form that they have whether they are sent to Zoho or read from it.

    Empty and null are the same, and so are numbers, instants, lookups and texts that `values.same` calls the same.
    """
    # None of the texts has a control character in it.
    return _END.join([_plain(values.get(name)) for name in sorted(names)]).encode()


_END = "\x00"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, bool):
        return f"={value}"
    if isinstance(value, (int, float, Decimal)):
        return _number(value if isinstance(value, Decimal) else Decimal(str(value)))
    return str(value.get("id")) if isinstance(value, dict) else f"={value!r}"


def _plain_text(text: str) -> str:
    if text[_DATE_ENDS : _DATE_ENDS + 1] == "T" and (moment := read_instant(text)) is not None:
        return moment.isoformat()
    return " ".join((text if text.isprintable() else clean(text, lines=True)).split())


def _number(number: Decimal) -> str:
    return format(number.normalize(), "f") if number else "0"


def former_records(table: WrittenRecords, stream: str, keys: Iterable[str]) -> dict[str, str]:
    """Give the Zoho ids of the records that were written for these FreshBooks IDs, by FreshBooks ID."""
    numbers: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        account, _, number = key.rpartition(":")
        numbers[account].append(number)
    return {
        f"{account}:{number}": record_id
        for account, some in numbers.items()
        for number, record_id in table.record_ids(account, stream, some).items()
    }


class Recorder:
    """Collects what a batch leaves in Zoho, and notes it in the store at once."""

    def __init__(self, table: WrittenRecords, stream: str) -> None:
        self._table = table
        self._stream = stream
        self._records: list[WrittenRecord] = []
        self._deleted: dict[str, list[str]] = defaultdict(list)

    def holds(self, source: Source, record_id: str, values: Mapping[str, Any], left_out: Collection[str] = ()) -> None:
        """Take up a record that holds these values now."""
        names = tuple(sorted(values.keys() - set(left_out) if left_out else values))
        digest = self._table.digest(fingerprint(values, names))
        parent = str(source.record.get(PARENTS.get(self._stream, "")) or "") or None
        self._records.append(
            WrittenRecord(source.account, self._stream, str(source.id), record_id, names, digest, parent)
        )

    def deleted(self, source: Source) -> None:
        """Take up a record that has been deleted on purpose."""
        self._deleted[source.account].append(str(source.id))

    def note(self) -> None:
        """Note everything."""
        self._table.note(self._records)
        for account, ids in self._deleted.items():
            self._table.forget(account, self._stream, ids)
