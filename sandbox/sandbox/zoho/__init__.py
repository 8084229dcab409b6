"""Zoho CRM: an organization, or several, shown by two data centres.

`Zoho` is what tests talk to: the organization as its people see it (`crm`, `administration`), its tokens, and what was
written, spent and set off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.zoho import scopes as all_scopes
from sandbox.zoho.company import Company
from sandbox.zoho.data_centre import DataCentre
from sandbox.zoho.device import Devices
from sandbox.zoho.errors import ApiError, RowError
from sandbox.zoho.oauth import Accounts, Login
from sandbox.zoho.organization import Organization
from sandbox.zoho.writer import Workflow, Write

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries
    from sandbox.zoho.device import DeviceRequest
    from sandbox.zoho.oauth import Client

__all__ = ["ApiError", "Company", "DataCentre", "RowError", "Workflow", "Write", "Zoho"]


class Zoho(Company):
    """The organization, its API and its accounts servers; further organizations of the same login can be added."""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        org = Organization(clock)
        super().__init__(org, lock, deliveries, self._domain)
        self._deliveries = deliveries
        self.companies: dict[str, Company] = {org.zgid: self}
        """The organizations by their zgid."""
        self.accounts = Accounts(clock, self.switches, Login(org.zgid))
        self.devices = Devices(clock, self.accounts, self.switches)
        self.app: Client = self.accounts.register()
        """A server-based client of the API console."""
        self.data_centres: dict[str, DataCentre] = {}

    def add_organization(self) -> Company:
        """Add an organization with data of its own, to which the same login can consent."""
        with self.lock:
            org = Organization(self.organization.clock, len(self.companies), self.switches)
            company = self.companies[org.zgid] = Company(org, self.lock, self._deliveries, self._domain)
            return company

    def consent_to(self, company: Company, user_id: str | None = None) -> None:
        """Let consents from now on be to an organization, as one of its users.

        Args:
            company: this object for the first organization, or what `add_organization` has returned.
            user_id: None is the user of the API whom every organization has.
        """
        with self.lock:
            self.accounts.login = Login(company.organization.zgid, user_id)

    def open_data_centre(self, centre: DataCentre, origin: str) -> None:
        """Note where a data centre is served."""
        centre.origin = origin
        self.data_centres[centre.data_centre] = centre

    def origins(self) -> dict[str, str]:
        """Return the URL of every data centre."""
        return {name: centre.origin for name, centre in self.data_centres.items()}

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


def _scopes(scopes: Iterable[str] | None) -> frozenset[str]:
    return frozenset(all_scopes.ALL if scopes is None else scopes)
