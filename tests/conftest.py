"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what tests want to be seen, which they record as "said"."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "said" and report.when == "call":
                terminalreporter.write_line(str(value))
