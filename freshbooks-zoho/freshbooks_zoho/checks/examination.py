"""Checks and what they find; a check that crashes, or whose service does not answer, is a finding like any other."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freshbooks_zoho.project import ProjectError
from freshbooks_zoho.settings import SettingError
from singer_store import StoreError
from tap_freshbooks.errors import TapError
from target_zoho_crm.errors import ZohoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from freshbooks_zoho.checks.subject import Subject

Level = Literal["ok", "warning", "bad", "not possible"]
Group = Literal["this machine", "FreshBooks", "Zoho", "sync"]
KNOWN_ERRORS = (ProjectError, SettingError, StoreError, TapError, ZohoError)


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes:
        level: "not possible" where something that the check needs is bad itself.
        sentence: what is so; neither secrets nor personal data.
        mend: the command, or else the clicks, that put it right; None where nothing is to be done.
    """

    level: Level
    sentence: str
    mend: str | None = None


@dataclass(frozen=True)
class Check:
    """One thing to look at.

    Attributes:
        name: as it is shown.
        group: what it belongs to.
        look: finds out; an error of the plugins' own is a bad finding.
        needs: names of checks without whose good outcome this one makes no sense.
        mend: what puts it right where `look` ends with an error.
    """

    name: str
    group: Group
    look: Callable[[Subject], Finding]
    needs: tuple[str, ...] = ()
    mend: str | None = None


@dataclass(frozen=True)
class Result:
    """A check and its finding."""

    check: Check
    finding: Finding


def ok(sentence: str) -> Finding:
    """Give a finding that asks for nothing."""
    return Finding("ok", sentence)


def warning(sentence: str, mend: str | None = None) -> Finding:
    """Give a finding that somebody should look at."""
    return Finding("warning", sentence, mend)


def bad(sentence: str, mend: str | None = None) -> Finding:
    """Give a finding that keeps the sync from its work."""
    return Finding("bad", sentence, mend)


def examine(checks: Iterable[Check], subject: Subject) -> list[Result]:
    """Make the checks one after the other, each after those that it needs."""
    results: list[Result] = []
    useless: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in useless]
        finding = Finding("not possible", f"first: {', '.join(missing)}") if missing else _look(check, subject)
        if finding.level in {"bad", "not possible"}:
            useless.add(check.name)
        results.append(Result(check, finding))
    return results


def _look(check: Check, subject: Subject) -> Finding:
    try:
        return check.look(subject)
    except KNOWN_ERRORS as error:
        return bad(str(error), check.mend)
    except Exception as error:  # noqa: BLE001 - a check that fails must not hide the others
        # The text of a foreign exception may hold anything; its class and place say enough.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {place.name}, line {place.lineno}"
        return bad(f"The check itself failed ({where}).", check.mend)
