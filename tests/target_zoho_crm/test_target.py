"""A run as a whole: parents first, what waits for what, what stops it, what it says, what a dry run leaves alone."""

from __future__ import annotations

import json
import signal
from decimal import Decimal

import pytest
from support.target import ACCOUNT, client, invoice, messages, payment, until, usd

from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.stages import STAGES
from target_zoho_crm.settings import read_settings

LATER = "2026-06-30T00:00:00+00:00"
EVEN_LATER = "2026-07-02T00:00:00+00:00"


def key(number):
    return f"{ACCOUNT}:{number}"


# parents first


def test_parents_are_written_first_in_whatever_order_the_streams_come(org):
    result = org.run(("payments", payment()), ("invoices", invoice()), ("clients", client(organization="Acme")))
    assert result.error is None
    assert [call.path.split("/")[3] for call in org.writes()] == ["Accounts", "Deals", "Deals", "FreshBooks_Payments"]
    assert org.one("Accounts")["Account_Name"] == "Acme"
    assert org.one("FreshBooks_Payments")["Deal"]["id"] == org.one("Deals")["id"]


def test_clients_may_come_again_after_payments(org):
    org.run(
        ("clients", client(outstanding_balance=[usd("100.00")])),
        ("invoices", invoice()),
        ("payments", payment()),
        ("clients", client(outstanding_balance=[usd("60.00")])),
    )
    assert org.one("Accounts")["FreshBooks_Outstanding"] == 60


def test_a_schema_that_changes_in_between_changes_nothing(org):
    sent = messages(("clients", client(1)), ("invoices", invoice(1)))
    other = messages(("clients", {**client(2), "new_property": 1}), ("invoices", {**invoice(2, 2), "new_property": 1}))
    org.feed([*sent[:-1], *other])
    assert len(org.records("Accounts")) == 2
    assert {deal["Account_Name"]["name"] for deal in org.records("Deals")} == {"Client 1", "Client 2"}


def test_full_batches_of_children_wait_for_their_parents(org):
    records = [("clients", client(n)) for n in range(1, 4)] + [("invoices", invoice(n, n)) for n in range(1, 4)]
    org.run(*records, batch_size_rows=2)
    assert {deal["Account_Name"]["name"] for deal in org.records("Deals")} == {"Client 1", "Client 2", "Client 3"}


def test_an_invoice_whose_client_is_not_in_zoho_makes_the_account(org):
    org.run(("invoices", invoice(1, 7, organization="Acme", street="1 Main St", city="Here", fname="Ann")))
    account = org.one("Accounts")
    assert (account["Account_Name"], account["FreshBooks_ID"]) == ("Client 7", key(7))
    assert (account["Billing_Street"], account["Billing_City"]) == ("1 Main St", "Here")
    assert (account["FreshBooks_State"], account["FreshBooks_Updated"]) == (None, None)
    assert org.one("Deals")["Account_Name"]["id"] == account["id"]
    org.run(("clients", client(7, organization="Acme Ltd", updated="2001-01-01T00:00:00+00:00")))
    assert org.one("Accounts")["Account_Name"] == "Acme Ltd"


def test_an_invoice_links_the_account_of_its_customers_name_and_leaves_the_rest(org):
    account = org.box.zoho.insert("Accounts", {"Account_Name": "Client 7", "Billing_City": "There"})
    org.run(("invoices", invoice(1, 7, city="Here")))
    assert (org.one("Accounts")["FreshBooks_ID"], org.one("Accounts")["Billing_City"]) == (key(7), "There")
    assert org.one("Deals")["Account_Name"]["id"] == account


def test_a_deal_that_somebody_moved_comes_back_to_its_account(org):
    org.run(("clients", client()), ("invoices", invoice()))
    other = org.box.zoho.insert("Accounts", {"Account_Name": "Other"})
    org.box.zoho.update("Deals", org.one("Deals")["id"], {"Account_Name": {"id": other}})
    org.run(("invoices", invoice()))
    assert org.one("Deals")["Account_Name"]["id"] == org.one("Accounts", key(1))["id"]


# matching


def test_an_account_of_the_name_is_linked(org):
    account = org.box.zoho.insert("Accounts", {"Account_Name": "CLIENT 1", "Website": "mine.example"})
    org.run(("clients", client()))
    row = org.one("Accounts")
    assert (row["id"], row["FreshBooks_ID"], row["Account_Name"]) == (account, key(1), "Client 1")
    assert row["Website"] == "mine.example"


