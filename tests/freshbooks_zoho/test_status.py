"""What `status` says: over real runs against the sandbox, and rule by rule."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from rich.console import Console as Terminal
from support.pipeline import Pipeline

from freshbooks_zoho.admin.advice import Refusal, advise, needs_a_person
from freshbooks_zoho.admin.past_runs import put_together, read_at
from freshbooks_zoho.admin.queue import still_to_sync
from freshbooks_zoho.admin.status import STALE, collect
from freshbooks_zoho.admin.wording import span
from freshbooks_zoho.commands.status import StatusReport
from freshbooks_zoho.console import ATTENTION, OK, Console
from freshbooks_zoho.freshbooks.subscription_store import SubscriptionStore
from freshbooks_zoho.freshbooks.subscriptions import Subscription
from freshbooks_zoho.runs.leadership import TTL, lease_of
from freshbooks_zoho.zoho.channels import granted, new_channel, to_document
from freshbooks_zoho.zoho.watch import ZOHO
from singer_store import SET_ASIDE, Run

NOON = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)
LINE = {"name": "Design", "qty": "1", "unit_cost": {"amount": "10.10", "code": "USD"}}


def now():
    return datetime.now(timezone.utc)


@pytest.fixture
def pipeline(box, tmp_path):
    return Pipeline(box, tmp_path)


@pytest.fixture
def seen(pipeline):
    """Collects how things are, as the command does."""

    def see(at=None):
        with pipeline.session() as session:
            return StatusReport(collect(session.settings, session.store, at or now()))

    return see


def shown(report, *, width=None):
    """What a person sees: on a terminal of a width, or where there is none."""
    written = io.StringIO()
    report.show(
        Console(Terminal(file=written, force_terminal=width is not None, width=width or 200, color_system=None))
    )
    return written.getvalue()


def run(plugin, start, seconds=10, outcome="ok", **summary):
    """A run as the store gives it; `start` is in minutes after noon."""
    began = NOON + timedelta(minutes=start)
    return Run(plugin, began, began + timedelta(seconds=seconds), outcome, summary)


def tap_run(start, outcome="ok", kind="changes", **streams):
    return run("tap-freshbooks", start, 5, outcome, kind=kind, streams={"clients": 0, "invoices": 0, **streams})


def lasting(one, seconds):
    return replace(one, finished_at=one.started_at + timedelta(seconds=seconds))


# Over real runs


def test_when_all_has_landed_it_says_so_and_when_that_was(box, pipeline, seen):
    client = box.freshbooks.create_client(organization="Alder Ltd", email="alder@example.com")
    box.freshbooks.create_invoice(client["id"], [LINE])
    before = now()
    pipeline.run()

    report = seen()
    assert report.exit_code == OK
    assert report.status.objects == ()
    assert report.status.account == box.freshbooks.account_id
    [last] = report.status.runs
    assert (last.ok, last.maker, last.counts["created"]) == (True, "meltano", 2)
    for stream in report.status.streams:
        assert before <= stream.read_at <= now()
    assert {one.service: one.state for one in report.status.connections} == {
        "freshbooks": "connected",
        "zoho": "connected",
    }
    assert "All is well" in shown(report)


def test_a_rejected_record_is_shown_with_zohos_words_what_to_do_and_the_command(box, pipeline, seen):
    client = box.freshbooks.create_client(organization="Alder Ltd", email="alder@example.com")
    invoice = box.freshbooks.create_invoice(client["id"], [LINE])
    details = {"api_name": "Deal_Name", "maximum_length": 12}
    box.zoho.refuse("Deals", {"code": "INVALID_DATA", "details": details, "message": "Too\x1b[5m long for us"})
    pipeline.run()

    report = seen()
    [one] = report.status.for_a_person
    assert (one.stream, one.id, one.state) == ("invoices", str(invoice["id"]), "rejected")
    assert (one.refusal.code, one.refusal.field) == ("INVALID_DATA", "Deal_Name")
    assert "maximum_length 12" in one.refusal.expected
    assert report.exit_code == ATTENTION
    assert report.as_json()["objects"][0]["refusal"]["message"] == "Too [5m long for us"
    for text in (shown(report), shown(report, width=100)):
        assert "INVALID_DATA in Deal_Name, expected: maximum_length 12: “Too [5m long for us”" in " ".join(text.split())
        assert "Shorten it in FreshBooks" in text
        assert f"freshbooks-zoho retry invoices {invoice['id']}" in text

    box.zoho.allow()
    pipeline.run()
    assert seen().exit_code == OK


def test_a_client_that_may_be_several_accounts_names_them_and_the_key_that_decides(box, pipeline, seen):
    ids = [box.zoho.insert("Accounts", {"Account_Name": "Alder Ltd"}) for _ in range(2)]
    client = box.freshbooks.create_client(organization="Alder Ltd", email="alder@example.com")
    box.freshbooks.create_invoice(client["id"], [LINE])
    pipeline.run()

    report = seen()
    [one] = report.status.for_a_person
    assert (one.stream, one.state, set(one.candidates)) == ("clients", "ambiguous", set(ids))
    assert f"{box.freshbooks.account_id}:{client['id']}" in one.hint
    [waiting] = report.status.under_way
    assert (waiting.stream, waiting.waits_for) == ("invoices", f"clients:{client['id']}")


def test_json_holds_all_of_it_and_neither_secrets_nor_people(box, pipeline, seen):
    client = box.freshbooks.create_client(organization="Alder Ltd", email="alder@example.com")
    box.freshbooks.create_invoice(client["id"], [LINE])
    box.zoho.refuse("Accounts", {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Industry"}})
    pipeline.run()

    report = seen()
    text = json.dumps(report.as_json())
    document = json.loads(text)
    assert document["needs_attention"] is True
    assert document["last_run"]["outcome"] == "ok"
    assert {one["name"] for one in document["streams"]} == {"clients", "invoices", "payments"}
    assert all(one["lag_seconds"] >= 0 for one in document["streams"])
    [one] = [each for each in document["objects"] if each["needs_a_person"]]
    message = "required field not found"
    refusal = {"code": "MANDATORY_NOT_FOUND", "field": "Industry", "expected": "a value", "message": message}
    assert one["refusal"] == refusal
    assert one["retry"] == f"freshbooks-zoho retry clients {client['id']}"
    assert one["since"].endswith("Z")
    secrets = [pipeline.tap[name] for name in ("client_secret", "refresh_token", "store_key")]
    for word in ("Alder", "alder@example.com", "10.10", *secrets, pipeline.target["client_secret"]):
        assert word not in text + shown(report) + repr(report)


def test_a_connection_that_ended_is_said_with_the_command_that_heals_it(box, pipeline, seen):
    pipeline.run()
    box.zoho.revoke_grants()
    with pipeline.session() as session, pytest.raises(Exception, match="connected again"):
        session.zoho.request("GET", "org")

    report = seen()
    assert report.exit_code == ATTENTION
    [problem] = report.status.problems
    assert "Zoho has to be connected again" in problem
    assert "freshbooks-zoho connect zoho" in problem
    assert "not connected" in shown(report)


def test_nothing_read_for_more_than_a_day_needs_a_person(pipeline, seen):
    pipeline.run()
    assert seen(now() + STALE - timedelta(minutes=1)).exit_code == OK
    stale = seen(now() + STALE + timedelta(minutes=1))
    assert [text for text in stale.status.problems if "last read to the end 26 hours ago" in text]


def test_a_new_store_says_what_to_run(seen):
    assert [text for text in seen().status.problems if "meltano run tap-freshbooks target-zoho-crm" in text]


def test_who_serves_is_seen_and_that_nobody_takes_webhooks(box, pipeline, seen):
    pipeline.run()
    with pipeline.session() as session:
        session.store.leases.acquire(lease_of(box.freshbooks.account_id), "sync-host:4711:ab12", TTL)
    assert seen().status.served_by == "sync-host, process 4711"


def test_where_webhooks_are_wanted_whatever_they_need_is_looked_at(box, pipeline):
    pipeline.run()
    with pipeline.session() as session:
        store, settings = session.store, replace(session.settings, public_url="https://sync.example.com")
        assert collect(settings, store, now()).problems == (
            "No process takes the webhooks and makes the runs: start freshbooks-zoho serve.",
        )

        store.leases.acquire(lease_of(box.freshbooks.account_id), "sync-host:4711:ab12", TTL)
        subscriptions = SubscriptionStore(store, box.freshbooks.account_id)
        proven = Subscription.new("client").adopting(5, NOON).proven("verifier", NOON)
        for one in (proven, Subscription.new("invoice")):
            subscriptions.save(one)
        alive = granted(
            new_channel("Accounts", "c"), now() + timedelta(days=6), now(), "https://sync.example.com/zoho/x"
        )
        for one in (alive, new_channel("Deals", "c")):
            store.secrets.put("channel", f"{box.freshbooks.account_id} {one.module}", to_document(one))
        status = collect(settings, store, now())

    assert {one.noun: one.verified for one in status.callbacks} == {"client": True, "invoice": False}
    assert {one.module: one.problem is None for one in status.channels} == {"Accounts": True, "Deals": False}
    callback, channel = status.problems
    assert "callback for invoice is not verified" in callback
    assert "channel for Deals is not alive" in channel
    text = shown(StatusReport(status)) + json.dumps(StatusReport(status).as_json())
    assert [word for word in (proven.path, "verifier", alive.token, alive.path) if word in text] == []


def test_of_several_businesses_in_one_store_only_this_one_is_shown(box, tmp_path):
    pipeline = Pipeline(box, tmp_path, tap={"account_id": box.freshbooks.account_id})
    pipeline.run()
    with pipeline.session() as session:
        session.store.pending.queue("another business", "invoices", ["5"], "event", now=now())
        session.store.pending.queue(ZOHO, "Deals", ["5725"], "event", now=now())
        session.store.runs.add("tap-freshbooks", now(), now(), "failed", {"account": "another business"})
        assert [one.object_id for one in still_to_sync(session.store, None)] == ["5"]

        status = collect(session.settings, session.store, now())
    assert (status.objects, status.notified, len(status.runs)) == ((), 1, 1)


@pytest.mark.parametrize(
    ("reason", "error", "attempts", "next_try", "person"),
    [
        ("event", None, 0, None, False),
        ("rejected", "INVALID_DATA", 1, None, True),
        ("rejected", "RECORD_LOCKED", 3, None, False),
        ("rejected", "RECORD_LOCKED", 4, None, True),
        ("ambiguous", "AMBIGUOUS", 1, None, True),
        ("parent", "PARENT_MISSING", 9, None, False),
        # Asked for again: what was wrong may be right now.
        ("retry", "INVALID_DATA", 5, None, False),
        ("event", "RUN_FAILED", 2, timedelta(minutes=1), False),
        ("event", "RUN_FAILED", 5, timedelta(minutes=1), True),
        ("event", "NOT_FOUND", 4, timedelta(minutes=15), True),
        ("drift", "NOT_BROUGHT", 10, SET_ASIDE, True),
    ],
)
def test_a_person_is_asked_for_where_waiting_does_not_help(reason, error, attempts, next_try, person):
    from freshbooks_zoho.admin.objects import read_object
    from singer_store import PendingObject

    until = NOON + next_try if isinstance(next_try, timedelta) else next_try
    document = error and {"code": error, "field": None, "expected": None, "message": "m"}
    parent = "clients:7" if reason == "parent" else None
    one = read_object(PendingObject("A", "invoices", "5", reason, document, parent, attempts, NOON, until))
    assert one.needs_a_person is person


# Rule by rule


@pytest.mark.parametrize(
    ("code", "field", "expected", "said"),
    [
        ("MANDATORY_NOT_FOUND", "Industry", "a value", "Zoho wants Industry filled"),
        ("INVALID_DATA", "Fax", "maximum_length 30", "Fax is too long"),
        ("INVALID_DATA", "Stage", "one of Open, Won", "Zoho's list for Stage lacks"),
        ("INVALID_DATA", "Amount", "expected_data_type double", "does not take the value of Amount"),
        ("DUPLICATE_DATA", "Email", "a value that record 5 does not have", "same value in Email"),
        ("MAPPING_MISMATCH", "Stage", "mapped_field Pipeline", "stage_map"),
        ("NO_PERMISSION", "", "", "connect zoho"),
        ("RECORD_IN_BLUEPRINT", "Stage", "", "blueprint"),
        ("RECORD_LOCKED", "", "", "a lock by a rule stays"),
        ("MAX_RECORDS_LIMIT_REACHED", "", "max_no_of_records 5000", "storage is full"),
        ("NOT_FOUND", "", "", "Dismiss it"),
        ("RUN_FAILED", "", "", "tried again by itself"),
        ("AMBIGUOUS", "Account_Name", "", "Put A:5 into the field FreshBooks ID"),
        ("DEPENDENT_FIELD_MISSING", "", "", "A field depends"),
        ("SOMETHING_NEW", "", "", "list of status codes"),
    ],
)
def test_each_code_has_its_advice(code, field, expected, said):
    assert said in advise(Refusal(code, field, expected), "A:5")


@pytest.mark.parametrize("code", ["INVALID_DATA", "CANNOT_PROCESS", "NOT_ALLOWED"])
def test_what_a_rule_of_zohos_refuses_is_not_to_be_corrected_in_freshbooks(code):
    said = advise(Refusal(code, "Closing_Date", message="Closing date must be within the current quarter"))
    assert "Change that rule in Zoho" in said
    assert "FreshBooks" not in said


def test_a_code_with_words_is_not_looked_up_in_a_list():
    assert "what its words name" in advise(Refusal("SOMETHING_NEW", message="The moon is full"))


def test_a_name_that_zoho_cannot_be_asked_for_is_linked_by_hand():
    assert "Put A:5 into the field FreshBooks ID" in advise(Refusal("SYNTAX_ERROR", "Account_Name"), "A:5")


def test_an_error_of_zohos_own_passes_by_itself_unless_it_says_what_is_wrong():
    assert not needs_a_person(Refusal("CANNOT_PROCESS"), 1)
    assert needs_a_person(Refusal("CANNOT_PROCESS", message="Credit limit exceeded"), 1)


def test_words_in_the_store_are_shown_without_control_characters():
    from freshbooks_zoho.admin.objects import describe, read_object
    from singer_store import PendingObject

    error = {"code": "CANNOT_PROCESS", "field": "", "expected": "", "message": "Credit\x1b[2J limit\r exceeded"}
    one = read_object(PendingObject("A", "invoices", "5", "rejected", error, None, 1, NOON, None))
    assert describe(one) == "CANNOT_PROCESS: “Credit [2J limit exceeded”"


def test_what_waits_names_its_parent_as_a_person_would():
    said = advise(Refusal("PARENT_MISSING"), "A:5", "invoices:7")
    assert said == "It follows by itself as soon as invoice 7 is in Zoho."


def test_the_three_notes_of_one_run_are_one_run():
    serve = run("freshbooks-zoho", 0, 30, kind="changes", target={"total": {"created": 2, "updated": 0}})
    [found] = put_together([serve], [tap_run(0.1, clients=2)], [run("target-zoho-crm", 0.05, 20)])
    assert (found.maker, found.kind, found.counts) == ("serve", "changes", {"created": 2})
    assert set(found.streams) == {"clients", "invoices"}


def test_runs_that_meltano_made_are_there_too_the_newest_first():
    serve = run("freshbooks-zoho", 0, kind="objects", objects=2)
    wrote = run("target-zoho-crm", 60, 9, total={"updated": 3})
    first, second = put_together([serve], [tap_run(60, clients=3)], [wrote])
    assert (first.maker, first.counts, first.streams) == ("meltano", {"updated": 3}, ("clients", "invoices"))
    assert (second.kind, second.objects, second.streams) == ("objects", 2, ())


def test_how_fresh_a_stream_is_only_a_run_tells_that_read_it_to_the_end_and_wrote_it():
    wrote = run("target-zoho-crm", 0, 9)
    assert read_at(put_together([], [tap_run(0, clients=1)], [wrote]), "clients") == NOON
    assert read_at(put_together([], [tap_run(0, clients=1)], [wrote]), "payments") is None
    # A quiet run has nothing to write, and the target does not even begin.
    assert read_at(put_together([], [tap_run(0)], []), "clients") == NOON
    broken = run("target-zoho-crm", 0, 9, "failed")
    assert read_at(put_together([], [tap_run(0, clients=1)], [broken]), "clients") is None
    assert read_at(put_together([], [tap_run(0, "failed")], [wrote]), "clients") is None
    assert read_at(put_together([], [tap_run(0, kind="objects", clients=1)], [wrote]), "clients") is None
    assert read_at(put_together([run("freshbooks-zoho", 0, 9, "failed", kind="changes")], [], []), "clients") is None


@pytest.mark.parametrize(("tap_took", "target_began"), [(3, 1), (0.1, 0.2), (0.1, 60)])
def test_a_target_may_begin_when_the_tap_has_ended(tap_took, target_began):
    read, wrote = lasting(tap_run(0, clients=1), tap_took), run("target-zoho-crm", target_began / 60, 2)
    [found] = put_together([], [read], [wrote])
    assert (found.ok, found.started_at, found.finished_at) == (True, NOON, wrote.finished_at)
    assert found.streams == ("clients", "invoices")


def test_runs_soon_after_each_other_keep_their_own():
    reads = [lasting(tap_run(start, clients=1), 1) for start in (0, 0.5)]
    wrote = [run("target-zoho-crm", 0.1, 1, "failed"), run("target-zoho-crm", 0.6, 1)]
    assert [one.ok for one in put_together([], reads, wrote)] == [True, False]
    # The second was read for a plan, or for another target.
    assert [one.ok for one in put_together([], reads, wrote[:1])] == [False]


def test_what_something_else_fed_to_the_target_says_nothing_of_how_fresh_a_stream_is():
    for wrote in (run("target-zoho-crm", -1, 1), run("target-zoho-crm", 5, 1)):
        [found] = put_together([], [tap_run(0, clients=1)], [wrote])
        assert (found.started_at, found.streams) == (wrote.started_at, ())


def test_each_business_in_a_store_has_its_own_runs():
    mine, other = tap_run(0, clients=1), tap_run(10, clients=1)
    other = replace(other, summary={**other.summary, "account": "other"})
    wrote = [run("target-zoho-crm", start, 1, total={"created": start + 1}) for start in (0, 10)]
    assert [one.counts for one in put_together([], [mine, other], wrote, "A")] == [{"created": 1}]
    assert len(put_together([], [mine, other], wrote)) == 2


def test_what_was_read_for_a_plan_is_no_run():
    assert put_together([], [tap_run(0, clients=5)], []) == []


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=6, hours=23), "6 days"),
    ],
)
def test_a_length_of_time_in_one_unit(length, text):
    assert span(length) == text
