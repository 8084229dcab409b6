"""Zoho's channels: when they are renewed, and that none ever lapses unnoticed."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.postgres import on_sqlite

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.zoho import channels
from freshbooks_zoho.zoho.channels import Channel, next_action, when_to_renew
from freshbooks_zoho.zoho.watch import ZOHO, Watch, load_channels
from singer_store import open_store
from target_zoho_crm.api.auth import refresher
from target_zoho_crm.api.client import Retries, ZohoClient

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
URL = "https://hooks.example.com/zoho/path"
MODULES = ("Accounts", "Deals")
POLL = timedelta(minutes=15)
QUICK = Retries(attempts=2, first_wait=0.001, longest_wait=0.01, total=5.0)


def channel(life=timedelta(days=6, hours=23), **more):
    plain = Channel("Deals", "100000000000001", "path", "token", notify_url=URL)
    return replace(plain, **{"granted_at": NOON, "expires_at": NOON + life, "verified_at": NOON} | more)


@pytest.mark.parametrize(
    ("life", "hours"),
    [
        (timedelta(days=6, hours=23), 20),
        (timedelta(days=2), 20),
        (timedelta(hours=24), 16),
        (timedelta(hours=1), 2 / 3),
    ],
    ids=["a week", "two days", "a day", "an hour"],
)
def test_a_channel_is_renewed_daily_and_by_two_thirds_of_its_life(life, hours):
    assert when_to_renew(channel(life)) == NOON + timedelta(hours=hours)


@given(st.timedeltas(timedelta(seconds=30), timedelta(days=400)))
def test_however_short_its_life_there_is_time_to_try_again(life):
    due = when_to_renew(channel(life))

    assert due <= NOON + timedelta(days=1)
    assert due <= NOON + life * 2 / 3 + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("known", "now", "action"),
    [
        (channels.new_channel("Deals", "connection"), NOON, "enable"),
        (channel(), NOON + timedelta(minutes=1), "wait"),
        (channel(), NOON + timedelta(minutes=15), "verify"),
        (channel(), NOON + timedelta(hours=20), "renew"),
        (channel(), NOON + timedelta(days=7), "enable"),
        (channel(notify_url="https://elsewhere.example"), NOON, "renew"),
        (channel(failures=1, tried_at=NOON + timedelta(hours=20)), NOON + timedelta(hours=20, seconds=30), "wait"),
        (channel(failures=1, tried_at=NOON + timedelta(hours=20)), NOON + timedelta(hours=20, seconds=60), "renew"),
    ],
    ids=["new", "fresh", "to be looked at", "due", "expired", "moved", "just failed", "tried again"],
)
def test_what_is_to_be_done_follows_from_what_is_known(known, now, action):
    step = next_action(known, now, URL)

    assert step.action == action
    assert (step.at > now) is (action == "wait")


@given(st.integers(1, 40), st.timedeltas(timedelta(minutes=3), timedelta(days=6)))
def test_tries_never_wait_past_a_tenth_of_the_life_that_is_left(failures, left):
    known = channel(failures=failures, tried_at=NOON)
    known = replace(known, expires_at=NOON + left)

    assert channels.retry_after(known, NOON) <= max(left / 10, timedelta(seconds=30))


def test_a_channel_that_cannot_be_renewed_is_a_problem_before_it_ends():
    due = NOON + timedelta(hours=20)
    failing = channel(failures=1, tried_at=due, verified_at=due)

    assert channels.problem(channel(), due) is None
    assert "could not be renewed and ends in 147.0 hours" in channels.problem(failing, due)
    assert "is not alive" in channels.problem(channel(), NOON + timedelta(days=7))


def test_ids_are_stable_and_tokens_are_not():
    one, same, other = (channels.new_channel(*of) for of in (("Deals", "a"), ("Deals", "a"), ("Deals", "b")))

    assert one.channel_id == same.channel_id != other.channel_id
    assert one.channel_id.isdecimal()
    assert len({one.token, same.token, one.path, same.path}) == 4
    assert 32 <= len(one.token) <= 50


def test_the_old_token_is_taken_until_notifications_under_way_have_come():
    asked = channels.starting(channel(), NOON)
    assert asked.takes("token", NOON + timedelta(days=1))
    assert asked.takes(asked.token, NOON)

    renewed = channels.granted(asked, NOON + timedelta(days=6), NOON, URL)
    assert renewed.takes("token", NOON + timedelta(minutes=59))
    assert not renewed.takes("token", NOON + timedelta(minutes=60))
    assert not renewed.takes("", NOON)


def test_the_token_of_a_channel_that_has_ended_is_not_taken_for_long():
    channel = channels.granted(channels.new_channel("Deals", "c"), NOON, NOON - timedelta(days=6), URL)

    assert channel.takes(channel.token, NOON + timedelta(minutes=59))
    assert not channel.takes(channel.token, NOON + timedelta(hours=1))


def test_an_expiry_counts_whatever_offset_it_is_written_in():
    read = channels.read_expiry({"channel_expiry": "2026-03-09T00:00:00-11:00"})

    assert read == datetime(2026, 3, 9, 11, tzinfo=timezone.utc)
    assert channels.read_expiry({"channel_expiry": "2026-03-09T00:00:00"}) is None
    assert channels.read_expiry({}) is None


def test_a_channel_comes_back_from_the_store_as_it_was_put():
    full = channels.granted(channels.starting(channel(covered_until=NOON), NOON), NOON + timedelta(days=1), NOON, URL)

    assert channels.from_document(channels.to_document(full)) == full
    assert "token" not in repr(full).replace("Former", "")


class Scene:
    """A sandbox's Zoho, a store, and the watch over its channels, all on the sandbox's clock."""

    def __init__(self, box, store, client):
        self.box, self.store, self._client = box, store, client
        self.metrics = Metrics()
        self.restart()

    def restart(self, public_url="http://127.0.0.1:9", modules=MODULES):
        self.watch = Watch(
            self._client, self.store, modules=modules, public_url=public_url, account="A", connection="app",
            poll_interval=POLL, metrics=self.metrics, clock=self.box.clock.now,
        )  # fmt: skip

    def alive(self):
        """The modules of which Zoho tells, with when that ends."""
        return {each.module: each.expires_at for each in self.box.zoho.channels.alive()}

    def channels(self):
        return {each.module: each for each in load_channels(self.store)}

    def calls(self, method):
        return len(self.box.calls("zoho", "/crm/v8/actions/watch", method))

    def queued(self, module="Deals"):
        return {row.object_id for row in self.store.pending.all(ZOHO) if row.stream == module}

    def fail(self, method=None, **kind):
        fault = {"kind": "status", "status": 500, "times": None, **kind}
        self.box.faults.add(service="zoho", path="/crm/v8/actions/watch", method=method, **fault)

    def deal(self):
        return self.box.zoho.insert("Deals", {"Deal_Name": "One", "Stage": "Qualification"})


@contextmanager
def scene_of(box, store_settings):
    app = box.zoho.app
    with open_store(*store_settings, clock=box.clock.now) as store:
        broker = store.broker(
            service="zoho", client_id=app.client_id, seed=box.zoho.grant(), rotates=False,
            refresh=refresher(app.client_id, app.client_secret, box.zoho.accounts_url),
        )  # fmt: skip
        with ZohoClient(broker, max_parallel=5, user_agent="test", retries=QUICK) as client:
            yield Scene(box, store, client)


@pytest.fixture
def scene(box, store_settings):
    box.clock.freeze()
    # Nobody listens: whatever is sent is lost.
    box.deliveries.manner("zoho").copies = 0
    with scene_of(box, store_settings) as scene:
        yield scene


def test_channels_are_enabled_with_the_longest_life_and_verified(scene):
    scene.watch.tend()

    expected = scene.box.clock.now() + timedelta(days=6, hours=23)
    assert {module: abs(expiry - expected) < timedelta(seconds=2) for module, expiry in scene.alive().items()} == {
        "Accounts": True,
        "Deals": True,
    }
    assert (scene.calls("POST"), scene.calls("GET")) == (2, 2)
    (subscription,) = scene.box.zoho.channels.alive(module="Deals")
    known = scene.channels()["Deals"]
    assert subscription.events == {"create", "edit", "delete"}
    assert (subscription.token, subscription.related, subscription.affected_values) == (known.token, False, False)
    assert subscription.notify_url == f"http://127.0.0.1:9/zoho/{known.path}"
    assert scene.watch.problems() == []


def test_the_expiry_that_zoho_granted_counts(scene):
    scene.box.zoho.switches.watch_max_hours = 2
    scene.watch.tend()

    # Beyond the longest life one gets an hour, without a word.
    assert scene.channels()["Deals"].expires_at == scene.alive()["Deals"]
    scene.box.clock.advance(minutes=41)
    scene.watch.tend()
    assert scene.calls("PATCH") == 2
    assert scene.metrics.channel_expiry_seconds.labels("Deals")._value.get() == pytest.approx(3600, abs=2)


def test_a_renewal_brings_a_new_token(scene):
    scene.watch.tend()
    before = scene.channels()["Deals"]
    scene.box.clock.advance(hours=20, seconds=1)
    scene.watch.tend()

    after = scene.channels()["Deals"]
    assert scene.calls("PATCH") == 2
    assert after.token != before.token
    assert after.channel_id == before.channel_id
    assert scene.box.zoho.channels.alive(module="Deals")[0].token == after.token


@pytest.mark.parametrize(
    ("shown", "renewals"),
    [
        ({"events": ["Deals.all"]}, 0),
        ({"notify_url": "http://127.0.0.1:9/zoho/{path}/"}, 0),
        ({"token": "***"}, 2),
        ({"events": ["Deals.create"]}, 2),
        ({"notify_url": "http://127.0.0.1:9/elsewhere"}, 2),
    ],
    ids=["all events", "a stroke more", "a masked token", "fewer events", "another address"],
)
def test_what_zoho_shows_otherwise_is_asked_for_again_at_each_look_and_not_all_the_time(
    scene, monkeypatch, shown, renewals
):
    request = scene._client.request

    def answer(method, path, **more):
        given = request(method, path, **more)
        for row in (given.body or {}).get("watch", []) if (method, path) == ("GET", "actions/watch") else []:
            if row["resource_name"] == "Deals":
                path_ = scene.channels()["Deals"].path
                row |= {
                    name: value.format(path=path_) if name == "notify_url" else value for name, value in shown.items()
                }
        return given

    monkeypatch.setattr(scene._client, "request", answer)
    end = scene.box.clock.now() + 2 * channels.VERIFY + timedelta(minutes=1)
    while scene.box.clock.now() < end:
        scene.box.clock.advance(seconds=max(scene.watch.tend(), 1))
    assert scene.calls("PATCH") == renewals
    assert "Deals" in scene.alive()


def test_a_channel_that_is_gone_is_enabled_again_and_what_changed_meanwhile_is_asked_for(scene):
    kept, deleted = scene.deal(), scene.deal()
    scene.box.clock.advance(hours=1)
    scene.watch.tend()
    scene.box.clock.advance(minutes=16)
    scene.watch.tend()
    scene.box.zoho.channels.disable(scene.channels()["Deals"].channel_id)
    scene.box.clock.advance(minutes=3)
    scene.box.zoho.update("Deals", kept, {"Next_Step": "call"})
    scene.box.zoho.delete("Deals", deleted)
    # Until the next look at the channel it counts as alive, and what was told is known up to the last look only.
    for _ in range(17):
        scene.box.clock.advance(minutes=1)
        scene.watch.tend()

    assert scene.alive().keys() == set(MODULES)
    assert scene.queued() == {kept, deleted}
    assert scene.queued("Accounts") == set()


def test_after_a_pause_of_this_service_what_changed_meanwhile_is_asked_for(scene):
    scene.watch.tend()
    scene.box.clock.advance(hours=3)
    changed = scene.deal()
    scene.box.clock.advance(hours=1)
    scene.restart()
    scene.watch.tend()

    assert scene.queued() == {changed}
    assert scene.calls("POST") == 2


@pytest.mark.parametrize("reading", ["replace", "refuse"])
def test_enabling_a_channel_that_is_alive_after_all_works_either_way(scene, reading):
    scene.box.zoho.switches.watch_post_on_live = reading
    scene.fail("POST", kind="reset_after", times=1)
    scene.watch.tend()
    scene.box.clock.advance(minutes=2)
    scene.watch.tend()

    assert scene.alive().keys() == set(MODULES)
    assert {each.module: each.expires_at for each in scene.channels().values()} == scene.alive()


def test_another_address_ends_the_old_channel(scene):
    scene.watch.tend()
    scene.restart("http://127.0.0.1:10")
    scene.watch.tend()

    urls = [each.notify_url for each in scene.box.zoho.channels.alive()]
    assert len(urls) == 2
    assert all(url.startswith("http://127.0.0.1:10/zoho/") for url in urls)


def test_a_channel_that_cannot_be_had_is_an_alarm_and_what_changes_is_asked_for_each_cycle(scene):
    scene.fail()
    scene.watch.tend()
    assert len(scene.watch.problems()) == 2

    for _ in range(3):
        scene.box.clock.advance(minutes=15)
        changed = scene.deal()
        scene.box.clock.advance(minutes=1)
        scene.watch.tend()
        assert changed in scene.queued()
    scene.box.faults.clear()
    scene.box.clock.advance(minutes=16)
    scene.watch.tend()
    assert scene.watch.problems() == []
    assert scene.alive().keys() == set(MODULES)


def test_from_the_first_look_that_fails_on_what_changes_is_asked_for(scene):
    """Zoho may have dropped the channel without a word; no alarm is raised until that goes on."""
    scene.watch.tend()
    for each in scene.box.zoho.channels.alive():
        scene.box.zoho.channels.disable(each.channel_id)
    scene.fail()
    scene.box.clock.advance(seconds=channels.VERIFY.total_seconds() + 1)
    changed = scene.deal()
    scene.watch.tend()
    assert changed in scene.queued()
    assert scene.watch.problems() == []


def trouble_of(scene, hour, chance):
    """What goes wrong in an hour, if anything; it ends with the hour unless said otherwise."""
    switches = scene.box.zoho.switches
    scene.box.faults.clear()
    switches.watch_max_hours = 1 if 60 <= hour < 75 else 24 if 75 <= hour < 110 else 168
    if 20 <= hour < 30 or 130 <= hour < 139 or chance.random() < 0.1:
        scene.fail()
    elif chance.random() < 0.1:
        scene.fail("PATCH", status=400, body={"code": "INVALID_DATA", "details": {}, "message": "", "status": "error"})
    elif chance.random() < 0.1:
        scene.fail("PATCH", kind="reset_after", times=1)
    elif chance.random() < 0.1:
        for each in scene.box.zoho.channels.alive():
            if chance.random() < 0.5:
                scene.box.zoho.channels.disable(each.channel_id)
    if 160 <= hour < 170:
        scene.box.faults.add(service="zoho", path=".*", kind="reset", times=None)


@on_sqlite
def test_ten_days_without_a_moment_in_which_nobody_would_notice_a_change(scene):
    """A person changes a deal every half hour, between two looks: Zoho tells of it, or it is asked for.

    A channel that Zoho drops without a word is missed within three quarters of an hour, and nothing that changed in
    between is. While Zoho cannot be asked anything (the hours 160 to 170), nobody can know; afterwards everything is.
    """
    chance, unknown, unnoticed = random.Random(7), {}, 0
    longest = timedelta()
    scene.restart(modules=["Deals"])
    scene.watch.tend()
    for tick in range(10 * 24 * 2):
        hour, part = divmod(tick, 2)
        dark = 159 <= hour < 171
        if part == 0:
            trouble_of(scene, hour, chance)
            changed = scene.deal()
        scene.box.clock.advance(minutes=7)
        if "Deals" not in scene.alive():
            unknown.setdefault(changed, scene.box.clock.now())
        scene.box.zoho.update("Deals", changed, {"Next_Step": f"{tick}"})
        for minutes in (8, 15):
            scene.box.clock.advance(minutes=minutes)
            scene.watch.tend()
            found = scene.queued()
            scene.store.pending.clear(ZOHO, "Deals", dict.fromkeys(found, scene.box.clock.now()))
            for known in found & unknown.keys():
                since = unknown.pop(known)
                longest = max(longest, timedelta() if dark else scene.box.clock.now() - since)
        unnoticed = 0 if dark or "Deals" in scene.alive() or scene.watch.problems() else unnoticed + 1
        assert unnoticed <= 1, f"nobody would have noticed a change in hour {hour}"

    assert unknown == {}
    assert longest <= channels.UNSURE + POLL + timedelta(minutes=15)
    assert scene.alive().keys() == {"Deals"}