def test_an_account_linked_to_another_client_is_not_taken(org):
    org.run(("clients", client(1, organization="Smith")))
    org.run(("clients", client(2, organization="Smith")))
    assert sorted(row["FreshBooks_ID"] for row in org.records("Accounts")) == [key(1), key(2)]


def test_a_contacts_email_tells_accounts_of_one_name_apart(org):
    first, second = (org.box.zoho.insert("Accounts", {"Account_Name": "Smith"}) for _ in range(2))
    for account, email in ((first, "x@example.com"), (second, "client1@example.com")):
        org.box.zoho.insert("Contacts", {"Last_Name": "S", "Email": email, "Account_Name": {"id": account}})
    org.run(("clients", client(1, organization="Smith")))
    assert org.one("Accounts", key(1))["id"] == second


def test_an_ambiguous_client_waits_with_its_invoices_and_payments(org, caplog):
    accounts = [org.box.zoho.insert("Accounts", {"Account_Name": "Smith"}) for _ in range(2)]
    smith = ("clients", client(1, organization="Smith"))
    child = ("invoices", invoice(1, 1, organization="Smith", current_organization="Smith"))
    for _ in range(2):
        org.run(smith, child, ("payments", payment()))
        assert org.writes() == []
    waiting = org.pending()
    assert waiting["clients", "1"].reason == "ambiguous"
    assert all(account in waiting["clients", "1"].error["expected"] for account in accounts)
    assert (waiting["invoices", "1"].reason, waiting["invoices", "1"].waits_for) == ("parent", "clients:1")
    assert (waiting["payments", "1"].reason, waiting["payments", "1"].waits_for) == ("parent", "invoices:1")
    assert "client1@example.com" not in caplog.text
    # in a later run the invoice comes alone: it still waits
    org.run(child)
    assert org.records("Deals") == []
    # a person decides; everything lands and nobody waits any more
    org.box.zoho.update("Accounts", accounts[1], {"FreshBooks_ID": key(1)})
    org.run(smith, child, ("payments", payment()), read_at="2100-01-01T00:00:00+00:00")
    assert org.one("Deals")["Account_Name"]["id"] == accounts[1]
    assert org.pending() == {}


def test_a_payment_without_its_deal_waits_and_is_released_when_the_deal_lands(org):
    for _ in range(5):
        org.run(("payments", payment()))
    assert org.pending()["payments", "1"].next_try is not None
    org.run(("clients", client()), ("invoices", invoice()))
    assert org.pending()["payments", "1"].next_try is None
    org.run(("payments", payment()), read_at="2100-01-01T00:00:00+00:00")
    assert org.one("FreshBooks_Payments")["FreshBooks_ID"] == key(1)
    assert org.pending() == {}


def test_an_event_newer_than_what_was_read_stays_on_the_list(org):
    org.run(("payments", payment()))  # waits from now on
    org.run(
        ("clients", client()), ("invoices", invoice()), ("payments", payment()), read_at="2001-01-01T00:00:00+00:00"
    )
    assert ("payments", "1") in org.pending()


# the last payment


def last_payment(org):
    return org.one("Deals")["FreshBooks_Last_Payment"]


def test_the_last_payment_is_the_latest_date_of_those_that_are_not_deleted(org):
    first, second = payment(1, date="2026-06-10"), payment(2, date="2026-06-20")
    org.run(("clients", client()), ("invoices", invoice()), ("payments", second), ("payments", first))
    assert last_payment(org) == "2026-06-20"
    org.run(("payments", {**second, "vis_state": 1, "updated": LATER}))
    assert last_payment(org) == "2026-06-10"
    org.run(("payments", {**first, "vis_state": 1, "updated": LATER}))
    assert last_payment(org) is None


def test_the_date_of_a_payment_may_change(org):
    org.run(
        ("clients", client()),
        ("invoices", invoice()),
        ("payments", payment(1)),
        ("payments", payment(2, date="2026-06-02")),
    )
    org.run(("payments", payment(1, date="2026-06-05", updated=LATER)))
    assert last_payment(org) == "2026-06-05"
    org.run(("payments", payment(1, date="2026-06-01", updated=EVEN_LATER)))
    assert last_payment(org) == "2026-06-02"
    org.run(("payments", payment(1, date="2026-06-30")))  # an old version comes late
    assert last_payment(org) == "2026-06-02"


