"""`keys`: the keys that encrypt the store."""

from __future__ import annotations

import click

from freshbooks_zoho.commands.session import session


@click.group()
def keys() -> None:
    """Work with the keys that encrypt the store."""


@keys.command()
def rotate() -> None:
    """Encrypt everything in the store under a new key, while other processes go on."""
    with session() as opened:
        if not opened.settings.store_key:
            opened.store.add_key()
        count = opened.store.rotate_keys()
    click.echo(f"{count} values were encrypted anew.")
