"""Reading by id: `record_ids`, what is due in the store, and what they depend on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from tap_freshbooks.errors import AccessDeniedError, FreshBooksError, UnauthorizedError

UTC = timezone.utc
LINES = [{"name": "Work", "qty": 1, "unit_cost": "100.00"}]
DAYS_AGO = timedelta(days=30)


@pytest.fixture
def family(box, freshbooks):
    """A client, an invoice of it and a payment of that, all older than any window of the second run."""
    return make_family(box, freshbooks)


def make_family(box, freshbooks):
    with freshbooks.at(box.clock.now() - DAYS_AGO):
        client = freshbooks.create_client(organization="Larch and Sons")["id"]
        invoice = freshbooks.create_invoice(client, LINES)["id"]
        freshbooks.send_invoice(invoice)
        return client, invoice, freshbooks.create_payment(invoice, "40.00")["id"]


def by_id(box):
    return [call for call in box.calls("freshbooks", "/accounting") if call.path.rsplit("/", 1)[1].isdigit()]


def emitted(out):
    return {stream: out.ids(stream) for stream in ("clients", "invoices", "payments")}


# record_ids


def test_a_payment_comes_with_its_invoice_and_its_client_parents_first(box, tap, freshbooks, family):
    make_family(box, freshbooks)
    client, invoice, payment = family
    out = tap(record_ids={"payments": [payment]})
    assert out.order == ["clients", "invoices", "payments"]
    assert emitted(out) == {"clients": [client], "invoices": [invoice], "payments": [payment]}
    assert out.last("invoices", invoice)["lines"]
    assert out.last("clients", client)["outstanding_balance"] == [{"amount": "60.00", "code": "USD"}]


def test_each_object_is_read_once_by_a_get_of_its_own(box, tap, family):
    client, invoice, payment = family
    tap(record_ids={"clients": [client], "invoices": [str(invoice), invoice], "payments": [payment]})
    assert sorted(call.path.rsplit("/", 1)[1] for call in by_id(box)) == sorted(map(str, family))
    assert len(box.calls("freshbooks", "/accounting")) == 3


def test_an_invoice_brings_its_client_and_not_its_payments(tap, family):
    client, invoice, _ = family
    assert emitted(tap(record_ids={"invoices": [invoice]})) == {
        "clients": [client],
        "invoices": [invoice],
        "payments": [],
    }


def test_the_state_is_left_alone(tap, family):
    state = tap().state
    assert tap(state, record_ids={"invoices": [family[1]]}).states == []


def test_json_is_taken_as_well(tap, family):
    out = tap(record_ids=json.dumps({"clients": [family[0]]}))
    assert emitted(out) == {"clients": [family[0]], "invoices": [], "payments": []}


def test_a_deleted_object_is_an_object(tap, freshbooks, family):
    freshbooks.delete_invoice(family[1])
    assert tap(record_ids={"invoices": [family[1]]}).last("invoices", family[1])["vis_state"] == 1


def test_with_a_deleted_payment_come_the_other_payments_of_its_invoice(tap, freshbooks, family):
    _, invoice, payment = family
    other = freshbooks.create_payment(invoice, "5.00")["id"]
    freshbooks.delete_payment(payment)
    assert sorted(tap(record_ids={"payments": [payment]}).ids("payments")) == sorted([payment, other])


def test_an_object_that_does_not_exist_is_one_warning_and_no_row_in_the_store(tap, store, family, caplog):
    out = tap(record_ids={"clients": [family[0], 1], "payments": [2]})
    assert emitted(out) == {"clients": [family[0]], "invoices": [], "payments": []}
    (warning,) = [each.getMessage() for each in caplog.records if "no such object" in each.getMessage()]
    assert "payment 2" in warning
    assert "client 1" in warning
    assert store.pending.all() == []


def test_a_parent_that_does_not_exist_is_nobodys_fault(tap, freshbooks, family, caplog):
    freshbooks.force("payments", family[2], invoiceid=1, clientid=2)
    assert emitted(tap(record_ids={"payments": [family[2]]})) == {
        "clients": [],
        "invoices": [],
        "payments": [family[2]],
    }
    assert "no such object" not in caplog.text


def test_deselected_streams_are_not_read(box, tap, family):
    out = tap(record_ids={"payments": [family[2]]}, catalog=tap.only("clients", "payments"))
    assert emitted(out) == {"clients": [family[0]], "invoices": [], "payments": [family[2]]}


# Due in the store


@pytest.fixture
def later(box, noon, tap, family):
    """The state after a first run, long enough ago that nothing of it is read again."""
    state = tap().state
    box.clock.advance(hours=5)
    return state


def queue(box, store, stream, *ids, account=None, reason="event", now=None):
    store.pending.queue(
        account or box.freshbooks.account_id, stream, [str(each) for each in ids], reason, now=now or datetime.now(UTC)
    )


def test_an_object_due_in_the_store_is_read_with_what_it_depends_on(box, tap, store, later, family):
    client, invoice, payment = family
    queue(box, store, "payments", payment)
    out = tap(later)
    assert out.order == ["clients", "invoices", "payments"]
    assert emitted(out) == {"clients": [client], "invoices": [invoice], "payments": [payment]}


def test_reading_is_not_syncing_the_row_stays_for_who_writes_the_object(box, tap, store, later, family):
    queue(box, store, "invoices", family[1])
    tap(later)
    assert [each.object_id for each in store.pending.all()] == [str(family[1])]


def test_the_bookmark_does_not_fall_back_to_what_is_due(box, tap, store, later, family):
    queue(box, store, "clients", family[0])
    out = tap(later)
    assert out.ids("clients") == [family[0]]
    assert out.bookmark("clients") > later["bookmarks"]["clients"]["replication_key_value"]


def test_what_was_emitted_already_is_not_emitted_again(box, tap, store, later, family):
    box.freshbooks.update_client(family[0], note="changed")
    queue(box, store, "clients", family[0])
    assert tap(later).ids("clients") == [family[0]]


def test_what_is_not_due_yet_and_what_is_another_accounts_waits(box, tap, store, later, family):
    queue(box, store, "clients", family[0], account="OtHeR1")
    error = {"code": "INVALID_DATA", "field": "Phone", "expected": None, "message": "too long"}
    for _ in range(4):
        store.pending.fail(
            box.freshbooks.account_id, "invoices", str(family[1]), "rejected", error=error, now=datetime.now(UTC)
        )
    assert not tap(later).order


def test_what_freshbooks_does_not_have_is_put_off_with_one_warning(box, tap, store, later, caplog):
    queue(box, store, "invoices", 7)
    assert not tap(later).order
    (row,) = store.pending.all()
    assert (row.attempts, row.reason, row.error["code"]) == (1, "event", "NOT_FOUND")
    assert caplog.text.count("no such object") == 1


def test_the_same_when_it_is_asked_for_by_record_ids(box, tap, store, later):
    queue(box, store, "invoices", 7)
    tap(record_ids={"invoices": [7]})
    assert store.pending.all()[0].attempts == 1


def test_due_objects_of_deselected_or_unknown_streams_are_passed_over(box, tap, store, later, family):
    queue(box, store, "payments", family[2])
    queue(box, store, "expenses", 1)
    queue(box, store, "clients", "abc")
    assert not tap(later, catalog=tap.only("clients")).order
    assert all(each.attempts == 0 for each in store.pending.all())


def test_many_due_objects_are_searched_for(box, tap, store, freshbooks):
    with freshbooks.at(box.clock.now() - DAYS_AGO):
        freshbooks.load(clients=4, invoices=120, payments=0)
    state = tap().state
    box.clock.advance(hours=5)
    numbers = [row["id"] for row in freshbooks.records("invoices")]
    freshbooks.delete_invoice(numbers[0])
    box.clock.advance(hours=5)
    state = tap(state).state
    box.clock.advance(hours=5)
    queue(box, store, "invoices", *numbers)
    box.server.forget_calls()
    out = tap(state)
    assert set(out.ids("invoices")) == set(numbers)
    assert out.last("invoices", numbers[0])["vis_state"] == 1
    assert len([call for call in by_id(box) if "invoices" in call.path]) == 1, "the deleted one"


def test_a_search_that_freshbooks_ignores_falls_back_to_reading_each(box, tap, store, freshbooks, monkeypatch):
    with freshbooks.at(box.clock.now() - DAYS_AGO):
        freshbooks.load(clients=20)
    state = tap().state
    box.clock.advance(hours=5)
    numbers = [row["id"] for row in freshbooks.records("clients")][:7]
    queue(box, store, "clients", *numbers)
    monkeypatch.setattr("tap_freshbooks.objects._filters", lambda resource, ids: [("search[no_such_filter][]", "1")])
    assert set(tap(state).ids("clients")) == set(numbers)


def test_a_due_deleted_payment_brings_the_others_of_its_invoice(box, tap, store, freshbooks, family):
    _, invoice, payment = family
    with freshbooks.at(box.clock.now() - DAYS_AGO):
        other = freshbooks.create_payment(invoice, "5.00")["id"]
        freshbooks.delete_payment(payment)
    state = tap().state
    box.clock.advance(hours=5)
    queue(box, store, "payments", payment)
    assert sorted(tap(state).ids("payments")) == sorted([payment, other])


def test_time_extracted_is_when_freshbooks_was_asked(box, tap, store, later, family):
    box.faults.add(service="freshbooks", path=r".*/clients/\d+", kind="slow", delay=0.3)
    queue(box, store, "clients", family[0])
    before = datetime.now(UTC)
    out = tap(later)
    after = datetime.now(UTC)
    (message,) = [each for each in out.messages if each["type"] == "RECORD"]
    extracted = datetime.fromisoformat(message["time_extracted"])
    assert before <= extracted <= after - timedelta(seconds=0.3), "an event during the read is not covered by it"


# What FreshBooks does not give


REFUSALS = [(400, 1011), (403, 1003), (409, 409), (500, 500), (200, 1003), (200, 500)]


@pytest.fixture(params=["classic", "new"])
def shape(request, box):
    """The shape of FreshBooks' errors."""
    box.freshbooks.switches.error_shape = request.param


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.usefixtures("shape", "noon")
def test_one_object_that_freshbooks_does_not_give_costs_that_object_alone(box, tap, store, family, refusal):
    client, invoice, payment = family
    later = tap().state
    box.clock.advance(hours=5)
    box.freshbooks.refuse("invoices", invoice, *refusal)
    box.freshbooks.update_client(client, note="changed")
    queue(box, store, "invoices", invoice, reason="rejected")
    queue(box, store, "payments", payment)
    out = tap(later)
    assert emitted(out) == {"clients": [client], "invoices": [], "payments": [payment]}
    assert out.bookmark("invoices") > later["bookmarks"]["invoices"]["replication_key_value"]
    row = next(row for row in store.pending.all() if row.stream == "invoices")
    assert (row.attempts, row.reason) == (1, "rejected")
    assert sorted(row.error) == ["code", "expected", "field", "message"]
    assert store.runs.latest("tap-freshbooks")[0].outcome == "ok"