def test_an_organization_without_custom_modules_shows_payments_on_the_deal(new_org, caplog):
    new_org.box.zoho.switches.custom_module_caps["enterprise"] = 0
    new_org.run(
        ("clients", client()),
        ("invoices", invoice()),
        ("payments", payment(1)),
        ("payments", payment(2, date="2026-06-10")),
    )
    assert "FreshBooks_Payments" not in new_org.box.zoho.organization.modules
    assert "payments are shown on the deals only" in caplog.text
    assert last_payment(new_org) == "2026-06-20"
    # the tap sends the invoice's other payments along with a deleted one
    new_org.run(("payments", payment(1, vis_state=1, updated=LATER)), ("payments", payment(2, date="2026-06-10")))
    assert last_payment(new_org) == "2026-06-10"
    assert new_org.pending() == {}


def test_no_module_for_payments_if_none_is_wanted(new_org):
    new_org.run(("clients", client()), ("invoices", invoice()), ("payments", payment()), payments_module="none")
    assert "FreshBooks_Payments" not in new_org.box.zoho.organization.modules
    assert last_payment(new_org) == "2026-06-20"


def test_a_custom_module_for_invoices(new_org):
    new_org.box.zoho.organization.add_module("FreshBooks_Invoices", "FreshBooks Invoice", "FreshBooks Invoices", "Name")
    new_org.run(
        ("clients", client()), ("invoices", invoice()), ("payments", payment()), invoices_module="FreshBooks_Invoices"
    )
    row = new_org.one("FreshBooks_Invoices")
    assert row["Name"] == "0000001 - Client 1"
    assert (row["Amount"], row["Currency"], row["Closing_Date"]) == (100, "USD", "2026-07-01")
    assert row["Account"]["id"] == new_org.one("Accounts")["id"]
    assert (row["FreshBooks_Status"], row["FreshBooks_Last_Payment"]) == ("sent", "2026-06-20")
    assert new_org.one("FreshBooks_Payments")["Deal"]["id"] == row["id"]
    assert new_org.records("Deals") == []
    written = len(new_org.writes())
    new_org.run(
        ("clients", client()), ("invoices", invoice()), ("payments", payment()), invoices_module="FreshBooks_Invoices"
    )
    assert len(new_org.writes()) == written


# what stops a run before the first write


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"stage_map": {"paid": "Cashed in"}}, "Cashed in"),
        ({"stage_map": {"never-heard-of": "Cashed in"}}, "Cashed in"),
        ({"stage_map": '{"paid": "Cashed in"}'}, "Cashed in"),
        ({"stage_map": '{"paid": '}, "stage_map is not valid JSON"),
        ({"extra_fields": '{"paid": '}, "extra_fields is not valid JSON"),
        ({"stage_map": {"paid": 5}}, "stage_map, paid has no text"),
        ({"pipeline": "No such"}, "No such"),
        ({"invoices_module": "Invoices"}, "invoices_module"),
        ({"invoices_module": "No_Such"}, "No_Such"),
        ({"payments_module": "No such"}, "No such"),
        ({"payments_module": "Deals"}, "payments_module"),
        ({"extra_fields": {"invoices": {"No Such": "po_number"}}}, "No Such"),
        ({"extra_fields": {"invoices": {"Next Step": "po_numbr"}}}, "po_numbr"),
        ({"extra_fields": {"invoices": {"Deal_Name": "po_number"}}}, "Deal_Name"),
        ({"extra_fields": {"invoices": {"Owner": "po_number"}}}, "Owner"),
        ({"extra_fields": {"invoice": {}}}, "invoice is none of"),
        ({"accounts_url": "https://accounts.zoho.example"}, "accounts_url"),
    ],
)  # fmt: skip
def test_what_is_wrong_stops_the_run_with_a_sentence_before_the_first_write(org, config, said):
    result = org.run(("clients", client()), ("invoices", invoice()), **config)
    assert said in str(result.error)
    assert (org.writes(), result.states) == ([], [])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"stage_map": ["paid"]}, "stage_map is not an object"),
        ({"max_parallel_requests": "0"}, "max_parallel_requests is not a whole number above 0"),
        ({"dry_run": "perhaps"}, "dry_run is neither true nor false"),
        ({"deleted_records": "burn"}, "deleted_records is neither mark nor delete"),
        ({"client_id": " "}, "client_id is missing"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(config, said):
    with pytest.raises(ConfigurationError, match=said):
        read_settings({"client_id": "a", "client_secret": "b", **config})


def test_settings_may_come_as_text_from_the_environment():
    texts = {"create_fields": "false", "max_parallel_requests": "3", "modules": '{"Contacts": "Email"}', "pipeline": ""}
    settings = read_settings({"client_id": "a", "client_secret": "b", **texts})
    assert (settings.create_fields, settings.max_parallel_requests) == (False, 3)
    assert (settings.modules, settings.pipeline) == ({"Contacts": "Email"}, None)
    assert "'b'" not in repr(settings)


def test_missing_fields_stop_the_run_if_they_may_not_be_created(new_org):
    result = new_org.run(("clients", client()), create_fields=False)
    for label in ("FreshBooks ID", "FreshBooks Last Payment", "FreshBooks Payments"):
        assert label in str(result.error)
    assert all(call.method == "GET" for call in new_org.calls())


NOT_FOR_A_RUN = {
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.settings.pipeline.CREATE",
    "ZohoCRM.settings.layouts.READ",
    "ZohoCRM.users.READ",
}
EVERYTHING = (("clients", client()), ("invoices", invoice()), ("payments", payment()))


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        *((scope, True) for scope in sorted(set(SCOPES) - NOT_FOR_A_RUN)),
        # contacts are only asked about where two accounts share a name
        *((scope, False) for scope in sorted(set(SCOPES) - NOT_FOR_A_RUN - {"ZohoCRM.modules.contacts.READ"})),
    ],
)
def test_a_scope_that_is_missing_stops_the_run_before_the_first_write(new_org, missing, named):
    new_org.box.zoho.switches.refresh_names_scopes = named
    if not named and "custom" in missing:
        new_org.box.zoho.organization.add_module(
            "FreshBooks_Payments", "FreshBooks Payment", "FreshBooks Payments", "P"
        )
    grant = new_org.box.zoho.grant([scope for scope in SCOPES if scope != missing])
    result = new_org.run(*EVERYTHING, refresh_token=grant)
    assert missing.rpartition(".")[0] in str(result.error)
    assert "connect zoho" in str(result.error)
    assert all(call.method == "GET" or call.path.endswith("/coql") for call in new_org.calls())


