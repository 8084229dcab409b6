"""What is missing is created once, under whatever name Zoho gives it, or the run stops before it writes anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import support
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from support.provision_in_a_process import ACCOUNTS, ALL, DEALS, KEY, PAYMENTS
from support.zoho import client_of, field, module

from sandbox import Sandbox
from singer_store import open_store
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ConfigurationError, PermissionDeniedError
from target_zoho_crm.mapping.metadata import FieldSpec
from target_zoho_crm.org.fields import ModuleSpec, describe, plan_fields
from target_zoho_crm.org.organization import read_organization
from target_zoho_crm.org.provisioning import provision
from target_zoho_crm.org.requirements import requirements

if TYPE_CHECKING:
    from target_zoho_crm.api.client import ZohoClient

FIELDS = "/crm/v8/settings/fields"
MODULES = "/crm/v8/settings/modules"


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box, tmp_path):
    with client_of(box, tmp_path, scopes=SCOPES) as client:
        yield client


class Found:
    """What is there after provisioning, and what came of it."""

    def __init__(self, client: ZohoClient, wanted: tuple[ModuleSpec, ...], made) -> None:
        names = [spec.name for spec in wanted]
        found = requirements(read_organization(client, names), wanted, refused=made.refused)
        self.modules = {one.spec.name: one for one in found if one.module}
        self.fields = {one.spec.name: one.plan.present for one in found}
        self.unavailable = {one.spec.name: one.unavailable for one in found if one.unavailable}
        self.created, self.refused = made.created, made.refused


def run(client: ZohoClient, *wanted: ModuleSpec, create_fields: bool = True, organization=None) -> Found:
    """Provision what an organization lacks, as it is now or was read before."""
    wanted = wanted or ALL
    before = organization or read_organization(client, [spec.name for spec in wanted])
    return Found(client, wanted, provision(client, requirements(before, wanted), create_fields=create_fields))


def labels(box: Sandbox, name: str) -> list[str]:
    return [one.label for one in box.zoho.fields(name).values() if one.custom]


def refuse_fields(box: Sandbox, *codes: str, times: int | None = 1) -> None:
    """Answer the next request for fields with these codes."""
    body = {"fields": [{"code": code, "details": {}, "message": "", "status": "error"} for code in codes]}
    box.faults.add(service="zoho", path=FIELDS, method="POST", kind="status", status=400, body=body, times=times)


# planning


@given(
    st.sets(st.sampled_from([spec.label for spec in ACCOUNTS.fields])),
    st.integers(0, 2),
)
def test_what_is_there_and_what_is_missing_make_up_what_is_wanted(there, unique_elsewhere):
    taken = [field(f"Key {number}", unique=True, custom=True) for number in range(unique_elsewhere)]
    present = [field(spec.label, spec.data_type, unique=spec.unique) for spec in ACCOUNTS.fields if spec.label in there]
    if KEY.label in there and unique_elsewhere == 2:
        taken.pop()

    plan = plan_fields(module("Accounts", *taken, *present), ACCOUNTS.fields)

    assert set(plan.present) == there
    assert [spec.label for spec in plan.missing] == [spec.label for spec in ACCOUNTS.fields if spec.label not in there]
    uniques = len(taken) + sum(one.unique for one in present) + sum(spec.unique for spec in plan.missing)
    assert uniques <= 2


def test_a_third_unique_field_is_asked_for_without_being_unique():
    full = module("Accounts", field("One", unique=True), field("Two", unique=True))

    plan = plan_fields(full, [KEY])

    assert plan.missing == (replace(KEY, unique=False),)
    assert plan.downgraded == ("FreshBooks ID",)


def test_the_last_unique_field_goes_to_the_first_that_is_wanted():
    other = replace(KEY, label="FreshBooks Number")

    plan = plan_fields(module("Accounts", field("One", unique=True)), [KEY, other])

    assert plan.missing == (KEY, replace(other, unique=False))


def test_a_field_of_another_type_is_named_with_both_types():
    plan = plan_fields(module("Accounts", field("FreshBooks ID", "integer")), [KEY])

    (sentence,) = plan.unusable
    for word in ("'FreshBooks ID'", "Accounts", "integer", "text"):
        assert word in sentence


def test_a_lookup_to_another_module_is_unusable_and_a_field_that_cannot_be_written_is_done_without():
    deal = FieldSpec("Deal", "lookup", lookup_module="Deals")

    wrong = plan_fields(module("Payments", field("Deal", "lookup", lookup_module="Leads")), [deal])
    locked = plan_fields(module("Payments", field("Deal", "lookup", lookup_module="Deals", read_only=True)), [deal])

    assert "Leads" in wrong.unusable[0]
    assert (locked.unusable, locked.read_only, locked.missing) == ((), ("Deal",), ())


def test_a_label_longer_than_zohos_is_an_error_here():
    with pytest.raises(ValueError, match="25"):
        describe(FieldSpec("x" * 26, "text"), "Payments")


# creating


def test_everything_is_created_and_known_by_the_names_that_zoho_gave(box, client):
    result = run(client)

    assert set(result.modules) == {"Accounts", "Deals", "FreshBooks Payments"}
    accounts, payments = result.fields["Accounts"], result.fields["FreshBooks Payments"]
    assert set(accounts) == set(result.created["Accounts"]) == {spec.label for spec in ACCOUNTS.fields}
    assert accounts["FreshBooks ID"].unique
    assert payments["Deal"].lookup_module == "Deals"
    assert result.modules["FreshBooks Payments"].name in box.zoho.organization.modules
    assert result.fields["Deals"]["FreshBooks Lines"].length == 32000


def test_never_more_than_five_fields_a_call(box, client):
    run(client, ACCOUNTS)

    assert len(box.calls("zoho", FIELDS, "POST")) == 2
    assert {call.status for call in box.calls("zoho", FIELDS, "POST")} == {201}


def test_the_second_time_nothing_is_written(box, client):
    run(client)
    box.server.forget_calls()

    result = run(client)

    assert {call.method for call in box.calls("zoho", "/crm")} == {"GET"}
    assert result.created == {}


def test_fields_are_found_under_another_api_name(box, client):
    box.zoho.add_custom_field("Accounts", "FreshBooks ID", unique=True, length=100)
    name = next(iter(one.api_name for one in box.zoho.fields("Accounts").values() if one.custom))
    renamed = box.zoho.organization.modules["Accounts"].fields.pop(name)
    renamed.api_name = "FB_Key"
    box.zoho.organization.modules["Accounts"].fields["FB_Key"] = renamed

    assert run(client, ACCOUNTS).fields["Accounts"]["FreshBooks ID"].api_name == "FB_Key"
    assert labels(box, "Accounts").count("FreshBooks ID") == 1


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "reset"])
def test_a_lost_answer_creates_no_field_twice(box, client, kind):
    box.faults.add(service="zoho", path=FIELDS, method="POST", kind=kind, times=2)

    result = run(client, ACCOUNTS)

    assert sorted(labels(box, "Accounts")) == sorted(result.fields["Accounts"])


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "reset"])
def test_a_lost_answer_creates_no_module_twice(box, client, kind):
    box.faults.add(service="zoho", path=MODULES, method="POST", kind=kind)

    result = run(client, PAYMENTS)

    plurals = [one.plural for one in box.zoho.organization.modules.values()]
    assert plurals.count("FreshBooks Payments") == 1
    assert "FreshBooks Payments" in result.modules
    assert result.unavailable == {}


def test_a_refusal_of_what_is_there_by_now_counts_for_nothing(box, client):
    """Another process may have created it meanwhile, and used up the last of what the edition allows."""
    organization = read_organization(client)
    box.zoho.add_custom_field("Deals", "FreshBooks ID", unique=True, length=100)
    box.zoho.add_custom_field("Deals", "FreshBooks Lines", "textarea")
    refuse_fields(box, "LIMIT_EXCEEDED", "LIMIT_EXCEEDED")

    result = run(client, DEALS, organization=organization)

    assert result.fields["Deals"]["FreshBooks ID"].unique
    assert (result.created, bool(result.refused)) == ({"Deals": ()}, False)


def test_a_field_that_zoho_has_but_does_not_show_is_looked_for_among_the_unused(box, client):
    refuse_fields(box, "DUPLICATE_DATA", "DUPLICATE_DATA", times=None)

    with pytest.raises(ConfigurationError, match=r"'FreshBooks ID' .* in Deals and does not show it.*unused"):
        run(client, DEALS)
    assert len(box.calls("zoho", FIELDS, "POST")) == 1


def test_an_optional_field_that_zoho_does_not_make_is_done_without_and_not_asked_for_again(box, client):
    run(client, replace(DEALS, fields=(KEY,)))
    refuse_fields(box, "NOT_ALLOWED", times=None)
    before = len(box.calls("zoho", FIELDS, "POST"))

    result = run(client, DEALS)
    again = requirements(read_organization(client, ["Deals"]), [DEALS], refused=result.refused)

    assert len(box.calls("zoho", FIELDS, "POST")) == before + 1
    assert "'FreshBooks Lines'" in result.refused.fields["Deals"]["FreshBooks Lines"]
    assert [one.creation for one in again] == [None]


def test_an_answer_in_html_counts_as_lost(box, client):
    box.faults.add(service="zoho", path=FIELDS, method="POST", kind="status", status=502, body=b"<html>")

    assert run(client, ACCOUNTS).fields["Accounts"]["FreshBooks ID"].unique


def test_two_processes_at_once_end_with_the_same_fields(box, tmp_path):
    app = box.zoho.app
    arguments = [f"sqlite:///{tmp_path}/store.db", box.zoho.accounts_url, app.client_id]
    secrets = {"KEY": Fernet.generate_key().decode(), "SECRET": app.client_secret, "TOKEN": box.zoho.grant(SCOPES)}
    with open_store(arguments[0], secrets["KEY"]):
        command = [sys.executable, "-m", "support.provision_in_a_process", *arguments]
        processes = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **secrets},
                cwd=Path(support.__file__).parents[1],
            )
            for _ in range(2)
        ]
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [json.loads(process.communicate(timeout=60)[0]) for process in processes]

    assert answers == [{spec.name: sorted(one.label for one in spec.fields) for spec in ALL}] * 2
    for spec in ALL:
        (api_name,) = [one.api_name for one in box.zoho.organization.modules.values() if one.plural == spec.name]
        assert sorted(labels(box, api_name)) == sorted({one.label for one in spec.fields})


# what the organization cannot have


def test_where_both_unique_fields_are_used_the_key_is_not_unique(box, client):
    for label in ("Tax Number", "Old Key"):
        box.zoho.add_custom_field("Accounts", label, unique=True)

    accounts = run(client, ACCOUNTS).fields["Accounts"]

    assert not accounts["FreshBooks ID"].unique
    assert set(accounts) == {spec.label for spec in ACCOUNTS.fields}


def test_a_unique_field_that_zoho_refuses_is_made_without_being_unique(box, client):
    """The budget can be used up between the reading and the writing."""
    organization = read_organization(client)
    for label in ("Tax Number", "Old Key"):
        box.zoho.add_custom_field("Accounts", label, unique=True)

    accounts = run(client, ACCOUNTS, organization=organization).fields["Accounts"]

    assert not accounts["FreshBooks ID"].unique
    assert set(accounts) == {spec.label for spec in ACCOUNTS.fields}


def test_a_smaller_budget_than_zohos_page_says_is_found_out(box, client):
    refuse_fields(box, "LIMIT_EXCEEDED", "LIMIT_EXCEEDED")
    wanted = ModuleSpec("Deals", (KEY, replace(KEY, label="FreshBooks Number")))

    deals = run(client, wanted).fields["Deals"]

    assert [one.unique for one in deals.values()] == [False, False]


def test_a_key_made_by_hand_and_not_unique_is_used_as_it_is(box, client):
    box.zoho.add_custom_field("Accounts", "FreshBooks ID", length=100)

    assert not run(client, ACCOUNTS).fields["Accounts"]["FreshBooks ID"].unique


@pytest.mark.parametrize("code", ["FIELD_LIMIT_EXCEEDED", "LIMIT_EXCEEDED"])
def test_where_there_is_no_room_for_all_fields_the_least_needed_are_left_out(box, client, code):
    box.zoho.switches.field_limit_code = code
    box.zoho.switches.custom_field_caps["enterprise"] = 5

    result = run(client, ACCOUNTS)

    assert list(result.fields["Accounts"]) == [spec.label for spec in ACCOUNTS.fields[:5]]
    assert set(result.refused.fields["Accounts"]) == {spec.label for spec in ACCOUNTS.fields[5:]}
    assert "as many custom fields as the edition allows" in result.refused.fields["Accounts"]["FreshBooks Since"]


def test_without_room_for_the_freshbooks_id_there_is_no_sync(box, client):
    box.zoho.switches.custom_field_caps["enterprise"] = 0

    with pytest.raises(ConfigurationError, match=r"'FreshBooks ID' .*Accounts.*as many custom fields as the edition"):
        run(client, ACCOUNTS)


@pytest.mark.parametrize("edition", ["standard", "professional"])
def test_what_an_edition_can_have_is_asked_of_zoho_not_looked_up(box, client, edition):
    box.zoho.edition = edition
    box.zoho.switches.custom_module_caps[edition] = 1

    assert "FreshBooks Payments" in run(client).modules


def test_a_module_that_exists_unseen_is_asked_for_once(box, client):
    body = {
        "modules": [{"code": "DUPLICATE_DATA", "details": {"api_name": "api_name"}, "message": "", "status": "error"}]
    }
    box.faults.add(service="zoho", path=MODULES, method="POST", kind="status", status=400, body=body, times=None)

    result = run(client)

    assert "does not show it" in result.unavailable["FreshBooks Payments"]
    assert len(box.calls("zoho", MODULES, "POST")) == 1


def test_a_module_made_by_hand_is_used_in_every_edition(box, client):
    box.zoho.edition = "professional"
    box.zoho.organization.add_module("CustomModule1", "FreshBooks Payment", "FreshBooks Payments", "Payment Name")

    result = run(client)

    assert result.modules["FreshBooks Payments"].name == "CustomModule1"
    assert set(result.fields["FreshBooks Payments"]) == {spec.label for spec in PAYMENTS.fields}


def test_no_room_for_another_module_leaves_the_others_working(box, client):
    box.zoho.switches.custom_module_caps["enterprise"] = 0
    box.zoho.switches.custom_module_refusal = "LIMIT_EXCEEDED"

    result = run(client)

    assert set(result.modules) == {"Accounts", "Deals"}
    assert "LIMIT_EXCEEDED" in result.unavailable["FreshBooks Payments"]


def test_a_module_that_zoho_does_not_support_is_unavailable(box, client):
    box.zoho.switches.custom_module_caps["enterprise"] = 0

    assert "NOT_SUPPORTED" in run(client).unavailable["FreshBooks Payments"]


def test_an_unknown_module_names_the_setting(client):
    with pytest.raises(ConfigurationError, match=r"'Nonsense'.*invoices_module"):
        run(client, ModuleSpec("Nonsense", (KEY,)))


# what the user may not do, or does not want


def test_a_missing_permission_says_what_to_grant(box, client):
    box.zoho.organization.forbidden.add("Crm_Implied_Customize_Zoho_CRM")

    with pytest.raises(PermissionDeniedError, match=r"Crm_Implied_Customize_Zoho_CRM.*profile"):
        run(client, ACCOUNTS)


def test_a_refusal_of_one_field_names_it(box, client):
    refusal = {"code": "NO_PERMISSION", "details": {"permissions": ["x"]}, "message": "", "status": "error"}
    body = {"fields": [refusal] * 5}
    box.faults.add(service="zoho", path=FIELDS, method="POST", kind="status", status=403, body=body, times=None)

    with pytest.raises(PermissionDeniedError, match=r"'FreshBooks ID'.*Accounts.*NO_PERMISSION.*profile"):
        run(client, ACCOUNTS)


def test_without_create_fields_everything_missing_is_listed_and_nothing_written(box, client):
    box.zoho.add_custom_field("Accounts", "FreshBooks ID", unique=True, length=100)

    with pytest.raises(ConfigurationError) as error:
        run(client, create_fields=False)

    missing = [spec.label for spec in (*ACCOUNTS.fields[1:], *PAYMENTS.fields)]
    for word in ("create_fields", "Accounts", "Deals", "'FreshBooks Payments'", "(text, unique)", *missing):
        assert word in str(error.value)
    assert {call.method for call in box.calls("zoho", "/crm")} == {"GET"}


def test_a_field_of_the_wrong_type_stops_before_anything_is_written(box, client):
    box.zoho.add_custom_field("Deals", "FreshBooks ID", "integer")

    with pytest.raises(ConfigurationError, match=r"'FreshBooks ID' of Deals is of type integer"):
        run(client)
    assert {call.method for call in box.calls("zoho", "/crm")} == {"GET"}
