"""Ending a connection, at the service and in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshbooks_zoho.console import ATTENTION, OK
from freshbooks_zoho.settings import SettingError
from singer_store import CorruptRowError
from tap_freshbooks import auth as freshbooks_auth
from tap_freshbooks import consent as freshbooks
from tap_freshbooks.errors import SettingError as TapSettingError
from tap_freshbooks.settings import Settings as TapSettings
from target_zoho_crm.api import auth as zoho_auth
from target_zoho_crm.api import consent as zoho
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freshbooks_zoho.console import Console
    from freshbooks_zoho.settings import Configs
    from singer_store import Broker, Store

    Revoke = Callable[[str, Mapping[str, str]], None]


@dataclass(frozen=True)
class DisconnectReport:
    """What became of a connection.

    Attributes:
        service: freshbooks or zoho.
        revoked: whether there was one, and the service has ended it.
        problem: why the service has not, and what to do.
    """

    service: str
    revoked: bool
    problem: str | None = None

    @property
    def exit_code(self) -> int:
        """`ATTENTION` if the service may still take the tokens."""
        return ATTENTION if self.problem else OK

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program."""
        return {"service": self.service, "connected": False, "revoked": self.revoked, "problem": self.problem}

    def show(self, console: Console) -> None:
        """Show it to a person."""
        if self.problem:
            console.line("The tokens are forgotten here.")
            console.line(self.problem, "bad")
        elif self.revoked:
            console.line("Disconnected: the tokens are revoked and forgotten.", "good")
        else:
            console.line("There was no connection.")


def disconnect_from(service: str, configs: Configs, store: Store) -> DisconnectReport:
    """Revoke a service's tokens, and forget them in any case.

    Raises:
        SettingError: if the client's credentials are missing: tokens belong to a client.
        StoreError: if the store cannot be used.
    """
    broker, revoke = (_freshbooks if service == "freshbooks" else _zoho)(configs, store)
    try:
        return DisconnectReport(service, revoked=broker.disconnect(revoke))
    except (freshbooks.ConsentError, zoho.ConsentError) as error:
        return DisconnectReport(service, revoked=False, problem=str(error))
    except CorruptRowError:
        problem = "They could not be read, so they were not revoked: end the connection in the service's own settings."
        return DisconnectReport(service, revoked=False, problem=problem)


def _freshbooks(configs: Configs, store: Store) -> tuple[Broker, Revoke]:
    try:
        settings = TapSettings.from_config({**configs.tap, "record_ids": None})
    except TapSettingError as error:
        raise SettingError(f"{configs.project.extractor}: {error}") from None
    return freshbooks_auth.open_broker(store, settings), lambda token, _: freshbooks.revoke(settings, token)


def _zoho(configs: Configs, store: Store) -> tuple[Broker, Revoke]:
    try:
        settings = read_settings(configs.target)
        broker = zoho_auth.open_broker(store, settings)
    except ConfigurationError as error:
        raise SettingError(f"{configs.project.loader}: {error}") from None
    # At the accounts server that made it.
    return broker, lambda token, details: zoho.revoke(token, details.get("accounts_url") or settings.accounts_url)
