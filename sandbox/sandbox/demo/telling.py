"""What the demonstration says: numbered acts, and lines below them."""

from __future__ import annotations

import sys
from itertools import count


class Teller:
    """Writes to stdout as things happen."""

    def __init__(self) -> None:
        self._numbers = count()

    def act(self, title: str) -> None:
        """Begin an act."""
        sys.stdout.write(f"\n{next(self._numbers)}. {title}\n")
        sys.stdout.flush()

    def show(self, *lines: str) -> None:
        """Say what happens in it."""
        sys.stdout.writelines(f"   {line}\n" for line in lines)
        sys.stdout.flush()
