"""`retry` and `dismiss`: what is still to be synced."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from freshbooks_zoho.admin import queue
from freshbooks_zoho.admin.wording import counted
from freshbooks_zoho.commands.session import json_option, session
from freshbooks_zoho.console import FAILED, OK, confirm, emit
from freshbooks_zoho.freshbooks.account import known_account
from freshbooks_zoho.runs.leadership import lease_of
from freshbooks_zoho.runs.meltano_run import STREAMS
from target_zoho_crm.sync.left_alone import leave_alone

if TYPE_CHECKING:
    from freshbooks_zoho.commands.session import Session
    from freshbooks_zoho.console import Console
    from singer_store import PendingObject

MANY = 5
"""Dismissing more than so many is asked about once more."""

stream_argument = click.argument("stream", required=False, type=click.Choice(STREAMS))
ids_argument = click.argument("ids", nargs=-1, metavar="[ID]...")


@dataclass(frozen=True)
class Requeued:
    """What became of the objects that somebody has named.

    Attributes:
        done: "retried" or "dismissed".
        objects: that it was done to.
        missing: ids that are not on the list.
        stream: of those ids.
        served: whether a process is there that syncs them at once.
        run: the command that makes a run.
    """

    done: str
    objects: tuple[PendingObject, ...]
    missing: tuple[str, ...]
    stream: str | None
    served: bool
    run: str

    @property
    def exit_code(self) -> int:
        """`FAILED` if something that was named is not there."""
        return FAILED if self.missing else OK

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {
            self.done: [{"account": one.account, "stream": one.stream, "id": one.object_id} for one in self.objects],
            "missing": [{"stream": self.stream, "id": object_id} for object_id in self.missing],
            "served": self.served,
        }

    def show(self, console: Console) -> None:
        """Show it to a person."""
        objects = counted(len(self.objects), "object")
        if not self.objects and not self.missing:
            console.line("Nothing is still to be synced.", "good")
        elif self.objects and self.done == "dismissed":
            console.line(f"{objects} dismissed. A later change in FreshBooks, or the daily sweep, brings them again.")
        elif self.objects and self.served:
            console.line(f"{objects} to be synced again within seconds. See with: freshbooks-zoho status")
        elif self.objects:
            console.line(f"{objects} to be synced again with the next run. Make one with: {self.run}")
        if self.missing:
            console.line(
                f"Not among what is still to be synced: {self.stream} {', '.join(self.missing)}. "
                "See what is with: freshbooks-zoho status",
                "bad",
            )


@click.command()
@stream_argument
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All objects (of STREAM); so it is without an ID, too.")
@json_option
def retry(stream: str | None, ids: tuple[str, ...], *, everything: bool, as_json: bool) -> None:
    """Sync objects again that wait or were rejected: all, those of STREAM, or just some, with what waits for them."""
    _check(ids, everything=everything)
    with session() as opened:
        account = known_account(opened.settings, opened.store)
        if stream and ids and account:
            queue.take_back(opened.store, account, stream, ids)
        objects, choice = _choose(opened, stream, ids)
        family = tuple(queue.with_waiting(choice.found, objects))
        queue.retry(opened.store, family)
        report = _requeued(opened, "retried", family, choice.missing, stream)
    sys.exit(emit(report, as_json=as_json))


@click.command()
@stream_argument
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All objects (of STREAM).")
@click.option("--for-good", is_flag=True, help="Never make them again in Zoho either, should they be deleted there.")
@click.option("--yes", is_flag=True, help=f"Do not ask, although it is more than {MANY} objects.")
@json_option
def dismiss(  # noqa: PLR0913 - the command's options
    stream: str | None, ids: tuple[str, ...], *, everything: bool, for_good: bool, yes: bool, as_json: bool
) -> None:
    """Take objects off the list of what is still to be synced; a later change in FreshBooks brings them again.

    With --for-good nothing does: what you have deleted in Zoho stays deleted. To take that back: retry STREAM ID.
    """
    _check(ids, everything=everything)
    if not ids and not everything:
        raise click.UsageError("Name a stream and ids, or say --all.")
    if for_good and not (stream and ids):
        raise click.UsageError("With --for-good, name a stream and ids.")
    with session() as opened:
        _, choice = _choose(opened, stream, ids)
        if for_good and stream:
            leave_alone(opened.store, opened.account, stream, ids)
            choice = queue.Choice(choice.found)
        if len(choice.found) > MANY and not yes:
            _ask(len(choice.found))
        queue.dismiss(opened.store, choice.found)
        report = _requeued(opened, "dismissed", choice.found, choice.missing, stream)
    sys.exit(emit(report, as_json=as_json))


def _check(ids: tuple[str, ...], *, everything: bool) -> None:
    if ids and everything:
        raise click.UsageError("Name ids, or say --all, but not both.")


def _choose(opened: Session, stream: str | None, ids: tuple[str, ...]) -> tuple[list[PendingObject], queue.Choice]:
    objects = queue.still_to_sync(opened.store, known_account(opened.settings, opened.store))
    return objects, queue.choose(objects, stream, ids)


def _requeued(
    opened: Session, done: str, objects: tuple[PendingObject, ...], missing: tuple[str, ...], stream: str | None
) -> Requeued:
    account = known_account(opened.settings, opened.store)
    served = account is not None and opened.store.leases.holder(lease_of(account)) is not None
    return Requeued(done, objects, missing, stream, served, opened.settings.project.run)


def _ask(number: int) -> None:
    objects = counted(number, "object")
    confirm(f"Dismiss {objects}?", otherwise=f"{objects} would be dismissed: add --yes to do so.")
