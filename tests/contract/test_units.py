"""The systemd units of the documents."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SERVICES = sorted(EXAMPLES.glob("*.service"))
MOST = 4.0
"""Of ten; systemd itself calls 5 and more "medium"."""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
@pytest.mark.parametrize("unit", SERVICES, ids=[unit.stem for unit in SERVICES])
def test_a_unit_gives_its_process_little_to_misuse(unit):
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)[1]) < MOST, done.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=[unit.stem for unit in SERVICES])
def test_a_unit_may_write_where_the_project_is(unit):
    text = unit.read_text()
    folder = re.search(r"^WorkingDirectory=(.+)$", text, re.MULTILINE)[1]
    assert f"ReadWritePaths={folder}\n" in text
