"""One POST, never a second; and certainty about whether anything was sent."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from singer_store import RefreshNotSent, RefreshUnanswered
from singer_store.oauth import post_form

FORM = {"refresh_token": "a secret & more", "grant_type": "refresh_token"}


@contextmanager
def raw_server(reply, until=b"a+secret"):
    """A server of one connection after another that reads a request's head and body, and sends raw bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        requests = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    data = b""
                    while until not in data and (part := connection.recv(65536)):
                        data += part
                    requests.append(data)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/token", requests
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answer(body=b"{}", status=b"200 OK", headers=b""):
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n" % len(body) + headers + b"\r\n" + body


def test_the_form_is_in_the_body_and_nowhere_else():
    with raw_server(answer(b'{"ok": 1}')) as (url, requests):
        assert post_form(url, FORM, timeout=10).json() == {"ok": 1}

    [head, body] = requests[0].split(b"\r\n\r\n")
    assert body == b"refresh_token=a+secret+%26+more&grant_type=refresh_token"
    assert head.startswith(b"POST /token HTTP/1.1")
    assert b"application/x-www-form-urlencoded" in head
    assert b"chunked" not in head


@pytest.mark.parametrize("status", [b"307 Temporary Redirect", b"308 Permanent Redirect", b"302 Found"])
def test_a_redirect_is_not_followed(status):
    with raw_server(b"") as (elsewhere, others):
        headers = b"Location: " + elsewhere.encode() + b"\r\n"
        with raw_server(answer(status=status, headers=headers)) as (url, requests):
            assert post_form(url, FORM, timeout=10).status_code == int(status[:3])
            assert len(requests) == 1
        assert others == []


@pytest.mark.parametrize("status", [b"500 Oops", b"503 Later", b"429 Slowly", b"400 Bad"])
def test_any_status_is_an_answer(status):
    with raw_server(answer(status=status)) as (url, requests):
        assert post_form(url, FORM, timeout=10).status_code == int(status[:3])
        assert len(requests) == 1


@pytest.mark.parametrize(
    "reply",
    [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"],
    ids=["nothing", "garbage", "cut short"],
)
def test_no_whole_answer_is_unanswered_and_sent_once(reply):
    with raw_server(reply) as (url, requests):
        with pytest.raises(RefreshUnanswered) as error:
            post_form(url, FORM, timeout=10)
        assert len(requests) == 1
    assert "secret" not in str(error.value)


def test_silence_is_unanswered():
    class Silent(BaseHTTPRequestHandler):
        def do_POST(self):
            done.wait()

        def log_message(self, *args): ...

    done = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02))
    thread.start()
    try:
        with pytest.raises(RefreshUnanswered):
            post_form(f"http://127.0.0.1:{server.server_port}/", FORM, timeout=(10, 0.2))
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_nobody_listening_is_not_sent():
    with pytest.raises(RefreshNotSent) as error:
        post_form("http://127.0.0.1:1/token", FORM, timeout=10)
    assert "127.0.0.1" in str(error.value)


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/"])
def test_no_usable_url_is_not_sent(url):
    with pytest.raises(RefreshNotSent):
        post_form(url, FORM, timeout=10)


def test_a_failed_tls_handshake_is_not_sent():
    with raw_server(b"not TLS", until=b"\x16") as (url, requests), pytest.raises(RefreshNotSent):
        post_form(url.replace("http:", "https:"), FORM, timeout=10)
    assert b"secret" not in b"".join(requests)


def test_credentials_from_netrc_are_not_sent(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with raw_server(answer()) as (url, requests):
        post_form(url, FORM, timeout=10)

    assert b"Authorization" not in requests[0]
