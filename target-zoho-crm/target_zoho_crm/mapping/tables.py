"""What lands where: one table for each kind of FreshBooks record, to be read line by line.

A line says: the field in Zoho, what goes into it (in words, then as a function), and, where it matters, whose field it
is. `OURS` fields carry "FreshBooks" in their label or live in a record that only this target makes: they always say
what FreshBooks says, an empty value included. `SHARED` fields also belong to the people who work in Zoho: an empty
value in FreshBooks leaves what they entered. An address is one thing: it is left alone while FreshBooks has none, and
replaced as a whole as soon as FreshBooks has a part of it.

FreshBooks' properties: https://www.freshbooks.com/api/clients, /invoices and /payments.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_zoho_crm.mapping.describing import (
    AMOUNTS,
    amounts_in_words,
    client_name,
    closing_date,
    exact_in_words,
    first,
    invoice_name,
    lines_in_words,
    payment_name,
    street,
)
from target_zoho_crm.mapping.metadata import FieldSpec
from target_zoho_crm.mapping.money import in_currency, read_money
from target_zoho_crm.mapping.stages import stage_of
from target_zoho_crm.mapping.values import shown_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_zoho_crm.mapping.metadata import Field
    from target_zoho_crm.mapping.money import Money

Record = dict[str, Any]

KEY = "FreshBooks ID"
"""The label of the field that says which FreshBooks record a Zoho record is: ``<account_id>:<id>``."""
UPDATED = "FreshBooks Updated"
LAST_PAYMENT = "FreshBooks Last Payment"
NEEDED_MOST = (
    KEY, "Deal", "Account", "Amount", "Date", "Currency", "FreshBooks Outstanding", "FreshBooks Overdue",
    "FreshBooks Status", "FreshBooks Due Date", "FreshBooks State", UPDATED, "FreshBooks Paid", LAST_PAYMENT,
    "FreshBooks Email",
)  # fmt: skip
"""Labels in the order in which the fields are needed, others after them: where an edition has no room for all, the last
ones are left out. Without the first there is no sync, without FreshBooks Outstanding nobody sees who owes what."""
STATES = {0: "active", 1: "deleted", 2: "archived"}
"""FreshBooks' `vis_state` (https://www.freshbooks.com/api/active_deleted)."""

OURS, SHARED, ONCE, ELSEWHERE = "ours", "shared", "only in a new record", "written by another stream"
BILLING, SHIPPING = "billing address", "shipping address"
LEAVE = object()
"""What a function gives for a property that the record does not have at all: the field is left as it is."""


@dataclass
class Setting:
    """What of the organization, and of the records around this one, decides about its values.

    Attributes:
        currency: the one in which amounts of this record can be shown; of a new Account, the one that it gets.
        currencies: those that a new record may have; None where it has no choice, as one that is there already.
        stages: status → stage.
        pipeline: the pipeline to send, or None.
        account, deal: Zoho ids of the records it points to.
        owner: Zoho id of the user who gets a new record; None is the one who gave the consent.
        amounts: the fields that amounts go to, by FreshBooks' property.
        foreign: how many amounts could not be shown.
        unknown_statuses: FreshBooks statuses that are not in the table of stages.
    """

    currency: str
    currencies: frozenset[str] | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    pipeline: str | None = None
    account: str | None = None
    deal: str | None = None
    owner: str | None = None
    amounts: Mapping[str, Field] = field(default_factory=dict)
    foreign: int = 0
    unknown_statuses: Counter[str] = field(default_factory=Counter)

    def shows(self, code: str) -> bool:
        """Return whether an amount of that currency can be shown as one."""
        return code == self.currency if self.currencies is None else code in self.currencies

    def shows_exactly(self, name: str, money: Money) -> bool:
        """Return whether the field that a property goes to has the decimals for its amount."""
        target = self.amounts.get(name)
        return target is None or shown_amount(target, money.amount) == money.amount


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `zoho` is the API name of Zoho's own field. `ours` is the field to create: the only one of FreshBooks' fields, and
    the substitute in a custom module for what the Deals module has of its own.
    """

    source: str
    value: Callable[[Record, Setting], Any]
    zoho: str | None = None
    ours: FieldSpec | None = None
    owner: str = OURS
    block: str | None = None
    deals_only: bool = False

    @property
    def label(self) -> str:
        """The field as people see it, or its API name where it is Zoho's own."""
        return self.zoho or (self.ours.label if self.ours else "")


def prop(name: str) -> Callable[[Record, Setting], Any]:
    """Give the function that takes a property as it is."""
    return lambda record, _: record.get(name, LEAVE)


