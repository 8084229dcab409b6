"""A person who connects: a project without credentials, answers typed in, consent given on the services' pages."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from click.testing import CliRunner
from cryptography.fernet import Fernet
from dotenv import dotenv_values

from freshbooks_zoho.cli import main
from freshbooks_zoho.onboarding.dialogue import Dialogue
from singer_store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from click.testing import Result

    from sandbox import Sandbox
    from singer_store import Store

MELTANO = """#!{python} -SE
import json, shlex, sys
plugin = sys.argv[sys.argv.index("print") + 1]
config = json.load(open("config.json")).get(plugin, {{}})
try:
    lines = shlex.split(open(".env").read())
except OSError:
    lines = []
prefix = plugin.upper().replace("-", "_") + "_"
for name, _, value in (line.partition("=") for line in lines):
    if name.startswith(prefix):
        config[name[len(prefix):].lower()] = value
print(json.dumps(config))
"""
"""Answers ``meltano config print`` as Meltano does, from a file and .env, and a hundred times as fast."""


class Typed(io.RawIOBase):
    """The answers of a person, one line each; a callable gives its answer when it is asked for."""

    def __init__(self, *answers: str | Callable[[], str]) -> None:
        self._answers = list(answers)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._answers:
            return 0
        answer = self._answers.pop(0)
        line = f"{answer if isinstance(answer, str) else answer()}\n".encode()
        buffer[: len(line)] = line
        return len(line)


class Onboarding:
    """A project in which nothing is connected yet.

    Args:
        box: the services.
        folder: an empty one.
        patch: sets the scene.
    """

    def __init__(self, box: Sandbox, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.box, self.folder, self.patch = box, folder, patch
        self.store_key = Fernet.generate_key().decode()
        store = {"store_url": f"sqlite:///{folder}/store/store.db", "store_key": self.store_key}
        self.config: dict[str, dict[str, Any]] = {
            "tap-freshbooks": {**store, "api_url": box.freshbooks.url, "auth_url": box.freshbooks.url},
            "target-zoho-crm": {**store, "accounts_url": box.zoho.accounts_url},
            "freshbooks-zoho": {},
        }
        self.pages: list[str] = []
        """The addresses that were shown."""
        self.waits: list[float] = []
        self.after_wait: Callable[[int], None] = lambda _: None
        """Is called with the number of the wait, after each."""
        self._set_scene()

    def _set_scene(self) -> None:
        for name in os.environ:
            if name.startswith(("TAP_FRESHBOOKS_", "TARGET_ZOHO_CRM_", "FRESHBOOKS_ZOHO_", "MELTANO_")):
                self.patch.delenv(name)
        self.patch.chdir(self.folder)
        (self.folder / "meltano.yml").write_text("{}")
        meltano = self.folder / "meltano"
        meltano.write_text(MELTANO.format(python=sys.executable))
        meltano.chmod(0o755)
        self.patch.setattr("freshbooks_zoho.project._find_meltano", lambda *_: meltano)
        show_page = Dialogue.show_page

        def seen(dialogue: Dialogue, url: str) -> None:
            self.pages.append(url)
            show_page(dialogue, url)

        self.patch.setattr(Dialogue, "show_page", seen)
        for service in ("freshbooks", "zoho"):
            self.patch.setattr(f"freshbooks_zoho.onboarding.{service}_consent.wait", self._wait)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.box.clock.advance(seconds=seconds)
        self.after_wait(len(self.waits))

    def run(self, *arguments: str, typed: tuple[Any, ...] = ()) -> Result:
        """Run the command."""
        (self.folder / "config.json").write_text(json.dumps(self.config))
        stdin = io.BufferedReader(Typed(*typed))
        return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)

    def json(self, *arguments: str, exit_code: int = 0, typed: tuple[Any, ...] = ()) -> dict[str, Any]:
        """Run the command with an outcome for a program."""
        done = self.run(*arguments, typed=typed)
        assert done.exit_code == exit_code, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def know_freshbooks(self) -> None:
        """Let FreshBooks' credentials be known."""
        app = self.box.freshbooks.app
        known = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri}
        self.config["tap-freshbooks"].update(known)

    def know_zoho(self, kind: str = "device", **options: Any) -> Any:
        """Let a client of Zoho be known; gives it."""
        client = self.box.zoho.register(kind, **options)
        known = {"client_id": client.client_id, "client_secret": client.client_secret}
        self.config["target-zoho-crm"].update(known)
        return client

    def agree(self, page: str | None = None) -> str:
        """Open a page, the one shown last, agree, and give the address that the browser shows then."""
        answer = requests.get(page or self.pages[-1], allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def state(self, page: str | None = None) -> str:
        """Give the state in the page shown last."""
        return parse_qs(urlsplit(page or self.pages[-1]).query)["state"][0]

    @property
    def dotenv(self) -> dict[str, str | None]:
        """What the project's .env says."""
        return dict(dotenv_values(self.folder / ".env"))

    def store(self) -> Store:
        """Open the store."""
        return open_store(self.config["tap-freshbooks"]["store_url"], self.store_key)
