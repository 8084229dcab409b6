"""The companion's README lists its settings and metrics as they are."""

from __future__ import annotations

import re
from pathlib import Path

from freshbooks_zoho.admin.metrics import Metrics
from freshbooks_zoho.setting_table import OWN

README = (Path(__file__).parents[2] / "freshbooks-zoho" / "README.md").read_text("utf-8")


def rows(heading):
    """The cells of the table below a heading."""
    section = re.split(r"^## ", README, flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(heading)]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_settings():
    def shown(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    assert rows("Settings") == [[one.name, shown(one.value), one.description] for one in OWN]


def test_metrics():
    families = list(Metrics().registry.collect())
    names = [family.name + ("_total" if family.type == "counter" else "") for family in families]
    assert [(name, text) for name, _, text in rows("Metrics")] == [
        (name, family.documentation) for name, family in zip(names, families, strict=True)
    ]
