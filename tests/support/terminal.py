"""A person's terminal: what is shown on it, and what is typed there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        variables = {**environment, "TERM": "xterm"}
        # No browser opens by itself.
        variables.pop("DISPLAY", None)
        self.process = subprocess.Popen(
            command, cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._ours, self.shown = ours, ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until something is shown; gives what it matches."""
        while not (found := re.search(pattern, self.shown, re.MULTILINE)):
            shown = self._read()
            assert shown, f"It ended without {pattern}:\n{self.shown}"
            self.shown += shown
        return found

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end; gives the exit code."""
        while shown := self._read():
            self.shown += shown
        os.close(self._ours)
        return self.process.wait(60)

    def _read(self) -> str:
        """Give what is shown next; nothing at the end."""
        try:
            return os.read(self._ours, 65536).decode().replace("\r\n", "\n")
        except OSError:
            return ""
