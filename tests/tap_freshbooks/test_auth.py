"""What one token refresh sends, and what each answer means."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from singer_store import (
    AccessToken,
    Authorizer,
    ClientRefusedError,
    RefreshRefused,
    RefreshUnanswered,
    RefreshUnavailableError,
)
from tap_freshbooks.auth import grant_of, refresher
from tap_freshbooks.settings import Settings

GOOD = {
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 43200,
    "refresh_token": "r",
    "scope": "user:profile:read",
    "created_at": 1673065243,
    "direct_buy_tokens": {},
}


def answer(status, payload, **headers):
    return grant_of(status, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), headers)


def test_a_good_answer_brings_both_tokens_and_their_age():
    grant = answer(200, GOOD)
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("a", "r", 43200)
    assert grant.issued_at == datetime(2023, 1, 7, 4, 20, 43, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("status", "payload", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "canary"}, RefreshRefused),
        (401, {"error": "invalid_client", "error_description": "canary"}, ClientRefusedError),
        (400, {"error": "invalid_client"}, ClientRefusedError),
        (400, {"error": "invalid_request"}, ClientRefusedError),
        (404, b"<html>canary</html>", ClientRefusedError),
        (429, {}, RefreshUnavailableError),
        (500, b"<html>canary</html>", RefreshUnavailableError),
        (503, {}, RefreshUnavailableError),
        (200, {}, RefreshUnanswered),
        (200, b"<html>canary</html>", RefreshUnanswered),
        (200, [], RefreshUnanswered),
        (302, b"", RefreshUnanswered),
    ],
)
def test_every_other_answer_says_whether_the_token_is_spent(status, payload, error):
    with pytest.raises(error) as caught:
        answer(status, payload)
    assert "canary" not in str(caught.value)


def test_when_to_come_back_is_passed_on():
    with pytest.raises(RefreshUnavailableError) as caught:
        answer(503, {}, **{"Retry-After": "7"})
    assert caught.value.retry_after == 7.0


def test_the_sandbox_takes_what_is_sent_and_takes_it_once(box, tap):
    settings = Settings.from_config(tap.config)
    refresh = refresher(settings)
    grant = refresh(settings.refresh_token, {})
    assert grant.refresh_token not in (None, settings.refresh_token)
    with pytest.raises(RefreshRefused):
        refresh(settings.refresh_token, {})
    with pytest.raises(ClientRefusedError):
        refresher(replace(settings, client_secret="wrong"))(grant.refresh_token, {})


class Counting:
    """A broker that counts."""

    def __init__(self):
        self.asked = self.renewed = 0

    def token(self):
        self.asked += 1
        return AccessToken(f"token {self.asked}", datetime.now(timezone.utc) + timedelta(hours=1))

    def renew(self, rejected):
        self.renewed += 1
        return AccessToken(f"renewed {self.renewed}", datetime.now(timezone.utc) + timedelta(hours=1))


def test_the_store_is_not_asked_for_each_call():
    broker = Counting()
    authorizer = Authorizer(broker)
    assert {authorizer.token().value for _ in range(5)} == {"token 1"}
    assert broker.asked == 1


def test_of_several_threads_that_were_refused_one_renews():
    broker = Counting()
    authorizer = Authorizer(broker)
    rejected = authorizer.token()
    threads = [threading.Thread(target=authorizer.renew, args=(rejected,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broker.renewed == 1
    assert authorizer.token().value == "renewed 1"
