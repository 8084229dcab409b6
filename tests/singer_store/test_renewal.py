"""When a token is renewed, and what follows from each way a refresh can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_store import Grant
from singer_store.renewal import Outcome, Step, decide, flags_after, when_it_expires, when_to_refresh, with_grant
from singer_store.tokens import TokenRow

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
ROW = with_grant(TokenRow("freshbooks", "client", ""), Grant("access", "refresh", 43200), NOW)


def test_a_rotating_token_is_renewed_at_half_its_life():
    assert when_to_refresh(NOW, NOW + 12 * HOUR, rotates=True) == NOW + 6 * HOUR


def test_another_is_renewed_five_minutes_before_its_end():
    assert when_to_refresh(NOW, NOW + HOUR, rotates=False) == NOW + timedelta(minutes=55)


def test_a_short_lived_one_at_a_tenth_before_its_end():
    assert when_to_refresh(NOW, NOW + timedelta(seconds=60), rotates=False) == NOW + timedelta(seconds=54)


def test_the_end_counts_from_the_local_clock():
    assert when_it_expires(Grant("a", "r", 43200), NOW) == NOW + 12 * HOUR


def test_the_services_clock_running_ahead_does_not_prolong_a_token():
    assert when_it_expires(Grant("a", "r", 43200, issued_at=NOW + HOUR), NOW) == NOW + 12 * HOUR


def test_an_old_issue_time_shortens_a_token():
    assert when_it_expires(Grant("a", "r", 43200, issued_at=NOW - 5 * HOUR), NOW) == NOW + 7 * HOUR


def test_an_issue_time_that_would_mean_refreshing_over_and_over_is_not_believed():
    assert when_it_expires(Grant("a", "r", 43200, issued_at=NOW - 13 * HOUR), NOW) == NOW + 12 * HOUR


@given(
    st.integers(1, 10**9) | st.integers(1, 10**18),
    st.none() | st.integers(-(10**7), 10**7).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    st.booleans(),
)
def test_a_token_just_granted_is_used_and_never_outlives_what_the_local_clock_allows(life, issued_at, rotates):
    row = with_grant(TokenRow("s", "c", ""), Grant("a", "r", life, issued_at=issued_at), NOW)

    assert row.expires_at is not None
    assert row.expires_at <= NOW + timedelta(seconds=min(life, 10**10))
    assert decide(row, NOW, rotates=rotates) is Step.USE
    assert decide(row, row.expires_at, rotates=rotates) is Step.REFRESH


@pytest.mark.parametrize(
    ("what", "row", "hours", "rejected", "step"),
    [
        ("fresh", ROW, 5.9, None, Step.USE),
        ("half its life is over", ROW, 6, None, Step.REFRESH),
        ("fresh, but rejected", ROW, 1, "access", Step.REFRESH),
        ("another one was rejected", ROW, 1, "older", Step.USE),
        ("sent once without an answer", replace(ROW, tries=1), 6, None, Step.REFRESH),
        ("sent twice without an answer", replace(ROW, tries=2), 6, None, Step.GIVE_UP),
        ("blocked, alive", replace(ROW, blocked_until=NOW + 7 * HOUR), 6, None, Step.USE_MEANWHILE),
        ("blocked, rejected", replace(ROW, blocked_until=NOW + 7 * HOUR), 6, "access", Step.WAIT),
        ("blocked, dead", replace(ROW, blocked_until=NOW + 14 * HOUR), 13, None, Step.WAIT),
        ("no longer blocked", replace(ROW, blocked_until=NOW + 7 * HOUR), 7, None, Step.REFRESH),
        ("connect again, alive", replace(ROW, connect_again="refused"), 11, None, Step.LAST_HOURS),
        ("connect again, dead", replace(ROW, connect_again="refused"), 12, None, Step.CONNECT_AGAIN),
        ("connect again, rejected", replace(ROW, connect_again="refused"), 1, "access", Step.CONNECT_AGAIN),
    ],
    ids=lambda value: value.replace(",", "") if isinstance(value, str) else "",
)
def test_what_to_do_with_a_rotating_row(what, row, hours, rejected, step):
    assert decide(row, NOW + hours * HOUR, rotates=True, rejected=rejected) is step


def test_a_reusable_refresh_token_is_never_given_up_for_want_of_an_answer():
    assert decide(replace(ROW, tries=5), NOW + 12 * HOUR, rotates=False) is Step.REFRESH


@given(st.lists(st.sampled_from([o for o in Outcome if o is not Outcome.REFUSED]), max_size=30))
def test_a_rotating_refresh_token_is_sent_at_most_twice_without_an_answer(outcomes):
    row, now, unanswered = replace(ROW, expires_at=NOW, issued_at=NOW), NOW, 0
    for outcome in outcomes:
        while decide(row, now, rotates=True) is Step.WAIT:
            now = row.blocked_until
        if decide(row, now, rotates=True) is not Step.REFRESH:
            break
        unanswered += outcome is Outcome.UNANSWERED
        row = replace(row, **flags_after(row, outcome, now, rotates=True))
        assert row.tries == unanswered

    assert unanswered <= 2
    assert (unanswered == 2) == (decide(row, now, rotates=True) is Step.CONNECT_AGAIN)


def test_the_time_the_service_names_is_kept():
    flags = flags_after(ROW, Outcome.UNAVAILABLE, NOW, rotates=False, retry_after=600)

    assert flags["blocked_until"] == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(("said", "pause"), [(None, 30), (-5, 30), (float("nan"), 30), (0, 0), (10**12, 86400)])
def test_no_time_the_service_names_can_do_harm(said, pause):
    flags = flags_after(ROW, Outcome.UNAVAILABLE, NOW, rotates=True, retry_after=said)

    assert flags["blocked_until"] == NOW + timedelta(seconds=pause)


def test_an_issue_time_without_a_zone_is_passed_over():
    assert when_it_expires(Grant("a", "r", 3600, issued_at=NOW.replace(tzinfo=None)), NOW) == NOW + HOUR


def test_details_are_replaced_when_they_come_and_kept_when_not():
    row = with_grant(ROW, Grant("a2", None, 3600, {"api_domain": "https://eu"}), NOW)

    assert (row.details, row.refresh_token) == ({"api_domain": "https://eu"}, "refresh")
    assert with_grant(row, Grant("a3", None, 3600), NOW).details == {"api_domain": "https://eu"}
