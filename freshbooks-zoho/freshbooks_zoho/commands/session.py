"""What every command has: its errors in one sentence, the project's settings, and connections opened when needed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.project import ProjectError
from freshbooks_zoho.settings import PLUGIN, SettingError, Settings
from singer_store import StoreError, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_store import Store
    from tap_freshbooks.client import FreshBooksClient
    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.org.memory import Memory

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")


@contextmanager
def sentences() -> Iterator[None]:
    """Turn errors that say what to do into that one sentence and exit code 1; others keep their traceback."""
    from tap_freshbooks.errors import TapError  # noqa: PLC0415 - only needed by commands that talk to the services
    from target_zoho_crm.errors import ZohoError  # noqa: PLC0415

    try:
        yield
    except (ProjectError, SettingError, StoreError, TapError, ZohoError) as error:
        raise click.ClickException(str(error)) from None


@dataclass
class Session:
    """The project, and connections that are opened at their first use and closed at the end of the command.

    Attributes:
        settings: of the companion, the tap and the target.
    """

    settings: Settings
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    @cached_property
    def store(self) -> Store:
        """The store that all three share."""
        return self._open.enter_context(open_store(self.settings.store_url, self.settings.store_key))

    @cached_property
    def freshbooks(self) -> FreshBooksClient:
        """FreshBooks' API; it reads only."""
        from tap_freshbooks.auth import Authorizer, open_broker  # noqa: PLC0415
        from tap_freshbooks.client import FreshBooksClient  # noqa: PLC0415

        authorizer = Authorizer(open_broker(self.store, self.settings.tap))
        client = FreshBooksClient(self.settings.tap.api_url, authorizer, user_agent=f"{PLUGIN}/{version(PLUGIN)}")
        self._open.callback(client.close)
        return client

    @cached_property
    def zoho(self) -> ZohoClient:
        """The organization's API."""
        from freshbooks_zoho.zoho.side import open_client  # noqa: PLC0415

        return self._open.enter_context(open_client(self.settings, self.store))

    @cached_property
    def memory(self) -> Memory:
        """What is remembered of the organization."""
        from freshbooks_zoho.freshbooks.account import known_account  # noqa: PLC0415
        from target_zoho_crm.org.memory import Memory  # noqa: PLC0415

        return Memory.of(self.store, self.settings.target, known_account(self.settings, self.store))

    @cached_property
    def account(self) -> str:
        """The FreshBooks account id."""
        from freshbooks_zoho.freshbooks.account import find_account  # noqa: PLC0415

        return find_account(self.settings, self.store, self.freshbooks)


@contextmanager
def session() -> Iterator[Session]:
    """Open what a command works with; errors become sentences."""
    with sentences(), ExitStack() as stack:
        yield Session(settings_.load(), stack)
