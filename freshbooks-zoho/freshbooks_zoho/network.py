"""What keeps a company's machine from the services, said by the variable that mends it: its proxy, its certificates.

`requests` takes both from the environment: https://requests.readthedocs.io/en/latest/user/advanced/ ("Proxies", "SSL
Cert Verification").
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the certificates to trust; the first that is set counts."""
OTHER_BUNDLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
"""What other programs read instead."""
PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})


def wrong_variable(environment: Mapping[str, str]) -> str | None:
    """Return a sentence about a variable with which no call to a service can succeed; None if there is none."""
    bundle = next((name for name in BUNDLES if environment.get(name)), None)
    if bundle is not None and (wrong := _wrong_bundle(environment[bundle])):
        return f"{bundle} names {environment[bundle]}, {wrong}: name your company's certificates (PEM), or unset it."
    for name in PROXIES:
        if environment.get(name) and not _is_proxy(environment[name]):
            # It may hold a password.
            return f"{name} is no address of a proxy: one looks like http://proxy.example.com:3128. Mend or unset it."
    return None


def _wrong_bundle(path: str) -> str | None:
    if not Path(path).exists():
        return "which is not there"
    if Path(path).is_dir():
        return None
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        # ssl.SSLError is one, too.
        return "which holds no certificate that can be read"
    return None


def _is_proxy(text: str) -> bool:
    """Return whether a text is a proxy's address; without a scheme it is one of http."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and " " not in text.strip()


def why_unreachable(error: requests.RequestException, environment: Mapping[str, str] = os.environ) -> str:
    """Return why there was no answer, as far as the error tells, with what mends it; half a sentence, no secrets."""
    text = str(error)
    proxy = next((name for name in PROXIES if environment.get(name)), None)
    if isinstance(error, requests.exceptions.ProxyError) and proxy:
        if "407" in text:
            return f"the proxy asks for a user: write http://USER:PASSWORD@HOST:PORT into {proxy}"
        return f"the proxy that {proxy} names does not pass it on"
    if isinstance(error, requests.exceptions.SSLError):
        other = next((name for name in OTHER_BUNDLES if environment.get(name)), None)
        hint = f"; {other} counts for other programs only" if other else ""
        return f"its certificate is signed by nobody known here: name your company's certificates in {BUNDLES[0]}{hint}"
    return "no network, or a proxy or firewall in between"
