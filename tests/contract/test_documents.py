"""The documents say what the code has, and lead nowhere that is not there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from freshbooks_zoho.cli import main
from target_zoho_crm.mapping.stages import STAGES
from target_zoho_crm.mapping.tables import TABLES

ROOT = Path(__file__).parents[2]
_TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split()  # fmt: skip
DOCUMENTS = [ROOT / name for name in _TRACKED or ["README.md"]]


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text):
    """The anchors that a page's headings have."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", tables().DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_tables_are_those_of_the_code(path):
    text = path.read_text()
    assert text == tables().fill(text), "run: .venv/bin/python docs/tables.py"


def test_the_readme_has_every_setting_field_and_stage():
    text = (ROOT / "README.md").read_text()
    made = {name.removesuffix(", whole") for name in re.findall(r"<!-- table: ([^>]+) -->", text)}
    assert made == {name for name in tables().TABLE if "whole" not in name} - {"scopes"}
    for rows in TABLES.values():
        assert all(row.label in text for row in rows if row.block is None)
    assert all(stage in text for stage in STAGES.values())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_to_something(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = path.parent / unquote(name) if name else path
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found.read_text()), target


def test_every_command_in_the_readmes_is_one():
    for name in ("README.md", "docs/mapping.md", "freshbooks-zoho/README.md"):
        text = (ROOT / name).read_text()
        for words in re.findall(r"freshbooks-zoho ((?:[a-z-]+ ?)+)", " ".join(re.findall(r"`([^`]+)`", text))):
            command = main
            for word in words.split():
                if not hasattr(command, "commands"):
                    break
                assert word in command.commands, f"{name}: freshbooks-zoho {words}"
                command = command.commands[word]
