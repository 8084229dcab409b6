"""Callbacks: subscribing, the handshake, signed deliveries, and what becomes of receivers that fail."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from support.freshbooks import LINE, Api
from support.receiver import Receiver

from sandbox.freshbooks.signature import signature

A = "UWQfd9zCzxmVwFZWKqqKwLxqz8gvzGdAn"
B = "scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd"
FIELDS_A = {"name": "client.update", "object_id": "177864", "user_id": "1", "account_id": "FrEsHb"}
FIELDS_B = {
    "name": "invoice.create",
    "object_id": 1234567,
    "account_id": "6BApk",
    "business_id": 6543,
    "identity_id": 1234,
    "user_id": 1,
}
HANDSHAKE = FIELDS_B | {"name": "callback.verify", "object_id": 2001, "verifier": B}
ESCAPES = {"name": "client.update", "object_id": 1, "note": 'a, b: "c" é/x'}


@pytest.mark.parametrize(
    ("verifier", "fields", "expected"),
    [
        pytest.param(A, FIELDS_A, "uQL7Cy82JtV4RlsEowUZ+hm4cziC6LYjxuKj1cqLqHM=", id="strings"),
        pytest.param(B, FIELDS_B, "/S03vyYmI7CekM4YXBHUhs9o5rnMtqGLrW3aA8S9gPc=", id="numbers are strings"),
        pytest.param(B, HANDSHAKE, "T1ZkHPbidjBQa+8h3vzLADpfVvUoZQ9PzjODJyAvvmE=", id="handshake"),
        pytest.param(A, ESCAPES, "xD1cKfPIOCRCYSu9cstBTGhPB3WJpe5qGCO/QR1Bjm4=", id="escapes"),
    ],
)
def test_the_signature_is_made_of_the_fields_as_python_writes_them_as_json(verifier, fields, expected):
    assert signature(verifier, fields) == expected


def digest(verifier, message):
    return base64.b64encode(hmac.new(verifier.encode(), message.encode(), hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        pytest.param(
            '{"name":"client.update","object_id":"177864","user_id":"1","account_id":"FrEsHb"}',
            "NH16Be3NVTm/EzQ+PibWL/FTmCKffhYpS2rOTEhPW3s=",
            id="compact",
        ),
        pytest.param(
            "name=client.update&object_id=177864&user_id=1&account_id=FrEsHb",
            "rcxsLIqPZCQLtMJZLy6CmtZ/0pUapNOK/EHuGl+89vU=",
            id="raw body",
        ),
        pytest.param(
            '{"account_id": "FrEsHb", "name": "client.update", "object_id": "177864", "user_id": "1"}',
            "zMmweKRit0LBztHuSdPkiMDatMx2233d6XPv37GKlyQ=",
            id="sorted",
        ),
    ],
)
def test_other_ways_to_write_the_fields_give_other_signatures(message, wrong):
    assert digest(A, message) == wrong
    assert signature(A, FIELDS_A) != wrong


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


class Callbacks:
    """The events API, as an app uses it."""

    def __init__(self, box, api):
        self.box, self.api = box, api
        self.path = f"/events/account/{api.account}/events/callbacks"

    def call(self, method, number="", **callback):
        body = {"json": {"callback": callback}} if method in ("POST", "PUT") else {}
        return self.api.request(method, f"{self.path}/{number}".rstrip("/"), **body)

    def subscribe(self, event, uri):
        answer = self.call("POST", event=event, uri=uri)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]["result"]["callback"]

    def verified(self, event, receiver):
        """Subscribe, wait for the handshake and verify; gives the callback's id and its verifier."""
        number = self.subscribe(event, receiver.url)["callbackid"]
        self.box.deliveries.wait()
        verifier = receiver.received.pop().form()["verifier"]
        assert self.call("PUT", number, verifier=verifier).json()["response"]["result"]["callback"]["verified"] is True
        return number, verifier

    def get(self, number):
        return self.call("GET", number).json()["response"]["result"]["callback"]


@pytest.fixture
def callbacks(box, api):
    box.deliveries.manner("freshbooks").retries = 0
    return Callbacks(box, api)


