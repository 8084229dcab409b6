"""What is shown is text, whatever the text is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console as Terminal

from freshbooks_zoho.console import Console

NAMES = {
    "a terminal's control sequence": "Acme\x1b[2J\x1b]0;owned\x07",
    "in one character": "Acme\x9b2J",
    "turned around": "Acme \u202egpj.exe",
    "the carriage returned": "Acme\rPaid in full",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "file"])
def test_a_name_is_shown_and_not_obeyed(name, is_terminal):
    out = io.StringIO()
    console = Console(Terminal(file=out, width=80, force_terminal=is_terminal, color_system=None))
    console.line(f"Client {name}")
    console.table(("client",), [(name,)])
    shown = out.getvalue()
    assert all(one == "\n" or (one.isprintable() or one == "\u200d") for one in shown)
    assert shown.count("Acme") == 2


def test_markup_is_text():
    out = io.StringIO()
    console = Console(Terminal(file=out, width=80))
    console.line("[bold]Acme[/bold]")
    console.table(("client",), [("[red]Acme",)])
    assert "[bold]Acme[/bold]" in out.getvalue()
    assert "[red]Acme" in out.getvalue()
