"""What Zoho lacks is shown with its price, created once, and read back; what cannot be had is said in words."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
from contextlib import suppress

import pytest
from cryptography.fernet import Fernet
from rich.console import Console as Terminal
from support.meltano_project import BIN, make_project, plugin_settings
from support.pipeline import Pipeline

from freshbooks_zoho.commands.setup import SetupReport
from freshbooks_zoho.console import ATTENTION, OK, Console
from freshbooks_zoho.zoho.setup import create, look

INVOICES = "FreshBooks Invoices"


def session(box, folder, **target):
    return Pipeline(box, folder, target=target).session()


def prospect(box, folder, wanted=None, **target):
    with session(box, folder, **target) as opened:
        return look(opened.zoho, opened.settings.target, opened.memory, wanted)


def set_up(box, folder, wanted=None, **target):
    """Look and create; gives both findings."""
    with session(box, folder, **target) as opened:
        before = look(opened.zoho, opened.settings.target, opened.memory, wanted)
        return before, create(opened.zoho, opened.settings.target, opened.memory, before)


def shown(*report):
    text = io.StringIO()
    SetupReport(*report).show(Console(Terminal(file=text, width=200)))
    return text.getvalue()


def changes(box):
    return [call for call in box.calls("zoho", "/crm/") if call.method != "GET" and not call.path.endswith("/coql")]


def labels(box, module):
    return {field.label for field in box.zoho.fields(module).values() if field.custom}


# what is created


def test_everything_missing_is_shown_with_its_price_and_nothing_is_created(box, tmp_path):
    found = prospect(box, tmp_path)

    text = shown(found)
    for words in ("in Accounts: FreshBooks ID", "in Deals: ", "the module 'FreshBooks Payments' with FreshBooks ID"):
        assert words in text
    assert f"Creating this costs {found.credits} API credits" in text
    assert SetupReport(found).exit_code == ATTENTION
    assert changes(box) == []


def test_it_costs_what_was_said_and_is_read_back_under_zohos_names(box, tmp_path):
    with session(box, tmp_path) as opened:
        before = look(opened.zoho, opened.settings.target, opened.memory)
        looking = box.zoho.credits_used
        now = create(opened.zoho, opened.settings.target, opened.memory, before)
        spent = opened.zoho.usage.credits

    # Besides what was created, the organization was looked at once more, with the new module and the new fields.
    assert box.zoho.credits_used - looking - before.credits == looking + 2 + 3
    assert now.is_complete
    report = SetupReport(now, before, spent)
    assert report.exit_code == OK
    assert "Zoho is ready." in shown(now, before, spent)
    document = report.as_json()
    assert document["modules"][0]["fields"]["FreshBooks ID"] == "FreshBooks_ID"
    assert [line.partition(":")[0] for line in document["created"]] == ["Accounts", "Deals", "FreshBooks Payments"]
    assert {"FreshBooks ID", "FreshBooks Outstanding"} <= labels(box, "Deals")


def test_the_second_time_nothing_is_created_and_that_is_said(box, tmp_path):
    set_up(box, tmp_path)
    before = changes(box)

    _, now = set_up(box, tmp_path)

    assert changes(box) == before
    assert "nothing had to be created" in shown(now)


def test_a_run_after_it_creates_nothing(box, tmp_path):
    set_up(box, tmp_path)
    before = changes(box)

    Pipeline(box, tmp_path).run()

    assert changes(box) == before


def test_only_what_is_missing_is_created(box, tmp_path):
    set_up(box, tmp_path)
    del box.zoho.fields("Deals")["FreshBooks_Paid"]

    found = prospect(box, tmp_path)

    assert [str(one) for one in found.creations] == [
        "in Deals: FreshBooks Paid (again, for it was deleted) (2 credits)"
    ]


def test_it_creates_also_where_runs_may_not(box, tmp_path):
    assert set_up(box, tmp_path, create_fields=False)[1].is_complete


# the pipeline


def test_a_pipeline_of_their_own_is_made_of_the_stages_that_invoices_need(box, tmp_path):
    before, now = set_up(box, tmp_path, INVOICES)

    assert before.pipeline
    assert f"the pipeline '{INVOICES}' with the stages Proposal/Price Quote, Negotiation/Review" in shown(before)
    made = box.zoho.organization.pipeline(INVOICES)
    stages = ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    assert [stage.display_value for stage in made.stages] == stages
    assert not made.default
    # It is there, and the setting does not name it yet.
    assert now.is_complete
    assert f"meltano config set target-zoho-crm pipeline '{INVOICES}'" in " ".join(now.to_do)
    assert SetupReport(now, before).exit_code == ATTENTION


def test_a_pipeline_that_the_setting_names_is_made_too_and_then_deals_go_there(box, tmp_path):
    _, now = set_up(box, tmp_path, pipeline=INVOICES)

    assert (now.to_do, now.survey.pipeline.name) == ((), INVOICES)
    books = box.freshbooks
    client = books.create_client(organization="Alder")
    books.create_invoice(client["id"], [{"name": "Design", "qty": "1", "unit_cost": {"amount": "1", "code": "USD"}}])
    Pipeline(box, tmp_path, target={"pipeline": INVOICES}).run()
    assert [deal["Pipeline"] for deal in box.zoho.records("Deals")] == [INVOICES]


def test_a_pipeline_that_is_there_is_not_made_again(box, tmp_path):
    set_up(box, tmp_path, pipeline=INVOICES)
    before = changes(box)

    assert set_up(box, tmp_path, INVOICES)[1].is_complete
    assert changes(box) == before


@pytest.mark.parametrize("kind", ["reset_after", "truncate"])
def test_a_lost_answer_makes_no_pipeline_twice(box, tmp_path, kind):
    box.faults.add(service="zoho", path="/crm/v8/settings/pipeline", method="POST", kind=kind)

    _, now = set_up(box, tmp_path, pipeline=INVOICES)

    assert now.survey.pipeline.name == INVOICES
    assert [one.display_value for one in box.zoho.organization.pipelines].count(INVOICES) == 1


def test_stages_that_zoho_does_not_have_are_for_a_person_to_make_and_no_pipeline_is_made(box, tmp_path):
    before, now = set_up(box, tmp_path, pipeline=INVOICES, stage_map={"paid": "Cashed in"})

    assert before.pipeline is None
    (sentence,) = now.to_do
    for words in ("'Cashed in'", "by hand (Zoho CRM, Setup, Customization, Pipelines, Stages)", "API cannot"):
        assert words in sentence
    # The fields are none the worse for it.
    assert now.is_complete
    assert SetupReport(now).exit_code == ATTENTION
    assert SetupReport(now).as_json()["pipeline"]["missing_stages"] == ["Cashed in"]


def test_stages_that_the_pipeline_lacks_are_named_with_where_to_add_them(box, tmp_path):
    box.zoho.remove_stage("Closed Won", "Standard (Standard)")

    (sentence,) = prospect(box, tmp_path).to_do

    assert "'Closed Won', which the pipeline 'Standard (Standard)' does not have" in sentence
    assert "add the missing ones (Zoho CRM, Setup, Customization, Pipelines)" in sentence


def test_the_default_pipeline_comes_with_the_advice_to_have_one_of_their_own(box, tmp_path):
    assert f"freshbooks-zoho setup --pipeline '{INVOICES}'" in shown(prospect(box, tmp_path))
    assert "setup --pipeline" not in " ".join(set_up(box, tmp_path, pipeline=INVOICES)[1].advice)


# what cannot be had


def test_it_says_whose_records_the_connected_user_sees(box, tmp_path):
    assert "Records that the connected user does not see are not found" in shown(prospect(box, tmp_path))


def test_a_new_default_pipeline_is_said_with_how_to_use_it(box, tmp_path):
    set_up(box, tmp_path)
    box.zoho.add_pipeline("Neu", {"Offen": "Open", "Ja": "Closed Won", "Nein": "Closed Lost"}, default=True)

    said = prospect(box, tmp_path).advice[0]

    assert "although 'Neu' is Zoho's default now" in said
    assert "meltano config set target-zoho-crm pipeline 'Neu'" in said


def test_a_module_that_zoho_refuses_is_left_to_a_person_the_rest_is_made_and_what_becomes_of_payments_is_said(
    box, tmp_path
):
    box.zoho.edition = "free"
    box.zoho.switches.custom_field_caps["free"] = 10

    before, now = set_up(box, tmp_path)

    assert "known to allow 0 custom modules" in " ".join(before.limits)
    assert "NOT_SUPPORTED" in " ".join(now.to_do)
    assert "payments show on their deal only" in " ".join(now.limits)
    assert {"FreshBooks ID"} <= labels(box, "Deals") & labels(box, "Accounts")
    assert (now.is_complete, SetupReport(now).exit_code) == (True, ATTENTION)
    assert "refused" in shown(now)


def test_one_currency_means_amounts_in_words(box, tmp_path):
    assert "one currency, USD: invoices in another show their amounts in words" in " ".join(
        prospect(box, tmp_path).limits
    )


def test_no_unique_field_left_means_slower_writes(box, tmp_path):
    box.zoho.use_up_unique_fields("Accounts")

    before, now = set_up(box, tmp_path)

    for report in (before, now):
        said = [one for one in report.limits if "cannot be unique" in one]
        assert [one.split(" in ")[1].split(",")[0] for one in said] == ["Accounts"]


def test_more_fields_than_the_edition_allows_is_said_before_it_is_tried(box, tmp_path):
    box.zoho.edition = "standard"
    for number in range(5):
        box.zoho.add_custom_field("Deals", f"Own {number}")

    before, now = set_up(box, tmp_path)

    assert "Deals has 5 custom fields and needs 8 more" in " ".join(before.limits)
    assert "Accounts has" not in " ".join(before.limits)
    # Then Zoho says it too, and what is needed least is done without.
    assert "Deals does without FreshBooks Updated, FreshBooks Paid, FreshBooks Last Payment" in " ".join(now.to_do)
    assert "as many custom fields as the edition allows" in " ".join(now.to_do)
    report = SetupReport(now, before).as_json()
    assert [one.partition(":")[0] for one in report["created"]] == ["Accounts", "Deals", "FreshBooks Payments"]


def test_a_field_of_the_wrong_type_comes_first_and_nothing_is_created(box, tmp_path):
    box.zoho.add_custom_field("Deals", "FreshBooks Status", "integer")

    found = prospect(box, tmp_path)

    assert "'FreshBooks Status' of Deals is of type integer" in " ".join(found.blocking)
    assert "Nothing was created: first do what is left to you" in shown(found)


@pytest.mark.parametrize("wanted", [None, INVOICES], ids=["fields", "a pipeline"])
def test_a_missing_permission_is_one_sentence(box, tmp_path, wanted):
    if wanted:
        set_up(box, tmp_path)
    box.zoho.forbid("customize")

    before, now = set_up(box, tmp_path, wanted)
    assert "give consent as an administrator" in " ".join(now.to_do)
    assert (SetupReport(now).exit_code, SetupReport(now, before).as_json()["created"]) == (ATTENTION, [])
    assert "Zoho refused something" in shown(now, before)


def test_a_consent_without_the_scope_for_pipelines_names_it(box, tmp_path):
    scopes = ["ZohoCRM.settings.fields.ALL", "ZohoCRM.settings.modules.ALL", "ZohoCRM.settings.pipeline.READ"]
    scopes += ["ZohoCRM.settings.layouts.READ", "ZohoCRM.settings.currencies.READ", "ZohoCRM.org.READ"]

    before, now = set_up(box, tmp_path, INVOICES, refresh_token=box.zoho.grant(scopes))
    assert "ZohoCRM.settings.pipeline.CREATE" in " ".join(now.to_do)
    # The fields came first, and are there.
    assert SetupReport(now, before).as_json()["created"]


# the command


@pytest.fixture
def project(box, tmp_path):
    key = Fernet.generate_key().decode()
    return make_project(tmp_path / "project", **plugin_settings(box, f"sqlite:///{tmp_path}/store.db", key))


def start(project, *options, **streams):
    return subprocess.Popen(
        [str(BIN / "freshbooks-zoho"), "setup", *options],
        cwd=project,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "MELTANO_UTILIZE_PORT": "1", "COLUMNS": "200"},
        **streams,
    )


def test_without_a_terminal_it_only_shows(box, project):
    with start(project, "--json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=120)

    assert process.returncode == ATTENTION
    assert len(json.loads(out)["to_create"]) == 3
    assert changes(box) == []


def test_on_a_terminal_it_asks_and_then_creates(box, project):
    ours, theirs = pty.openpty()
    with start(project, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # how Linux says that the other side of a terminal has been closed
            while part := os.read(ours, 4096):
                said += part
                if b"Create this?" in part:
                    assert changes(box) == []
                    os.write(ours, b"y\n")
    os.close(ours)

    assert process.returncode == OK, said.decode()
    assert b"Zoho is ready." in said
    assert "FreshBooks ID" in labels(box, "Deals")
