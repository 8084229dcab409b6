"""FreshBooks' timestamps are Eastern time without saying so; ours are UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_freshbooks.timestamps import (
    eastern_day,
    eastern_to_utc,
    eastern_to_utc_exact,
    instants,
    latest_utc,
    parse_eastern,
    parse_iso,
    utc_to_utc,
)

UTC = timezone.utc
EASTERN = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(946_684_800_000_000, 2_208_988_800_000_000).map(lambda n: EPOCH + timedelta(microseconds=n))


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-06-29 12:48:49", "2026-06-29T16:48:49+00:00"),
        ("2026-01-15 23:30:00", "2026-01-16T04:30:00+00:00"),
        ("2026-03-08 01:59:59", "2026-03-08T06:59:59+00:00"),
        ("2026-03-08 03:00:00", "2026-03-08T07:00:00+00:00"),
        ("2026-11-01 00:59:59", "2026-11-01T04:59:59+00:00"),
        ("2026-11-01 02:00:00", "2026-11-01T07:00:00+00:00"),
        ("2026-06-29T16:48:49Z", "2026-06-29T16:48:49+00:00"),
    ],
)
def test_eastern_becomes_utc_on_both_sides_of_both_switches(written, utc):
    assert eastern_to_utc(written) == utc


def test_of_the_repeated_hour_the_earlier_instant_is_taken():
    assert eastern_to_utc("2026-11-01 01:30:00") == "2026-11-01T05:30:00+00:00"
    assert latest_utc("2026-11-01 01:30:00") == "2026-11-01T06:30:00+00:00"


def test_the_missing_hour_is_an_hour_on():
    assert eastern_to_utc("2026-03-08 02:30:00") == "2026-03-08T07:30:00+00:00"
    assert len(instants("2026-03-08 02:30:00")) == 1


def test_version_keeps_its_microseconds():
    assert eastern_to_utc_exact("2026-06-29 12:51:28.409945") == "2026-06-29T16:51:28.409945+00:00"
    assert eastern_to_utc_exact("2026-06-29 12:51:28.4") == "2026-06-29T16:51:28.400000+00:00"
    assert eastern_to_utc_exact("2026-06-29 12:51:28") == "2026-06-29T16:51:28.000000+00:00"


def test_signup_date_is_utc_already():
    assert utc_to_utc("2026-06-29 16:48:49") == "2026-06-29T16:48:49+00:00"


@given(moments)
def test_what_freshbooks_writes_of_any_moment_can_stand_for_that_moment(moment):
    moment = moment.replace(microsecond=0)
    written = moment.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")
    assert moment in instants(written)
    assert timedelta() <= moment - parse_eastern(written) <= timedelta(hours=1), "never newer than it is"


@given(moments)
def test_microseconds_survive(moment):
    written = moment.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert moment in instants(written)


@given(moments)
def test_utc_texts_sort_like_the_moments_they_stand_for(moment):
    later = moment + timedelta(seconds=1)
    first, second = (each.strftime("%Y-%m-%d %H:%M:%S") for each in (moment, later))
    assert utc_to_utc(first) < utc_to_utc(second)


@given(st.datetimes(datetime(1880, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - as FreshBooks writes them
def test_a_text_is_moved_to_utc_as_parsing_it_would(written):
    _agrees_with_parsing(written)


@pytest.mark.parametrize("day", ["2026-03-07", "2026-03-08", "2026-03-09", "2026-10-31", "2026-11-01", "2026-11-02"])
def test_so_it_is_at_each_quarter_of_an_hour_around_the_switches(day):
    for quarter in range(24 * 4):
        _agrees_with_parsing(datetime.fromisoformat(day) + timedelta(minutes=15 * quarter))


def _agrees_with_parsing(written):
    text = written.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
    assert (eastern_to_utc(text), latest_utc(text)) == tuple(instants(text)[end].isoformat() for end in (0, -1))
    exact = written.isoformat(" ", "microseconds")
    assert eastern_to_utc_exact(exact) == instants(exact)[0].isoformat(timespec="microseconds")


def test_days_are_eastern():
    assert eastern_day(datetime(2026, 6, 30, 3, 59, tzinfo=UTC)) == date(2026, 6, 29)
    assert eastern_day(datetime(2026, 6, 30, 4, 0, tzinfo=UTC)) == date(2026, 6, 30)


@pytest.mark.parametrize(
    "text", ["2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01 01:00+01:00"]
)
def test_settings_and_states_may_write_a_moment_in_any_iso_form(text):
    assert parse_iso(text) == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "12:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError):
        parse_iso(text)
    with pytest.raises(ValueError):
        parse_eastern(text)
