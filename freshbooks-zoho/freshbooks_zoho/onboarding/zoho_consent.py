"""Zoho's consent as a conversation: in one go with a person, or in two steps for a script."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from freshbooks_zoho.onboarding.credentials import CLIENT, complete, plain
from freshbooks_zoho.onboarding.pending import LIFE, Attempt, Attempts, NextStep, new_state
from freshbooks_zoho.onboarding.zoho import ZohoReport, finish
from freshbooks_zoho.settings import SettingError
from singer_store import Grant
from target_zoho_crm.api.auth import check_accounts_url
from target_zoho_crm.api.consent import (
    Client,
    ConsentError,
    PasteError,
    accounts_server,
    authorization_url,
    exchange,
    read_pasted,
)
from target_zoho_crm.api.device import DeviceLogin, begin_login, find_login, poll_login
from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from freshbooks_zoho.onboarding.dialogue import Dialogue
    from freshbooks_zoho.settings import Configs
    from singer_store import Store

SERVICE = "zoho"
COMMAND = "freshbooks-zoho connect zoho"
CONSOLE = "https://api-console.zoho.com"


def now() -> datetime:
    """Give the time."""
    return datetime.now(timezone.utc)


def wait(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


@dataclass(frozen=True)
class Consent:
    """What a consent is asked for with.

    Attributes:
        configs: of the project.
        settings: of the target.
        client: the OAuth client, at the accounts server that is asked.
        elsewhere: whether other data centres are asked, where that one does not know the client.
    """

    configs: Configs
    settings: Settings
    client: Client
    elsewhere: bool = True

    @classmethod
    def of(cls, configs: Configs, dialogue: Dialogue | None, data_centre: str | None = None) -> Consent:
        """Collect the credentials, asking for those that are missing.

        Args:
            configs: of the project.
            dialogue: with whoever knows them; None where nobody can be asked.
            data_centre: where to ask, instead of what the settings say.

        Raises:
            SettingError: if one is missing and nobody can be asked, or cannot be used.
        """
        intro = (
            f"Zoho wants a client of your own, once: make one at {CONSOLE},",
            "of the kind for limited-input devices (Non-browser App), and copy from there:",
        )
        config = complete(configs.project, configs.project.loader, configs.target, CLIENT, dialogue, intro=intro)
        try:
            settings = read_settings(config)
            client = Client(settings.client_id, settings.client_secret, check_accounts_url(settings.accounts_url))
        except ConfigurationError as error:
            raise SettingError(f"{configs.project.loader}: {error}") from None
        if data_centre:
            client = replace(client, accounts_url=accounts_server(data_centre, client))
        return cls(configs, settings, client, elsewhere=data_centre is None)

    def talk(self, store: Store, dialogue: Dialogue, redirect: str | None) -> ZohoReport:
        """Connect with a person at the terminal, by a login on a device or by way of a redirect URI.

        Raises:
            ConsentError: if it comes to nothing.
            StoreError: if the tokens cannot be kept.
        """
        if redirect:
            state = new_state()
            dialogue.say("Open this page and agree:")
            dialogue.show_page(authorization_url(self.client, redirect, state))
            dialogue.say("It leads to a page that need not load. Copy that page's whole address, and paste it here.")
            grant = dialogue.ask("Address", lambda text: self._read(text, redirect, state), wrong=PasteError)
            return self._finish(store, grant)
        login = self._login()
        minutes = round((login.expires_at - now()).total_seconds() / 60)
        dialogue.say(f"Open this page within {minutes} minutes, type in the code {login.user_code}, and agree:")
        dialogue.show_page(login.verification_url)
        dialogue.say("Waiting for Zoho's answer, which takes up to half a minute. (Ctrl-C ends this.)", "quiet")
        return self._finish(store, self._await(login))

    def with_code(self, store: Store, dialogue: Dialogue | None, stdin: Callable[[], str]) -> ZohoReport:
        """Connect with the code of a self client, asked for or read from stdin.

        Raises:
            ConsentError: if it is not taken.
            StoreError: if the tokens cannot be kept.
        """
        if dialogue is None:
            code = stdin().strip()
        else:
            dialogue.say(f"In {CONSOLE}, open your self client, and generate a code with these scopes:")
            dialogue.say()
            dialogue.say(f"  {','.join(SCOPES)}")
            dialogue.say()
            code = dialogue.ask("Code", plain)
        if not code:
            raise ConsentError("There is no code on stdin: give the one that the API console made.")
        return self._finish(store, exchange(self.client, code, accounts_url=self.client.accounts_url))

    def begin(self, store: Store, redirect: str | None) -> NextStep:
        """Make the first of two steps: gives what a person has to do.

        Raises:
            ConsentError: if Zoho begins no login.
        """
        shown: dict[str, str]
        if redirect:
            details = {"redirect_uri": redirect, "state": new_state()}
            shown = {
                "authorization_url": authorization_url(self.client, redirect, details["state"]),
                "to_do": "Open the authorization_url and agree. Then give the whole address of the page it leads to "
                "(which need not load) to the next step, on stdin.",
            }
            expires_at = now() + LIFE
            attempt = self._attempt(expires_at, **details)
        else:
            login = self._login()
            attempt, expires_at = self._login_attempt(login), login.expires_at
            shown = {
                "verification_url": login.verification_url,
                "user_code": login.user_code,
                "to_do": "Open the verification_url, type in the user_code, and agree.",
            }
        Attempts(store).keep(attempt)
        ends = expires_at.isoformat(timespec="seconds")
        return NextStep({**shown, "expires_at": ends, "next_step": f"{COMMAND} --complete"})

    def complete(self, store: Store, stdin: Callable[[], str]) -> ZohoReport:
        """Make the second step: polls until the person has agreed, or reads what they brought back.

        Raises:
            ConsentError: if it comes to nothing; what was pasted wrong may be given again.
            StoreError: if the tokens cannot be kept.
        """
        attempts = Attempts(store)
        attempt = attempts.find(SERVICE, self.client.client_id, now())
        if attempt is None:
            raise ConsentError(f"No consent is under way, or it is too old: run {COMMAND} --non-interactive first.")
        details = attempt.details
        here = replace(self, client=replace(self.client, accounts_url=details["accounts_url"]))
        try:
            if "login" in details:
                login = DeviceLogin.from_document(details["login"])
                grant = here._await(login, lambda changed: attempts.keep(here._login_attempt(changed)))  # noqa: SLF001
            else:
                grant = here._read(stdin(), details["redirect_uri"], attempt.state)  # noqa: SLF001
        except PasteError:
            raise
        except ConsentError:
            attempts.drop(SERVICE, self.client.client_id)
            raise
        attempts.drop(SERVICE, self.client.client_id)
        return self._finish(store, grant)

    def _login(self) -> DeviceLogin:
        return (find_login if self.elsewhere else begin_login)(self.client, now())

    def _await(self, login: DeviceLogin, keep: Callable[[DeviceLogin], None] = lambda _: None) -> Grant:
        """Poll when that may be done, until there are tokens or there will be none."""
        while True:
            wait(max(0.0, (login.next_poll - now()).total_seconds()))
            outcome = poll_login(login, self.client, now())
            if isinstance(outcome, Grant):
                return outcome
            login = outcome
            keep(login)

    def _read(self, text: str, redirect: str, state: str) -> Grant:
        code, server = read_pasted(text, self.client, redirect_uri=redirect, state=state)
        return exchange(self.client, code, accounts_url=server, redirect_uri=redirect)

    def _login_attempt(self, login: DeviceLogin) -> Attempt:
        # Kept a little longer than it lives: that it is over is for Zoho to say.
        return self._attempt(login.expires_at + LIFE, login=login.as_document())

    def _attempt(self, expires_at: datetime, **details: object) -> Attempt:
        known = {"accounts_url": self.client.accounts_url}
        return Attempt(SERVICE, self.client.client_id, expires_at, {**known, **details})

    def _finish(self, store: Store, grant: Grant) -> ZohoReport:
        return finish(self.configs.project, self.settings, store, grant)
