"""Zoho CRM: one organization, shown by two data centres.

`Zoho` is what tests talk to: the organization as a person sees it, what was written to it, and its tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Routes
from sandbox.zoho import scopes as all_scopes
from sandbox.zoho.customizing import Customizing
from sandbox.zoho.data_centre import DataCentre
from sandbox.zoho.errors import ApiError, RowError, error
from sandbox.zoho.limits import Limits
from sandbox.zoho.metadata import Metadata
from sandbox.zoho.oauth import Accounts
from sandbox.zoho.organization import Organization
from sandbox.zoho.read_routes import ReadRoutes
from sandbox.zoho.render import Renderer
from sandbox.zoho.write_routes import WriteRoutes
from sandbox.zoho.writer import Batch, Refusal, Workflow, Write, Writer

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from sandbox.clock import Clock
    from sandbox.deliveries import Deliveries
    from sandbox.zoho.model import Field
    from sandbox.zoho.oauth import Client
    from sandbox.zoho.switches import Switches

__all__ = ["ApiError", "DataCentre", "RowError", "Workflow", "Write", "Zoho"]


class Zoho:
    """The organization, its API and its accounts servers."""

    def __init__(self, clock: Clock, deliveries: Deliveries, lock: threading.RLock) -> None:
        self.clock, self._deliveries, self.lock = clock, deliveries, lock
        self.organization = Organization(clock)
        self.accounts = Accounts(clock, self.switches)
        self.app: Client = self.accounts.register()
        self.limits = Limits(self.organization)
        self.data_centres: dict[str, DataCentre] = {}
        self._writer = Writer(self.organization)
        self._write_routes = WriteRoutes(self.organization, self._writer)
        self._customizing = Customizing(self.organization)
        self.routes = Routes(
            Metadata(self.organization), self._customizing, ReadRoutes(self.organization), self._write_routes
        )

    def open_data_centre(self, centre: DataCentre, origin: str) -> None:
        """Note where a data centre is served."""
        centre.origin = origin
        self.data_centres[centre.data_centre] = centre

    def origins(self) -> dict[str, str]:
        """Give the URL of every data centre."""
        return {name: centre.origin for name, centre in self.data_centres.items()}

    def flush(self) -> None:
        """Send the notifications of the writes so far."""

    @property
    def switches(self) -> Switches:
        """Where Zoho's behaviour is uncertain: which reading holds."""
        return self.organization.switches

    # tokens

    @property
    def accounts_url(self) -> str:
        """Where the US data centre makes tokens."""
        return self.data_centres["us"].accounts_url

    @property
    def api_domain(self) -> str:
        """Where the US data centre has its API."""
        return self.data_centres["us"].api_domain

    def grant(self, scopes: Iterable[str] | None = None, data_centre: str = "us") -> str:
        """Consent as a user and give the refresh token; without scopes it may do everything."""
        with self.lock:
            chosen = frozenset(all_scopes.ALL if scopes is None else scopes)
            return self.accounts.grant(self.app, chosen, data_centre).value

    def revoke_access_tokens(self) -> None:
        """End every access token, as if it had been revoked in mid-run; refresh tokens go on."""
        with self.lock:
            self.accounts.revoke_access_tokens()

    def move_to(self, data_centre: str | None) -> None:
        """Move the organization: the next refresh says the other `api_domain`, and earlier access tokens are dead."""
        with self.lock:
            self.accounts.move(data_centre)

    # records, as a person in the CRM sees and changes them

    def records(self, module: str) -> list[dict[str, Any]]:
        """Give all records of a module, oldest first, with every field as the API shows it (amounts are Decimal)."""
        return self.find(module)

    def find(self, module: str, **equal: Any) -> list[dict[str, Any]]:
        """Give the records whose fields have these values; a lookup is compared by its id."""
        with self.lock:
            found = self.organization.modules[module]
            rows = self.organization.tables[module].rows
            show = Renderer(self.organization, found, found.fields).show
            return [
                show(row) for row in rows.values() if all(row.get(name) == value for name, value in equal.items())
            ]

    def count(self, module: str) -> int:
        """Give the number of records of a module."""
        with self.lock:
            return len(self.organization.tables[module].rows)

    def insert(self, module: str, values: dict[str, Any]) -> str:
        """Add a record as a person would, and give its id.

        Raises:
            RowError: if Zoho would refuse it.
        """
        with self.lock:
            return self._writer.insert(self._by_person(module), values, 0)

    def update(self, module: str, record_id: str, values: dict[str, Any]) -> None:
        """Change a record as a person would.

        Raises:
            RowError: if Zoho would refuse it.
        """
        with self.lock:
            self._writer.update(self._by_person(module), {**values, "id": record_id}, 0)
            self.flush()

    def delete(self, module: str, record_id: str) -> None:
        """Delete a record as a person would.

        Raises:
            RowError: if there is none.
        """
        with self.lock:
            self._writer.delete(self._by_person(module), record_id)
            self.flush()

    def _by_person(self, module: str) -> Batch:
        org = self.organization
        return self._writer.begin(Batch(org.modules[module], org.person, "person", triggers=()))

    # what was written

    @property
    def writes(self) -> list[Write]:
        """Every change of a record so far, oldest first."""
        return self._writer.writes

    @property
    def workflows_fired(self) -> list[Workflow]:
        """Every automation that a write through the API set off."""
        return self._writer.workflows_fired

    @property
    def credits_used(self) -> int:
        """The API credits spent in the last 24 hours."""
        return self.limits.used

    @credits_used.setter
    def credits_used(self, number: int) -> None:
        with self.lock:
            self.limits.used = number

    def refuse(
        self,
        module: str,
        error_: str | dict[str, Any] = "RECORD_LOCKED",
        *,
        when: Callable[[dict[str, Any]], bool] | dict[str, Any] | None = None,
    ) -> None:
        """Refuse records that the API sends, whatever they hold.

        Args:
            module: the module.
            error_: Zoho's code, or a whole error with code, details and message.
            when: which records: a predicate of what was sent, or field values; None is all.
        """
        body = error(error_) if isinstance(error_, str) else {**error(error_["code"]), **error_}

        def chosen(row: dict[str, Any]) -> bool:
            if when is None:
                return True
            if callable(when):
                return when(row)
            return all(row.get(name) == value for name, value in when.items())

        with self.lock:
            self._writer.refusals.append(Refusal(module, body, chosen))

    def allow(self) -> None:
        """End every refusal."""
        with self.lock:
            self._writer.refusals.clear()

    # the organization as its administrator sees it

    @property
    def edition(self) -> str:
        """``free``, ``standard``, ``professional``, ``enterprise`` or ``ultimate``."""
        return self.organization.edition

    @edition.setter
    def edition(self, edition: str) -> None:
        self.organization.edition = edition

    def fields(self, module: str) -> dict[str, Field]:
        """Give the fields of a module by API name."""
        return self.organization.modules[module].fields

    def add_custom_field(self, module: str, label: str, data_type: str = "text", **options: Any) -> str:
        """Add a custom field as an administrator would, and give its API name.

        Args:
            module: the module.
            label: its label.
            data_type: its type.
            options: as in the API's field JSON; ``unique=True`` for a unique one.

        Raises:
            RowError: if Zoho would refuse it.
        """
        if options.pop("unique", False):
            options["unique"] = {"case_sensitive": False}
        with self.lock:
            raw = {"field_label": label, "data_type": data_type, **options}
            return self._customizing.make_field(self.organization.modules[module], raw, "$.fields[0]").api_name

    def enable_multi_currency(self, rates: dict[str, Decimal]) -> None:
        """Switch several currencies on, with the rates of those besides the organization's own."""
        with self.lock:
            self.organization.enable_currencies(rates)
