"""The command `freshbooks-zoho`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from freshbooks_zoho.commands.connect import connect, disconnect
from freshbooks_zoho.commands.doctor import doctor
from freshbooks_zoho.commands.keys import keys
from freshbooks_zoho.commands.plan import plan
from freshbooks_zoho.commands.queue import dismiss, retry
from freshbooks_zoho.commands.receivables import past_due, reconcile
from freshbooks_zoho.commands.serve import serve
from freshbooks_zoho.commands.setup import setup
from freshbooks_zoho.commands.status import status
from freshbooks_zoho.secret_files import protect


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freshbooks-zoho")
def main() -> None:
    """Keep Zoho CRM in step with FreshBooks.

    Exit codes: 0 all is well, 1 the command could not do its work, 2 wrong usage, 3 something needs your attention.
    """
    protect(os.environ, Path.cwd())


for command in (connect, disconnect, setup, plan, serve, status, doctor, retry, dismiss, past_due, reconcile, keys):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
