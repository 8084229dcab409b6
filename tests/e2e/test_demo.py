"""The demonstration is the README's first promise: it ends by itself, adds up to the cent, and can be repeated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demonstration_adds_up_to_the_cent():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "sandbox"), "demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    totals = [line.split() for line in lines[lines.index(next(row for row in lines if "difference" in row)) + 1 :]]
    assert [row[0] for row in totals if row] == ["EUR", "USD"]
    assert {row[-1] for row in totals if row} == {"0.00"}
    assert not (ROOT / ".sandbox" / "demo").exists()
