"""Follows a guide: every command of it, in its order, as somebody would who has the services' accounts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from support.companion import free_port
from support.serving import eventually
from support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox import Sandbox

BLOCK = re.compile(r"^( *)```(?:sh|shell)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SCHEDULED = re.compile(r"^(?:ExecStart=|[-*/0-9]+(?: [-*/0-9]+){4} )(.+)$", re.MULTILINE)
"""What systemd and cron start: a unit's command, and a crontab's after its five fields."""
PAGE = r"^.* (https?://\S+/oauth/authorize\S+)"
EXAMPLE = "https://sync.example.com"
"""What the guides call the reader's own address."""
FOLDER = "/srv/freshbooks-zoho"
"""Where the guides' services have the project."""
TALKS = {
    "freshbooks-zoho connect freshbooks": "connect_freshbooks",
    "freshbooks-zoho connect freshbooks --complete < answer.txt": "complete_freshbooks",
    "freshbooks-zoho connect zoho": "connect_zoho",
    "freshbooks-zoho connect zoho --complete": "complete_zoho",
    "freshbooks-zoho setup": "setup",
}
"""Commands that want an answer."""


def commands(text: str) -> list[str]:
    """Give the shell commands of a guide, line by line, without remarks; a block with a loop in it is one."""
    found = []
    for indent, block in BLOCK.findall(text):
        lines = [re.sub(r"\s+# .*$", "", line.removeprefix(indent)) for line in block.splitlines()]
        found += ["\n".join(lines)] if any(line.startswith("  ") for line in lines) else lines
    return found


def scheduled(text: str) -> list[str]:
    """Give the commands that a unit of systemd's, or a crontab in a guide, has started."""
    return SCHEDULED.findall(text)


