"""What is to be done for a record, given what FreshBooks says and what Zoho holds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.zoho import field

from target_zoho_crm.sync.incoming import Malformed, Source, newest, read_source
from target_zoho_crm.sync.planning import Create, Delete, Desired, Link, Skip, Update, is_older, plan, plan_deletion

FIELDS = {one.api_name: one for one in (field("Name"), field("Amount", "currency"), field("Currency"))}
T0 = datetime(2026, 6, 29, 12, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
# In 2026, New York's clocks go back on 1 November at 06:00 UTC: 05:00-05:59 and 06:00-06:59 UTC are the same wall time.
AUTUMN = datetime(2026, 11, 1, 5, 0, tzinfo=timezone.utc)


def desired(updated=T0, **values):
    return Desired("f:1", {"Name": "n", "Amount": Decimal("1.00"), **values}, {"Currency": "USD"}, updated)


def test_nothing_in_zoho_is_a_new_record_without_its_empty_values():
    assert plan(desired(Name=None), None, FIELDS) == Create("f:1", {"Amount": Decimal("1.00"), "Currency": "USD"})


def test_only_what_differs_is_written():
    held = {"id": "5", "Name": "n", "Amount": 2, "Currency": "KES", "Phone": "1"}
    assert plan(desired(), held, FIELDS) == Update("f:1", "5", {"Amount": Decimal("1.00")}, {"Amount": 2})


def test_equal_is_no_write():
    assert plan(desired(), {"id": "5", "Name": "n", "Amount": 1}, FIELDS) == Skip("f:1", "unchanged", "5")


def test_an_account_without_freshbooks_id_is_linked_however_new_it_is():
    held = {"id": "5", "Name": "n", "Amount": 2}
    found = plan(desired(), held, FIELDS, held_updated=T0 + HOUR, linking=True)
    assert found == Link("f:1", "5", {"Amount": Decimal("1.00")}, {"Amount": 2})


def test_older_never_wins():
    held = {"id": "5", "Name": "newer", "Amount": 2}
    assert plan(desired(), held, FIELDS, held_updated=T0 + timedelta(seconds=1)) == Skip("f:1", "older", "5")


def test_of_the_same_age_the_later_read_wins():
    held = {"id": "5", "Name": "n", "Amount": 2}
    assert isinstance(plan(desired(), held, FIELDS, held_updated=T0), Update)


def test_an_unknown_age_is_not_older():
    held = {"id": "5", "Name": "n", "Amount": 2}
    assert isinstance(plan(desired(updated=None), held, FIELDS, held_updated=T0), Update)
    assert isinstance(plan(desired(), held, FIELDS), Update)


def test_within_the_hour_that_autumn_repeats_the_later_read_wins():
    assert not is_older(AUTUMN + timedelta(minutes=10), AUTUMN + timedelta(minutes=50))


def test_around_that_hour_the_order_is_certain():
    assert is_older(AUTUMN - timedelta(seconds=1), AUTUMN + timedelta(minutes=1))
    assert is_older(AUTUMN + timedelta(minutes=59), AUTUMN + timedelta(hours=2))
    year = timedelta(days=364)
    assert is_older(AUTUMN - year + timedelta(minutes=10), AUTUMN + timedelta(minutes=10))


@given(st.timedeltas(timedelta(0), timedelta(days=3650)), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_nothing_is_older_than_itself_or_than_something_before_it(since, span):
    moment = T0 - timedelta(days=2000) + since
    assert not is_older(moment + span, moment)
    assert is_older(moment, moment + span + 2 * HOUR)


def test_deleting_what_is_there_and_only_that():
    assert plan_deletion("f:1", {"id": "5"}) == Delete("f:1", "5")
    assert plan_deletion("f:1", None) == Skip("f:1", "unchanged")


# what comes in


def source(updated, number=1, **more):
    record = {"account_id": "f", "id": number, "updated": updated, **more}
    found = read_source({**record, "_sdc_extracted_at": "2026-07-01T00:00:00+00:00"}, T0)
    assert isinstance(found, Source)
    return found


def test_of_several_versions_in_a_batch_the_newest_counts():
    old, new = source("2026-06-01T00:00:00+00:00"), source("2026-06-02T00:00:00+00:00")
    assert newest([old, new]) == newest([new, old]) == newest([new, old, old, new]) == {"f:1": new}


def test_of_two_of_the_same_age_the_one_read_last():
    first, last = (source("2026-06-01T00:00:00+00:00", note=note) for note in "ab")
    assert newest([first, last])["f:1"].record["note"] == "b"


def test_a_record_without_its_key_or_with_a_strange_time_is_malformed():
    for record in (
        {},
        {"account_id": "f"},
        {"account_id": None, "id": 1},
        {"account_id": "f", "id": "x"},
        {"account_id": "f", "id": True},
        {"account_id": "f", "id": 1, "updated": "yesterday"},
        {"account_id": "f", "id": 1, "updated": 12},
    ):
        assert isinstance(read_source(record, T0), Malformed)


def test_without_a_time_of_reading_the_start_of_the_run_counts():
    found = read_source({"account_id": "f", "id": 1}, T0)
    assert isinstance(found, Source)
    assert (found.read_at, found.updated, found.key) == (T0, None, "f:1")
