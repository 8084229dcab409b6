"""A company's proxy and certificates: what is wrong with them is said by the variable that mends it."""

from __future__ import annotations

import os
import socket
import threading

import pytest
import requests
from support.meltano_project import BIN

from freshbooks_zoho.network import why_unreachable, wrong_variable
from freshbooks_zoho.settings import SettingError, load


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_said_before_any_call(tmp_path, name):
    with pytest.raises(SettingError, match=f"{name} names {tmp_path}/missing.pem, which is not there"):
        load({"PATH": f"{BIN}:{os.environ['PATH']}", name: f"{tmp_path}/missing.pem"}, tmp_path)


def test_a_file_without_a_certificate_is_said(tmp_path):
    (tmp_path / "empty.pem").touch()
    said = wrong_variable({"REQUESTS_CA_BUNDLE": f"{tmp_path}/empty.pem"})
    assert "holds no certificate that can be read" in said
    assert wrong_variable({"REQUESTS_CA_BUNDLE": requests.certs.where()}) is None


@pytest.mark.parametrize("address", ["http://", "ftp://proxy:21", "http://user:secret@:3128", "http://proxy:port"])
def test_a_proxy_that_is_no_address_is_said_without_its_password(address):
    said = wrong_variable({"HTTPS_PROXY": address})
    assert said.startswith("HTTPS_PROXY is no address of a proxy")
    assert "secret" not in said


@pytest.mark.parametrize("address", ["http://proxy.example.com:3128", "proxy:3128", "http://user:secret@10.0.0.1", ""])
def test_a_proxys_address_is_taken(address):
    assert wrong_variable({"https_proxy": address}) is None


@pytest.fixture
def refusing():
    """A proxy that asks everybody who they are."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def refuse():
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def unreachable(proxy):
    with pytest.raises(requests.RequestException) as raised:
        requests.get("https://api.freshbooks.com", proxies={"https": proxy}, timeout=5)
    return why_unreachable(raised.value, {"HTTPS_PROXY": proxy})


def test_a_proxy_that_wants_a_user_is_said(refusing):
    assert unreachable(refusing).startswith(
        "the proxy asks for a user: write http://USER:PASSWORD@HOST:PORT into HTTPS"
    )


def test_a_proxy_that_is_not_there_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert unreachable(f"http://127.0.0.1:{free.getsockname()[1]}") == (
            "the proxy that HTTPS_PROXY names does not pass it on"
        )


def test_a_certificate_of_the_companys_own_is_said_with_the_variable_that_counts():
    error = requests.exceptions.SSLError("certificate verify failed: self-signed certificate in certificate chain")
    said = why_unreachable(error, {"SSL_CERT_FILE": "/etc/company.pem"})
    assert (
        "name your company's certificates in REQUESTS_CA_BUNDLE; SSL_CERT_FILE counts for other programs only" in said
    )
