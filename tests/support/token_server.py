"""A token endpoint over real HTTP that is strict about single use, and remembers every refresh token it saw."""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from singer_store import (
    ClientRefusedError,
    Grant,
    RefreshRefused,
    RefreshUnavailableError,
    oauth,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

CLIENT_SECRET = "the client secret"


@dataclass
class TokenServer:
    """Start it with `with`.

    The next requests can be told what comes of them by putting words into `next`:

    - "drop": the connection is reset, nothing was done.
    - "spend and drop": the token is spent, then the connection is reset.
    - "spend and hold": the token is spent, `held` is set, and the answer waits for `let_go`.
    - "hold and drop": nothing is done, `held` is set, and after `let_go` the connection is reset.
    - a number: that HTTP status, nothing was done; `retry_after` goes with it.
    """

    live: set[str]
    rotates: bool = True
    secret: str = CLIENT_SECRET
    mark: str = ""
    lifetime: int = 43200
    next: list[str | int] = field(default_factory=list)
    retry_after: str | None = None
    seen: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    issued: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                server.answer(self, form["refresh_token"][0], form["client_secret"][0])

            def log_message(self, *args: Any) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/token"
        self._thread = threading.Thread(target=partial(self._http.serve_forever, poll_interval=0.02))
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.let_go.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler, token: str, secret: str) -> None:
        """Answer one POST."""
        with self._lock:
            self.seen.append(token)
            what = self.next.pop(0) if self.next else "answer"
            status, body = (
                (what, {}) if what in {"drop", "hold and drop"} or isinstance(what, int) else self._grant(token, secret)
            )
        if "hold" in str(what):
            self.held.set()
            self.let_go.wait()
        if isinstance(what, str) and what.endswith("drop"):
            # A reset, not an orderly end.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            return
        data = json.dumps(body).encode()
        handler.send_response(int(status))
        if self.retry_after is not None:
            handler.send_header("Retry-After", self.retry_after)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _grant(self, token: str, secret: str) -> tuple[int, dict[str, Any]]:
        if secret != self.secret:
            return 401, {"error": "invalid_client"}
        if token not in self.live:
            return 400, {"error": "invalid_grant"}
        self.issued += 1
        body = {"access_token": f"{self.mark}access-{self.issued}", "expires_in": self.lifetime, **self.extra}
        if self.rotates:
            self.live.remove(token)
            self.live.add(f"{self.mark}refresh-{self.issued}")
            body["refresh_token"] = f"{self.mark}refresh-{self.issued}"
        return 200, body


def refresher(url: str, secret: str = CLIENT_SECRET, timeout: float = 60) -> Callable[..., Grant]:
    """Give the callable a plugin would hand to the broker."""
    return partial(_refresh, url, secret, timeout)


def _refresh(url: str, secret: str, timeout: float, refresh_token: str, _details: object = None) -> Grant:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_secret": secret}
    response = oauth.post_form(url, form, timeout=timeout)
    if response.status_code == 401:
        raise ClientRefusedError("The client is refused.")
    if response.status_code == 429 or response.status_code >= 500:
        after = response.headers.get("Retry-After")
        raise RefreshUnavailableError(float(after) if after else None)
    body = response.json()
    if body.get("error") == "invalid_grant":
        raise RefreshRefused
    details = {"api_domain": body["api_domain"]} if "api_domain" in body else {}
    return Grant(body["access_token"], body.get("refresh_token"), body["expires_in"], details)
