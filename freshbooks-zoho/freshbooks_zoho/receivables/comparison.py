"""FreshBooks' figures against Zoho's, record by record: what differs, what is missing, what is too much. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from freshbooks_zoho.receivables.figures import DELETED, ZERO, Balances, Client, Currencies, Invoice, Payment
from target_zoho_crm.mapping.stages import stage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

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
    """Return a client as its account should show it; a balance that FreshBooks does not say is left as it is."""
    return Client(
        _balance(balances.outstanding, held.currency, held.figure.outstanding),
        _balance(balances.overdue, held.currency, held.figure.overdue),
        balances.state,
    )


def _balance(balances: Mapping[str, Decimal] | None, currency: str, held: Decimal | None) -> Decimal | None:
    """Return what an account should show: nothing, rather than 0, where something is owed in other currencies only."""
    if balances is None:
        return held
    return balances.get(currency) or (None if any(balances.values()) else ZERO)


def expected_invoice(
    invoice: Invoice,
    currencies: Currencies,
    held: Held[Invoice],
    stages: Mapping[str, str] | None = None,
    other_stages: Iterable[Mapping[str, str]] = (),
) -> Invoice:
    """Return an invoice as its deal should show it; without stages, where it has none.

    Args:
        invoice: FreshBooks' figure.
        currencies: of the organization.
        held: what the deal shows.
        stages: status → stage.
        other_stages: the same in other pipelines, whose stage is right for a deal that is there.
    """
    stage = None
    if stages:
        tables = [stages, *other_stages]
        right = [stage_of(invoice.status, one, deleted=invoice.state == DELETED).stage for one in tables]
        stage = held.figure.stage if held.figure.stage in right else right[0]
    currency = currencies.of_record(invoice.currency, held.currency)
    return shown(invoice, currencies, held.currency)._replace(currency=currency, stage=stage)


def expected_payment(payment: Payment, currencies: Currencies, held: Held[Payment]) -> Payment:
    """Return a payment as its record should show it."""
    currency = currencies.of_record(payment.currency, held.currency)
    return shown(payment, currencies, held.currency)._replace(currency=currency)


Amounts = TypeVar("Amounts", Invoice, Payment)


def shown(figure: Amounts, currencies: Currencies, record: str | None = None) -> Amounts:
    """Return a figure with its amounts as Zoho shows them, without those that stand in words.

    Args:
        figure: as FreshBooks has it.
        currencies: of the module.
        record: the currency of the record in Zoho; None for one that is not there yet.
    """
    is_shown = currencies.show(figure.currency, record)

    def seen(name: str, amount: Decimal | None) -> Decimal | None:
        return currencies.shown(name, amount) if is_shown else None

    if isinstance(figure, Payment):
        return figure._replace(amount=seen("amount", figure.amount))
    return figure._replace(
        amount=seen("amount", figure.amount),
        paid=seen("paid", figure.paid),
        outstanding=seen("outstanding", figure.outstanding),
    )


def is_in_words(figure: Invoice | Payment, currencies: Currencies, record: str | None = None) -> bool:
    """Return whether what is owed or paid stands in words in Zoho, and so in no total; arguments as in `shown`."""
    if not currencies.show(figure.currency, record):
        return True
    name = "outstanding" if isinstance(figure, Invoice) else "amount"
    amount: Decimal | None = getattr(figure, name)
    return amount is not None and currencies.shown(name, amount) is None
