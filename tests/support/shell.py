"""Commands of the companion in this process, without asking Meltano for the settings each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from freshbooks_zoho.cli import main
from freshbooks_zoho.commands import session as session_module
from singer_store import open_store

if TYPE_CHECKING:
    import pytest

    from freshbooks_zoho.settings import Settings


class Shell:
    """Runs commands with these settings."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session_module.settings_, "load", lambda: settings)
        self.store_settings, self.account = (settings.store_url, settings.store_key), settings.tap.account_id

    def __call__(self, *words: str) -> tuple[int, str]:
        """Give the exit code and the output."""
        done = CliRunner().invoke(main, list(words))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def pending(self, account: str | None = None) -> dict[tuple[str, str], Any]:
        """The objects of a business that are still to be synced, by stream and id."""
        with open_store(*self.store_settings) as store:
            return {(one.stream, one.object_id): one for one in store.pending.all(account or self.account)}