def freshbooks_id(record: Record, _: Setting | None = None) -> str:
    """Give the value of the FreshBooks ID field."""
    return f"{record['account_id']}:{record['id']}"


def state(record: Record, _: Setting | None = None) -> str | None:
    """Give active, deleted or archived; LEAVE where the record does not say."""
    return STATES.get(record["vis_state"]) if "vis_state" in record else LEAVE  # type: ignore[return-value]


def money(name: str) -> Callable[[Record, Setting], Any]:
    """Give the function that takes an amount if its currency can be shown, and nothing if not."""

    def amount(record: Record, setting: Setting) -> Any:
        if name not in record:
            return LEAVE
        found = read_money(record[name])
        return found.amount if found is not None and setting.shows(found.code) else None

    return amount


def balance(name: str) -> Callable[[Record, Setting], Any]:
    """Return the function that takes a client's balance in the Account's currency; unknown (null) leaves the field.

    Where nothing is owed in that currency and something in another one, the field is empty: 0 would not be true.
    """

    def amount(record: Record, setting: Setting) -> Any:
        if record.get(name) is None:
            return LEAVE
        found, others = in_currency(record[name], setting.currency)
        setting.foreign += others
        return found or (None if others else found)

    return amount


def currency(record: Record, setting: Setting) -> Any:
    """Return the currency of a new invoice or payment: the code where it can be shown, else nothing."""
    found = read_money(record.get("amount"))
    code = found.code if found is not None else first(record, "currency_code")
    return code if setting.currencies is None or code in setting.currencies else LEAVE


def new_account_currency(record: Record, setting: Setting) -> Any:
    """Give the client's currency where the organization has several and this is one of them."""
    code = first(record, "currency_code")
    return code if setting.currencies and code in setting.currencies else LEAVE


def stage(record: Record, setting: Setting) -> str:
    """Look the stage up in `stages.STAGES`, changed by the setting `stage_map`."""
    found = stage_of(record.get("v3_status"), setting.stages, deleted=record.get("vis_state") == 1)
    if not found.known:
        setting.unknown_statuses[first(record, "v3_status")] += 1
    return found.stage


def description(record: Record, setting: Setting) -> Any:
    """Return the lines, after the amounts in words where their fields cannot show them, or not exactly."""
    parts = []
    amount = read_money(record.get("amount"))
    if amount is not None and not setting.shows(amount.code):
        setting.foreign += 1
        parts.append(amounts_in_words(record))
    elif inexact := _inexact(record, setting):
        parts.append(exact_in_words(record, inexact))
    if record.get("lines") is not None:
        parts.append(lines_in_words(record["lines"]))
    return "\n".join(part for part in parts if part) if parts else LEAVE


def _inexact(record: Record, setting: Setting) -> list[str]:
    """Return the properties whose amounts have more decimals than their fields."""
    found = {name: read_money(record.get(name)) for name in AMOUNTS}
    return [name for name, amount in found.items() if amount and not setting.shows_exactly(name, amount)]


def named_payment(record: Record, setting: Setting) -> str:
    """Return the name of a payment, with its amount where the field cannot show it, or not exactly."""
    amount = read_money(record.get("amount"))
    if amount is None or (setting.shows(amount.code) and setting.shows_exactly("amount", amount)):
        return payment_name(record)
    setting.foreign += not setting.shows(amount.code)
    return payment_name(record, amount)


def address(part: str, prefix: str) -> Callable[[Record, Setting], Any]:
    """Give the function that takes one part of an address."""
    if part == "street":
        return lambda record, _: street(record, prefix)
    return lambda record, _: first(record, f"{prefix}{part}")


def lookup(name: str) -> Callable[[Record, Setting], Any]:
    """Give the function that points to the record's Account or Deal."""
    return lambda _, setting: {"id": found} if (found := getattr(setting, name)) else None


def text_field(label: str, length: int = 100) -> FieldSpec:
    """Describe a single line field of ours."""
    return FieldSpec(label, "text", length=length)


KEY_ROW = Row("<account_id>:<id>", freshbooks_id, ours=FieldSpec(KEY, "text", length=100, unique=True))
STATE_ROW = Row("vis_state: active, archived, deleted", state, ours=text_field("FreshBooks State"))
UPDATED_ROW = Row("updated", prop("updated"), ours=FieldSpec(UPDATED, "datetime"))

