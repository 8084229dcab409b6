"""The command `freshbooks-zoho`."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from freshbooks_zoho import logs
from freshbooks_zoho import settings as settings_
from freshbooks_zoho.project import ProjectError
from freshbooks_zoho.settings import SettingError
from singer_store import StoreError, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_store import PendingObject, Store

log_format = click.option(
    "--log-format", type=click.Choice(logs.FORMATS), default="plain", show_default=True, help="How to log."
)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn errors that say what to do into that one sentence and exit code 1; others keep their traceback."""
    from tap_freshbooks.errors import TapError  # noqa: PLC0415 - only needed by commands that talk to the services
    from target_zoho_crm.errors import ZohoError  # noqa: PLC0415

    try:
        yield
    except (ProjectError, SettingError, StoreError, TapError, ZohoError) as error:
        raise click.ClickException(str(error)) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freshbooks-zoho")
def main() -> None:
    """Keep Zoho CRM in step with FreshBooks."""


@main.command()
@log_format
@click.option("--verbose", is_flag=True, help="Log the plugins' own lines, too.")
def serve(log_format: str, *, verbose: bool) -> None:
    """Take webhooks, make Meltano runs, keep Zoho's channels alive."""
    from freshbooks_zoho import serve as serving  # noqa: PLC0415 - the HTTP server is loaded where it is needed
    from freshbooks_zoho.server import run  # noqa: PLC0415

    logs.set_up(log_format, logging.DEBUG if verbose else logging.INFO)
    with sentences():
        try:
            run(serving.serve(settings_.load()))
        except OSError as error:
            raise click.ClickException(f"A port cannot be opened: {error.strerror or error}.") from None


@main.command()
@click.argument("stream", required=False)
@click.argument("ids", nargs=-1)
def retry(stream: str | None, ids: tuple[str, ...]) -> None:
    """Sync objects again: those that wait or were set aside (of STREAM, or just IDS)."""
    with sentences(), _store() as store:
        chosen = _chosen(store, stream, ids)
        now = datetime.now(timezone.utc)
        store.pending.queue_many([(one.account, one.stream, one.object_id, "retry", now) for one in chosen])
    click.echo(f"{len(chosen)} objects are synced with the next run.")


@main.command()
@click.argument("stream")
@click.argument("ids", nargs=-1, required=True)
def dismiss(stream: str, ids: tuple[str, ...]) -> None:
    """Take objects off the list of those to be synced; a later change in FreshBooks brings them again."""
    with sentences(), _store() as store:
        chosen = _chosen(store, stream, ids)
        now = datetime.now(timezone.utc)
        for one in chosen:
            store.pending.clear(one.account, one.stream, {one.object_id: now})
    click.echo(f"{len(chosen)} objects were dismissed.")


@main.group()
def keys() -> None:
    """Work with the keys that encrypt the store."""


@keys.command()
def rotate() -> None:
    """Encrypt everything in the store under a new key, while other processes go on."""
    with sentences():
        settings = settings_.load()
        with open_store(settings.store_url, settings.store_key) as store:
            if not settings.store_key:
                store.add_key()
            count = store.rotate_keys()
    click.echo(f"{count} values were encrypted anew.")


@contextmanager
def _store() -> Iterator[Store]:
    settings = settings_.load()
    with open_store(settings.store_url, settings.store_key) as store:
        yield store


def _chosen(store: Store, stream: str | None, ids: tuple[str, ...]) -> list[PendingObject]:
    from freshbooks_zoho.zoho.watch import ZOHO  # noqa: PLC0415

    return [
        one
        for one in store.pending.all()
        if one.account != ZOHO and stream in {None, one.stream} and (not ids or one.object_id in ids)
    ]


if __name__ == "__main__":
    sys.exit(main())
