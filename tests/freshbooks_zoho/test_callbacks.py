"""FreshBooks' callbacks over real HTTP: registered, verified, repaired, and nobody else's verifier taken."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import requests
from support.companion import Companion, form_of, post, settings_of, wait_until
from support.other_client import rows
from support.postgres import on_sqlite

from freshbooks_zoho.freshbooks.callbacks import RELOAD_SECONDS
from freshbooks_zoho.freshbooks.subscriptions import KEEP_FORMER
from sandbox.freshbooks.events import Callback
from tap_freshbooks.errors import FreshBooksError

ALL_VERIFIED = {"client": "verified", "invoice": "verified", "payment": "verified"}
EVENTS = "/events/account"


def callback_for(box, event):
    (found,) = (callback for callback in box.freshbooks.callbacks() if callback.event == event)
    return found


def posts(box):
    return len(box.calls("freshbooks", EVENTS, "POST"))


class Other:
    """Somebody else's callback in the same account."""

    def __init__(self, box, uri="https://other.example.com/hook", event="client", number=9_000, *, verified=True):
        with box.server.lock:
            events = box.freshbooks._events
            business = box.freshbooks._by_account[box.freshbooks.account_id]
            callback = Callback(number, business, event, uri, "v" * 33, box.clock.now(), verified=verified)
            events.callbacks[number] = callback
        self._events, self._callback = events, callback

    def is_untouched(self):
        return self._events.callbacks.get(self._callback.id) is self._callback


class TestRegistration:
    def test_each_noun_has_a_verified_callback_on_a_secret_path_of_its_own(self, companion, box):
        callbacks = box.freshbooks.callbacks()
        assert sorted(callback.event for callback in callbacks) == ["client", "invoice", "payment"]
        assert all(callback.verified for callback in callbacks)
        prefix = f"{companion.url}/freshbooks/"
        paths = {callback.uri.removeprefix(prefix) for callback in callbacks}
        assert len(paths) == 3
        # 43 characters of base64url are 256 random bits.
        assert all(len(path) == 43 and "/" not in path for path in paths)

    def test_what_happens_in_freshbooks_arrives(self, companion, box):
        client = box.freshbooks.create_client(organization="Quiet Harbour")
        invoice = box.freshbooks.create_invoice(client["id"], [{"name": "a", "qty": "1", "unit_cost": {"amount": "9"}}])
        payment = box.freshbooks.create_payment(invoice["id"], "4.00")
        box.freshbooks.delete_payment(payment["id"])
        box.deliveries.wait()
        assert companion.stored() == {
            ("clients", str(client["id"])),
            ("invoices", str(invoice["id"])),
            ("payments", str(payment["id"])),
        }
        assert {row.reason for row in companion.store.pending.all()} == {"event"}

    def test_another_start_finds_all_in_order_and_changes_nothing(self, companion, box, store):
        companion.stop()
        box.server.forget_calls()
        before = {callback.id: callback.verifier for callback in box.freshbooks.callbacks()}
        with Companion(box, store, port=companion.port) as again:
            assert again.ensure() == ALL_VERIFIED
            assert again.deliver().status_code == 200
        assert {callback.id: callback.verifier for callback in box.freshbooks.callbacks()} == before
        assert [call.method for call in box.calls("freshbooks", EVENTS)] == ["GET"]

    def test_paths_and_verifiers_are_encrypted_in_the_store(self, companion, box, store_settings):
        dump = str(rows(store_settings[0]))
        for callback in box.freshbooks.callbacks():
            assert callback.verifier not in dump
            assert callback.uri.rpartition("/")[2] not in dump
        assert f"{companion.account}/invoice" in dump

    def test_without_the_scope_of_one_noun_the_others_are_registered_and_the_reason_is_told(self, box, store):
        settings = settings_of(box)
        scopes = [scope for scope in box.freshbooks.app.scopes if "payments" not in scope]
        settings = type(settings)(**{**vars(settings), "refresh_token": box.freshbooks.grant(scopes)})
        with Companion(box, store, settings=settings) as companion:
            statuses = companion.ensure(payment="failed")
            assert statuses == {"client": "verified", "invoice": "verified", "payment": "failed"}
            (problem,) = (state.problem for state in companion.callbacks.states() if state.problem)
            assert "user:payments:read" in problem

    def test_the_handshake_is_known_by_its_verifier_whatever_else_it_carries(self, box, store):
        box.freshbooks.switches.handshake_fields = ("object_id", "verifier")
        with Companion(box, store) as companion:
            assert companion.ensure() == ALL_VERIFIED


