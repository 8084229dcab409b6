"""The README names every switch with its default."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import sandbox
from sandbox.zoho.switches import Switches


def test_every_switch_is_in_the_readme_with_its_default():
    text = (Path(sandbox.__file__).parent.parent / "README.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text.partition("## Zoho CRM")[2], re.MULTILINE))
    known = Switches()
    for each in fields(Switches):
        default = getattr(known, each.name)
        expected = (
            "by edition" if isinstance(default, dict) else f"`{default}`" if isinstance(default, str) else str(default)
        )
        assert table.pop(each.name) == expected
    assert table == {}
