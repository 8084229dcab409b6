"""What the companion logs: lines for people or for programs, and never what an exception quotes."""

from __future__ import annotations

import json
import logging

import pytest

from freshbooks_zoho import logs


@pytest.fixture
def log():
    """Puts the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("freshbooks_zoho.test")
    root.handlers[:], root.level = handlers, level


def test_for_programs_each_line_is_a_json_object(log, capsys):
    logs.set_up("json")
    log.warning("Two\nlines, %s.", "ä")
    log.debug("Not asked for.")
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert {name: entry[name] for name in ("level", "logger", "message")} == {
        "level": "warning",
        "logger": "freshbooks_zoho.test",
        "message": "Two\nlines, ä.",
    }
    assert entry["time"].endswith("Z")


@pytest.mark.parametrize("style", logs.FORMATS)
def test_an_exception_is_named_with_its_place_and_not_quoted(log, capsys, style):
    logs.set_up(style)
    try:
        int("somebody@example.com")
    except ValueError:
        log.exception("It went wrong.")
    written = capsys.readouterr().out
    assert "somebody" not in written
    assert "ValueError" in written
    assert "test_logs.py" in written
