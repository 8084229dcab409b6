"""Who may see what is on the admin port: this machine, or whoever knows the password.

A web page of a stranger can make a browser send requests here, even under a name of its own that points at this
machine. So without a password only names of this machine are answered to (with one, such a browser does not have it),
and what changes anything needs more than that: see `page`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from freshbooks_zoho.settings import LOOPBACK, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from freshbooks_zoho.settings import Settings

OPEN = frozenset({"/healthz", "/readyz"})
"""For load balancers and the like, which have no password."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """See that the admin port is not open to others without a password.

    Raises:
        SettingError: if it is.
    """
    if not is_loopback(settings.admin_host) and settings.admin_password is None:
        raise SettingError(
            f"The setting admin_host ({settings.admin_host}) opens the status page to other machines: set "
            "admin_password too, or leave admin_host at 127.0.0.1."
        )


@dataclass
class Failures:
    """Wrong passwords, by where they came from.

    Attributes:
        most: within `seconds`; more are not even looked at.
        remembered: addresses; when there are too many, further ones are not looked at either.
    """

    most: int = 5
    seconds: float = 60.0
    remembered: int = 1000
    _times: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, address: str, now: float) -> float:
        """Give how many seconds an address has to wait; 0 if it may try."""
        self._forget(now)
        times = self._times.get(address)
        if times is None:
            return self.seconds if len(self._times) >= self.remembered else 0.0
        return max(times[0] + self.seconds - now, 0.0) if len(times) >= self.most else 0.0

    def note(self, address: str, now: float) -> None:
        """Count a wrong password."""
        self._times.setdefault(address, deque(maxlen=self.most)).append(now)

    def _forget(self, now: float) -> None:
        for address in [one for one, times in self._times.items() if times[-1] + self.seconds <= now]:
            del self._times[address]


class Guarded:
    """An app that not everybody may see, as ASGI.

    Args:
        app: to be guarded.
        host: that it is served at, beside the names of this machine.
        password: for HTTP Basic, with any user name; None: requests have to be for this machine.
        clock: gives seconds.
    """

    def __init__(
        self, app: ASGIApp, *, host: str, password: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower()}
        self._digest = None if password is None else _digest(password)
        self._failures = Failures()
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = None if scope["type"] != "http" or scope["path"] in OPEN else self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if self._digest is None:
            if _name(headers.get("host", "")) in self._hosts:
                return None
            return _refuse(403, "This address is not one that the service was told to answer to.")
        address, now = str((scope.get("client") or ("",))[0]), self._clock()
        wait = self._failures.wait(address, now)
        if wait:
            return _refuse(429, "Too many wrong passwords; wait a minute.", **{"Retry-After": str(int(wait) + 1)})
        given = _password(headers.get("authorization"))
        if given is not None and hmac.compare_digest(_digest(given), self._digest):
            return None
        if given is not None:
            self._failures.note(address, now)
        return _refuse(
            401, "The password is asked for.", **{"WWW-Authenticate": 'Basic realm="freshbooks-zoho", charset="UTF-8"'}
        )


def _refuse(status: int, text: str, **headers: str) -> PlainTextResponse:
    return PlainTextResponse(text + "\n", status, {**HEADERS, **headers})


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()


def _password(header: str | None) -> str | None:
    """Read the password of HTTP Basic (RFC 7617); None if there is none."""
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


def _name(host: str) -> str | None:
    """Give the name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
