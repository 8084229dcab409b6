"""Talking with the person who connects. All of it goes to stderr: stdout is for the outcome."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console as Terminal

from freshbooks_zoho.console import Console, answered, question_end

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Dialogue:
    """One conversation.

    Args:
        browser: whether pages may be opened.
    """

    def __init__(self, *, browser: bool = True) -> None:
        self._console = Console(Terminal(file=sys.stderr, highlight=False))
        self._browser = browser and self._console.is_terminal and has_display(sys.platform, os.environ)

    def say(self, text: str = "", style: str = "") -> None:
        """Say a line; styles as in `Console.line`."""
        self._console.line(text, style)

    def ask(
        self,
        what: str,
        read: Callable[[str], T],
        *,
        wrong: type[Exception] = ValueError,
        hidden: bool = False,
        default: str | None = None,
    ) -> T:
        """Ask until the answer can be read.

        Args:
            what: is asked for.
            read: takes what was typed in.
            wrong: is raised by `read`, with a sentence, where that may be tried again.
            hidden: whether it is a secret, and not shown.
            default: is offered.

        Raises:
            click.UsageError: if nobody is there to answer.
        """

        def take(text: str) -> T:
            try:
                return read(text)
            except wrong as error:
                raise click.BadParameter(str(error)) from None

        with answered("For two steps that ask nothing, add --non-interactive, and then --complete."):
            answer: T = click.prompt(
                what, hide_input=hidden, default=default, value_proc=take, err=True, prompt_suffix=question_end(": ")
            )
        return answer

    def show_page(self, url: str) -> None:
        """Show an address, and open it where there is a display."""
        self.say()
        self.say(f"  {url}")
        self.say()
        if self._browser:
            webbrowser.open(url)


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    """Say whether a browser would open in a window: one in the terminal would take it over."""
    if platform in {"darwin", "win32"}:
        return "SSH_CONNECTION" not in environment
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