def test_the_users_may_have_to_be_read_only_where_the_setting_owner_names_one(new_org):
    grant = new_org.box.zoho.grant([scope for scope in SCOPES if scope != "ZohoCRM.users.READ"])
    email = new_org.box.zoho.organization.person.email
    assert "ZohoCRM.users.READ" in str(new_org.run(*EVERYTHING, refresh_token=grant, owner=email).error)
    assert new_org.run(*EVERYTHING, refresh_token=grant).error is None


@pytest.mark.parametrize("kind", ["fields", "modules"])
def test_a_consent_that_lets_nothing_be_created_stops_a_run_that_has_to(new_org, kind):
    some = [scope.replace(f"{kind}.ALL", f"{kind}.READ") if "settings" in scope else scope for scope in SCOPES]
    result = new_org.run(*EVERYTHING, refresh_token=new_org.box.zoho.grant(some))
    assert f"ZohoCRM.settings.{kind}.CREATE" in str(result.error)
    assert all(call.method == "GET" for call in new_org.calls())
    assert new_org.run(*EVERYTHING).error is None
    assert new_org.run(*EVERYTHING, refresh_token=new_org.box.zoho.grant(some)).error is None


@pytest.mark.parametrize("operation", ["READ", "CREATE", "UPDATE"])
def test_a_consent_to_some_operations_only_is_not_enough(new_org, operation):
    others = [one for one in ("READ", "CREATE", "UPDATE") if one != operation]
    some = [f"ZohoCRM.modules.deals.{other}" for other in others]
    grant = new_org.box.zoho.grant([*(scope for scope in SCOPES if ".deals." not in scope), *some])
    assert f"ZohoCRM.modules.deals.{operation}." in str(new_org.run(*EVERYTHING, refresh_token=grant).error)
    assert new_org.writes() == []


def test_a_consent_to_each_operation_of_a_run_is_enough(new_org):
    each = [f"ZohoCRM.modules.deals.{operation}" for operation in ("READ", "CREATE", "UPDATE")]
    grant = new_org.box.zoho.grant([*(scope for scope in SCOPES if ".deals." not in scope), *each])
    assert new_org.run(*EVERYTHING, refresh_token=grant).error is None
    result = new_org.run(*EVERYTHING, refresh_token=grant, deleted_records="delete")
    assert "ZohoCRM.modules.deals.DELETE" in str(result.error)


