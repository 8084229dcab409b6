"""Settings are checked before anything is asked of FreshBooks, and errors name the setting, not its value."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tap_freshbooks.config import CONFIG_JSONSCHEMA
from tap_freshbooks.errors import SettingError
from tap_freshbooks.settings import API_URL, SECRETS, Settings, checked_url, parse_record_ids

MINIMUM = {"client_id": "id", "client_secret": "canary", "redirect_uri": "https://localhost/"}


def test_three_settings_are_enough():
    settings = Settings.from_config(MINIMUM)
    assert settings.api_url == API_URL
    assert settings.refresh_token is settings.account_id is settings.start_date is settings.record_ids is None


def test_blank_counts_as_not_set():
    settings = Settings.from_config(MINIMUM | {"refresh_token": "", "account_id": "", "record_ids": {}, "api_url": ""})
    assert settings == Settings.from_config(MINIMUM)


@pytest.mark.parametrize("missing", MINIMUM)
def test_a_missing_setting_is_named(missing):
    with pytest.raises(SettingError, match=missing):
        Settings.from_config({name: value for name, value in MINIMUM.items() if name != missing})


def test_the_repr_keeps_secrets():
    settings = Settings.from_config(MINIMUM | {"refresh_token": "canary", "store_url": "canary", "store_key": "canary"})
    assert "canary" not in repr(settings)


def test_secrets_are_declared_as_such_and_every_setting_has_a_title():
    properties = CONFIG_JSONSCHEMA["properties"]
    assert {name for name, schema in properties.items() if schema.get("secret")} == set(SECRETS)
    assert all(schema.get("title") and schema.get("description") for schema in properties.values())
    assert list(properties)[:13] == [
        "client_id",
        "client_secret",
        "redirect_uri",
        "refresh_token",
        "account_id",
        "start_date",
        "record_ids",
        "dry_run",
        "api_url",
        "auth_url",
        "store_url",
        "store_key",
        "user_agent",
    ]


@pytest.mark.parametrize(
    "url", ["https://api.freshbooks.com/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"]
)
def test_https_anywhere_and_http_on_this_machine(url):
    assert checked_url("api_url", url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.freshbooks.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://api.freshbooks.com",
        "api.freshbooks.com",
        "https://user:canary@api.freshbooks.com",
        "https://api.freshbooks.com/?x=canary",
        "https://",
        "https://[canary",
        "https://api.freshbooks.com:canary",
    ],
)
def test_other_urls_are_refused_without_being_quoted(url):
    with pytest.raises(SettingError, match="api_url") as caught:
        Settings.from_config(MINIMUM | {"api_url": url})
    assert "canary" not in str(caught.value)


def test_a_start_date_may_be_a_day_or_a_moment():
    assert Settings.from_config(MINIMUM | {"start_date": "2024-01-01"}).start_date == datetime(
        2024, 1, 1, tzinfo=timezone.utc
    )
    with pytest.raises(SettingError, match="start_date"):
        Settings.from_config(MINIMUM | {"start_date": "last year"})


@pytest.mark.parametrize(
    "value",
    [
        {"clients": [1], "invoices": ["2", 2, "3"], "payments": None},
        '{"clients": ["1"], "invoices": [2, 3, 3]}',
    ],
)
def test_record_ids_are_an_object_or_its_json(value):
    assert parse_record_ids(value) == {"clients": (1,), "invoices": (2, 3), "payments": ()}


@pytest.mark.parametrize("value", [None, {}, "{}", "null", {"clients": [], "invoices": [], "payments": []}])
def test_no_record_ids_is_not_set(value):
    assert parse_record_ids(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "clients",
        "[1, 2]",
        [1],
        7,
        {"expenses": [1]},
        {"clients": 1},
        {"clients": "1"},
        {"clients": [1.5]},
        {"clients": [True]},
        {"clients": [0]},
        {"clients": [-1]},
        {"clients": ["1; drop"]},
        {"clients": ["../../users/me"]},
        {"clients": ["\u0661"]},
        {"clients": [""]},
    ],
)
def test_malformed_record_ids_are_refused(value):
    with pytest.raises(SettingError, match="record_ids"):
        parse_record_ids(value)
