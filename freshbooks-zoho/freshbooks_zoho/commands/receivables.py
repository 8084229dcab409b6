"""`past-due` and `reconcile`: what customers owe, by both services."""

from __future__ import annotations

import sys

import click
from rich.console import Console as Terminal

from freshbooks_zoho.commands.session import json_option, session
from freshbooks_zoho.console import Console, emit, working


@click.command("past-due")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the customers as CSV instead.")
@click.option("--coql", is_flag=True, help="Print just the query, for use elsewhere.")
def past_due(*, as_json: bool, as_csv: bool, coql: bool) -> None:
    """Show who is past due, asked of Zoho, beside FreshBooks' own total.

    Exits with 3 where the totals differ.
    """
    from freshbooks_zoho.receivables import past_due as asking  # noqa: PLC0415 - loads the tap and the target

    if as_json + as_csv + coql > 1:
        raise click.UsageError("--json, --csv and --coql exclude each other.")
    console = Console()
    with session() as opened:
        if coql:
            click.echo(asking.query(opened))
            return
        with working("Asking Zoho and FreshBooks"):
            report = asking.collect(opened)
    if as_csv:
        sys.stdout.write(report.as_csv())
        report.show_totals(Console(Terminal(stderr=True, highlight=False)))
        sys.exit(report.exit_code)
    sys.exit(emit(report, as_json=as_json, console=console))


@click.command()
@json_option
@click.option("--heal", is_flag=True, help="Queue what differs or is missing, so that the next run puts it right.")
def reconcile(*, as_json: bool, heal: bool) -> None:
    """Compare FreshBooks' and Zoho's totals, and amounts, status and stage of all records, to the cent.

    Nothing is written to either service. Exits with 3 where they differ.
    """
    from freshbooks_zoho.receivables.reconciliation import reconcile as compare  # noqa: PLC0415 - as above

    console = Console()
    with session() as opened, working("Reading FreshBooks and Zoho"):
        report = compare(opened, heal=heal)
    sys.exit(emit(report, as_json=as_json, console=console))
