"""FreshBooks' figures against Zoho's, record by record: what differs, what is missing, what is too much. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from freshbooks_zoho.receivables.figures import DELETED, ZERO, Balances, Client, Currencies, Invoice, Payment
from target_zoho_crm.mapping.stages import stage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from freshbooks_zoho.receivables.crm import Held

Ours = TypeVar("Ours", bound="Balances | Invoice | Payment")
Theirs = TypeVar("Theirs", bound="Client | Invoice | Payment")
Kind = Literal["differs", "missing", "superfluous", "duplicate"]


class Field(NamedTuple):
    """A field that differs: what it is in each service."""

    name: str
    freshbooks: Any
    zoho: Any


@dataclass(frozen=True)
class Difference:
    """A record that is not the same in both services.

    Attributes:
        stream: clients, invoices or payments.
        number: FreshBooks' id.
        kind: "superfluous" is one that FreshBooks does not have; "duplicate" one whose FreshBooks ID another has, too.
        fields: those that differ.
        zoho_id: None for one that is missing.
        waiting: why it is still to be synced ("ambiguous", "rejected", …); None where nobody knew of it.
    """

    stream: str
    number: str
    kind: Kind
    fields: tuple[Field, ...] = ()
    zoho_id: str | None = None
    waiting: str | None = None


@dataclass(frozen=True)
class Compared:
    """What the comparison of a stream found.

    Attributes:
        differences: in the order of Zoho's ids; what is missing comes last.
        met: FreshBooks' ids of the records that are in both services.
    """

    differences: tuple[Difference, ...]
    met: frozenset[str]


def compare(
    stream: str,
    ours: Mapping[str, Ours],
    theirs: Iterable[Held[Theirs]],
    *,
    expect: Callable[[Ours, Held[Theirs]], Theirs],
    may_lack: Callable[[str, Ours], bool],
) -> Compared:
    """Compare a stream; what Zoho holds is only passed through, never kept.

    Args:
        stream: its name.
        ours: FreshBooks' records, by id.
        theirs: Zoho's records.
        expect: gives what Zoho should hold.
        may_lack: says whether a record need not be in Zoho.
    """
    found: list[Difference] = []
    met: set[str] = set()
    for held in theirs:
        mine = ours.get(held.number)
        if mine is None:
            found.append(Difference(stream, held.number, "superfluous", zoho_id=held.id))
        elif held.number in met:
            found.append(Difference(stream, held.number, "duplicate", zoho_id=held.id))
        else:
            met.add(held.number)
            fields = differing(expect(mine, held), held.figure)
            if fields:
                found.append(Difference(stream, held.number, "differs", fields, held.id))
    missing = (number for number, mine in ours.items() if number not in met and not may_lack(number, mine))
    found += [Difference(stream, number, "missing") for number in missing]
    return Compared(tuple(found), frozenset(met))


def differing(expected: Client | Invoice | Payment, held: Client | Invoice | Payment) -> tuple[Field, ...]:
    """Give the fields in which two figures of one kind are not the same."""
    return tuple(
        Field(name, ours, theirs)
        for name, ours, theirs in zip(type(expected)._fields, expected, held, strict=True)
        if ours != theirs
    )


def expected_client(balances: Balances, held: Held[Client]) -> Client:
    """Give a client as its account should show it; a balance that FreshBooks does not say is left as it is."""
    return Client(
        held.figure.outstanding if balances.outstanding is None else balances.outstanding.get(held.currency, ZERO),
        held.figure.overdue if balances.overdue is None else balances.overdue.get(held.currency, ZERO),
        balances.state,
    )


def expected_invoice(
    invoice: Invoice, currencies: Currencies, held: Held[Invoice], stages: Mapping[str, str] | None = None
) -> Invoice:
    """Give an invoice as its deal should show it; without stages, where it has none."""
    stage = stage_of(invoice.status, stages, deleted=invoice.state == DELETED).stage if stages else None
    currency = _named(invoice.currency, currencies, held.currency)
    return shown(invoice, currencies)._replace(currency=currency, stage=stage)


def expected_payment(payment: Payment, currencies: Currencies, held: Held[Payment]) -> Payment:
    """Give a payment as its record should show it."""
    return shown(payment, currencies)._replace(currency=_named(payment.currency, currencies, held.currency))


Amounts = TypeVar("Amounts", Invoice, Payment)


def shown(figure: Amounts, currencies: Currencies) -> Amounts:
    """Leave out amounts of a currency in which Zoho cannot show them."""
    if currencies.show(figure.currency):
        return figure
    if isinstance(figure, Payment):
        return figure._replace(amount=None)
    return figure._replace(amount=None, paid=None, outstanding=None)


def _named(code: str, currencies: Currencies, held: str) -> str:
    return code if currencies.names(code) else held