def test_a_new_callback_is_not_verified_and_its_receiver_gets_a_signed_handshake(box, callbacks, receiver):
    callback = callbacks.subscribe("invoice.create", receiver.url + "/hook")
    assert callback == {
        "callbackid": callback["callbackid"],
        "event": "invoice.create",
        "updated_at": "2026-06-30T16:00:00Z",
        "uri": receiver.url + "/hook",
        "verified": False,
    }
    box.deliveries.wait()
    (handshake,) = receiver.received
    form = handshake.form()
    assert handshake.path == "/hook"
    assert handshake.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert list(form) == ["name", "object_id", "account_id", "business_id", "identity_id", "user_id", "verifier"]
    assert form["name"] == "callback.verify"
    assert form["object_id"] == str(callback["callbackid"])
    assert form["account_id"] == box.freshbooks.account_id
    assert len(form["verifier"]) == 33
    assert handshake.headers["X-FreshBooks-Hmac-SHA256"] == signature(form["verifier"], form)


def test_the_handshake_may_have_fewer_fields_by_switch(box, callbacks, receiver):
    box.freshbooks.switches.handshake_fields = ("verifier", "object_id")
    callbacks.subscribe("invoice", receiver.url)
    box.deliveries.wait()
    assert list(receiver.received[0].form()) == ["verifier", "object_id"]


def test_nothing_is_delivered_before_the_right_verifier_was_put(box, books, callbacks, receiver):
    number = callbacks.subscribe("client", receiver.url)["callbackid"]
    box.deliveries.wait()
    verifier = receiver.received.pop().form()["verifier"]
    wrong = callbacks.call("PUT", number, verifier="x" * 33)
    assert (wrong.status_code, wrong.json()["errno"]) == (400, 422)
    books.create_client(fname="A")
    box.deliveries.wait()
    assert receiver.received == []
    callbacks.call("PUT", number, verifier=verifier)
    client = books.create_client(fname="B")
    box.deliveries.wait()
    assert [message.form()["object_id"] for message in receiver.received] == [str(client["id"])]


def test_a_delivery_names_the_event_and_the_object_and_is_signed(box, books, callbacks, receiver):
    client = books.create_client(fname="A")["id"]
    _, verifier = callbacks.verified("invoice.create", receiver)
    invoice = books.create_invoice(client, [LINE])["id"]
    box.deliveries.wait()
    (message,) = receiver.received
    business = books.businesses[0]
    assert message.body.decode() == (
        f"name=invoice.create&object_id={invoice}&account_id={books.account_id}"
        f"&business_id={business.id}&identity_id=14468001&user_id=1"
    )
    assert message.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert message.headers["X-FreshBooks-Hmac-SHA256"] == signature(verifier, message.form())


def test_a_noun_is_told_of_everything_and_an_action_of_itself(box, books, callbacks, receiver):
    callbacks.verified("client", receiver)
    callbacks.verified("payment.delete", receiver)
    client = books.create_client(fname="A")["id"]
    books.update_client(client, fname="B")
    invoice = books.create_invoice(client, [LINE], action_mark_as_sent=True)["id"]
    payment = books.create_payment(invoice, 10)["id"]
    books.delete_payment(payment)
    books.delete_client(client)
    box.deliveries.wait()
    names = sorted(message.form()["name"] for message in receiver.received)
    assert names == ["client.create", "client.delete", "client.update", "payment.delete"]


@pytest.mark.parametrize("switch", [True, False])
def test_a_payment_is_followed_by_its_invoice_by_switch(box, books, callbacks, receiver, switch):
    books.switches.payment_announces_invoice = switch
    invoice = books.create_invoice(books.create_client(fname="A")["id"], [LINE])["id"]
    callbacks.verified("invoice.update", receiver)
    books.create_payment(invoice, 10)
    box.deliveries.wait()
    assert [message.form()["object_id"] for message in receiver.received] == ([str(invoice)] if switch else [])


def test_an_account_is_told_of_its_own_objects_alone(box, books, callbacks, receiver):
    account = books.add_business("Second Ltd")
    callbacks.verified("client", receiver)
    books.create_client(fname="A", account=account)
    box.deliveries.wait()
    assert receiver.received == []


def test_each_callback_has_its_own_verifier(callbacks, receiver):
    verifiers = {callbacks.verified("client", receiver)[1] for _ in range(3)}
    assert len(verifiers) == 3


@pytest.mark.parametrize("switch", [True, False])
def test_the_handshake_can_be_asked_for_again_with_a_new_verifier_by_switch(box, callbacks, receiver, switch):
    box.freshbooks.switches.resend_renews_verifier = switch
    number, first = callbacks.verified("client", receiver)
    callbacks.call("PUT", number, resend=True)
    box.deliveries.wait()
    second = receiver.received.pop().form()["verifier"]
    assert (second != first) is switch
    assert callbacks.get(number)["verified"] is not switch
    callbacks.call("PUT", number, verifier=second)
    assert callbacks.get(number)["verified"] is True