class TestRepair:
    def restarted(self, companion, **options):
        companion.stop()
        return Companion(companion.box, companion.store, **{"port": companion.port, **options})

    def test_a_missing_callback_is_registered_again(self, companion, box):
        lost = callback_for(box, "invoice")
        with box.server.lock:
            del box.freshbooks._events.callbacks[lost.id]
        with self.restarted(companion) as again:
            assert again.ensure() == ALL_VERIFIED
            assert callback_for(box, "invoice").verified
            assert posts(box) == 4
            assert again.deliver().status_code == 200

    @pytest.mark.parametrize("renews", [False, True])
    def test_a_callback_that_freshbooks_switched_off_is_switched_on_again(self, companion, box, renews):
        box.freshbooks.switches.resend_renews_verifier = renews
        callback_for(box, "invoice").verified = False
        with self.restarted(companion) as again:
            assert again.ensure() == ALL_VERIFIED
            assert callback_for(box, "invoice").verified
            assert again.key() == callback_for(box, "invoice").verifier
        assert posts(box) == 3

    def test_a_callback_is_switched_off_by_lost_deliveries_and_on_again_by_the_next_look(self, companion, box):
        port, client = companion.port, box.freshbooks.create_client(organization="Quiet Harbour")
        companion.stop()
        for number in range(box.freshbooks.switches.disable_after):
            box.freshbooks.update_client(client["id"], note=str(number))
        box.deliveries.wait()
        assert not callback_for(box, "client").verified
        with Companion(box, companion.store, port=port) as again:
            assert again.ensure() == ALL_VERIFIED

    def test_after_a_change_of_public_url_new_callbacks_are_made_and_the_old_ones_removed(self, companion, box):
        former, keys = companion.callbacks.path_secrets, {companion.key("invoice")}
        with self.restarted(companion, port=None) as again:
            assert again.ensure() == ALL_VERIFIED
            assert {callback.uri.rpartition("/")[0] for callback in box.freshbooks.callbacks()} == {
                f"{again.url}/freshbooks"
            }
            assert len(box.freshbooks.callbacks()) == 3
            # What was on its way under the former key is still taken.
            assert again.callbacks.path_secrets == former
            assert keys < set(again.callbacks.verifiers(former["invoice"]))

    def test_ours_that_nobody_remembers_is_removed_and_other_peoples_are_not_touched(self, companion, box):
        forgotten = Other(box, f"{companion.url}/freshbooks/{'q' * 43}", number=9_001)
        others = [
            Other(box),
            Other(box, "https://other.example.com/freshbooks/" + "q" * 43, number=9_002),
            Other(box, f"{companion.url}/hooks/{'q' * 43}", number=9_003, verified=False),
            Other(box, f"{companion.url}/freshbooks", "invoice", number=9_004),
        ]
        with self.restarted(companion) as again:
            assert again.ensure() == ALL_VERIFIED
        assert not forgotten.is_untouched()
        assert all(other.is_untouched() for other in others)
        assert posts(box) == 3

    def test_the_whole_list_is_looked_at(self, companion, box):
        others = [Other(box, number=number) for number in range(10, 220)]
        forgotten = Other(box, f"{companion.url}/freshbooks/{'q' * 43}", number=9_001)
        assert companion.ensure() == ALL_VERIFIED
        assert not forgotten.is_untouched()
        assert all(other.is_untouched() for other in others)
        assert posts(box) == 3

    def test_a_callback_that_someone_pointed_elsewhere_is_left_to_them_and_ours_made_anew(self, companion, box):
        taken = callback_for(box, "invoice")
        taken.uri = "https://other.example.com/hook"
        with self.restarted(companion) as again:
            assert again.ensure() == ALL_VERIFIED
        assert taken in box.freshbooks.callbacks()
        assert posts(box) == 4

    def test_a_callback_whose_key_was_lost_is_replaced(self, companion, box, store):
        lost = callback_for(box, "invoice")
        name = f"{companion.account}/invoice"
        store.secrets.put("callback", name, {**store.secrets.get("callback", name), "verifier": None})
        with self.restarted(companion) as again:
            assert again.ensure() == ALL_VERIFIED
            assert callback_for(box, "invoice").id != lost.id
            assert again.deliver().status_code == 200

    def test_two_services_that_start_together_make_no_doubles(self, box, store):
        with Companion(box, store) as one, Companion(box, store, public_url=one.url) as two:
            threads = [threading.Thread(target=each.ensure) for each in (one, two)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(box.freshbooks.callbacks()) == posts(box) == 3
            assert one.ensure() == two.ensure() == ALL_VERIFIED

    def test_what_one_service_registered_another_one_takes(self, box, store):
        with Companion(box, store) as one, Companion(box, store, public_url=one.url) as two:
            one.ensure()
            # A process behind the same address, which has read nothing since.
            hook = f"{two.url}/freshbooks/{one.callbacks.path_secrets['invoice']}"
            assert post(hook, form_of(one.account), one.key()).status_code == 200


@on_sqlite
class TestLostAnswers:
    @pytest.mark.parametrize("kind", ["reset_after", "reset", "truncate"])
    def test_the_lost_answer_of_a_registration_leaves_no_double(self, box, store, kind):
        box.faults.add(service="freshbooks", path=EVENTS + ".*", method="POST", kind=kind, times=2)
        with Companion(box, store) as companion:
            assert companion.ensure() == ALL_VERIFIED
            assert sorted(callback.event for callback in box.freshbooks.callbacks()) == ["client", "invoice", "payment"]
            assert companion.deliver("client.update").status_code == 200

    def test_a_registration_that_arrives_late_after_all_is_removed_by_the_next_look(self, companion, box):
        # Both exist: the first POST seemed lost, was sent again, and then was carried out.
        late = callback_for(box, "invoice")
        Other(box, late.uri, "invoice", number=9_005, verified=False)
        assert companion.ensure() == ALL_VERIFIED
        assert callback_for(box, "invoice") is late

    @pytest.mark.parametrize("kind", ["reset_after", "reset", "truncate"])
    @pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
    def test_other_lost_answers_are_asked_for_again(self, companion, box, kind, method):
        Other(box, f"{companion.url}/freshbooks/{'q' * 43}", number=9_001)
        callback_for(box, "invoice").verified = False
        box.faults.add(service="freshbooks", path=EVENTS + ".*", method=method, kind=kind)
        assert companion.ensure() == ALL_VERIFIED
        assert len(box.freshbooks.callbacks()) == 3
        assert posts(box) == 3

    def test_without_the_list_nothing_is_done_and_the_reason_is_told(self, companion, box):
        box.faults.add(service="freshbooks", path=EVENTS + ".*", method="GET", kind="status", status=503, times=99)
        companion.api._closed.set()
        with pytest.raises(FreshBooksError):
            companion.callbacks.ensure()
        assert posts(box) == 3

    def test_an_access_token_that_is_refused_is_renewed(self, companion, box):
        token = companion.api._authorizer.token()
        box.faults.add(service="freshbooks", path=EVENTS + ".*", method="GET", kind="status", status=401, times=1)
        assert companion.ensure() == ALL_VERIFIED
        assert companion.api._authorizer.token().value != token.value


class TestHandshake:
    def forged(self, companion, noun="invoice", *, number=None, verifier="forged", path=None, **more):
        number = number or callback_for(companion.box, noun).id
        form = form_of(companion.account, "callback.verify", number, verifier=verifier, **more)
        url = f"{companion.url}/freshbooks/{path}" if path else companion.hook(noun)
        return post(url, form, verifier)

    def test_a_verifier_is_not_taken_where_none_is_waited_for(self, companion, box):
        key = companion.key()
        assert self.forged(companion).status_code == 401
        assert self.forged(companion, path="x" * 43).status_code == 401
        assert self.forged(companion, number="9" * 5000).status_code == 401
        assert self.forged(companion, verifier="").status_code == 401
        assert companion.key() == key
        assert companion.store.secrets.all("handshake") == {}
        assert not box.calls("freshbooks", EVENTS, "PUT")[3:]
        assert companion.deliver().status_code == 200

    def test_the_genuine_one_may_come_twice(self, companion, box):
        assert self.forged(companion, verifier=companion.key()).status_code == 200
        assert self.forged(companion, verifier=companion.key(), number=1).status_code == 401

    def test_a_forged_one_is_put_to_freshbooks_and_dropped_when_freshbooks_refuses_it(self, companion, box):
        box.freshbooks.switches.resend_renews_verifier = True
        genuine, key = box.deliveries.manner("freshbooks"), companion.key()
        callback = callback_for(box, "invoice")
        callback.verified = False
        genuine.reverse = True
        companion.callbacks.ensure()
        assert companion.statuses()["invoice"] == "waiting"
        assert self.forged(companion, number=callback.id + 1).status_code == 401
        assert self.forged(companion, account_id="Another").status_code == 401
        assert self.forged(companion).status_code == 200
        assert wait_until(lambda: companion.store.secrets.all("handshake") == {})
        assert companion.key() == key
        assert post(companion.hook(), form_of(companion.account), "forged").status_code == 401
        assert companion.deliver().status_code == 200
        genuine.reverse = False
        box.deliveries.release()
        assert wait_until(lambda: companion.statuses() == ALL_VERIFIED)
        assert companion.key() == callback.verifier != key

    def test_old_and_new_key_are_taken_while_a_callback_is_verified_again_and_for_a_while_after(self, companion, box):
        box.freshbooks.switches.resend_renews_verifier = True
        old, callback = companion.key(), callback_for(box, "invoice")
        callback.verified = False
        box.deliveries.manner("freshbooks").reverse = True
        companion.callbacks.ensure()

        def taken(key):
            return post(companion.hook(), form_of(companion.account), key).status_code

        # Asked for, and not here yet: the new one cannot be known.
        assert (taken(old), taken(callback.verifier)) == (200, 401)
        box.deliveries.manner("freshbooks").reverse = False
        box.deliveries.release()
        assert wait_until(lambda: companion.statuses() == ALL_VERIFIED)
        assert callback.verifier != old
        assert (taken(old), taken(callback.verifier)) == (200, 200)
        box.clock.advance(seconds=(KEEP_FORMER + timedelta(seconds=1)).total_seconds())
        assert (taken(old), taken(callback.verifier)) == (401, 200)

    def test_what_is_signed_with_a_verifier_not_yet_confirmed_is_to_be_sent_again(self, companion, box):
        box.freshbooks.switches.resend_renews_verifier = True
        callback = callback_for(box, "invoice")
        callback.verified = False
        path = rf"{EVENTS}/.*/{callback.id}"
        # The resend is answered; then FreshBooks cannot be reached.
        box.faults.add(service="freshbooks", path=path, method="PUT", kind="status", status=503, times=99, after=1)
        companion.callbacks.ensure()
        box.deliveries.wait()
        assert wait_until(lambda: len(box.calls("freshbooks", f"{EVENTS}/{companion.account}", "PUT")) > 4)
        before = companion.stored()
        answer = post(companion.hook(), form_of(companion.account, object_id=99), callback.verifier)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert companion.stored() == before

    def test_a_handshake_survives_a_crash_before_it_was_confirmed(self, companion, box, store):
        box.freshbooks.switches.resend_renews_verifier = True
        callback = callback_for(box, "invoice")
        callback.verified = False
        box.deliveries.manner("freshbooks").reverse = True
        companion.callbacks.ensure()
        companion.stop()
        # As if it had been acknowledged right before the crash.
        store.secrets.put("handshake", f"{companion.account}/invoice/{callback.id}", {"verifier": callback.verifier})
        asked = len(box.calls("freshbooks", EVENTS, "PUT"))
        with Companion(box, store, port=companion.port) as again:
            assert again.ensure() == ALL_VERIFIED
            assert again.key() == callback.verifier
        assert len(box.calls("freshbooks", EVENTS, "PUT")) == asked + 1

    @on_sqlite
    def test_a_flood_of_wrong_signatures_does_not_read_the_store_each_time(self, companion):
        reads = []
        reading = companion.store.secrets.all
        companion.callbacks._kept._store = _Counting(companion.store, reads, reading)
        with requests.Session() as session:
            for _ in range(200):
                session.post(companion.hook(), data="name=a", headers={"X-FreshBooks-Hmac-SHA256": "a" * 44}, timeout=5)
        assert len(reads) <= 200 / 4
        assert RELOAD_SECONDS >= 1


class _Counting:
    """The store, with the reads of its documents counted."""

    def __init__(self, store, reads, reading):
        self._store = store
        self.secrets = self

        def read(kind):
            reads.append(kind)
            return reading(kind)

        self.all = read
