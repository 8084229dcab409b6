"""The documents' proxies, started as they are written: what they let through is what was sent, and nothing else."""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import subprocess
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.companion import form_of, free_port, wait_until

from freshbooks_zoho.webhooks.signatures import HEADER, sign

DOCS = Path(__file__).parents[2] / "docs"
NAME = "sync.example.com"


def certificate(folder):
    """Make a certificate for the documents' name; gives the files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return public, private


@contextmanager
def running(command, port, folder):
    """Run a proxy in the foreground until it listens."""
    program = shutil.which(command[0])
    assert program, f"{command[0]} is needed; as root, make programs installs it"
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([program, *command[1:]], env=environment, stderr=log) as process,
    ):
        try:
            assert wait_until(lambda: process.poll() is not None or listens(port)), (folder / "log").read_text()
            assert process.poll() is None, (folder / "log").read_text()
            yield
        finally:
            process.terminate()


def listens(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nginx(upstream, port, folder):
    public, private = certificate(folder)
    server = (DOCS / "examples" / "nginx.conf").read_text()
    for written, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/sync.example.com.pem": str(public),
        "/etc/ssl/private/sync.example.com.key": str(private),
        "http://127.0.0.1:8080": f"http://127.0.0.1:{upstream}",
    }.items():
        assert server.count(written) == 1
        server = server.replace(written, here)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; user {getpass.getuser()}; pid {folder}/pid; events {{}} http {{ {paths} {server} }}"
    )
    with running(["nginx", "-p", str(folder), "-c", str(configuration), "-e", "stderr"], port, folder):
        yield public


@contextmanager
def caddy(upstream, port, folder):
    public, private = certificate(folder)
    written = re.search(r"```caddyfile\n(.*?)```", (DOCS / "running.md").read_text(), re.DOTALL).group(1)
    site = written.replace("sync.example.com {", f"sync.example.com:{port} {{\n    tls {public} {private}")
    site = site.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
    assert f":{upstream}" in site
    configuration = folder / "Caddyfile"
    configuration.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n    default_sni {NAME}\n}}\n{site}")
    command = ["caddy", "run", "--config", str(configuration), "--adapter", "caddyfile"]
    with running(command, port, folder):
        yield public


@pytest.fixture(params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def proxied(request, companion, tmp_path):
    """A session that reaches the companion's public port through a proxy; gives it and the address."""
    port = free_port()
    with request.param(companion.port, port, tmp_path) as public, requests.Session() as session:
        session.verify, session.trust_env = str(public), False
        session.headers["Host"] = NAME
        yield session, f"https://127.0.0.1:{port}"


def test_a_signed_delivery_arrives_as_it_was_sent(companion, proxied):
    session, address = proxied
    form = form_of(companion.account, "invoice.create", 1234567)
    path = companion.hook().removeprefix(companion.url)
    refused = session.post(address + path, data=urlencode(form), headers={HEADER: "x" * 44}, timeout=10)
    assert refused.status_code == 401
    headers = {HEADER: sign(form, companion.key()), "Content-Type": "application/x-www-form-urlencoded"}
    assert session.post(address + path, data=urlencode(form), headers=headers, timeout=10).status_code == 200
    assert companion.stored() == {("invoices", "1234567")}


def test_what_is_too_much_is_refused_and_the_inside_is_not_shown(companion, proxied):
    session, address = proxied
    path = companion.hook().removeprefix(companion.url)
    # Where the proxy was still sending when the companion refused and hung up, it says 502.
    assert session.post(address + path, data="x" * 70_000, timeout=10).status_code in {413, 502}
    assert companion.stored() == set()
    assert session.get(f"{address}/healthz", timeout=10).status_code == 200
    assert session.get(f"{address}/metrics", timeout=10).status_code == 404
    assert session.get(f"{address}/", timeout=10).status_code == 404
