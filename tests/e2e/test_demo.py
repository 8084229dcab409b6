"""The demonstration is the README's first promise: it ends by itself, adds up to the cent, and can be repeated."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def processes_with(variable):
    """Give the processes that have a variable in their environment, as far as the system tells."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            found += [path.parent.name] if variable.encode() in path.read_bytes().split(b"\0") else []
    return found


def counts(line):
    """Give the numbers of a line such as "clients: 34 created, 5 linked (2 more things)", by what they count."""
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", line.partition("(")[0])}


def section(output, number):
    """Give a step's lines."""
    return re.search(rf"^{number}\. .*?(?=^\d\. |\Z)", output, re.DOTALL | re.MULTILINE).group()


@pytest.mark.timeout(600)
def test_the_demonstration_adds_up_to_the_cent():
    # What one that was killed has left is no hindrance.
    (ROOT / ".sandbox" / "demo" / "left").mkdir(parents=True, exist_ok=True)
    mark = f"MARK={secrets.token_hex()}"
    name, _, value = mark.partition("=")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "sandbox"), "demo"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    totals = [line.split() for line in lines[lines.index(next(row for row in lines if "difference" in row)) + 1 :]]
    assert [row[0] for row in totals if row] == ["EUR", "USD"]
    assert {row[-1] for row in totals if row} == {"0.00"}

    # A believable firm: every status, two currencies.
    firm = section(done.stdout, 0)
    sizes = counts(firm.partition("FreshBooks ")[2])
    assert (sizes["clients"], sizes["invoices"]) == (40, 150)
    assert sizes["payments"] >= 120
    assert sizes["USD"] + sizes["EUR"] == 150
    statuses = ("draft", "sent", "viewed", "overdue", "partial", "paid", "disputed")
    assert sum(sizes[status] for status in statuses) == 150

    # What was created, linked, updated and left alone: every record once, and the second run writes what differs.
    for number, outcomes in {
        1: ("created", "linked", "waiting"),
        4: ("created", "updated", "linked", "unchanged"),
    }.items():
        lines = {line.split(":")[0].strip(): counts(line) for line in section(done.stdout, number).splitlines()}
        streams = [lines[stream] for stream in ("clients", "invoices", "payments")]
        assert all(lines["total"][name] == sum(each.get(name, 0) for each in streams) > 0 for name in outcomes)
        if number == 1:
            each = [sum(found.values()) for found in streams]
            assert each == [sizes["clients"], sizes["invoices"], sizes["payments"]]

    # What came by webhook came by itself, and how long it took is told.
    live = done.stdout.partition("freshbooks-zoho serve")[2].partition("\n\n")[0]
    assert re.search(r"\d\.\d s later Zoho CRM has the account, and the deal", live)
    assert re.search(r"\d\.\d s later the deal is won", live)
    assert re.search(r"\d\.\d s later the amount is FreshBooks' again", live)
    assert "exit code 0" in live

    assert processes_with(mark) == []
    assert not (ROOT / ".sandbox" / "demo").exists()
