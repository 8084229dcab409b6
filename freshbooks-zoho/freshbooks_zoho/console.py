"""What commands show: tables and colours on a terminal, plain lines elsewhere, one JSON document where asked for."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import click
from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OK, FAILED, ATTENTION = 0, 1, 3
"""Exit codes: all is well; the command could not do its work; it did, and found something a person has to look at.

2 is wrong usage (click's).
"""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What is not shown, but obeyed: a client may be named with a terminal's control sequence, or turn the text around."""
_STYLES = {"good": "green", "warning": "yellow", "bad": "bold red", "quiet": "dim", "heading": "bold"}


class Report(Protocol):
    """What a command has found out."""

    @property
    def exit_code(self) -> int:
        """`OK`, or `ATTENTION`."""

    def as_json(self) -> Mapping[str, Any]:
        """Give everything for a program: amounts as text, moments as ISO 8601 in UTC."""

    def show(self, console: Console) -> None:
        """Show it to a person."""


class Console:
    """Writes to stdout, in the way that fits what stdout is."""

    def __init__(self, terminal: Terminal | None = None) -> None:
        self._terminal = terminal or Terminal(file=sys.stdout, highlight=False)

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks on."""
        return self._terminal.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line; the style is good, warning, bad, quiet or heading, or none."""
        self._terminal.print(Text(_harmless(text), _STYLES.get(style, "")), soft_wrap=True)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
        """Write a table.

        Args:
            header: of each column.
            rows: a cell for each column; a `Text` keeps its style, None is left blank.
            right: columns aligned to the right.
        """
        cells = [[_cell(one) for one in row] for row in rows]
        if self.is_terminal:
            table = Table(box=None, header_style="bold", pad_edge=False)
            for name in header:
                table.add_column(name, justify="right" if name in right else "left", overflow="fold")
            for row in cells:
                table.add_row(*row)
            self._terminal.print(table)
            return
        lines = [[Text(name) for name in header], *cells]
        widths = [max(line[column].cell_len for line in lines) for column in range(len(header))]
        for line in lines:
            fitted = [
                " " * (width - cell.cell_len) + cell.plain
                if name in right
                else cell.plain + " " * (width - cell.cell_len)
                for name, cell, width in zip(header, line, widths, strict=True)
            ]
            self.line("  ".join(fitted).rstrip())


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something takes a while, on stderr and only where that is a terminal: stdout is for the outcome."""
    # Rich would take FORCE_COLOR for a terminal.
    if not sys.stderr.isatty():
        yield
        return
    with Terminal(file=sys.stderr).status(what):
        yield


def emit(report: Report, *, as_json: bool, console: Console | None = None) -> int:
    """Show a report, and give the exit code."""
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, default=_json) + "\n")
    else:
        report.show(console or Console())
    return report.exit_code


def question_end(usual: str) -> str:
    """Give what stands behind a question on stderr: what is usual, or a new line where that is no terminal.

    Meltano shows what its plugins write line by line, so the person would not see the question.
    """
    return usual if sys.stderr.isatty() else f"{usual.rstrip()}\n"


def confirm(question: str, *, otherwise: str) -> None:
    """Ask for a yes, on stderr; anything else ends the command.

    Args:
        question: without its mark.
        otherwise: what to do where nobody can answer.

    Raises:
        click.Abort: if the answer is no.
        click.UsageError: if there is none.
    """
    with answered(otherwise):
        yes = click.confirm(question, err=True, prompt_suffix=question_end(": "))
    if not yes:
        raise click.Abort


@contextmanager
def answered(otherwise: str) -> Iterator[None]:
    """Ask within this, where stdin may be no terminal and give no answer.

    Args:
        otherwise: what to do then.

    Raises:
        click.UsageError: if that is so.
    """
    try:
        yield
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError(f"Nobody is here to answer. {otherwise}") from None


def _cell(value: object) -> Text:
    return (
        value if isinstance(value, Text) else Text("" if value is None else " ".join(_harmless(str(value)).split("\n")))
    )


def _harmless(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a report")
