"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every worker begin with tests that may take long: at the end, all would wait for one of them.

    Those are the ones with a timeout of their own. Workers take the tests in equal parts, one after the other.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    markers = {item: marker for item in items if (marker := item.get_closest_marker("timeout"))}
    long = sorted(markers, key=lambda item: -markers[item].args[0])
    short = [item for item in items if item not in markers]
    part = -(-len(items) // workers)
    items.clear()
    for worker in range(workers):
        mine = long[worker::workers]
        items += mine
        items += [short.pop(0) for _ in range(min(part - len(mine), len(short)))]
    items += short


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what tests want to be seen, which they record as "said"."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "said" and report.when == "call":
                terminalreporter.write_line(str(value))
