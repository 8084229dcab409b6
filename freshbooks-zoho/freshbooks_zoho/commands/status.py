"""`status`: how things are, at a glance."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from freshbooks_zoho.admin.objects import describe, when
from freshbooks_zoho.admin.status import PERIOD, collect
from freshbooks_zoho.admin.wording import counted, in_words, moment, span
from freshbooks_zoho.commands.session import json_option, session
from freshbooks_zoho.console import ATTENTION, OK, emit
from singer_store import SET_ASIDE

if TYPE_CHECKING:
    from freshbooks_zoho.admin.objects import ObjectStatus
    from freshbooks_zoho.admin.status import Status
    from freshbooks_zoho.console import Console

SHOWN = 20
"""Objects shown of each kind; `--json` gives all."""


@click.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show how things are: runs, how fresh Zoho is, what waits and why, connections, channels.

    Exit code 3: something needs your attention.
    """
    with session() as opened:
        found = collect(opened.settings, opened.store, datetime.now(timezone.utc))
    sys.exit(emit(StatusReport(found), as_json=as_json))


@dataclass(frozen=True)
class StatusReport:
    """A status, to be shown."""

    status: Status

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if there is anything that waiting will not help."""
        return ATTENTION if self.status.problems or self.status.for_a_person else OK

    def as_json(self) -> dict[str, Any]:
        """Return everything for a program."""
        plain: dict[str, Any] = _plain(self.status)
        for entry, one in zip(plain["objects"], self.status.objects, strict=True):
            entry["retry"] = one.retry
        for entry, run in zip(plain["runs"], self.status.runs, strict=True):
            entry["seconds"] = round(run.seconds, 1)
        for entry, stream in zip(plain["streams"], self.status.streams, strict=True):
            entry["lag_seconds"] = stream.read_at and round((self.status.at - stream.read_at).total_seconds())
        last = plain["runs"][0] if plain["runs"] else None
        return {"needs_attention": self.exit_code == ATTENTION, "last_run": last, **plain}

    def show(self, console: Console) -> None:
        """Show it to a person."""
        now = self.status.at
        console.line(
            f"FreshBooks {self.status.account or '(account not known yet)'} to Zoho CRM, {moment(now)}", "heading"
        )
        if self.exit_code == OK:
            console.line("All is well.", "good")
        for problem in self.status.problems:
            console.line(problem, "bad")
        if self.status.for_a_person:
            console.line(
                f"{counted(len(self.status.for_a_person), 'object')} cannot land without you, see below.", "bad"
            )
        console.line()
        self._show_runs(console)
        console.line()
        rows = [
            (
                one.name,
                one.read_at and moment(one.read_at),
                one.read_at and span(now - one.read_at),
                one.waiting,
                one.oldest and span(now - one.oldest),
            )
            for one in self.status.streams
        ]
        console.table(("Stream", "In Zoho as of", "Lag", "To sync", "Oldest"), rows, right=("To sync",))
        console.line()
        self._show_connections(console)
        self._show_objects(console, "Needs you", self.status.for_a_person)
        self._show_objects(console, "On its way", self.status.under_way)

    def _show_runs(self, console: Console) -> None:
        runs = self.status.runs
        if self.status.served_by:
            console.line(f"Served by {self.status.served_by}.")
        else:
            console.line("No process serves: runs are made by whoever starts them.", "quiet")
        if not runs:
            console.line(f"No run in the last {PERIOD.days} days.", "warning")
            return
        last = runs[0]
        ended = f"{span(self.status.at - last.finished_at)} ago, after {last.seconds:.1f} s"
        if last.ok:
            console.line(f"Last run: ended well {ended} ({last.kind or 'run'}): {in_words(last.counts)}.", "good")
        else:
            console.line(f"Last run: failed {ended}" + (f": {last.reason}." if last.reason else "."), "bad")
        failed = sum(not run.ok for run in runs)
        console.line(f"Last {PERIOD.days} days: {counted(len(runs), 'run')}, {failed or 'none'} failed.")

    def _show_connections(self, console: Console) -> None:
        now = self.status.at

        def left(until: datetime | None) -> str:
            return "" if until is None else f"ends in {span(until - now)}" if until > now else "ended"

        rows: list[tuple[object, ...]] = []
        for one in self.status.connections:
            age = one.issued_at and f"{span(now - one.issued_at)} old"
            rows.append((f"token of {one.service}", one.state, age, left(one.expires_at)))
        rows += [
            (f"callback {one.noun}", "verified" if one.verified else "not verified", "", "")
            for one in self.status.callbacks
        ]
        rows += [
            (
                f"channel {one.module}",
                "not to be relied on" if one.problem else "alive",
                one.granted_at and f"{span(now - one.granted_at)} old",
                left(one.expires_at),
            )
            for one in self.status.channels
        ]
        console.table(("Connection", "State", "Age", "Life"), rows)

    def _show_objects(self, console: Console, title: str, objects: tuple[ObjectStatus, ...]) -> None:
        if not objects:
            return
        console.line()
        console.line(f"{title}: {len(objects)}", "heading")
        for one in objects[:SHOWN]:
            console.line(f"{one.stream} {one.id}: {describe(one)}; {when(one, self.status.at)}")
            if one.hint:
                console.line(f"  {one.hint}")
            if one.needs_a_person:
                console.line(f"  {one.retry}", "quiet")
        if len(objects) > SHOWN:
            console.line(f"... and {len(objects) - SHOWN} more: freshbooks-zoho status --json", "quiet")


def _plain(value: Any) -> Any:
    """Return a value in JSON's terms."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return None if value == SET_ASIDE else value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, dict) else value
