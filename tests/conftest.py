"""What all tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from _pytest.terminal import TerminalReporter


# The same examples each time: what passes here passes anywhere. To look for others: HYPOTHESIS_PROFILE=default.
settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every worker begin with tests that may take long: at the end, all would wait for one of them.

    Those are the ones with a timeout of their own, with what is beside them in their file. Workers take the tests in
    equal parts, one after the other.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    longest: dict[Path, int] = {}
    for item in items:
        if marker := item.get_closest_marker("timeout"):
            longest[item.path] = max(longest.get(item.path, 0), marker.args[0])
    files = sorted(longest, key=lambda path: -longest[path])
    short = [item for item in items if item.path not in longest]
    part = -(-len(items) // workers)
    long = [
        [item for path in files[worker::workers] for item in items if item.path == path] for worker in range(workers)
    ]
    items.clear()
    for mine in long:
        items += mine
        items += [short.pop(0) for _ in range(min(part - len(mine), len(short)))]
    items += short


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what tests want to be seen, which they record as "said"."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "said" and report.when == "call":
                terminalreporter.write_line(str(value))
