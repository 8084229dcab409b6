"""`retry` and `dismiss`: what is still to be synced."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from freshbooks_zoho.commands.session import session

if TYPE_CHECKING:
    from singer_store import PendingObject, Store


@click.command()
@click.argument("stream", required=False)
@click.argument("ids", nargs=-1)
def retry(stream: str | None, ids: tuple[str, ...]) -> None:
    """Sync objects again: those that wait or were set aside (of STREAM, or just IDS)."""
    with session() as opened:
        chosen = _chosen(opened.store, stream, ids)
        now = datetime.now(timezone.utc)
        opened.store.pending.queue_many([(one.account, one.stream, one.object_id, "retry", now) for one in chosen])
    click.echo(f"{len(chosen)} objects are synced with the next run.")


@click.command()
@click.argument("stream")
@click.argument("ids", nargs=-1, required=True)
def dismiss(stream: str, ids: tuple[str, ...]) -> None:
    """Take objects off the list of those to be synced; a later change in FreshBooks brings them again."""
    with session() as opened:
        chosen = _chosen(opened.store, stream, ids)
        now = datetime.now(timezone.utc)
        for one in chosen:
            opened.store.pending.clear(one.account, one.stream, {one.object_id: now})
    click.echo(f"{len(chosen)} objects were dismissed.")


def _chosen(store: Store, stream: str | None, ids: tuple[str, ...]) -> list[PendingObject]:
    from freshbooks_zoho.zoho.watch import ZOHO  # noqa: PLC0415

    return [
        one
        for one in store.pending.all()
        if one.account != ZOHO and stream in {None, one.stream} and (not ids or one.object_id in ids)
    ]
