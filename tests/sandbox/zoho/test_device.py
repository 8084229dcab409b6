"""The device flow: a login without a browser, thirty seconds at a time."""

from __future__ import annotations

import pytest
import requests


class Device:
    """A program on a device."""

    def __init__(self, box, kind="device"):
        self.box, self.client = box, box.zoho.register(kind)
        box.clock.freeze()

    def begin(self, **changes):
        sent = {
            "client_id": self.client.client_id,
            "grant_type": "device_request",
            "scope": "ZohoCRM.org.READ,ZohoCRM.coql.READ",
            "access_type": "offline",
            **changes,
        }
        answer = requests.post(f"{self.box.zoho.accounts_url}/oauth/v3/device/code", params=sent)
        self.begun = answer.json()
        return answer

    def poll(self, data_centre="us", wait=30):
        self.box.clock.advance(seconds=wait)
        sent = {
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            "grant_type": "device_token",
            "code": self.begun["device_code"],
        }
        return requests.post(f"{self.box.zoho.data_centres[data_centre].accounts_url}/oauth/v3/device/token", data=sent)


@pytest.fixture
def device(box):
    made = Device(box)
    made.begin()
    return made


def test_a_login_begins_with_codes_and_times_in_milliseconds(device):
    assert device.begun.keys() == {"user_code", "device_code", "verification_url", "interval", "expires_in"}
    assert (device.begun["interval"], device.begun["expires_in"]) == (30_000, 300_000)


def test_it_waits_for_the_user_and_then_gives_tokens_once(device, box):
    assert device.poll().json() == {"error": "authorization_pending"}
    box.zoho.approve_device(device.begun["user_code"])
    body = device.poll().json()
    assert body["scope"] == "ZohoCRM.coql.READ ZohoCRM.org.READ"
    assert {"access_token", "refresh_token", "api_domain"} <= body.keys()
    assert device.poll().json() == {"error": "invalid_code"}


def test_polling_within_thirty_seconds_is_too_fast(device, box):
    assert device.poll().json() == {"error": "authorization_pending"}
    box.zoho.approve_device()
    assert device.poll(wait=29).json() == {"error": "slow_down"}
    assert "access_token" in device.poll(wait=30).json()


def test_a_user_of_another_data_centre_is_found_there(device, box):
    box.zoho.approve_device(data_centre="eu")
    assert device.poll().json() == {"error": "other_dc", "user_location": "eu"}
    body = device.poll("eu").json()
    assert body["api_domain"] == box.zoho.data_centres["eu"].api_domain


def test_the_user_may_refuse(device, box):
    box.zoho.deny_device()
    assert device.poll().json() == {"error": "access_denied"}


def test_after_five_minutes_it_is_over(device):
    assert device.poll(wait=300).json() == {"error": "expired"}


def test_without_offline_access_there_is_no_refresh_token(device, box):
    device.begin(access_type="online")
    box.zoho.approve_device()
    assert "refresh_token" not in device.poll().json()


@pytest.mark.parametrize("kind", ["server", "self"])
def test_a_client_of_another_kind_is_refused(box, kind):
    assert Device(box, kind).begin().json() == {"error": "invalid_client"}


@pytest.mark.parametrize("accepted", [True, False])
def test_whether_a_form_body_will_do_is_a_switch(device, box, accepted):
    box.zoho.switches.device_form = accepted
    assert device.poll().json() == {"error": "authorization_pending" if accepted else "invalid_client"}


def test_the_status_while_waiting_is_a_switch(device, box):
    assert device.poll().status_code == 200
    box.zoho.switches.device_status = 400
    assert device.poll().status_code == 400
