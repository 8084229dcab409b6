"""The words of COQL, Zoho's query language."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sandbox.zoho.errors import ApiError


class _Words:
    """The words as patterns, by what a string looks like."""

    def __init__(self, string: str, escaped: str) -> None:
        self.string = re.compile(string, re.DOTALL)
        self.escaped = re.compile(escaped, re.DOTALL)
        """What stands for one character; its group is that character, a quote where it has none."""
        self.strings = re.compile(rf"\s*(?P<strings>\(\s*{string}(?:\s*,\s*{string})*\s*\))", re.DOTALL)
        """A whole list of strings at once: there are hundreds of them in a query."""
        self.token = re.compile(
            rf"""\s*(?:
                (?P<string>{string})
              | (?P<number>-?\d+(?:\.\d+)?)
              | (?P<word>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)
              | (?P<mark><=|>=|!=|<>|[=<>(),*])
            )""",
            re.VERBOSE | re.DOTALL,
        )

    def value(self, literal: str) -> str:
        """Return what a string in quotes means."""
        inside = literal[1:-1]
        if "'" not in inside and "\\" not in inside:
            return inside
        return self.escaped.sub(lambda match: match[1] or "'", inside)


_DOUBLED = _Words(r"'[^']*(?:''[^']*)*'", r"''()")
_BACKSLASHED = _Words(r"'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'", r"''|\\(.)")


class Token(NamedTuple):
    """One word of a query; `value` is what a literal means."""

    kind: str
    text: str
    position: int
    value: Any = None


def tokens(text: str, *, backslash: bool = False) -> list[Token]:
    """Split a query into its words.

    Raises:
        ApiError: SYNTAX_ERROR where no word begins.
    """
    words = _BACKSLASHED if backslash else _DOUBLED
    found: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = words.strings.match(text, position) or words.token.match(text, position)
        if match is None:
            raise syntax_error(text, position + len(text[position:]) - len(text[position:].lstrip()))
        kind = str(match.lastgroup)
        word = match[kind]
        value: Any = None
        if kind == "string":
            value = words.value(word)
        elif kind == "strings":
            value = tuple(words.value(each) for each in words.string.findall(word))
        elif kind == "number":
            value = word
        found.append(Token(kind, word, match.start(kind), value))
        position = match.end()
    return found


def syntax_error(text: str, position: int) -> ApiError:
    """Return the answer to what is no query, with the place where it ceases to be one."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    details = {"near": text[position : position + 20], "line": line, "column": column}
    return ApiError(400, "SYNTAX_ERROR", details, "syntax error")