def test_a_failed_delivery_is_tried_again(box, books, callbacks, receiver):
    callbacks.verified("client", receiver)
    box.deliveries.manner("freshbooks").retries = 3
    receiver.status = [500, 302, 200]
    books.create_client(fname="A")
    box.deliveries.wait()
    assert len(receiver.received) == 3
    assert len({message.body for message in receiver.received}) == 1


def test_a_callback_that_fails_too_often_is_switched_off_until_verified_again(box, books, callbacks, receiver):
    books.switches.disable_after = 2
    number, verifier = callbacks.verified("client", receiver)
    receiver.status = 503
    for name in "ab":
        assert callbacks.get(number)["verified"] is True
        books.create_client(fname=name)
        box.deliveries.wait()
    assert callbacks.get(number)["verified"] is False
    receiver.status = 200
    receiver.received.clear()
    books.create_client(fname="c")
    box.deliveries.wait()
    assert receiver.received == []
    callbacks.call("PUT", number, resend=True)
    box.deliveries.wait()
    assert receiver.received.pop().form()["verifier"] == verifier
    callbacks.call("PUT", number, verifier=verifier)
    books.create_client(fname="d")
    box.deliveries.wait()
    assert len(receiver.received) == 1


def test_deliveries_may_be_lost_doubled_and_out_of_order(box, books, callbacks, receiver):
    callbacks.verified("client", receiver)
    manner = box.deliveries.manner("freshbooks")
    manner.copies = 0
    books.create_client(fname="lost")
    manner.copies, manner.reverse = 1, True
    ids = [str(books.create_client(fname=name)["id"]) for name in "ab"]
    manner.reverse = False
    box.deliveries.wait()
    assert receiver.received == []
    box.deliveries.release()
    box.deliveries.wait()
    assert sorted(message.form()["object_id"] for message in receiver.received) == ids
    manner.copies = 2
    books.create_client(fname="twice")
    box.deliveries.wait()
    assert len(receiver.received) == 4


def test_callbacks_are_listed_by_event_or_noun_changed_and_deleted(box, callbacks, receiver):
    ids = [callbacks.subscribe(event, receiver.url)["callbackid"] for event in ("client.create", "client", "invoice")]

    def found(**query):
        answer = callbacks.api.request("GET", callbacks.path, params=query)
        assert answer.headers["Content-Type"] == "application/vnd.api+json"
        result = answer.json()["response"]["result"]
        assert list(result) == ["callbacks", "page", "pages", "per_page", "total"]
        return [callback["callbackid"] for callback in result["callbacks"]]

    assert found() == ids
    assert found(**{"search[event]": "client"}) == ids[:2]
    assert found(**{"search[event]": "client.create"}) == ids[:1]
    assert found(per_page=2, page=2) == ids[2:]
    changed = callbacks.call("PUT", ids[0], event="payment.update").json()["response"]["result"]["callback"]
    assert changed["event"] == "payment.update"
    deleted = callbacks.call("DELETE", ids[0])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert found() == ids[1:]
    gone = callbacks.call("GET", ids[0])
    assert (gone.status_code, gone.json()) == (
        404,
        {"errno": 404, "message": "Requested resource could not be found."},
    )
    box.deliveries.wait()


def test_a_callback_that_moves_is_verified_again(box, callbacks, receiver):
    number, verifier = callbacks.verified("client", receiver)
    moved = callbacks.call("PUT", number, uri=receiver.url + "/new").json()["response"]["result"]["callback"]
    assert moved["verified"] is False
    box.deliveries.wait()
    assert (receiver.received[0].path, receiver.received[0].form()["verifier"]) == ("/new", verifier)


def test_what_cannot_be_subscribed_to_is_refused_with_every_reason(callbacks):
    answer = callbacks.call("POST", event="invoices.created", uri="elsewhere")
    assert answer.status_code == 400
    assert answer.json()["errno"] == 422
    assert answer.json()["details"] == [
        "event: Value error, Unrecognized event.",
        "uri: Input should be a valid URL, relative URL without a base",
    ]


def test_a_callback_needs_the_read_scope_of_its_noun(box):
    api = Api(box, ["user:clients:read"])
    callbacks = Callbacks(box, api)
    assert callbacks.call("POST", event="client.create", uri="http://127.0.0.1:9/").status_code == 200
    refused = callbacks.call("POST", event="invoice.create", uri="http://127.0.0.1:9/")
    assert (refused.status_code, refused.json()["errno"]) == (403, 403)
    box.deliveries.wait()
    api.close()