@dataclass
class Reader:
    """Somebody who follows guides in a copy of the project.

    Attributes:
        box: where the accounts are.
        folder: the copy.
        stead: what the guides' example values are here.
        done: the commands so far.
        shown: what the last one has shown.
    """

    box: Sandbox
    folder: Path
    stead: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    shown: str = ""
    _serving: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.stead |= {EXAMPLE: f"http://127.0.0.1:{self.port}", FOLDER: str(self.folder)}
        self.client = self.box.zoho.register("device")

    @property
    def environment(self) -> dict[str, str]:
        """The person's environment: the services are the sandbox's, all else is as it comes."""
        foreign = ("TAP_FRESHBOOKS_", "TARGET_ZOHO_CRM_", "FRESHBOOKS_ZOHO_", "MELTANO_", "VIRTUAL_ENV", "UV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **kept,
            "PATH": f"{self.folder}/.venv/bin:{os.environ['PATH']}",
            "HOME": str(self.folder.parent / "home"),
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
            # Compiling all of it takes longer than what these few commands import.
            "UV_COMPILE_BYTECODE": "0",
            "NO_COLOR": "1",
            "TAP_FRESHBOOKS_API_URL": self.box.freshbooks.url,
            "TAP_FRESHBOOKS_AUTH_URL": self.box.freshbooks.url,
            "TARGET_ZOHO_CRM_ACCOUNTS_URL": self.box.zoho.accounts_url,
            "FRESHBOOKS_ZOHO_PORT": str(self.port),
            "FRESHBOOKS_ZOHO_ADMIN_PORT": str(self.admin_port),
        }

    @contextmanager
    def following(self, guide: str) -> Iterator[list[str]]:
        """Give the commands of a guide; what is left running after them is stopped."""
        try:
            yield commands(guide)
        finally:
            self.stop()

    def carry_out(self, command: str) -> str:
        """Carry out a command, or a block of them; gives what was shown."""
        self.done.append(command)
        # Meltano starts the same, and asks and answers as it does.
        bare = command.rpartition("meltano invoke ")[2]
        talk = "serve" if "freshbooks-zoho serve" in bare else TALKS.get(bare)
        self.shown = str(getattr(self, talk)(command)) if talk is not None else self._run(command)
        return self.shown

    def served_runs(self) -> list[str]:
        """Give what the service's runs were for that have ended well, as its log says."""
        return re.findall("A run for (.+) ended well", (self.folder / "serve.log").read_text())

    def _run(self, command: str) -> str:
        done = self._bash(command)
        good = {0}
        if command.startswith(("freshbooks-zoho status", "freshbooks-zoho doctor")) and not self._is_as_it_should_be:
            good = {3}
        assert done.returncode in good, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    @property
    def _is_as_it_should_be(self) -> bool:
        """Whether a service runs, where it is to take webhooks."""
        return self._serving is not None or "meltano config set freshbooks-zoho public_url" not in "".join(self.done)

    def _bash(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._here(command)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def connect_freshbooks(self, command: str) -> str:
        """Connect; the credentials are asked for the first time."""
        app, terminal = self.box.freshbooks.app, self._terminal(command)
        found = terminal.wait_for(rf"Client ID:|{PAGE}")
        if "Client ID" in found[0]:
            terminal.type(app.client_id)
            terminal.wait_for("Client secret:")
            terminal.type(app.client_secret)
            terminal.wait_for("Redirect URI .*: ")
            terminal.type("")
        page = terminal.wait_for(PAGE)[1]
        if "/oauth/freshbooks/callback" not in page and "oauth%2Ffreshbooks" not in page:
            terminal.wait_for("Address:")
            terminal.type(self._agree(page))
        return self._ended(terminal)

    def complete_freshbooks(self, command: str) -> str:
        """Agree on the page that the first step has shown, and bring back where it leads, in a file."""
        page = json.loads(self.shown)["authorization_url"]
        (self.folder / "answer.txt").write_text(self._agree(page))
        return self._run(command)

    def complete_zoho(self, command: str) -> str:
        """Type in the code that the first step has shown."""
        self.box.zoho.approve_device(json.loads(self.shown)["user_code"])
        return self._run(command)

    def connect_zoho(self, command: str) -> str:
        """Connect; the credentials are asked for the first time, the code is typed in on Zoho's page."""
        terminal = self._terminal(command)
        found = terminal.wait_for(r"Client ID:|\b([0-9A-F]{4}-[0-9A-F]{4})\b")
        if "Client ID" in found[0]:
            terminal.type(self.client.client_id)
            terminal.wait_for("Client secret:")
            terminal.type(self.client.client_secret)
        terminal.wait_for(r"\b([0-9A-F]{4}-[0-9A-F]{4})\b")
        self.box.zoho.approve_device()
        return self._ended(terminal)

    def setup(self, command: str) -> str:
        """Say yes."""
        terminal = self._terminal(command)
        terminal.wait_for(r"\[y/N\]")
        terminal.type("y")
        return self._ended(terminal)

    def serve(self, command: str) -> str:
        """Start the service and wait until it is ready."""
        with (self.folder / "serve.log").open("ab") as log:
            self._serving = subprocess.Popen(
                ["bash", "-c", self._here(command)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._is_ready)
        return ""

    def stop(self) -> None:
        """Stop the service, if it runs."""
        if self._serving is not None:
            self._serving.send_signal(signal.SIGTERM)
            assert self._serving.wait(60) == 0
            self._serving = None

    def _here(self, command: str) -> str:
        """Put what is true here in the place of the guides' examples."""
        for example, here in self.stead.items():
            command = command.replace(example, here)
        return command

    def _is_ready(self) -> bool:
        assert self._serving is not None
        assert self._serving.poll() is None, (self.folder / "serve.log").read_text()[-3000:]
        try:
            return requests.get(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=10).ok
        except requests.ConnectionError:
            time.sleep(0.1)
            return False

    def _terminal(self, command: str) -> Terminal:
        program, *arguments = command.split()
        return Terminal([str(self.folder / ".venv" / "bin" / program), *arguments], self.folder, self.environment)

    def _ended(self, terminal: Terminal) -> str:
        code = terminal.end()
        assert code == 0, terminal.shown
        return terminal.shown

    @staticmethod
    def _agree(page: str) -> str:
        return requests.get(page, allow_redirects=False, timeout=10).headers["Location"]
