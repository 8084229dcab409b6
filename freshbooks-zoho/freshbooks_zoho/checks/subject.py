"""What is examined: the project, its settings, and connections opened when a check first needs them."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.commands.session import Session
from freshbooks_zoho.project import ProjectError, find_project
from freshbooks_zoho.settings import PLUGIN, Settings
from singer_store import Authorizer
from tap_freshbooks.account import businesses, choose
from tap_freshbooks.limits import server_time
from target_zoho_crm.org.surveyor import Surveyor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from freshbooks_zoho.freshbooks.events_api import Callback
    from freshbooks_zoho.project import Project
    from singer_store import Store
    from tap_freshbooks.account import Business
    from target_zoho_crm.org.survey import Survey

TIMEOUT = 10.0


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Subject:
    """The project that is examined; to be closed after it.

    Attributes:
        environment: variables of the process.
        folder: where to look for the project, upwards.
        clock: gives the time, aware.
        clocks: by how much each service's clock is ahead of ours, as far as it was seen.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    folder: Path = field(default_factory=Path.cwd)
    clock: Callable[[], datetime] = _now
    clocks: dict[str, timedelta] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def project(self) -> Project:
        """The Meltano project.

        Raises:
            ProjectError: if there is none, or no Meltano.
        """
        found = find_project(self.environment, self.folder)
        if found is None:
            raise ProjectError("There is no Meltano project here: run this in the folder with meltano.yml.")
        return found

    @cached_property
    def settings(self) -> Settings:
        """All settings.

        Raises:
            SettingError: naming the one that is missing or cannot be used.
            ProjectError: if Meltano does not answer.
        """
        return settings_.load(self.environment, self.folder)

    @cached_property
    def session(self) -> Session:
        """Connections to the store and both services."""
        return Session(self.settings, self._open)

    @property
    def store(self) -> Store:
        """The store.

        Raises:
            StoreError: if it cannot be used.
        """
        return self.session.store

    @cached_property
    def business(self) -> Business:
        """The FreshBooks business, as FreshBooks has it now.

        Raises:
            TapError: if it is not there, or FreshBooks cannot be asked.
        """
        return choose(businesses(self.session.freshbooks.me().payload), self.settings.tap.account_id)

    @cached_property
    def survey(self) -> Survey:
        """The Zoho organization beside what the settings ask for.

        Raises:
            ZohoError: if it cannot be read.
        """
        return Surveyor(self.session.zoho, self.settings.target, self.session.memory).read()

    @property
    def modules(self) -> tuple[str, ...]:
        """API names of the modules whose records Zoho is to tell about."""
        wanted = (self.survey.requirements[stream].module for stream in ("clients", "invoices"))
        return tuple(module.api_name for module in wanted if module is not None)

    def callbacks(self) -> list[Callback]:
        """Give FreshBooks' list of callbacks.

        Raises:
            FreshBooksError: if it cannot be had.
        """
        from freshbooks_zoho.freshbooks.events_api import EventsApi  # noqa: PLC0415
        from tap_freshbooks.auth import open_broker  # noqa: PLC0415

        tap = self.settings.tap
        authorizer = Authorizer(open_broker(self.store, tap), patience=0)
        agent = f"{PLUGIN}/{version(PLUGIN)}"
        with closing(EventsApi(tap.api_url, self.business.account_id, authorizer, user_agent=agent)) as api:
            return api.callbacks()

    def get(self, url: str) -> requests.Response | None:
        """Ask for a URL without credentials; None for no answer."""
        try:
            return requests.get(url, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException:
            return None

    def see_clock(self, service: str, headers: Mapping[str, Any], asked: datetime, answered: datetime) -> None:
        """Note how a service's clock compares with ours; it tells whole seconds."""
        if (theirs := server_time(headers)) is not None:
            self.clocks[service] = theirs - (asked + (answered - asked) / 2)
