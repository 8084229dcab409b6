"""One organization with its API: what answers calls, what was spent, who is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox.http import Routes
from sandbox.zoho.administration import Administration
from sandbox.zoho.channels import Channels
from sandbox.zoho.custom_modules import CustomModules
from sandbox.zoho.limits import Limits
from sandbox.zoho.listing import Listing
from sandbox.zoho.metadata import Metadata
from sandbox.zoho.notifications import Notifications
from sandbox.zoho.pipelines import Pipelines
from sandbox.zoho.read_routes import ReadRoutes
from sandbox.zoho.search import Search
from sandbox.zoho.user_routes import UserRoutes
from sandbox.zoho.watch_routes import WatchRoutes
from sandbox.zoho.write_routes import WriteRoutes
from sandbox.zoho.writer import Writer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sandbox.deliveries import Deliveries
    from sandbox.zoho.organization import Organization


class Company(Administration):
    """One organization, as its people and its administrator see it, and its API."""

    def __init__(
        self, org: Organization, lock: threading.RLock, deliveries: Deliveries, api_domain: Callable[[], str]
    ) -> None:
        writer = Writer(org)
        super().__init__(org, writer, lock)
        self.limits = Limits(org)
        self.channels = Channels(org)
        self._notifications = Notifications(org, self.channels, deliveries, api_domain)
        writer.on_write = self._notifications.note
        self._write_routes = WriteRoutes(org, writer)
        self.routes = Routes(
            Metadata(org),
            UserRoutes(org),
            self._customizing,
            CustomModules(org),
            Pipelines(org),
            WatchRoutes(org, self.channels),
            Search(org),
            Listing(org),
            ReadRoutes(org),
            self._write_routes,
        )

    @override
    def flush(self) -> None:
        self._notifications.flush()

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
