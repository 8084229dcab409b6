"""Whatever administrators rename, records break and people do in Zoho between runs, the next quiet run is right."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.target import Org, client, invoice, payment, usd

from sandbox import Sandbox
from sandbox.zoho import RowError

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS, INVOICES = (1, 2, 3), {1: 1, 2: 1, 3: 2, 4: 3}
IN_EUROS = 4
"""The invoice that is in another currency than the organization's own."""
MODULES = ("Accounts", "Deals", "FreshBooks_Payments")
ANSWERED = ("row", "flat", "unnamed", "server")
PEOPLES = {"Accounts": "Industry", "Deals": "Next_Step"}
"""Fields that only people fill."""


def firm(version: int):
    """The firm's records as FreshBooks has them at a version; amounts, stages and faxes change with it."""
    updated = f"2026-06-29T{version:02}:00:00+00:00"
    amount = f"{100 + version}.50"
    for number in CLIENTS:
        yield "clients", client(number, fax=str(version), bus_phone="030 100", updated=updated)
    for number, customer in INVOICES.items():
        code = "EUR" if number == IN_EUROS else "USD"
        yield (
            "invoices",
            invoice(
                number, customer, amount=usd(amount, code), outstanding=usd(amount, code), paid=usd("0.00", code),
                currency_code=code, v3_status=("sent", "viewed", "paid")[version % 3], updated=updated,
            ),
        )  # fmt: skip
        yield "payments", payment(number, number, amount=usd("1.00", code), type=f"Cash {version}", updated=updated)


class World:
    """An organization in which something happens between runs."""

    def __init__(self, box: Sandbox, folder: str, random: Random) -> None:
        self.zoho, self.org, self.random = box.zoho, Org(box, Path(folder)), random
        self.version = 0
        self.owned: dict[tuple[str, str], str] = {}
        """What people entered, by module and id."""
        self.moved: dict[str, str] = {}
        """Where the deals of merged accounts are since: deal → account."""
        early = random.random() < 0.5
        if early:
            self.zoho.enable_multi_currency({"EUR": Decimal("0.9")})
        self.run()
        if not early:
            self.zoho.enable_multi_currency({"EUR": Decimal("0.9")})
        self.fields = self.custom_fields()

    def run(self) -> None:
        self.version += 1
        self.org.run(*firm(self.version))

    def custom_fields(self) -> dict[str, list[str]]:
        modules = self.zoho.organization.modules
        return {name: sorted(k for k, one in modules[name].fields.items() if one.custom) for name in MODULES}

    def one_of(self, module: str) -> str | None:
        rows = self.zoho.records(module)
        return self.random.choice(rows)["id"] if rows else None

    # what administrators do

    def rename_a_field(self) -> None:
        module = self.random.choice(MODULES)
        name = self.random.choice(self.fields[module])
        self.zoho.rename_field(module, name, f"Label {self.random.randrange(10**6)}")

    def rename_the_module(self) -> None:
        number = self.random.randrange(10**6)
        self.zoho.rename_module("FreshBooks_Payments", f"Payment {number}", f"Payments {number}")

    def rename_a_stage(self) -> None:
        names = [choice.display_value for choice in self.zoho.fields("Deals")["Stage"].choices]
        self.zoho.rename_stage(self.random.choice(names), f"Stage {self.random.randrange(10**6)}")

    def refuse_a_record(self) -> None:
        """One record breaks every call that it is in, in one of the ways in which Zoho answers."""
        module, number, how = self.random.choice(MODULES), self.random.choice(CLIENTS), self.random.choice(ANSWERED)
        key = f"ZyQ04o:{number}"
        fault = {"code": "INTERNAL_ERROR"} if how == "server" else {"code": "INVALID_DATA", "details": {}}
        ids = {row["id"] for row in self.zoho.find(module, FreshBooks_ID=key)}
        self.zoho.refuse(
            module,
            fault,
            when=lambda row: row.get("FreshBooks_ID") == key or row.get("id") in ids,
            answered="flat" if how == "server" else how,
            status=500 if how == "server" else None,
        )

    def refuse_queries(self) -> None:
        body = {"code": "INVALID_QUERY", "details": {}, "message": "", "status": "error"}
        path = "/crm/v8/coql"
        self.org.box.faults.add(service="zoho", path=path, kind="status", status=400, body=body, times=1)

    # what people do

    def merge_two_accounts(self) -> None:
        rows = [row["id"] for row in self.zoho.records("Accounts")]
        if len(rows) > 1:
            master, child = self.random.sample(rows, 2)
            self.forget("Accounts", child)
            self.zoho.merge("Accounts", master, child)
            self.moved |= {row["id"]: master for row in self.zoho.find("Deals", Account_Name=master)}

    def delete_a_record(self) -> None:
        module = self.random.choice(MODULES)
        if (record := self.one_of(module)) is not None:
            self.forget(module, record)
            self.zoho.delete(module, record, permanently=self.random.random() < 0.5)

    def delete_and_restore_a_record(self) -> None:
        module = self.random.choice(MODULES)
        if (record := self.one_of(module)) is not None:
            self.forget(module, record)
            self.zoho.delete(module, record)
            self.zoho.restore(module, record)

    def hide_a_field(self) -> None:
        self.zoho.set_unused(*self.random.choice([("Accounts", "FreshBooks_Email"), ("Deals", "FreshBooks_Status")]))

    def deactivate_the_euro(self) -> None:
        self.zoho.deactivate_currency("EUR")

    def forget(self, module: str, record: str) -> None:
        """Expect nothing of a record that is gone, nor of what was moved there."""
        self.owned.pop((module, record), None)
        self.moved = {deal: account for deal, account in self.moved.items() if record not in (deal, account)}

    def make_the_phone_unique(self) -> None:
        phones = [row["Phone"] for row in self.zoho.records("Accounts") if row.get("Phone")]
        if len(phones) == len(set(phones)):
            self.zoho.make_unique("Accounts", "Phone")

    def add_a_default_pipeline(self) -> None:
        stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
        self.zoho.add_pipeline(f"Pipeline {self.random.randrange(10**6)}", stages, default=True)

    def enter_something(self) -> None:
        module = self.random.choice(list(PEOPLES))
        if (record := self.one_of(module)) is not None:
            value = {"Accounts": "Consulting", "Deals": f"Call {self.random.randrange(100)}"}[module]
            self.zoho.update(module, record, {PEOPLES[module]: value})
            self.owned[module, record] = value

    def take_a_record_over(self) -> None:
        if (record := self.one_of("Accounts")) is not None:
            self.zoho.update("Accounts", record, {"Owner": {"id": self.zoho.organization.person.id}})

    def right_at_last(self) -> None:
        """Two runs without a fault leave each record once, and what people entered as they left it."""
        self.zoho.allow()
        self.org.box.faults.clear()
        self.org.a_day_later()
        for _ in range(2):
            self.run()
        result = self.org.run(*firm(self.version))
        assert result.error is None
        for module in MODULES:
            keys = [row["FreshBooks_ID"] for row in self.zoho.records(module) if row.get("FreshBooks_ID")]
            assert len(keys) == len(set(keys))
        deals = {row["FreshBooks_ID"]: row for row in self.zoho.records("Deals") if row.get("FreshBooks_ID")}
        assert set(deals) == {f"ZyQ04o:{number}" for number in INVOICES}
        for key, deal in deals.items():
            code = "EUR" if key == f"ZyQ04o:{IN_EUROS}" else "USD"
            amounts = {deal[name] for name in ("Amount", "FreshBooks_Outstanding")}
            assert amounts == ({Decimal(f"{100 + self.version}.5")} if deal["Currency"] == code else {None})
        accounts = {row["id"]: row for row in self.zoho.records("Accounts")}
        assert all(deal["Account_Name"]["id"] in accounts for deal in deals.values())
        there = {row["id"]: row["Account_Name"]["id"] for row in deals.values()}
        assert {deal: there[deal] for deal in self.moved if deal in there} == {
            deal: account for deal, account in self.moved.items() if deal in there
        }
        for (module, record), value in self.owned.items():
            assert self.zoho.get(module, record)[PEOPLES[module]] == value