def test_1011_counts_as_gone(box, tap, store, later, family):
    box.freshbooks.refuse("invoices", family[1], 400, 1011)
    queue(box, store, "invoices", family[1])
    tap(later)
    assert store.pending.all()[0].error["code"] == "NOT_FOUND"


@pytest.mark.usefixtures("noon")
def test_a_client_that_may_not_be_read_is_put_off_and_does_not_hold_back_its_invoice(box, tap, store, family, caplog):
    client, invoice, _ = family
    later = tap().state
    box.clock.advance(hours=5)
    box.freshbooks.refuse("clients", client)
    box.freshbooks.update_invoice(invoice, notes="changed")
    out = tap(later)
    assert out.ids("invoices") == [invoice]
    assert out.bookmark("invoices") > later["bookmarks"]["invoices"]["replication_key_value"]
    (row,) = store.pending.all()
    assert (row.stream, row.object_id, row.error["code"]) == ("clients", str(client), "ACCESS_DENIED")
    assert f"client {client}: FreshBooks does not give it" in caplog.text
    assert "add" not in row.error["message"].lower()
    box.clock.advance(hours=5)
    box.freshbooks.reveal("clients", client)
    assert tap(out.state).ids("clients") == [client]


def test_record_ids_give_the_others_too(box, tap, store, later, family):
    client, invoice, payment = family
    box.freshbooks.refuse("invoices", invoice, 500, 500)
    assert emitted(tap(record_ids={"payments": [payment]})) == {
        "clients": [client],
        "invoices": [],
        "payments": [payment],
    }
    assert [row.error["code"] for row in store.pending.all()] == ["UNEXPECTED_ERROR"]


