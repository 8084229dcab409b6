"""The programs that are shown, as processes of their own."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sandbox.control import describe
from sandbox.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from sandbox import Sandbox

MELTANO = str(Path(sys.executable).parent / "meltano")
JOB = ("tap-freshbooks", "target-zoho-crm")
PATIENCE = 180.0
"""Seconds for each thing to happen; it takes five, unless the machine is busy."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_REPORT = re.compile(r"\btarget-zoho-crm +((?:created|clients:|invoices:|payments:|total:|\w+ \d+ waits).*)")


def variables(box: Sandbox, folder: Path) -> dict[str, str]:
    """Give the environment of Meltano: settings for the sandbox, and state and store of this demonstration only."""
    grants = {"freshbooks": box.freshbooks.grant(), "zoho": box.zoho.grant()}
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    found = {**os.environ, **environment(describe(box), grants), "NO_COLOR": "1"}
    found["MELTANO_ENVIRONMENT"] = "sandbox"
    found["MELTANO_DATABASE_URI"] = f"sqlite:///{folder}/meltano.db"
    for plugin in ("TAP_FRESHBOOKS", "TARGET_ZOHO_CRM"):
        found[f"{plugin}_STORE_URL"] = f"sqlite:///{folder}/store.db"
        found[f"{plugin}_STORE_KEY"] = key
    return found


def run_job(settings: Mapping[str, str]) -> list[str]:
    """Run the job and give what the target reported.

    Raises:
        SystemExit: if it failed, after its whole output was printed.
    """
    start = time.monotonic()
    done = subprocess.run(  # noqa: S603 - fixed words
        [MELTANO, "run", "--no-install", *JOB], env=dict(settings), capture_output=True, text=True, check=False
    )
    output = _COLOURS.sub("", done.stdout + done.stderr)
    if done.returncode:
        sys.stderr.write(output)
        raise SystemExit(f"meltano run failed with exit code {done.returncode}")
    report = [match[1] for line in output.splitlines() if (match := _REPORT.search(line))]
    return [*report, f"It took {time.monotonic() - start:.1f} s."]


class Companion:
    """`freshbooks-zoho serve`, started through Meltano; at the end of the block it has stopped, whatever happened.

    Args:
        settings: environment of Meltano.
        folder: for its log.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        port, self._admin_port = _free_ports()
        self._settings = {
            **settings,
            "FRESHBOOKS_ZOHO_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "FRESHBOOKS_ZOHO_PORT": str(port),
            "FRESHBOOKS_ZOHO_ADMIN_PORT": str(self._admin_port),
        }
        self._log = folder / "serve.log"

    def __enter__(self) -> Self:
        command = [MELTANO, "invoke", "freshbooks-zoho", "serve"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - fixed words
                command, env=self._settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            # Meltano first, and then whatever it may have left.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop it as a system would.

        Raises:
            SystemExit: if it does not end well, after its log was printed.
        """
        self._process.terminate()
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._fail(f"freshbooks-zoho serve did not stop within {PATIENCE:.0f} s")
        if code:
            self._fail(f"freshbooks-zoho serve stopped with exit code {code}")

    def until(self, condition: Callable[[], bool], what: str) -> float:
        """Wait for something that it is to bring about; gives the seconds that took.

        Raises:
            SystemExit: if that does not happen, after its log was printed.
        """
        start = time.monotonic()
        while not condition():
            if self._process.poll() is not None:
                self._fail(f"freshbooks-zoho serve ended with exit code {self._process.returncode}")
            if time.monotonic() - start > PATIENCE:
                self._fail(f"{what}: it did not happen within {PATIENCE:.0f} s")
            time.sleep(0.05)
        return time.monotonic() - start

    def metrics(self) -> dict[str, float]:
        """Give what it measures, by name with labels; nothing while it does not listen yet."""
        url = f"http://127.0.0.1:{self._admin_port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def _fail(self, sentence: str) -> NoReturn:
        sys.stderr.write(self._log.read_text("utf-8", "replace"))
        raise SystemExit(sentence)


def _free_ports() -> tuple[int, int]:
    """Give two ports that nobody listens at."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
