"""Keeps a program from outliving whoever started it: run as a script, with the program's argv as arguments.

Lines on stdin say how many seconds the program may go on from now ("20"), or that it should end ("stop"). When the
time is up, or stdin is closed because the starter has died, however suddenly, the whole process group is killed. So a
run never goes on after the lease that allowed it. Standard library only; it starts in some twenty milliseconds.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

FIRST_SECONDS = 10.0


class _Orders:
    """What has been said on stdin."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + FIRST_SECONDS
        self.stop = False
        self.closed = False
        self._rest = b""

    def read(self) -> None:
        """Read what is there."""
        chunk = os.read(0, 4096)
        self.closed = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line == b"stop":
                self.stop = True
            else:
                self.deadline = time.monotonic() + float(line)


def main(argv: list[str]) -> int:
    """Run the program on its leash; gives its exit code (128 + signal, as shells do)."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Whoever holds the leash decides when to stop, not a signal to the group.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    orders = _Orders()
    # The child gets the default handlers back, for ignored signals are inherited.
    program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, restore_signals=True, preexec_fn=_default_signals)  # noqa: S603, PLW1509
    stopping = False
    while program.poll() is None:
        left = orders.deadline - time.monotonic()
        if orders.closed or left <= 0:
            os.killpg(0, signal.SIGKILL)
        ready, _, _ = select.select([0, woken], [], [], left)
        if woken in ready:
            os.read(woken, 4096)
        if 0 in ready:
            orders.read()
        if orders.stop and not stopping:
            stopping = True
            program.terminate()
    return program.returncode if program.returncode >= 0 else 128 - program.returncode


def _default_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
