"""`doctor`: everything that could go wrong, each with the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from freshbooks_zoho.commands.session import json_option
from freshbooks_zoho.console import ATTENTION, OK, Console, emit, working

if TYPE_CHECKING:
    from freshbooks_zoho.checks.examination import Level, Result

LEVELS: dict[Level, str] = {"ok": "green", "not possible": "dim", "warning": "yellow", "bad": "bold red"}
"""From the best to the worst, with the colour of each."""


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Examine everything that could go wrong; nothing is changed.

    Exit code 3: something is not as it should be.
    """
    from freshbooks_zoho.checks.catalog import CHECKS  # noqa: PLC0415 - everything is loaded for it
    from freshbooks_zoho.checks.examination import examine  # noqa: PLC0415
    from freshbooks_zoho.checks.subject import Subject  # noqa: PLC0415

    with Subject() as subject, working("Examining"):
        results = examine(CHECKS, subject)
    sys.exit(emit(DoctorReport(tuple(results)), as_json=as_json))


@dataclass(frozen=True)
class DoctorReport:
    """What the checks have found."""

    results: tuple[Result, ...]

    @property
    def exit_code(self) -> int:
        """`ATTENTION` unless all is well."""
        return OK if all(one.finding.level == "ok" for one in self.results) else ATTENTION

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        worst = max((one.finding.level for one in self.results), key=list(LEVELS).index, default="ok")
        return {
            "worst": worst,
            "checks": [
                {
                    "group": one.check.group,
                    "check": one.check.name,
                    "level": one.finding.level,
                    "sentence": one.finding.sentence,
                    "mend": one.finding.mend,
                }
                for one in self.results
            ],
        }

    def show(self, console: Console) -> None:
        """Show the findings by group, then what mends them."""
        from freshbooks_zoho.checks.catalog import GROUPS  # noqa: PLC0415

        for group in GROUPS:
            rows = [
                [Text(one.finding.level, LEVELS[one.finding.level]), one.check.name, one.finding.sentence]
                for one in self.results
                if one.check.group == group
            ]
            console.table(["", group, ""], rows)
            console.line()
        mending = [one for one in self.results if one.finding.mend and one.finding.level != "ok"]
        for one in mending:
            console.line(f"{one.check.name}: {one.finding.mend}", "warning")
        number = sum(one.finding.level in {"bad", "warning"} for one in self.results)
        console.line(*(("All is well.", "good") if self.exit_code == OK else (_count(number), "bad")))


def _count(number: int) -> str:
    return f"{number} of the checks {'needs' if number == 1 else 'need'} your attention."
