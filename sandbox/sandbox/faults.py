"""Faults that can be switched on, one route at a time."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = ("status", "reset", "reset_after", "slow", "truncate")


@dataclass
class Fault:
    """One fault.

    Kinds: ``status`` answers with `status`, `body` and `headers` instead of the handler; ``reset`` closes the
    connection before the handler ran; ``reset_after`` runs the handler, so that the change is made, and closes the
    connection instead of answering; ``slow`` waits `delay` seconds before the handler; ``truncate`` sends half of the
    answer.
    """

    kind: str
    service: str | None = None
    path: str = ".*"
    method: str | None = None
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    after: int = 0
    """How many matching requests are let through first."""
    times: int | None = 1
    """How many requests are hit; None is all."""
    hits: int = 0

    def __post_init__(self) -> None:
        """Refuse a kind that nobody knows.

        Raises:
            ValueError: if the kind is none of `KINDS`.
        """
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}; there are {', '.join(KINDS)}")

    def matches(self, service: str, method: str, path: str) -> bool:
        """Say whether a request is one that this fault is about."""
        return (
            (self.service is None or self.service == service)
            and (self.method is None or self.method == method)
            and re.fullmatch(self.path, path) is not None
        )


class Faults:
    """The faults switched on at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, **description: Any) -> Fault:
        """Switch a fault on; the arguments are those of `Fault`."""
        fault = Fault(**description)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def take(self, service: str, method: str, path: str) -> Fault | None:
        """Give the fault that hits this request, and count it."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(service, method, path):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None and fault.hits >= fault.times:
                    continue
                fault.hits += 1
                return fault
        return None
