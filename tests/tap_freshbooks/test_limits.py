"""When to wait, and when a header that asks to wait means nothing."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from tap_freshbooks.limits import LONGEST_WINDOW, pause, retry_after, server_time

NOW = datetime(2026, 6, 29, 16, 53, 2, tzinfo=timezone.utc)
DATE = format_datetime(NOW, usegmt=True)


def headers(**values):
    return CaseInsensitiveDict({name.replace("_", "-"): str(value) for name, value in values.items()})


def test_freshbooks_asks_to_wait_on_good_answers_too_and_does_not_mean_it():
    assert retry_after(200, headers(retry_after=5)) is None
    assert retry_after(500, headers(retry_after=5)) is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_counts_on_429_and_503(status):
    assert retry_after(status, headers(retry_after=5)) == 5.0
    assert retry_after(status, headers(retry_after="Mon, 29 Jun 2026 16:53:12 GMT", date=DATE)) == 10.0
    assert retry_after(status, headers(retry_after="Mon, 29 Jun 2026 16:53:12 GMT")) is None
    assert retry_after(status, headers(retry_after="soon", date=DATE)) is None
    assert retry_after(status, headers(retry_after=-3)) == 0.0
    assert retry_after(status, headers()) is None


def test_near_the_limit_the_next_request_waits_for_the_next_window():
    reset = int(NOW.timestamp()) + 20
    near = headers(date=DATE, x_ratelimit_limit=600, x_ratelimit_remaining=3, x_ratelimit_reset=reset)
    assert pause(near, reserve=16) == 21.0
    assert pause(near, reserve=2) == 0.0


def test_a_wait_is_never_longer_than_a_window():
    reset = int(NOW.timestamp()) + 9999
    far = headers(date=DATE, x_ratelimit_limit=600, x_ratelimit_remaining=0, x_ratelimit_reset=reset)
    assert pause(far, reserve=16) == LONGEST_WINDOW


def test_of_a_small_limit_no_more_than_a_quarter_is_left_unused():
    small = headers(
        date=DATE, x_ratelimit_limit=20, x_ratelimit_remaining=6, x_ratelimit_reset=int(NOW.timestamp()) + 9
    )
    assert pause(small, reserve=16) == 0.0


@pytest.mark.parametrize("broken", [{}, {"x_ratelimit_remaining": "few"}, {"x_ratelimit_remaining": 1}])
def test_without_usable_headers_nobody_waits(broken):
    assert pause(headers(date=DATE, **broken), reserve=16) == 0.0


def test_the_server_clock_is_its_date_header():
    assert server_time(headers(date=DATE)) == NOW
    assert server_time(headers()) is None
    assert server_time(headers(date="yesterday")) is None


@pytest.mark.parametrize("date", [DATE.removesuffix(" GMT"), f"{DATE}, {DATE}"], ids=["no zone", "two joined"])
def test_a_date_that_a_proxy_has_spoilt_is_taken_as_gmt(date):
    assert server_time(headers(date=date)) == NOW
    answer = CaseInsensitiveDict({"Retry-After": date, "Date": DATE})
    assert retry_after(429, answer) == 0.0
