"""What is served: who is let in, what is too much, and what is seen from outside and inside."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlencode

import pytest
import requests
from support.companion import QUICK, Companion, form_of, post, replayed, wait_until
from support.companion_process import subscribe
from support.other_client import writing
from support.postgres import on_sqlite

from freshbooks_zoho.webhooks.consent import PATH
from freshbooks_zoho.webhooks.inbox import InboxUnavailableError
from freshbooks_zoho.webhooks.signatures import HEADER, sign
from singer_store import StoreUnavailableError


def verified(companion):
    """Let it know callbacks as they are once FreshBooks has verified them, which test_callbacks.py is about."""
    subscribe(companion.store, companion.account)
    companion.callbacks.reload()
    return companion


@pytest.fixture
def companion(box, store):
    """The receiver, as it is in use."""
    with Companion(box, store) as service:
        yield verified(service)


def counted(companion, **labels):
    """Give how many webhooks were counted under these labels."""
    return companion.metrics.registry.get_sample_value("webhooks_received_total", labels) or 0


def body_of(companion, **fields):
    return form_of(companion.account, **fields)


@contextmanager
def connection(companion):
    with closing(socket.create_connection(("127.0.0.1", companion.port), timeout=20)) as opened:
        yield opened


def answer_of(opened):
    """Read until the server closes the connection; gives the status, None where there was no answer."""
    received = b""
    try:
        while part := opened.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return int(received.split()[1]) if received else None


class TestSignature:
    def test_a_delivery_is_stored_and_then_acknowledged(self, companion):
        assert companion.deliver("invoice.create", 1234567).status_code == 200
        assert companion.stored() == {("invoices", "1234567")}
        assert counted(companion, source="freshbooks", event="invoice.create", result="stored") == 1

    @pytest.mark.parametrize(
        "name", ["client.create", "client.update", "client.delete", "client", "invoice.sendByEmail", "payment.delete"]
    )
    def test_every_event_of_a_noun_is_taken(self, companion, name):
        assert companion.deliver(name, 5).status_code == 200
        assert companion.stored() == {(f"{name.partition('.')[0]}s", "5")}

    def forgeries(self, companion):
        form = body_of(companion)
        body, key = urlencode(form).encode(), companion.key()
        good = sign(form, key)
        yield "missing", []
        yield "empty", [""]
        yield "not base64", ["!" * 44]
        yield "truncated", [good[:-1]]
        yield "of something else", [sign({**form, "object_id": "18"}, key)]
        yield "with another noun's key", [sign(form, companion.key("client"))]
        yield "with the path as key", [sign(form, companion.callbacks.path_secrets["invoice"])]
        yield "without a key", [sign(form, "")]
        yield "over the body", [base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()]
        yield "with something after it", [good + "A"]
        yield "in hexadecimal", [base64.b64decode(good).hex()]
        yield "doubled", [good, good]
        yield "doubled, one wrong", [good, "a" * 44]
        yield "two in one", [f"{good}, {good}"]

    def test_whoever_cannot_sign_is_refused_and_nothing_is_stored(self, companion):
        body = urlencode(body_of(companion)).encode()
        host, path = f"127.0.0.1:{companion.port}", companion.hook().removeprefix(companion.url)
        for name, signatures in self.forgeries(companion):
            with closing(http.client.HTTPConnection(host, timeout=10)) as client:
                client.putrequest("POST", path)
                client.putheader("Content-Length", str(len(body)))
                for signature in signatures:
                    client.putheader(HEADER, signature)
                client.endheaders(body)
                assert client.getresponse().status == 401, name
        assert companion.stored() == set()
        assert counted(companion, source="freshbooks", event="unknown", result="refused") == 14

    def test_the_key_of_one_path_does_not_open_another(self, companion):
        assert post(companion.hook("client"), body_of(companion), companion.key("invoice")).status_code == 401

    def test_a_path_that_nobody_was_told_is_not_there(self, companion):
        assert post(f"{companion.url}/freshbooks/{'x' * 43}", body_of(companion), companion.key()).status_code == 404
        assert post(f"{companion.url}/freshbooks/", body_of(companion), companion.key()).status_code == 404
        assert companion.stored() == set()

    @pytest.mark.parametrize("account", ["Another", "", None])
    def test_another_account_is_refused_even_when_signed(self, companion, account):
        form = body_of(companion, account_id=account)
        if account is None:
            del form["account_id"]
        assert post(companion.hook(), form, companion.key()).status_code == 403
        assert companion.stored() == set()

    @on_sqlite
    @pytest.mark.parametrize("name", ["estimate.create", "callback.verify", "", "invoices.create", "client_x.create"])
    def test_what_is_not_synced_is_acknowledged_and_counted(self, companion, name):
        assert post(companion.hook(), body_of(companion, name=name), companion.key()).status_code == 200
        assert companion.stored() == set()
        event = name if name == "callback.verify" else "other"
        assert counted(companion, source="freshbooks", event=event, result="ignored") == 1

    @on_sqlite
    @pytest.mark.parametrize("object_id", ["", "0", "-1", "1.5", "x", "\u0661", "9" * 30, "9" * 5000, "../1"])
    def test_an_object_has_a_number(self, companion, object_id):
        assert companion.deliver(object_id=object_id).status_code == 400
        assert companion.stored() == set()

    @on_sqlite
    @pytest.mark.parametrize("extra", ["&object_id=18", "&x=%ff", "".join(f"&f{number}=" for number in range(60))])
    def test_a_form_that_can_be_read_in_two_ways_is_refused_even_when_signed(self, companion, extra):
        form = body_of(companion)
        for message in (form, {**form, "object_id": "18"}, {**form, "x": "\ufffd"}):
            headers = {HEADER: sign(message, companion.key())}
            answer = requests.post(companion.hook(), data=urlencode(form) + extra, headers=headers, timeout=10)
            assert answer.status_code == 400
        assert requests.post(companion.hook(), data=urlencode(form) + extra, timeout=10).status_code == 401
        assert companion.stored() == set()

    def test_a_thousand_replays_are_one_row(self, companion):
        form = body_of(companion)
        data, headers = urlencode(form), {HEADER: sign(form, companion.key())}

        with ThreadPoolExecutor() as senders:
            answers = [senders.submit(replayed, companion.hook(), data, headers, 250) for _ in range(4)]
        assert [answer.result() for answer in answers] == [{200}] * 4
        assert counted(companion, source="freshbooks", event="invoice.update", result="stored") == 1000
        assert len(companion.store.pending.all()) == 1

    def test_only_posts_are_taken(self, companion):
        assert requests.get(companion.hook(), timeout=10).status_code == 405
        assert requests.put(companion.hook(), timeout=10).status_code == 405

    @on_sqlite
    @pytest.mark.parametrize("path", ["%ff", "%00", "é", "..", "a/b", "%2e%2e%2f", "x" * 5000])
    def test_no_path_is_too_odd(self, companion, path):
        body = urlencode({"verifier": "v", "object_id": "1"})
        for form in (body, "a=1"):
            answer = requests.post(
                f"{companion.url}/freshbooks/{path}", data=form, headers={HEADER: "a" * 44}, timeout=10
            )
            assert 400 <= answer.status_code < 500


@on_sqlite
class TestLimits:
    def head(self, companion, *lines, path=None):
        path = path or companion.hook().removeprefix(companion.url)
        given = (f"POST {path} HTTP/1.1", "Host: localhost", f"{HEADER}: {'a' * 44}", *lines)
        return "\r\n".join(given).encode() + b"\r\n\r\n"

    def paths(self, companion):
        return [companion.hook().removeprefix(companion.url), f"/zoho/{companion.notifications.path}"]

    def test_a_body_that_is_announced_too_long_is_refused_before_it_is_read(self, companion):
        for path in self.paths(companion):
            with connection(companion) as opened:
                opened.sendall(self.head(companion, "Content-Length: 65537", path=path))
                assert answer_of(opened) == 413

    def test_a_body_that_turns_out_too_long_is_refused(self, companion):
        for path in self.paths(companion):
            with connection(companion) as opened:
                opened.sendall(self.head(companion, "Transfer-Encoding: chunked", path=path))
                opened.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n" + b"e001\r\n" + b"x" * 0xE001 + b"\r\n")
                assert answer_of(opened) == 413
        assert companion.stored() == set()

    def test_the_longest_body_that_is_taken(self, companion):
        form = body_of(companion)
        form["note"] = "x" * (64 * 1024 - len(urlencode({**form, "note": ""})))
        assert len(urlencode(form)) == 64 * 1024
        assert post(companion.hook(), form, companion.key()).status_code == 200
        form["note"] += "x"
        assert post(companion.hook(), form, companion.key()).status_code == 413

    @pytest.mark.parametrize(
        "flood", ["".join(f"X-{number}: y\r\n" for number in range(10_000)), f"X: {'y' * 100_000}\r\n"]
    )
    def test_a_flood_of_headers_is_refused(self, companion, flood):
        with connection(companion) as opened:
            try:
                opened.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + flood.encode() + b"\r\n")
            except OSError:
                return
            assert answer_of(opened) in {431, None}

    def test_who_is_slow_is_left_and_who_is_not_is_served_meanwhile(self, companion):
        """The limits are a second here; the benchmark looks at the real ones."""
        dripping = threading.Event()
        opened = [socket.create_connection(("127.0.0.1", companion.port), timeout=20) for _ in range(100)]
        # The first 25 say nothing at all.
        header, body, chunks = opened[25:50], opened[50:75], opened[75:]
        for one in header:
            one.sendall(b"POST / HTTP/1.1\r\nHost: loc")
        for one in body:
            one.sendall(self.head(companion, "Content-Length: 100") + b"name=")
        for one in chunks:
            one.sendall(self.head(companion, "Transfer-Encoding: chunked"))

        def drip():
            while not dripping.wait(0.1):
                for one, drop in [
                    *((each, b"a") for each in header + body),
                    *((each, b"1\r\nx\r\n") for each in chunks),
                ]:
                    with suppress(OSError):
                        one.sendall(drop)

        dripper = threading.Thread(target=drip)
        dripper.start()
        started = time.monotonic()
        try:
            assert all(companion.deliver(object_id=number).status_code == 200 for number in range(1, 51))
            statuses = [answer_of(one) for one in opened]
        finally:
            dripping.set()
            dripper.join()
            for one in opened:
                one.close()
        assert set(statuses[:50]) <= {None, 408}
        assert set(statuses[50:]) <= {None, 408}
        assert 408 in statuses[50:]
        assert len(companion.stored()) == 50
        # Far below the 30 s that a real limit allows; the machine may be busy.
        assert time.monotonic() - started < 15

    def test_a_sender_that_goes_away_in_the_middle_is_forgotten(self, companion):
        with connection(companion) as opened:
            opened.sendall(self.head(companion, "Content-Length: 100") + b"name=")
        assert companion.deliver().status_code == 200
        assert wait_until(lambda: counted(companion, source="freshbooks", event="unknown", result="refused") == 1)
        assert companion.stored() == {("invoices", "17")}


class TestUnavailable:
    def test_while_the_store_cannot_be_written_to_the_sender_is_asked_to_try_again(self, box, store, store_settings):
        with Companion(box, store, longest_wait=0.3) as companion:
            verified(companion)
            with writing(store_settings[0]):
                answer = companion.deliver()
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
                assert companion.stored() == set()
            assert companion.deliver(object_id=18).status_code == 200
            assert counted(companion, source="freshbooks", event="unknown", result="unavailable") == 1

    @pytest.mark.parametrize("reason", ["database or disk is full", "the server is shutting down"])
    def test_a_store_that_takes_nothing_is_answered_with_a_time_to_try_again(self, box, store, reason):
        class Full:
            def queue_many(self, rows):
                raise StoreUnavailableError(f"The store cannot be used: {reason}")

        with Companion(box, store, pending=Full()) as companion:
            verified(companion)
            answer = companion.deliver()
            assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
            assert reason not in answer.text
            assert reason in companion.inbox.problem
            assert companion.stored() == set()

    def status(self, companion, object_id):
        return companion.deliver(object_id=object_id).status_code

    def test_a_backlog_that_cannot_be_written_is_bounded(self, box, store):
        gate = threading.Event()

        class Stuck:
            def queue_many(self, rows):
                assert gate.wait(20)
                store.pending.queue_many(rows)

        with Companion(box, store, pending=Stuck(), capacity=2) as companion:
            verified(companion)
            statuses = []
            first = [
                threading.Thread(target=lambda number: statuses.append(self.status(companion, number)), args=(number,))
                for number in (1, 2)
            ]
            for thread in first:
                thread.start()
            assert wait_until(lambda: companion.inbox._waiting == 2)
            assert self.status(companion, 3) == 503
            gate.set()
            for thread in first:
                thread.join()
            assert statuses == [200, 200]
            assert self.status(companion, 3) == 200


@on_sqlite
class TestZoho:
    def send(self, companion, body, path=None):
        return requests.post(f"{companion.url}/zoho/{path or companion.notifications.path}", data=body, timeout=10)

    def test_a_notification_is_handed_on(self, companion):
        body = {"module": "Deals", "ids": ["1"], "operation": "update", "token": "t", "channel_id": "1"}
        assert self.send(companion, json.dumps(body)).status_code == 200
        assert companion.notifications.bodies == [body]
        assert counted(companion, source="zoho", event="update", result="stored") == 1

    def test_what_the_handler_refuses_is_refused(self, companion):
        companion.notifications.answer = 401
        assert self.send(companion, '{"operation": "made up"}').status_code == 401
        assert counted(companion, source="zoho", event="unknown", result="refused") == 1

    @pytest.mark.parametrize(
        ("raised", "status"), [(InboxUnavailableError("full", retry_after=7), 503), (ZeroDivisionError(), 500)]
    )
    def test_what_the_handler_cannot_store_is_to_be_sent_again(self, companion, raised, status):
        companion.notifications.answer = raised
        answer = self.send(companion, "{}")
        assert answer.status_code == status
        assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)
        assert counted(companion, source="zoho", event="unknown", result="unavailable") == 1

    @pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 60_000, b'{"a":' * 12_000, b"9" * 60_000])
    def test_what_is_no_json_object_is_refused(self, companion, body):
        assert self.send(companion, body).status_code == 400
        assert companion.notifications.bodies == []

    @pytest.mark.parametrize("operation", ["made up", "\ud800", 1, None, ["update"], {"update": 1}])
    def test_an_operation_that_is_none_of_zohos_counts_as_another_one(self, companion, operation):
        assert self.send(companion, json.dumps({"operation": operation})).status_code == 200
        assert counted(companion, source="zoho", event="other", result="stored") == 1

    def test_another_path_is_not_there(self, companion):
        assert self.send(companion, "{}", path="other").status_code == 404
        assert companion.notifications.bodies == []


class TestPaths:
    def test_a_slash_too_many_is_another_path_and_leads_nobody_to_the_host_that_a_request_names(self, companion):
        public = [companion.hook(), f"{companion.url}/zoho/{companion.notifications.path}"]
        public += [f"{companion.url}{path}" for path in ("/healthz", "/readyz", PATH)]
        admin = [f"{companion.admin_url}{path}" for path in ("/healthz", "/readyz", "/metrics")]
        for url in (*public, *admin):
            for send in (requests.get, requests.post):
                answer = send(f"{url}/", headers={"Host": "evil.example"}, allow_redirects=False, timeout=10)
                assert (answer.status_code, answer.headers.get("Location")) == (404, None), url


class TestSeeing:
    def test_health_and_readiness(self, companion):
        for url in (companion.url, companion.admin_url):
            assert requests.get(f"{url}/healthz", timeout=10).json() == {"status": "ok"}
            assert requests.get(f"{url}/readyz", timeout=10).json()["status"] == "ready"
        companion.readiness.sentences = ["The callback for invoice is not verified."]
        inside = requests.get(f"{companion.admin_url}/readyz", timeout=10)
        outside = requests.get(f"{companion.url}/readyz", timeout=10)
        assert (inside.status_code, outside.status_code) == (503, 503)
        assert inside.json()["problems"] == ["The callback for invoice is not verified."]
        assert outside.json() == {"status": "not ready", "problems": 1}

    def test_metrics_are_on_the_admin_port_only(self, companion):
        companion.deliver()
        companion.deliver("invoice.made-up<script>")
        text = requests.get(f"{companion.admin_url}/metrics", timeout=10).text
        labels = 'event="invoice.update",result="stored",source="freshbooks"'
        assert f"webhooks_received_total{{{labels}}} 1.0" in text
        assert 'event="other",result="stored"' in text
        assert "script" not in text
        assert requests.get(f"{companion.url}/metrics", timeout=10).status_code == 404

    def test_all_metrics_have_their_names(self, companion):
        families = {family.name for family in companion.metrics.registry.collect()}
        assert families == {
            "webhooks_received",
            "ack_seconds",
            "inbox_pending",
            "inbox_oldest_seconds",
            "dead_letters",
            "run_seconds",
            "run_last_success_timestamp",
            "records_written",
            "records_unchanged",
            "zoho_credits_remaining",
            "channel_expiry_seconds",
            "token_age_seconds",
            "token_refresh_failures",
            "reconcile_difference_cents",
        }

    def test_no_secret_is_ever_logged_or_shown(self, box, store, caplog, capfd):
        caplog.set_level(logging.DEBUG)
        with Companion(box, store, longest_wait=0.3) as companion:
            companion.ensure()
            box.freshbooks.switches.resend_renews_verifier = True
            box.faults.add(service="freshbooks", path="/events.*", method="PUT", kind="reset_after")
            for callback in box.freshbooks.callbacks():
                callback.verified = False
            # Asked for twice, with another verifier each time, the first may arrive last: the service looks again, too.
            assert wait_until(lambda: set(companion.ensure(patience=2).values()) == {"verified"}, patience=60)
            companion.notifications.answer = ZeroDivisionError()
            requests.post(f"{companion.url}/zoho/{companion.notifications.path}", data="{}", timeout=10)
            companion.deliver()
            post(companion.hook(), form_of(companion.account), "wrong")
            secrets = [companion.notifications.path, *companion.callbacks.path_secrets.values()]
            for path in companion.callbacks.path_secrets.values():
                secrets += companion.callbacks.verifiers(path)
            secrets.append(companion.api._authorizer.token().value)
            shown = requests.get(f"{companion.admin_url}/metrics", timeout=10).text
        out, err = capfd.readouterr()
        logged = "\n".join(
            f"{record.getMessage()} {record.exc_text or ''}"
            for record in caplog.records
            if record.name.startswith(("freshbooks_zoho", "_granian", "singer_store", "tap_freshbooks"))
        )
        assert "verified" in logged
        for secret in secrets:
            assert secret not in shown + logged + out + err

    def test_the_limits_of_the_tests_are_not_those_of_the_product(self):
        assert QUICK.body_seconds < 2
        assert type(QUICK)().body_seconds + type(QUICK)().header_seconds < 30