OF_ADMINISTRATORS: list[Callable[[World], None]] = [
    World.rename_a_field, World.rename_the_module, World.rename_a_stage, World.refuse_a_record, World.refuse_queries,
]  # fmt: skip
OF_PEOPLE: list[Callable[[World], None]] = [
    World.merge_two_accounts, World.delete_a_record, World.make_the_phone_unique, World.add_a_default_pipeline,
    World.enter_something, World.take_a_record_over, World.rename_a_field, World.delete_and_restore_a_record,
    World.hide_a_field, World.deactivate_the_euro,
]  # fmt: skip


def play(acts: list[Callable[[World], None]], seed: int) -> None:
    with Sandbox() as box, tempfile.TemporaryDirectory() as folder:
        world = World(box, folder, Random(seed))
        fields = world.fields
        for act in acts:
            try:
                act(world)
            except RowError:
                continue
            world.run()
        world.right_at_last()
        assert world.custom_fields() == fields


@pytest.mark.timeout(600)
@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(OF_ADMINISTRATORS), min_size=1, max_size=5), st.integers(0, 10**6))
def test_after_renames_poison_and_refusals_a_quiet_run_converges_with_no_duplicate_and_no_second_field(acts, seed):
    play(acts, seed)


@pytest.mark.timeout(600)
@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(OF_PEOPLE), min_size=1, max_size=5), st.integers(0, 10**6))
def test_after_whatever_people_do_a_quiet_run_converges_and_leaves_what_is_theirs(acts, seed):
    play(acts, seed)
