"""The messages that docs/troubleshooting.md explains are those that are printed."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("singer_store", "tap_freshbooks", "target_zoho_crm", "freshbooks_zoho")
OF_OTHERS = {
    "Failed to parse JSON … from string": "meltano.core.setting_definition",
    "Another … pipeline is already running": "meltano.core.block.extract_load",
}
"""The messages that are not this project's, and the modules that they are from."""


def phrases():
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    return re.findall(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL))


def wording(node):
    """A string as it is printed, "…" for what varies; None for what is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(wording(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = wording(node.left), wording(node.right)
        return None if parts == (None, None) else "".join(part or "…" for part in parts)
    return None


def strings(path):
    """Every string of a module, docstrings apart."""
    tree = ast.parse(path.read_text("utf-8"))
    unused = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {text for node in ast.walk(tree) if id(node) not in unused and (text := wording(node))}


@cache
def messages():
    """Every string of the packages."""
    files = (path for name in PACKAGES for path in (ROOT / name.replace("_", "-") / name).rglob("*.py"))
    return set().union(*map(strings, files))


def has(phrase, texts):
    """Whether the pieces of a phrase stand in one text, in their order."""
    wanted = re.compile(".+".join(map(re.escape, phrase.split("…"))), re.DOTALL)
    return any(wanted.search(text) for text in texts)


@pytest.mark.parametrize("phrase", sorted(set(phrases()) - set(OF_OTHERS)))
def test_a_message_is_quoted_as_it_is_printed(phrase):
    assert has(phrase, messages())


@pytest.mark.parametrize(("phrase", "module"), OF_OTHERS.items())
def test_a_message_of_meltanos_is_quoted_as_meltano_prints_it(phrase, module):
    assert phrase in phrases()
    assert has(phrase, strings(Path(find_spec(module).origin)))


def test_a_message_is_not_what_a_docstring_says_nor_made_of_several():
    assert not has("written by a newer release", messages())
    assert not has("The store … has schema version …; run again later", messages())
