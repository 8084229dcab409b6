"""Zoho CRM: one organization, shown by two data centres.

`Zoho` is what tests talk to: the organization as its people see it (`crm`, `administration`), its tokens, and what was
written, spent and set off.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox.http import Routes
from sandbox.zoho import scopes as all_scopes
from sandbox.zoho.administration import Administration
from sandbox.zoho.channels import Channels
from sandbox.zoho.custom_modules import CustomModules
from sandbox.zoho.data_centre import DataCentre
from sandbox.zoho.device import Devices
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.limits import Limits
from sandbox.zoho.listing import Listing
from sandbox.zoho.metadata import Metadata
from sandbox.zoho.notifications import Notifications
from sandbox.zoho.oauth import Accounts
from sandbox.zoho.organization import Organization
from sandbox.zoho.pipelines import Pipelines
from sandbox.zoho.read_routes import ReadRoutes
from sandbox.zoho.search import Search
from sandbox.zoho.watch_routes import WatchRoutes
from sandbox.zoho.write_routes import WriteRoutes
from sandbox.zoho.writer import Workflow, Write, Writer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries
    from sandbox.zoho.device import DeviceRequest
    from sandbox.zoho.oauth import Client

__all__ = ["ApiError", "DataCentre", "RowError", "Workflow", "Write", "Zoho"]


class Zoho(Administration):
    """The organization, its API and its accounts servers."""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        org = Organization(clock)
        writer = Writer(org)
        super().__init__(org, writer, lock)
        self.accounts = Accounts(clock, self.switches)
        self.devices = Devices(clock, self.accounts, self.switches)
        self.app: Client = self.accounts.register()
        """A server-based client of the API console."""
        self.data_centres: dict[str, DataCentre] = {}
        self.limits = Limits(org)
        self.channels = Channels(org)
        self._notifications = Notifications(org, self.channels, deliveries, self._domain)
        writer.on_write = self._notifications.note
        self._write_routes = WriteRoutes(org, writer)
        self.routes = Routes(
            Metadata(org),
            self._customizing,
            CustomModules(org),
            Pipelines(org),
            WatchRoutes(org, self.channels),
            Search(org),
            Listing(org),
            ReadRoutes(org),
            self._write_routes,
        )

    def open_data_centre(self, centre: DataCentre, origin: str) -> None:
        """Note where a data centre is served."""
        centre.origin = origin
        self.data_centres[centre.data_centre] = centre

    def origins(self) -> dict[str, str]:
        """Give the URL of every data centre."""
        return {name: centre.origin for name, centre in self.data_centres.items()}

    @override
    def flush(self) -> None:
        self._notifications.flush()

    @property
    def accounts_url(self) -> str:
        """Where the US data centre makes tokens."""
        return self.data_centres["us"].accounts_url

    @property
    def api_domain(self) -> str:
        """Where the US data centre has its API."""
        return self.data_centres["us"].api_domain

    def _domain(self) -> str:
        return self.data_centres[self.accounts.home("us")].api_domain

    # tokens

    def register(self, kind: str = "server", redirect_uri: str | None = None) -> Client:
        """Register another client: ``server``, ``self`` or ``device`` (limited-input devices)."""
        with self.lock:
            return self.accounts.register(kind, redirect_uri=redirect_uri)

    def grant(
        self, scopes: Iterable[str] | None = None, data_centre: str = "us", *, client: Client | None = None
    ) -> str:
        """Consent as a user and give the refresh token; without scopes it may do everything."""
        with self.lock:
            return self.accounts.grant(client or self.app, _scopes(scopes), data_centre).value

    def grant_code(
        self,
        scopes: Iterable[str] | None = None,
        data_centre: str = "us",
        *,
        client: Client | None = None,
        redirect_uri: str | None = None,
    ) -> str:
        """Consent as a user and give the authorization code (as the API console does for a self client).

        Raises:
            TokenError: beyond ten codes in ten minutes.
        """
        with self.lock:
            chosen = client or self.app
            return self.accounts.make_code(chosen, _scopes(scopes), data_centre, redirect_uri=redirect_uri)

    def revoke_access_tokens(self) -> None:
        """End every access token, as if it had been revoked in mid-run; refresh tokens go on."""
        with self.lock:
            self.accounts.revoke_access_tokens()

    def revoke_grants(self) -> None:
        """End every refresh token with its access tokens, as a user does who removes the connection."""
        with self.lock:
            for value in list(self.accounts.refresh_tokens):
                self.accounts.revoke(value)

    def move_to(self, data_centre: str | None) -> None:
        """Move the organization: the next refresh says the other `api_domain`, and earlier access tokens are dead."""
        with self.lock:
            self.accounts.move(data_centre)

    def approve_device(self, user_code: str | None = None, data_centre: str | None = None) -> None:
        """Agree to a login on a device, the latest one unless said, as a user of a data centre.

        Raises:
            LookupError: if there is none.
        """
        with self.lock:
            request = self._device(user_code)
            request.user_location = data_centre or request.data_centre

    def deny_device(self, user_code: str | None = None) -> None:
        """Refuse a login on a device, the latest one unless said.

        Raises:
            LookupError: if there is none.
        """
        with self.lock:
            self._device(user_code).denied = True

    def _device(self, user_code: str | None) -> DeviceRequest:
        for request in reversed(list(self.devices.requests.values())):
            if user_code in (None, request.user_code):
                return request
        raise LookupError("no device asks for a login")

    # what was spent and skipped

    @property
    def credits_used(self) -> int:
        """The API credits spent in the last 24 hours."""
        with self.lock:
            return self.limits.used

    @credits_used.setter
    def credits_used(self, number: int) -> None:
        with self.lock:
            self.limits.used = number

    @property
    def skipped_features(self) -> list[dict[str, Any]]:
        """What callers asked to skip by skip_feature_execution."""
        return self._write_routes.skipped_features


def _scopes(scopes: Iterable[str] | None) -> frozenset[str]:
    return frozenset(all_scopes.ALL if scopes is None else scopes)
