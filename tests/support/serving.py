"""`freshbooks-zoho serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import requests

from support.companion import free_port
from support.meltano_project import BIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

PATIENCE = 120.0


def eventually(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait for what another process brings about; gives what the condition gave."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


class Served:
    """A serving process in a Meltano project; its log is a file of JSON lines."""

    def __init__(self, project: Path, name: str = "serve", *, public: bool = True, **settings: Any) -> None:
        self.log = project / f"{name}.log"
        self.port, self.admin_port = free_port(), free_port()
        own = {"port": self.port, "admin_port": self.admin_port, **settings}
        if public:
            own["public_url"] = f"http://127.0.0.1:{self.port}"
        variables = {f"FRESHBOOKS_ZOHO_{key.upper()}": str(value) for key, value in own.items()}
        # As Meltano does when it starts the companion: its own settings need not be asked for.
        variables["MELTANO_UTILIZE_PORT"] = str(self.port)
        self._environment = {**os.environ, **variables, "PATH": f"{BIN}:{os.environ['PATH']}"}
        self._project = project

    def __enter__(self) -> Self:
        command = [str(BIN / "freshbooks-zoho"), "serve", "--log-format=json", "--verbose"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self._project, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def lines(self) -> list[dict[str, Any]]:
        """Give the log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def says(self, text: str) -> bool:
        """Say whether a line of the log holds a text."""
        return self.log.exists() and any(text in line["message"] for line in self.lines())

    def ready(self) -> requests.Response:
        """Ask the admin port how it is."""
        return requests.get(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=10)

    def takes_events(self) -> bool:
        """Say whether it listens and knows, from itself or one before it, that FreshBooks verified its callbacks.

        FreshBooks knows a moment earlier; what it sends in that moment is to be sent again, which the sandbox does not.
        """
        verified = sum(log.read_text().count("is verified.") for log in self._project.glob("*.log"))
        return self.says("Listening on") and verified >= 3

    def metrics(self) -> dict[str, float]:
        """Give the metrics, by name with labels."""
        text = requests.get(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10).text
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}
