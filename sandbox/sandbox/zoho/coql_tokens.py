"""The words of COQL, Zoho's query language."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sandbox.zoho.errors import ApiError

_STRING = r"'[^']*(?:''[^']*)*'"
_STRINGS = re.compile(rf"\s*(?P<strings>\(\s*{_STRING}(?:\s*,\s*{_STRING})*\s*\))")
"""A whole list of strings at once: there are hundreds of them in a query."""
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'[^']*(?:''[^']*)*')
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)
      | (?P<mark><=|>=|!=|<>|[=<>(),*])
    )""",
    re.VERBOSE,
)
_BACKSLASHED = re.compile(r"\s*(?P<string>'(?:[^'\\]|''|\\.)*')", re.DOTALL)


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
    found: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        special = _BACKSLASHED if backslash else _STRINGS
        match = special.match(text, position) or _TOKEN.match(text, position)
        if match is None:
            raise syntax_error(text, position + len(text[position:]) - len(text[position:].lstrip()))
        kind = str(match.lastgroup)
        word = match[kind]
        value: Any = None
        if kind == "string":
            value = word[1:-1].replace("''", "'")
            if backslash:
                value = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        elif kind == "strings":
            value = tuple(each[1:-1].replace("''", "'") for each in re.findall(_STRING, word))
        elif kind == "number":
            value = word
        found.append(Token(kind, word, match.start(kind), value))
        position = match.end()
    return found


def syntax_error(text: str, position: int) -> ApiError:
    """Give the answer to what is no query, with the place where it ceases to be one."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    details = {"near": text[position : position + 20], "line": line, "column": column}
    return ApiError(400, "SYNTAX_ERROR", details, "syntax error")
