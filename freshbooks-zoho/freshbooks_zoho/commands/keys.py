"""`keys`: the keys that encrypt the store."""

from __future__ import annotations

import json

import click

from freshbooks_zoho.commands.session import json_option, session


@click.group()
def keys() -> None:
    """Work with the keys that encrypt the store."""


@keys.command()
@json_option
def rotate(*, as_json: bool) -> None:
    """Encrypt everything in the store under a new key, while other processes go on."""
    with session() as opened:
        own = opened.settings.store_key is not None
        if not own:
            opened.store.add_key()
        count = opened.store.rotate_keys()
    if as_json:
        click.echo(json.dumps({"encrypted": count}))
    elif count:
        click.echo(f"{count} values were encrypted anew.")
    elif own:
        click.echo(
            "All is encrypted with the first key of store_key; to change it, put a new one in front, and rotate."
        )
    else:
        click.echo("There is nothing to encrypt yet; the new key is for what comes.")