@pytest.mark.parametrize(
    ("module", "action"),
    [(module, action) for module in ("Accounts", "Deals") for action in ("view", "create", "edit")]
    + [("FreshBooks_Payments", "create"), ("FreshBooks_Payments", "edit")],
)
def test_what_the_user_may_not_do_stops_the_run_before_the_first_write(new_org, module, action):
    assert new_org.run(("clients", client(9))).error is None  # makes the fields and the module
    new_org.a_day_later()
    before = len(new_org.writes())
    new_org.box.zoho.forbid(action, module)
    result = new_org.run(*EVERYTHING)
    assert module.replace("_", " ") in str(result.error).replace("_", " ")
    assert len(new_org.writes()) == before


@pytest.mark.parametrize("gone", ["hidden", "deleted"])
def test_a_payments_module_that_is_not_shown_any_more_is_done_without_and_not_made_again(new_org, caplog, gone):
    assert new_org.run(*EVERYTHING).error is None
    new_org.a_day_later()
    if gone == "hidden":
        new_org.box.zoho.forbid("view", "FreshBooks_Payments")
    else:
        del new_org.box.zoho.organization.modules["FreshBooks_Payments"]
    assert new_org.run(*EVERYTHING, ("payments", payment(2, date="2026-06-25"))).error is None
    assert last_payment(new_org) == "2026-06-25"
    assert "'FreshBooks Payments' is not there any more" in caplog.text
    assert len(new_org.box.calls("zoho", "/crm/v8/settings/modules", "POST")) == 1


def test_deleting_is_asked_for_only_where_records_are_deleted(new_org):
    new_org.box.zoho.forbid("delete", "Deals")
    assert new_org.run(*EVERYTHING).error is None
    result = new_org.run(*EVERYTHING, deleted_records="delete")
    assert "may not delete records in Deals" in str(result.error)


def test_the_stages_of_another_pipeline_are_used_if_it_is_named(new_org):
    org = new_org.box.zoho.organization
    stages = [choice for choice in org.pipelines[0].stages if choice.display_value in {"Closed Won", "Closed Lost"}]
    org.add_pipeline("FreshBooks Invoices", stages)
    stage_map = dict.fromkeys(STAGES, "Closed Won")
    result = new_org.run(
        ("clients", client()), ("invoices", invoice()), pipeline="FreshBooks Invoices", stage_map=stage_map
    )
    assert result.error is None
    assert (new_org.one("Deals")["Pipeline"], new_org.one("Deals")["Stage"]) == ("FreshBooks Invoices", "Closed Won")


# a process of its own


