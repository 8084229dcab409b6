"""`plan`: what the next run would do."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from freshbooks_zoho.admin.wording import counted
from freshbooks_zoho.commands.session import json_option, sentences
from freshbooks_zoho.console import ATTENTION, OK, Console, emit, working
from freshbooks_zoho.settings import load

if TYPE_CHECKING:
    from freshbooks_zoho.runs.plan import Entry, Plan

SHOWN = 50
KINDS = {
    "set-up": "Created in Zoho first",
    "limit": "What the organization may have no room for",
    "reject": "Rejected: Zoho could not take these",
    "wait": "Waiting: nothing is written for these yet",
    "link": "Linked: accounts that are in Zoho already",
    "create": "Created",
    "update": "Updated",
    "delete": "Deleted",
    "older": "Left alone: Zoho holds something newer",
    "note": "Good to know about the organization",
}
"""The kinds of entries in the order in which they matter to a reader."""
COLUMNS = {
    "create": ("created",),
    "update": ("updated",),
    "link": ("linked",),
    "delete": ("deleted",),
    "unchanged": ("unchanged", "older"),
    "wait": ("waiting",),
    "reject": ("rejected",),
}
"""Columns of the table and the outcomes that each counts."""


@click.command()
@click.option("--full", is_flag=True, help="Everything, as the first run would; not only what changed since the last.")
@click.option(
    "--limit", type=click.IntRange(0), default=SHOWN, show_default=True, help="Show so many of each kind; 0 shows all."
)
@json_option
def plan(*, full: bool, limit: int, as_json: bool) -> None:
    """Show what the next run would do, and write nothing.

    It is the run itself, with the same plugins and settings, and tells instead of writing: creates, updates field by
    field, links, what waits and why, what would be rejected, API credits and time.

    Exit code 3: something would be rejected, or waits for a person, or Zoho may refuse to create a field.
    """
    from freshbooks_zoho.runs.plan import make_plan  # noqa: PLC0415 - asyncio and the run are loaded where needed

    # What the plugins warn of while they plan is in the plan.
    logging.getLogger("freshbooks_zoho").addHandler(logging.NullHandler())
    with sentences(), working("Planning: reading FreshBooks, comparing with Zoho"):
        found = make_plan(load().project, everything=full)
    sys.exit(emit(PlanReport(found, limit), as_json=as_json))


@dataclass(frozen=True)
class PlanReport:
    """A plan, to be shown; `limit` entries of each kind, 0 for all."""

    plan: Plan
    limit: int = SHOWN

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if something would be rejected, or waits for a person, or may stop the run."""
        ambiguous = any(entry["reason"] == "ambiguous" for entry in self.plan.of("wait"))
        return ATTENTION if ambiguous or self.plan.of("reject") or self.plan.of("limit") else OK

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {
            "streams": {stream: dict(counts) for stream, counts in self.plan.streams.items()},
            "credits": self.plan.credits,
            "seconds": self.plan.seconds,
            "entries": list(self.plan.entries),
        }

    def show(self, console: Console) -> None:
        """Show counts first, then the records by what would become of them."""
        rows = [[stream, *_counts(counts)] for stream, counts in self.plan.streams.items()]
        if len(rows) > 1:
            rows.append(["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))])
        header = ["", "records", *COLUMNS]
        console.table(header, [[cell if cell != 0 else None for cell in row] for row in rows], right=header[1:])
        if rolled_up := sum(counts.get("rolled_up", 0) for counts in self.plan.streams.values()):
            console.line(f"Of {counted(rolled_up, 'invoice')} the date of the last payment changes.")
        for kind, title in KINDS.items():
            self._show_kind(console, title, self.plan.of(kind))
        console.line()
        if not rows:
            console.line("Nothing has changed in FreshBooks since the last run: the next one would write nothing.")
            console.line("Zoho was not asked; to compare everything with it: freshbooks-zoho plan --full", "quiet")
            return
        console.line(
            f"A run would write {counted(self._written, 'record')} in Zoho, cost about "
            f"{counted(self.plan.credits, 'API credit')} and take about {counted(round(self.plan.seconds), 'second')}. "
            "Nothing has been written.",
            "heading",
        )

    @property
    def _written(self) -> int:
        return sum(entry["kind"] in {"create", "update", "link", "delete"} for entry in self.plan.entries)

    def _show_kind(self, console: Console, title: str, entries: list[Entry]) -> None:
        if not entries:
            return
        console.line()
        console.line(f"{title} ({len(entries)})", "heading")
        shown = entries[: self.limit or None]
        for entry in shown:
            for line in _lines(entry):
                console.line(line)
        if len(shown) < len(entries):
            console.line(f"  … and {len(entries) - len(shown)} more; --limit 0 shows all.", "quiet")


def _counts(counts: Any) -> list[int]:
    cells = [sum(counts.get(outcome, 0) for outcome in outcomes) for outcomes in COLUMNS.values()]
    return [sum(cells), *cells]


def _lines(entry: Entry) -> list[str]:
    from target_zoho_crm.sync.dry_run import shown  # noqa: PLC0415

    kind = entry["kind"]
    if kind in {"set-up", "limit", "note"}:
        return [f"  {entry['what']}"]
    what = f"  {entry['stream']} {entry['key']}" + (f"  {entry['name']}" if entry["name"] else "")
    if kind == "reject":
        where = f" in {entry['field']}" if entry["field"] else ""
        expected = f", expected: {entry['expected']}" if entry["expected"] else ""
        return [what, f"      {entry['code']}{where}{expected}"]
    if kind == "wait" and entry["candidates"]:
        why = f"several accounts have its name, and none its e-mail alone: {', '.join(entry['candidates'])}."
        return [what, f"      {why} Put the FreshBooks ID {entry['key']} into the right one."]
    if kind == "wait":
        return [what, f"      until {entry['waits_for']} is in Zoho"]
    if kind == "create":
        values = "; ".join(f"{field}: {shown(new)}" for field, (_, new) in entry["changes"].items())
        return [what, f"      {values}"]
    changes = entry.get("changes", {}).items()
    return [what, *(f"      {field}: {shown(old)} → {shown(new)}" for field, (old, new) in changes)]
