"""`connect` and `disconnect`: from a person's consent to tokens in the store, and back."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.commands.session import json_option, sentences
from freshbooks_zoho.console import Report, confirm, emit
from singer_store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshbooks_zoho.onboarding.dialogue import Dialogue
    from freshbooks_zoho.settings import Configs

SERVICES = {"freshbooks": "FreshBooks", "zoho": "Zoho"}
DATA_CENTRES = ("us", "eu", "in", "au", "cn", "jp", "ca", "sa", "uk", "ae", "sg")

_non_interactive = click.option(
    "--non-interactive",
    is_flag=True,
    help="Ask nothing: print a JSON document that says what a person has to do, and end. Then run it with --complete.",
)
_complete = click.option(
    "--complete", is_flag=True, help="The second step: what a person brought back is read from stdin, if anything is."
)
_no_browser = click.option("--no-browser", is_flag=True, help="Show the address only; do not open a browser.")


def _address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    parts = urlsplit(value or "")
    if value is not None and (parts.scheme not in {"https", "http"} or not parts.hostname or " " in value):
        raise click.BadParameter(f"{value!r} is no address: give the client's redirect URI, https://… as Zoho has it.")
    return value


@click.group()
def connect() -> None:
    """Connect to FreshBooks or to Zoho; at any time again, nothing else is lost.

    Exit code 3: connected, but something has to be put right first.
    """


@connect.command()
@click.option("--account-id", help="The business to read, where there are several.")
@click.option("--paste", is_flag=True, help="Paste the address even where this service could take the answer itself.")
@_non_interactive
@_complete
@_no_browser
@json_option
def freshbooks(  # noqa: PLR0913
    account_id: str | None, *, paste: bool, non_interactive: bool, complete: bool, no_browser: bool, as_json: bool
) -> None:
    """Connect to FreshBooks: give consent on its page, and bring the answer back.

    FreshBooks leads back to the redirect URI of your app. Nothing needs to answer there: paste the address of the page
    that does not load. With the redirect URI <public_url>/oauth/freshbooks/callback, and `serve` running there, one
    click is all.
    """
    from freshbooks_zoho.onboarding.freshbooks_consent import Consent  # noqa: PLC0415

    with _connecting(interactive=not (non_interactive or complete), browser=not no_browser) as (configs, dialogue):
        consent = Consent.of(configs, dialogue)
        with open_store(configs.store_url, configs.store_key) as store:
            report: Report
            if complete:
                report = consent.complete(store, account_id, _stdin)
            elif dialogue is None:
                report, as_json = consent.begin(store), True
            else:
                report = consent.talk(store, account_id, dialogue, paste=paste)
    sys.exit(emit(report, as_json=as_json))


@connect.command()
@click.option("--self-client", is_flag=True, help="With the code that the API console makes for a self client.")
@click.option(
    "--redirect", metavar="URI", callback=_address, help="With a server-based client, by way of its redirect URI."
)
@click.option("--data-centre", type=click.Choice(DATA_CENTRES), help="Where you log in to Zoho.")
@_non_interactive
@_complete
@_no_browser
@json_option
def zoho(  # noqa: PLR0913
    redirect: str | None,
    data_centre: str | None,
    *,
    self_client: bool,
    non_interactive: bool,
    complete: bool,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Connect to Zoho: type a short code in on its page, in whichever browser you have."""
    if self_client and redirect:
        raise click.UsageError("--self-client and --redirect are two ways; choose one.")
    from freshbooks_zoho.onboarding.zoho_consent import Consent  # noqa: PLC0415

    with _connecting(interactive=not (non_interactive or complete), browser=not no_browser) as (configs, dialogue):
        consent = Consent.of(configs, dialogue, data_centre)
        with open_store(configs.store_url, configs.store_key) as store:
            report: Report
            if complete:
                report = consent.complete(store, _stdin)
            elif self_client:
                report = consent.with_code(store, dialogue, _stdin)
            elif dialogue is None:
                report, as_json = consent.begin(store, redirect), True
            else:
                report = consent.talk(store, dialogue, redirect)
    sys.exit(emit(report, as_json=as_json))


@click.command()
@click.argument("service", type=click.Choice(list(SERVICES)))
@click.option("--yes", is_flag=True, help="Do not ask whether this is meant.")
@json_option
def disconnect(service: str, *, yes: bool, as_json: bool) -> None:
    """End a connection: at the service, and here. What was synced stays where it is.

    Exit code 3: the tokens are forgotten here, but the service did not say that it ended them.
    """
    if not yes:
        otherwise = f"To end the connection without being asked: freshbooks-zoho disconnect {service} --yes"
        confirm(f"End the connection to {SERVICES[service]}? Syncing stops with it", otherwise=otherwise)
    from freshbooks_zoho.onboarding.disconnection import disconnect_from  # noqa: PLC0415

    with sentences():
        configs = settings_.collect()
        with open_store(configs.store_url, configs.store_key) as store:
            report = disconnect_from(service, configs, store)
    sys.exit(emit(report, as_json=as_json))


@contextmanager
def _connecting(*, interactive: bool, browser: bool) -> Iterator[tuple[Configs, Dialogue | None]]:
    """Open what connecting begins with: settings, of which some may be missing, and somebody to ask for them."""
    from freshbooks_zoho.onboarding.dialogue import Dialogue  # noqa: PLC0415

    with sentences():
        yield settings_.collect(), Dialogue(browser=browser) if interactive else None


def _stdin() -> str:
    """Read what was handed to the command; a code is a credential, and arguments can be seen by others."""
    return "" if sys.stdin.isatty() else sys.stdin.read()
