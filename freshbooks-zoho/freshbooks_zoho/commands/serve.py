"""`serve`: the service itself."""

from __future__ import annotations

import logging

import click

from freshbooks_zoho import logs
from freshbooks_zoho import settings as settings_
from freshbooks_zoho.commands.session import sentences


@click.command()
@click.option("--log-format", type=click.Choice(logs.FORMATS), default="plain", show_default=True, help="How to log.")
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
