"""What is done about FreshBooks' list of callbacks: a plan, made without asking anyone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshbooks_zoho.freshbooks.events_api import Callback
from freshbooks_zoho.freshbooks.subscriptions import (
    KEEP_FORMER,
    STREAMS,
    Adopt,
    Delete,
    Prove,
    Register,
    Resend,
    Subscription,
    base_url,
    plan,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
BASE = base_url("https://hooks.example.com/zoho-sync/")
PATH = "p" * 43
OURS = Subscription("client", PATH, callback_id=2001, waits=False, verifier="key")
THEIRS = Callback(2001, "client", BASE + PATH, verified=True)


def planned(subscription, *callbacks, shaken=()):
    return plan([subscription], callbacks, BASE, shaken)


def test_what_is_in_order_is_left_alone():
    assert planned(OURS, THEIRS) == []


def test_a_missing_callback_is_registered():
    assert planned(OURS) == [Register("client")]
    assert planned(Subscription.new("client")) == [Register("client")]


@pytest.mark.parametrize(
    "uri",
    [
        "https://hooks.example.com:443/zoho-sync/freshbooks/" + PATH,
        "https://HOOKS.example.com/zoho-sync/freshbooks/" + PATH + "/",
    ],
)
def test_another_spelling_of_our_url_is_our_url(uri):
    assert planned(OURS, Callback(2001, "client", uri, verified=True)) == []


def test_a_callback_that_is_switched_off_is_asked_for_a_handshake():
    assert planned(OURS, Callback(2001, "client", BASE + PATH, verified=False)) == [Resend("client", 2001)]


def test_a_handshake_that_has_arrived_is_confirmed_before_another_is_asked_for():
    unverified = Callback(2001, "client", BASE + PATH, verified=False)
    assert planned(OURS.expecting(), unverified, shaken={2001}) == [Prove("client")]


def test_a_callback_whose_answer_was_lost_is_taken_over():
    registering = Subscription.new("client")
    made = Callback(2005, "client", BASE + registering.path, verified=False)
    assert planned(registering, made) == [Adopt("client", 2005), Resend("client", 2005)]
    assert planned(registering, made, shaken={2005}) == [Adopt("client", 2005), Prove("client")]


def test_a_callback_whose_key_is_unknown_is_replaced():
    assert planned(Subscription("client", PATH, 2001), THEIRS) == [Delete(2001), Register("client")]


def test_of_doubles_one_is_kept():
    double = Callback(2002, "client", BASE + PATH, verified=True)
    assert planned(OURS, THEIRS, double) == [Delete(2002)]
    assert planned(OURS, double, THEIRS) == [Delete(2002)]


def test_ours_under_an_old_url_or_for_another_event_is_replaced_by_a_new_one_first():
    for wrong in (
        Callback(2001, "client", "https://old.example.com/freshbooks/" + PATH, verified=True),
        Callback(2001, "client.create", BASE + PATH, verified=True),
    ):
        assert planned(OURS, wrong) == [Register("client"), Delete(2001)]


def test_ours_that_we_know_nothing_of_is_removed():
    assert planned(OURS, THEIRS, Callback(1990, "invoice", BASE + "q" * 43, verified=True)) == [Delete(1990)]


@pytest.mark.parametrize(
    "uri",
    [
        "https://other.example.com/freshbooks/" + "q" * 43,
        "https://hooks.example.com/freshbooks/" + "q" * 43,
        "https://hooks.example.com/zoho-sync/freshbooks",
        "https://hooks.example.com/zoho-sync/freshbooks/",
        "https://hooks.example.com/zoho-sync/freshbooks/deep/" + "q" * 43,
        "http://hooks.example.com/zoho-sync/freshbooks/" + "q" * 43,
        "https://hooks.example.com:bad/",
        "no url",
    ],
)
def test_other_peoples_callbacks_are_not_touched_whatever_their_id(uri):
    assert planned(OURS, THEIRS, Callback(7, "client", uri, verified=True)) == []
    assert planned(OURS, Callback(2001, "client", uri, verified=True)) == [Register("client")]


def test_a_former_key_is_taken_for_a_while():
    new = OURS.expecting().proven("new", NOW)
    assert (new.callback_id, new.waits) == (2001, False)
    assert new.keys(NOW) == ("new", "key")
    assert new.keys(NOW + KEEP_FORMER - timedelta(seconds=1)) == ("new", "key")
    assert new.keys(NOW + KEEP_FORMER) == ("new",)
    newest = new.registering(NOW + KEEP_FORMER).adopting(2002, NOW).proven("newest", NOW + KEEP_FORMER)
    assert newest.keys(NOW + KEEP_FORMER) == ("newest", "new")


def test_a_key_that_is_confirmed_again_is_no_former_key():
    assert OURS.expecting().proven("key", NOW).keys(NOW) == ("key",)


def test_what_is_kept_is_read_as_it_was_written_and_not_shown():
    subscription = OURS.expecting().proven("new-key", NOW)
    assert Subscription.from_document("client", subscription.to_document()) == subscription
    assert "key" not in repr(subscription).replace("FormerKey", "")
    assert PATH not in repr(subscription) + repr(THEIRS)


uris = st.sampled_from(
    [BASE + PATH, BASE + "q" * 43, "https://old.example.com/freshbooks/" + PATH, "https://other.example.com/hook"]
)
callbacks = st.lists(
    st.builds(Callback, st.integers(1, 6), st.sampled_from(["client", "client.create"]), uris, verified=st.booleans()),
    unique_by=lambda callback: callback.id,
    max_size=6,
)
subscriptions = st.builds(
    Subscription,
    st.just("client"),
    st.just(PATH),
    st.none() | st.integers(1, 6),
    st.booleans(),
    st.none() | st.just("key"),
)


@given(subscriptions, callbacks, st.sets(st.integers(1, 6)), st.data())
def test_from_any_state_the_plan_leads_to_one_verified_callback_and_spares_the_others(ours, theirs, shaken, data):
    """Carry the plan out on a model of FreshBooks whose answer to a POST may be lost."""
    foreign = [callback for callback in theirs if callback.uri == "https://other.example.com/hook"]
    model, shaken = {callback.id: callback for callback in theirs}, set(shaken)
    for _ in range(6):
        actions = plan([ours], list(model.values()), BASE, shaken)
        if not actions:
            break
        for action in actions:
            if isinstance(action, Register):
                ours, number = ours.registering(NOW), max(model, default=0) + 10
                model[number] = Callback(number, "client", BASE + PATH, verified=False)
                if data.draw(st.booleans(), "the answer to the POST is lost"):
                    break
                ours = ours.adopting(number, NOW)
            elif isinstance(action, Adopt):
                ours = ours.adopting(action.callback_id, NOW)
            elif isinstance(action, Resend):
                ours = ours.expecting()
                shaken.add(action.callback_id)
            elif isinstance(action, Prove):
                number = ours.callback_id
                assert ours.waits
                shaken.discard(number)
                model[number] = Callback(number, "client", model[number].uri, verified=True)
                ours = ours.proven("proven", NOW)
            else:
                del model[action.callback_id]
        else:
            # The handshake of what was registered arrives, if not before its answer.
            if ours.callback_id is not None and not model[ours.callback_id].verified:
                shaken.add(ours.callback_id)
    assert [callback for callback in model.values() if callback in foreign] == foreign
    (mine,) = (callback for callback in model.values() if callback not in foreign)
    assert (mine.id, mine.uri, mine.event, mine.verified) == (ours.callback_id, BASE + PATH, "client", True)
    assert ours.verifier is not None
    assert not ours.waits


def test_the_streams_are_those_of_the_tap():
    assert STREAMS == {"client": "clients", "invoice": "invoices", "payment": "payments"}
