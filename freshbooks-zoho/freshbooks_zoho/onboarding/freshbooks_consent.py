"""FreshBooks' consent as a conversation: in one go with a person, or in two steps for a script."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import requests

from freshbooks_zoho.onboarding.credentials import CLIENT, Credential, complete, redirect_uri
from freshbooks_zoho.onboarding.freshbooks import FreshBooksReport, finish
from freshbooks_zoho.onboarding.pending import LIFE, Attempt, Attempts, NextStep, new_state
from freshbooks_zoho.settings import SettingError
from freshbooks_zoho.webhooks.consent import PATH
from tap_freshbooks.consent import (
    DEVELOPER_PAGE,
    SCOPES,
    ConsentError,
    PasteError,
    authorization_url,
    exchange,
    read_answer,
    read_pasted,
)
from tap_freshbooks.errors import SettingError as TapSettingError
from tap_freshbooks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freshbooks_zoho.onboarding.dialogue import Dialogue
    from freshbooks_zoho.settings import Configs
    from singer_store import Store
    from tap_freshbooks.account import Business

SERVICE = "freshbooks"
COMMAND = "freshbooks-zoho connect freshbooks"
NOWHERE = "https://localhost/freshbooks/callback"
"""A way back on which nothing answers: it is there to be copied."""
LOOK_AGAIN = 0.5
"""Seconds between two looks for the answer that comes by the page."""


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
        settings: of the tap, its credentials among them.
    """

    configs: Configs
    settings: Settings

    @classmethod
    def of(cls, configs: Configs, dialogue: Dialogue | None) -> Consent:
        """Collect the credentials, asking for those that are missing.

        Raises:
            SettingError: if one is missing and nobody can be asked, or cannot be used.
        """
        way_back = f"{configs.public_url}{PATH}" if configs.public_url else NOWHERE
        needed = (*CLIENT, Credential("redirect_uri", "Redirect URI", read=redirect_uri, default=way_back))
        intro = (
            f"FreshBooks wants an app of your own, once: make one at {DEVELOPER_PAGE} with",
            f"  the redirect URI  {way_back}",
            f"  the scopes        {' '.join(SCOPES)}",
            "and copy from there:",
        )
        config = complete(configs.project, configs.project.extractor, configs.tap, needed, dialogue, intro=intro)
        try:
            return cls(configs, Settings.from_config({**config, "record_ids": None}))
        except TapSettingError as error:
            raise SettingError(f"{configs.project.extractor}: {error}") from None

    def talk(self, store: Store, account_id: str | None, dialogue: Dialogue, *, paste: bool) -> FreshBooksReport:
        """Connect with a person at the terminal.

        Raises:
            ConsentError: if it comes to nothing.
            StoreError: if the tokens cannot be kept.
        """
        one_click = not paste and self._leads_to_us and is_served(self.configs.public_url or "")
        attempt = self._begin(store)
        dialogue.say("Open this page and agree:")
        dialogue.show_page(authorization_url(self.settings, attempt.state))
        try:
            if one_click:
                dialogue.say("Waiting for FreshBooks' answer. (Ctrl-C ends this; --paste does without it.)", "quiet")
                code = self._await(store)
            else:
                dialogue.say(
                    "It leads to a page that need not load. Copy that page's whole address, and paste it here."
                )
                code = dialogue.ask("Address", lambda text: self._read(text, attempt), wrong=PasteError)
        finally:
            Attempts(store).drop(SERVICE, self.settings.client_id)

        def ask(found: Sequence[Business], configured: str | None) -> str:
            return _ask_for_business(dialogue, found, configured)

        grant = exchange(self.settings, code)
        return finish(self.configs.project, self.settings, store, grant, account_id=account_id, ask=ask)

    def begin(self, store: Store) -> NextStep:
        """Make the first of two steps: gives what a person has to do."""
        attempt = self._begin(store)
        back = (
            "This service takes the answer."
            if self._leads_to_us and is_served(self.configs.public_url or "")
            else "Then give the whole address of the page it leads to (which need not load) to the next step, on stdin."
        )
        return NextStep(
            {
                "authorization_url": authorization_url(self.settings, attempt.state),
                "to_do": f"Open the authorization_url and agree. {back}",
                "expires_at": attempt.expires_at.isoformat(timespec="seconds"),
                "next_step": f"{COMMAND} --complete",
            }
        )

    def complete(self, store: Store, account_id: str | None, stdin: Callable[[], str]) -> FreshBooksReport:
        """Make the second step.

        Args:
            store: where the first step is kept.
            account_id: the business to read.
            stdin: gives what the person brought back.

        Raises:
            ConsentError: if it comes to nothing; what was pasted wrong may be given again.
            StoreError: if the tokens cannot be kept.
        """
        attempts = Attempts(store)
        attempt = attempts.find(SERVICE, self.settings.client_id, now())
        if attempt is None:
            raise ConsentError(f"No consent is under way, or it is older than ten minutes: run {COMMAND} first.")
        try:
            code = self._read(stdin(), attempt) if attempt.answer is None else _code(attempt)
        except PasteError:
            raise
        except ConsentError:
            attempts.drop(SERVICE, self.settings.client_id)
            raise
        attempts.drop(SERVICE, self.settings.client_id)
        grant = exchange(self.settings, code)
        return finish(self.configs.project, self.settings, store, grant, account_id=account_id)

    @property
    def _leads_to_us(self) -> bool:
        url = self.configs.public_url
        return url is not None and self.settings.redirect_uri == f"{url}{PATH}"

    def _begin(self, store: Store) -> Attempt:
        attempt = Attempt(SERVICE, self.settings.client_id, now() + LIFE, {"state": new_state()})
        Attempts(store).keep(attempt)
        return attempt

    def _await(self, store: Store) -> str:
        """Wait until the page has taken the answer."""
        attempts = Attempts(store)
        while (attempt := attempts.find(SERVICE, self.settings.client_id, now())) is not None:
            if attempt.answer is not None:
                return _code(attempt)
            wait(LOOK_AGAIN)
        raise ConsentError(f"Nobody has agreed within ten minutes, so nothing is connected. Run {COMMAND} again.")

    def _read(self, text: str, attempt: Attempt) -> str:
        return read_pasted(text, redirect_uri=self.settings.redirect_uri, state=attempt.state)


def _code(attempt: Attempt) -> str:
    answer = {name: [value] for name, value in (attempt.answer or {}).items()}
    return read_answer({**answer, "state": [attempt.state]}, state=attempt.state)


def _ask_for_business(dialogue: Dialogue, found: Sequence[Business], configured: str | None) -> str:
    """Let a person choose by number or by account id."""
    dialogue.say("You have several businesses:")
    for number, one in enumerate(found, 1):
        dialogue.say(f"  {number}  {one.name} (account {one.account_id})")
    choices = {str(number): one.account_id for number, one in enumerate(found, 1)}
    choices |= {one.account_id: one.account_id for one in found}

    def read(text: str) -> str:
        if text.strip() not in choices:
            raise ValueError(f"Type a number from 1 to {len(found)}.")
        return choices[text.strip()]

    return dialogue.ask("Which one is synced", read, default=configured if configured in choices else None)


def is_served(public_url: str) -> bool:
    """Say whether `serve` can be reached, as the person's browser will have to."""
    try:
        answer = requests.get(f"{public_url}/healthz", timeout=5, allow_redirects=False)
        return bool(answer.json() == {"status": "ok"})
    except (requests.RequestException, ValueError):
        return False
