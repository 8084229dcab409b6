"""Notification channels: how long they live, and what their receivers are told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from support.receiver import Receiver
from support.zoho_api import only

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOOK = "https://hooks.example.com/zoho?x=1"


@pytest.fixture
def watch(api):
    """A caller of actions/watch at a known hour."""
    api.box.clock.freeze(NOW)
    api.authorize()

    def call(method="POST", **item):
        if method == "POST":
            item = {"channel_id": "1000000068001", "events": ["Deals.all"], "notify_url": HOOK, **item}
        return api.call(method, "actions/watch", json={"watch": [item]})

    return call


def expiry(answer) -> datetime:
    """Give the expiry that was granted."""
    return datetime.fromisoformat(only(answer, "watch")["details"]["events"][0]["channel_expiry"])


class TestEnabling:
    def test_it_answers_as_documented(self, watch, api):
        answer = watch(channel_expiry="2026-03-04T12:00:00+00:00", token="t")
        deals = api.get("settings/modules/Deals").json()["modules"][0]["id"]
        assert answer.status_code == 201
        assert only(answer, "watch") == {
            "code": "SUCCESS",
            "details": {
                "events": [
                    {
                        "channel_expiry": "2026-03-04T01:00:00-11:00",
                        "resource_uri": f"{api.domain}/crm/v2/Deals",
                        "resource_id": deals,
                        "resource_name": "Deals",
                        "channel_id": "1000000068001",
                    }
                ]
            },
            "message": "Successfully subscribed for actions-watch of the given module",
            "status": "success",
        }

    def test_one_entry_for_each_module(self, watch):
        events = only(watch(events=["Deals.create", "Accounts.edit", "Deals.delete"]), "watch")["details"]["events"]
        assert [each["resource_name"] for each in events] == ["Deals", "Accounts"]

    @pytest.mark.parametrize(
        ("asked", "granted"),
        [
            (None, timedelta(hours=1)),
            (timedelta(days=7, seconds=1), timedelta(hours=1)),
            (timedelta(days=365), timedelta(hours=1)),
            (timedelta(days=7), timedelta(days=7)),
            (timedelta(hours=2), timedelta(hours=2)),
        ],
    )
    def test_without_an_expiry_or_beyond_a_week_it_is_silently_an_hour(self, watch, asked, granted):
        more = {} if asked is None else {"channel_expiry": (NOW + asked).isoformat()}
        assert expiry(watch(**more)) == NOW + granted

    def test_the_longest_life_can_be_shorter(self, watch, api):
        api.box.zoho.switches.watch_max_hours = 24
        assert expiry(watch(channel_expiry=(NOW + timedelta(days=2)).isoformat())) == NOW + timedelta(hours=1)
        assert expiry(watch(channel_expiry=(NOW + timedelta(days=1)).isoformat())) == NOW + timedelta(days=1)

    @pytest.mark.parametrize(
        ("change", "code", "api_name"),
        [
            ({"channel_id": None}, "MANDATORY_NOT_FOUND", "channel_id"),
            ({"events": None}, "MANDATORY_NOT_FOUND", "events"),
            ({"notify_url": None}, "MANDATORY_NOT_FOUND", "notify_url"),
            ({"channel_id": "freshbooks"}, "INVALID_DATA", "channel_id"),
            ({"events": ["Payments.all"]}, "INVALID_DATA", "events"),
            ({"events": ["Deals.update"]}, "INVALID_DATA", "events"),
            ({"events": "Deals.all"}, "INVALID_DATA", "events"),
            ({"token": "x" * 51}, "INVALID_DATA", "token"),
            ({"notify_url": "http://hooks.example.com"}, "INVALID_DATA", "notify_url"),
            ({"notify_url": "hooks"}, "INVALID_DATA", "notify_url"),
            ({"channel_expiry": "2026-03-01T12:00:00+00:00"}, "INVALID_DATA", "channel_expiry"),
            ({"channel_expiry": "tomorrow"}, "INVALID_DATA", "channel_expiry"),
            ({"return_affected_field_values": "yes"}, "INVALID_DATA", "return_affected_field_values"),
        ],
        ids=str,
    )
    def test_what_it_refuses(self, watch, change, code, api_name):
        answer = watch(**change)
        result = only(answer, "watch")
        assert (answer.status_code, result["code"], result["details"]["api_name"]) == (400, code, api_name)

    def test_a_mixed_answer_is_207(self, api):
        good = {"channel_id": "1", "events": ["Deals.all"], "notify_url": HOOK}
        answer = api.post("actions/watch", {"watch": [good, {**good, "events": ["No.all"]}]})
        assert answer.status_code == 207
        assert [each["status"] for each in answer.json()["watch"]] == ["success", "error"]

    def test_fifty_a_call(self, api):
        item = {"channel_id": "1", "events": ["Deals.all"], "notify_url": HOOK}
        assert api.post("actions/watch", {"watch": [item] * 51}).status_code == 400

    @pytest.mark.parametrize("choice", ["replace", "refuse"])
    def test_enabling_a_live_channel_is_a_switch(self, watch, api, choice):
        api.box.zoho.switches.watch_post_on_live = choice
        watch()
        answer = watch(events=["Accounts.all"])
        if choice == "refuse":
            assert only(answer, "watch")["code"] == "DUPLICATE_DATA"
        else:
            assert [row["resource_name"] for row in api.get("actions/watch").json()["watch"]] == ["Accounts"]


class TestShowing:
    def test_none_is_204(self, watch, api):
        assert api.get("actions/watch").status_code == 204

    def test_a_row_for_each_module_of_each_channel(self, watch, api):
        watch(events=["Deals.all", "Accounts.create"], token="t")
        watch(channel_id="2")
        body = api.get("actions/watch").json()
        assert body["info"] == {"per_page": 200, "count": 3, "page": 1, "more_records": False}
        first = body["watch"][0]
        assert {name: first[name] for name in ("events", "token", "notify_url", "channel_id")} == {
            "events": ["Deals.edit", "Deals.create", "Deals.delete"],
            "token": "t",
            "notify_url": HOOK,
            "channel_id": "1000000068001",
        }
        assert (first["notify_on_related_action"], first["return_affected_field_values"]) == (True, False)
        assert (first["fields"], first["notification_condition"]) == (None, None)
        assert len(api.get("actions/watch", channel_id="2").json()["watch"]) == 1
        assert len(api.get("actions/watch", module="Deals").json()["watch"]) == 2

    def test_a_channel_ends_without_a_word(self, watch, api):
        watch()
        api.box.clock.advance(minutes=59)
        assert api.get("actions/watch").status_code == 200
        api.box.clock.advance(minutes=1)
        api.authorize()
        assert api.get("actions/watch").status_code == 204


class TestRenewing:
    @pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
    def test_each_way_lengthens_its_life(self, watch, method):
        watch()
        later = {"channel_expiry": (NOW + timedelta(days=6)).isoformat()}
        item = {"channel_id": "1000000068001", "events": ["Deals.all"], "notify_url": HOOK, **later}
        answer = watch(method, **item)
        assert answer.status_code == (201 if method == "POST" else 200)
        assert expiry(answer) == NOW + timedelta(days=6)

    def test_a_patch_changes_only_what_it_names(self, watch, api):
        watch(token="t", return_affected_field_values=True)
        before = api.get("actions/watch").json()["watch"][0]
        answer = watch("PATCH", channel_id="1000000068001", channel_expiry=(NOW + timedelta(days=1)).isoformat())
        assert only(answer, "watch")["message"] == "Successfully updated the subscribe details"
        after = api.get("actions/watch").json()["watch"][0]
        assert {name for name in after if after[name] != before[name]} == {"channel_expiry"}

    def test_a_patch_of_one_module_leaves_the_others_to_expire(self, watch, api):
        watch(events=["Deals.all", "Accounts.all"])
        later = (NOW + timedelta(days=1)).isoformat()
        watch("PATCH", channel_id="1000000068001", events=["Deals.all"], channel_expiry=later)
        api.box.clock.advance(hours=2)
        api.authorize()
        assert [row["resource_name"] for row in api.get("actions/watch").json()["watch"]] == ["Deals"]

    def test_a_patch_without_events_is_a_switch(self, watch, api):
        watch()
        api.box.zoho.switches.watch_patch_needs_events = True
        refused = only(watch("PATCH", channel_id="1000000068001", token="t"), "watch")
        assert (refused["code"], refused["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "events")

    def test_a_put_drops_what_it_does_not_name(self, watch, api):
        watch(token="t", events=["Deals.all", "Accounts.all"])
        watch("PUT", channel_id="1000000068001", events=["Deals.edit"], notify_url=HOOK)
        (row,) = api.get("actions/watch").json()["watch"]
        assert (row["token"], row["events"]) == (None, ["Deals.edit"])

    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_an_expired_channel_is_not_subscribed(self, watch, api, method):
        watch()
        api.box.clock.advance(hours=1)
        api.authorize()
        answer = watch(method, channel_id="1000000068001", events=["Deals.all"], notify_url=HOOK)
        assert answer.status_code == 400
        assert answer.json() == {
            "watch": [
                {
                    "code": "NOT_SUBSCRIBED",
                    "details": {},
                    "message": "Not subscribed for actions-watch of the given channel",
                    "status": "error",
                }
            ]
        }

    def test_events_can_be_removed(self, watch, api):
        watch()
        removed = {"channel_id": "1000000068001", "_delete_events": True}
        result = only(watch("PATCH", **removed, events=["Deals.create"]), "watch")
        assert result["message"] == "Successfully removed the subscribe details"
        assert "channel_expiry" not in result["details"]["events"][0]
        assert api.get("actions/watch").json()["watch"][0]["events"] == ["Deals.edit", "Deals.delete"]
        watch("PATCH", **removed, events=["Deals.all"])
        assert api.get("actions/watch").status_code == 204


class TestDisabling:
    def test_by_ids(self, watch, api):
        watch()
        answer = api.call("DELETE", "actions/watch?channel_ids=1000000068001,7")
        ended, unknown = answer.json()["watch"]
        assert answer.status_code == 207
        assert ended["message"] == "Successfully un-subscribed from actions-watch"
        assert {"resource_uri", "resource_id", "channel_id"} <= ended["details"].keys()
        assert unknown["code"] == "NOT_SUBSCRIBED"
        assert api.get("actions/watch").status_code == 204
        assert api.call("DELETE", "actions/watch").json()["code"] == "EXPECTED_PARAM_MISSING"


class TestTelling:
    @pytest.fixture
    def receiver(self):
        with Receiver() as running:
            yield running

    @pytest.fixture
    def told(self, watch, api, receiver):
        """Enable a channel to the receiver; gives what it has been told, once nothing is under way."""

        def enable(**item):
            assert watch(notify_url=f"{receiver.url}/zoho?x=1", **item).status_code == 201

            def messages():
                api.box.deliveries.wait()
                return [json.loads(each.body) for each in receiver.received]

            return messages

        return enable

    def test_an_insert_names_ids_and_nothing_else(self, told, api):
        messages = told(token="opaque")
        deals = [{"Deal_Name": f"D{number}", "Stage": "Closed Won"} for number in range(2)]
        ids = [each["details"]["id"] for each in api.insert("Deals", *deals).json()["data"]]
        assert messages() == [
            {
                "server_time": int(NOW.timestamp() * 1000),
                "query_params": {"x": "1"},
                "module": "Deals",
                "resource_uri": f"{api.domain}/crm/v2/Deals",
                "ids": ids,
                "affected_fields": [],
                "operation": "insert",
                "channel_id": "1000000068001",
                "token": "opaque",
            }
        ]

    def test_an_update_names_the_fields_and_a_delete_its_own(self, told, api):
        messages = told()
        deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        api.box.zoho.update("Deals", deal, {"Next_Step": "call", "Deal_Name": "D"})
        api.box.zoho.delete("Deals", deal)
        sent = {each["operation"]: each for each in messages()}
        assert sent.keys() == {"insert", "update", "delete"}
        assert sent["update"]["affected_fields"] == [{deal: ["Next_Step"]}]
        assert sent["delete"]["affected_fields"] == [{deal: ["Modified_By", "Record_Status__s"]}]
        assert sent["insert"]["token"] is None

    def test_values_only_where_asked_for(self, told, api):
        messages = told(return_affected_field_values=True, events=["Deals.edit"])
        deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        api.box.zoho.update("Deals", deal, {"Next_Step": "call"})
        (message,) = messages()
        assert message["affected_values"] == [{"record_id": deal, "values": {"Next_Step": "call"}}]

    def test_only_what_was_subscribed_to(self, told, api):
        messages = told(events=["Deals.delete", "Contacts.create"])
        deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        api.box.zoho.update("Deals", deal, {"Next_Step": "call"})
        api.box.zoho.insert("Accounts", {"Account_Name": "A"})
        assert messages() == []
        api.box.zoho.insert("Contacts", {"Last_Name": "A"})
        assert [each["module"] for each in messages()] == ["Contacts"]

    def test_a_condition_on_fields(self, told, api):
        selection = {
            "group_operator": "or",
            "group": [{"field": {"api_name": "Stage"}}, {"field": {"api_name": "Amount"}}],
        }
        condition = [{"type": "field_selection", "module": {"api_name": "Deals"}, "field_selection": selection}]
        messages = told(events=["Deals.edit"], notification_condition=condition)
        deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        api.box.zoho.update("Deals", deal, {"Next_Step": "call"})
        assert messages() == []
        api.box.zoho.update("Deals", deal, {"Amount": 5})
        assert len(messages()) == 1

    @pytest.mark.parametrize("tells", [True, False])
    def test_whether_the_apis_own_writes_are_told_is_a_switch(self, told, api, tells):
        api.box.zoho.switches.notify_own_writes = tells
        messages = told()
        api.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        assert len(messages()) == tells

    def test_nothing_is_told_after_the_end(self, told, api):
        messages = told()
        api.box.clock.advance(hours=1)
        api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        assert messages() == []

    def test_an_update_that_changes_nothing_tells_nothing(self, told, api):
        deal = api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        messages = told()
        api.box.zoho.update("Deals", deal, {"Deal_Name": "D"})
        assert messages() == []

    def test_ids_come_in_messages_of_a_certain_size(self, told, api):
        api.box.zoho.switches.notify_ids_per_message = 2
        messages = told()
        api.insert("Deals", *({"Deal_Name": f"D{number}", "Stage": "Closed Won"} for number in range(5)))
        assert sorted(len(each["ids"]) for each in messages()) == [1, 2, 2]

    def test_the_domain_is_where_the_organization_is(self, told, api):
        messages = told()
        api.box.zoho.move_to("eu")
        api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        (message,) = messages()
        assert message["resource_uri"] == f"{api.box.zoho.data_centres['eu'].api_domain}/crm/v2/Deals"

    @pytest.mark.parametrize("copies", [0, 2])
    def test_messages_may_be_lost_or_sent_twice(self, told, api, copies):
        api.box.deliveries.manner("zoho").copies = copies
        messages = told()
        api.box.zoho.insert("Deals", {"Deal_Name": "D", "Stage": "Closed Won"})
        assert len(messages()) == copies