def test_a_process_ends_with_a_state_or_with_a_sentence(org):
    good = org.process(messages(("clients", client()), state={"bookmarks": {"clients": {"v": 7}}}))
    assert (good.returncode, good.states) == (0, [{"bookmarks": {"clients": {"v": 7}}}])
    bad = org.process(messages(("clients", client())), pipeline="No such")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "No such" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_a_tap_that_breaks_off_within_a_message_shows_nobodys_data(org):
    with org.started() as process:
        text = "".join(json.dumps(one) + "\n" for one in messages(("clients", client(email="ann@example.com")))[:-1])
        out, err = process.communicate(text[:-30], timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Line 2 of the input is no Singer message" in err
    assert "ann@example.com" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("batch", "last"),
    [pytest.param(3, 3, id="while the next is read"), pytest.param(1, 2, id="while the next but one waits for it")],
)
def test_a_signal_in_the_middle_of_a_batch_lets_what_has_come_in_be_written_and_no_state_says_more(org, batch, last):
    slow = org.box.faults.add(service="zoho", path=r"/crm/v8/Accounts/upsert", kind="slow", delay=1.0)
    lines = [one for n in (1, 2, 3) for one in messages(("clients", client(n)), state={"bookmarks": {"last": n}})]
    with org.started(batch_size_rows=batch) as process:
        process.stdin.write("".join(json.dumps(one) + "\n" for one in lines))
        process.stdin.flush()
        for _ in range(3 // batch):
            next(line for line in process.stderr if "is full" in line)
        until(lambda: slow.hits == 1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [json.loads(line) for line in out.splitlines()] == [{"bookmarks": {"last": last}}]
    assert len(org.records("Accounts")) == 3


# other streams


def test_a_stream_named_like_a_module_is_upserted_as_it_stands(org):
    contacts = [
        {"Last_Name": "Lee", "Email": "lee@example.com", "Phone": "1"},
        {"Last_Name": "Li", "Email": "lee@example.com", "Phone": "2"},
        {"Last_Name": "No key"},
    ]
    result = org.run(*(("Contacts", record) for record in contacts), modules={"Contacts": "Email"})
    assert result.error is None
    assert (org.one("Contacts")["Last_Name"], org.one("Contacts")["Phone"]) == ("Li", "2")
    assert not any("settings" in call.path for call in org.calls())


def test_any_other_stream_is_passed_over_with_one_warning_and_no_call(org, caplog):
    result = org.run(("estimates", {"id": 1}), ("estimates", {"id": 2}))
    assert result.states
    assert org.calls() == []
    assert caplog.text.count("The stream estimates is passed over") == 1


# the dry run and the summary


def test_a_dry_run_prints_the_plan_and_changes_nothing(org, capsys, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client(1)), ("clients", client(2, updated=LATER)), ("invoices", invoice(1)))
    for _ in range(2):
        org.box.zoho.insert("Accounts", {"Account_Name": "Smith"})
    org.box.zoho.insert("Accounts", {"Account_Name": "Jones"})
    before, written, pending = org.records("Accounts"), len(org.writes()), org.pending()
    result = org.run(
        ("clients", client(1, email="new@example.com", updated=LATER)),
        ("clients", client(2)),
        ("clients", client(3, organization="Smith")),
        ("clients", client(4, organization="Jones")),
        ("clients", client(5)),
        ("invoices", invoice(1, due_date="soon")),
        ("invoices", invoice(2, 5)),
        ("invoices", invoice(3, 3)),
        ("payments", payment(1, 2)),
        dry_run=True,
    )
    assert (result.states, org.records("Accounts"), len(org.writes()), org.pending()) == ([], before, written, pending)
    said = capsys.readouterr().err
    assert "FreshBooks_Email: client1@example.com → new@example.com" in said
    assert f"leave clients {key(2)} (Client 2): Zoho holds something newer" in said
    assert f"wait clients {key(3)}: ambiguous" in said
    assert "link Accounts" in said
    assert f"create Accounts for clients {key(5)} (Client 5)" in said
    assert f"reject invoices {key(1)}: VALUE_NOT_ACCEPTED in Closing_Date" in said
    assert f"create Deals for invoices {key(2)} (0000002 - Client 5)" in said
    assert f"wait invoices {key(3)}: parent, clients:3" in said
    assert f"create FreshBooks_Payments for payments {key(1)}" in said
    assert "API credits, about" in said
    assert "new@example.com" not in caplog.text


def test_a_dry_run_creates_no_field_and_says_which_it_would(new_org, capsys):
    new_org.run(("clients", client()), ("invoices", invoice()), ("payments", payment()), dry_run=True)
    assert all(call.method == "GET" or call.path.endswith("coql") for call in new_org.calls())
    said = capsys.readouterr().err
    assert "would first create in Accounts: FreshBooks ID" in said
    assert "would first create the module 'FreshBooks Payments' with FreshBooks ID, Deal," in said
    assert "(506 credits)" in said


def test_the_run_ends_with_a_line_for_each_stream_and_is_noted(org, caplog):
    caplog.set_level("INFO")
    org.run(("clients", client(1)), ("clients", client(2)), ("invoices", invoice()), ("payments", payment(1, 9)))
    lines = [record.getMessage() for record in caplog.records if record.name == "target-zoho-crm"]
    assert "clients: 2 created" in lines
    assert "payments: 1 waiting" in lines
    assert any(line.startswith("total: 3 created, 1 waiting; ") and "API credits" in line for line in lines)
    with org.store() as store:
        (run,) = store.runs.latest("target-zoho-crm")
    assert (run.outcome, run.summary["total"]["created"], run.summary["total"]["waiting"]) == ("ok", 3, 1)


def test_a_run_that_fails_is_noted_too(org):
    org.run(("clients", client()), pipeline="No such")
    with org.store() as store:
        assert store.runs.latest("target-zoho-crm")[0].outcome == "failed"


def test_amounts_of_all_streams_add_up(org):
    amounts = [Decimal(n) / 100 for n in (1, 99, 12345, 100000)]
    invoices = [("invoices", invoice(n, outstanding=usd(str(amount)))) for n, amount in enumerate(amounts, 1)]
    org.run(("clients", client()), *invoices)
    assert sum(deal["FreshBooks_Outstanding"] for deal in org.records("Deals")) == sum(amounts)
