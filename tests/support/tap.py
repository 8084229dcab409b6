"""Running the tap against the sandbox, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from support import forked
from tap_freshbooks.tap import TapFreshBooks

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox

STREAMS = ("clients", "invoices", "payments")


@dataclass(frozen=True)
class Output:
    """What a tap wrote."""

    messages: list[dict[str, Any]]

    @classmethod
    def of(cls, text: str) -> Output:
        return cls([json.loads(line) for line in text.splitlines()])

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [each["record"] for each in self.messages if each["type"] == "RECORD" and each["stream"] == stream]

    def ids(self, stream: str) -> list[int]:
        """Ids in the order in which they were written."""
        return [record["id"] for record in self.records(stream)]

    def last(self, stream: str, object_id: int) -> dict[str, Any]:
        """The last record of an object."""
        return [record for record in self.records(stream) if record["id"] == object_id][-1]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [each["value"] for each in self.messages if each["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str) -> str | None:
        return self.state["bookmarks"][stream].get("replication_key_value")

    @property
    def order(self) -> list[str]:
        """The streams of the records, as they came, repetitions left out."""
        streams = [each["stream"] for each in self.messages if each["type"] == "RECORD"]
        return [stream for n, stream in enumerate(streams) if n == 0 or streams[n - 1] != stream]


class TapRunner:
    """A tap connected to a sandbox, with a store of its own."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box = box
        self.folder = folder
        self.config: dict[str, Any] = {
            "client_id": box.freshbooks.app.client_id,
            "client_secret": box.freshbooks.app.client_secret,
            "redirect_uri": box.freshbooks.app.redirect_uri,
            "refresh_token": box.freshbooks.grant(),
            "api_url": box.freshbooks.url,
            "auth_url": box.freshbooks.url,
            "store_url": f"sqlite:///{folder}/store.db",
            "store_key": Fernet.generate_key().decode(),
        }

    def __call__(
        self, state: dict[str, Any] | None = None, *, catalog: dict[str, Any] | None = None, **settings: Any
    ) -> Output:
        """Run it here, to its end."""
        written = io.StringIO()
        state = json.loads(json.dumps(state)) if state else None
        tap = TapFreshBooks(config=self.config | settings, state=state, catalog=catalog)
        with redirect_stdout(written):
            tap.sync_all()
        return Output.of(written.getvalue())

    def only(self, *streams: str) -> dict[str, Any]:
        """Give a catalog in which just these streams are selected."""
        catalog = TapFreshBooks(config=self.config).catalog_dict
        for entry in catalog["streams"]:
            root = next(each for each in entry["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = entry["stream"] in streams
        return catalog

    def start(
        self, *arguments: str, state: dict[str, Any] | None = None, env: dict[str, str] | None = None, **settings: Any
    ) -> subprocess.Popen[str]:
        """Start it as a process."""
        return subprocess.Popen(
            [sys.executable, "-m", "tap_freshbooks", *self._arguments(arguments, state, settings)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(env),
            cwd=self.folder,
        )

    def process(
        self, *arguments: str, state: dict[str, Any] | None = None, env: dict[str, str] | None = None, **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it as a process, to its end."""
        given = self._arguments(arguments, state, settings)
        return forked.run("tap_freshbooks", *given, cwd=self.folder, env=self._environment(env))

    def _arguments(
        self, arguments: tuple[str, ...], state: dict[str, Any] | None, settings: dict[str, Any]
    ) -> tuple[str, ...]:
        config = self.folder / "config.json"
        config.write_text(json.dumps(self.config | settings))
        if state is not None:
            (self.folder / "state.json").write_text(json.dumps(state))
            arguments = ("--state", str(self.folder / "state.json"), *arguments)
        return "--config", str(config), *arguments

    def _environment(self, more: dict[str, str] | None) -> dict[str, str]:
        return os.environ | {"HOME": str(self.folder)} | (more or {})


def the_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """Give the one line of an error that ended a run, having checked that there is no more of it than that."""
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    errors = [line for line in result.stderr.splitlines() if any(level in line for level in ("CRITICAL", "ERROR"))]
    assert len(errors) == 1, result.stderr
    return errors[0]