def test_a_search_that_one_object_breaks_gives_the_others(box, tap, store, freshbooks):
    with freshbooks.at(box.clock.now() - DAYS_AGO):
        freshbooks.load(clients=20)
    state = tap().state
    box.clock.advance(hours=5)
    numbers = [row["id"] for row in freshbooks.records("clients")][:7]
    freshbooks.refuse("clients", numbers[0], 500, 500)
    queue(box, store, "clients", *numbers)
    box.faults.add(service="freshbooks", path=r".*/users/clients", kind="status", status=422)
    assert set(tap(state).ids("clients")) == set(numbers[1:])


def test_what_concerns_everything_stops_the_run(box, tap, store, later, family):
    queue(box, store, "invoices", family[1])
    by_number = r".*/invoices/\d+"
    for fault, kind in (
        ({"kind": "status", "status": 401, "times": 2}, UnauthorizedError),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}}, FreshBooksError),
        ({"kind": "status", "status": 403, "body": {"error": "insufficient_scope"}}, AccessDeniedError),
        ({"kind": "reset", "times": None}, FreshBooksError),
    ):
        box.faults.add(service="freshbooks", path=by_number, **fault)
        with pytest.raises(kind):
            tap(later)
        box.faults.clear()
    assert store.pending.all()[0].attempts == 0


def test_a_dry_run_notes_nothing_of_it(box, tap, store, later, family):
    box.freshbooks.refuse("invoices", family[1])
    queue(box, store, "invoices", family[1])
    tap(later, dry_run=True)
    assert store.pending.all()[0].attempts == 0