CLIENTS: tuple[Row, ...] = (
    Row("organization, else fname lname, else email", lambda r, _: client_name(r), zoho="Account_Name"),
    Row("bus_phone, else mob_phone, else home_phone", lambda r, _: first(r, "bus_phone", "mob_phone", "home_phone"),
        zoho="Phone", owner=SHARED),
    Row("fax", prop("fax"), zoho="Fax", owner=SHARED),
    Row("p_street, p_street2", address("street", "p_"), zoho="Billing_Street", owner=SHARED, block=BILLING),
    Row("p_city", address("city", "p_"), zoho="Billing_City", owner=SHARED, block=BILLING),
    Row("p_province", address("province", "p_"), zoho="Billing_State", owner=SHARED, block=BILLING),
    Row("p_code", address("code", "p_"), zoho="Billing_Code", owner=SHARED, block=BILLING),
    Row("p_country", address("country", "p_"), zoho="Billing_Country", owner=SHARED, block=BILLING),
    Row("s_street, s_street2", address("street", "s_"), zoho="Shipping_Street", owner=SHARED, block=SHIPPING),
    Row("s_city", address("city", "s_"), zoho="Shipping_City", owner=SHARED, block=SHIPPING),
    Row("s_province", address("province", "s_"), zoho="Shipping_State", owner=SHARED, block=SHIPPING),
    Row("s_code", address("code", "s_"), zoho="Shipping_Code", owner=SHARED, block=SHIPPING),
    Row("s_country", address("country", "s_"), zoho="Shipping_Country", owner=SHARED, block=SHIPPING),
    Row("currency_code, where the organization has it", new_account_currency, zoho="Currency", owner=ONCE),
    KEY_ROW,
    Row("email", prop("email"), ours=FieldSpec("FreshBooks Email", "email", length=100)),
    Row("outstanding_balance in the account's currency", balance("outstanding_balance"),
        ours=FieldSpec("FreshBooks Outstanding", "currency")),
    Row("overdue_balance in the account's currency", balance("overdue_balance"),
        ours=FieldSpec("FreshBooks Overdue", "currency")),
    STATE_ROW,
    UPDATED_ROW,
)  # fmt: skip

INVOICES: tuple[Row, ...] = (
    Row("invoice_number - customer", lambda r, _: invoice_name(r), zoho="Deal_Name"),
    Row("the client's account", lookup("account"), zoho="Account_Name",
        ours=FieldSpec("Account", "lookup", lookup_module="Accounts")),
    Row("amount", money("amount"), zoho="Amount", ours=FieldSpec("Amount", "currency")),
    Row("the currency of amount", currency, zoho="Currency", ours=text_field("Currency", 10), owner=ONCE),
    Row("v3_status, by the table of stages", stage, zoho="Stage", deals_only=True),
    Row("the setting pipeline", lambda _, s: s.pipeline or LEAVE, zoho="Pipeline", deals_only=True),
    Row("date_paid if fully paid, else due_date, else create_date", lambda r, _: closing_date(r), zoho="Closing_Date",
        ours=FieldSpec("Closing Date", "date")),
    Row("lines", description, zoho="Description", ours=FieldSpec("Description", "textarea", length=32000)),
    KEY_ROW,
    Row("v3_status", prop("v3_status"), ours=text_field("FreshBooks Status")),
    Row("paid", money("paid"), ours=FieldSpec("FreshBooks Paid", "currency")),
    Row("outstanding", money("outstanding"), ours=FieldSpec("FreshBooks Outstanding", "currency")),
    Row("due_date", prop("due_date"), ours=FieldSpec("FreshBooks Due Date", "date")),
    Row("the last date of its payments", lambda *_: LEAVE, ours=FieldSpec(LAST_PAYMENT, "date"), owner=ELSEWHERE),
    STATE_ROW,
    UPDATED_ROW,
)  # fmt: skip

PAYMENTS: tuple[Row, ...] = (
    Row("date type (id)", named_payment, zoho="Name"),
    Row("amount", money("amount"), ours=FieldSpec("Amount", "currency")),
    Row("the currency of amount", currency, zoho="Currency", ours=text_field("Currency", 10), owner=ONCE),
    Row("date", prop("date"), ours=FieldSpec("Date", "date")),
    Row("type", prop("type"), ours=text_field("Type")),
    Row("gateway", prop("gateway"), ours=text_field("Gateway")),
    Row("the invoice's deal", lookup("deal"), ours=FieldSpec("Deal", "lookup", lookup_module="Deals")),
    Row("the deal's account", lookup("account"), ours=FieldSpec("Account", "lookup", lookup_module="Accounts")),
    KEY_ROW,
    STATE_ROW,
    UPDATED_ROW,
)  # fmt: skip

TABLES: dict[str, tuple[Row, ...]] = {"clients": CLIENTS, "invoices": INVOICES, "payments": PAYMENTS}
