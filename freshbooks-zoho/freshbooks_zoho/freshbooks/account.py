"""Which FreshBooks account is synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freshbooks_zoho.settings import TAP, SettingError
from tap_freshbooks.account import businesses, choose
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.errors import SettingError as TapSettingError

if TYPE_CHECKING:
    from freshbooks_zoho.settings import Settings
    from singer_store import Store
    from tap_freshbooks.client import FreshBooksClient
    from tap_freshbooks.settings import Settings as TapSettings

_KIND = "companion"
MOST_RUNS = 100


def find_account(settings: Settings, store: Store, client: FreshBooksClient) -> str:
    """Give the FreshBooks account to sync: the setting's, else the user's only one, else (no answer) the last known.

    Raises:
        SettingError: if the user has several accounts and the setting names none.
        FreshBooksError: if FreshBooks does not answer and none is known.
        StoreError: if there is no token to be had.
    """
    if settings.tap.account_id:
        return settings.tap.account_id
    try:
        account = choose(businesses(client.me().payload), None).account_id
    except TapSettingError as error:
        raise SettingError(str(error)) from None
    except FreshBooksError:
        known = known_account(settings, store)
        if known is None:
            raise
        return known
    remember(settings.tap, store, account)
    return account


def known_account(settings: Settings, store: Store) -> str | None:
    """Give the FreshBooks account as far as it is known without asking FreshBooks.

    Raises:
        StoreError: if the store cannot be used.
    """
    known = settings.tap.account_id or remembered(settings.tap, store)
    if known is None:
        # Where nobody has connected here or served, the tap may have run.
        accounts = {run.summary.get("account") for run in store.runs.latest(TAP, MOST_RUNS)}
        # Of several businesses in one store, nobody knows which is meant.
        known = accounts.pop() if len(accounts) == 1 else None
    return known


def remembered(tap: TapSettings, store: Store) -> str | None:
    """Give the account that was found last.

    Raises:
        StoreError: if the store cannot be used.
    """
    known = store.secrets.get(_KIND, _name(tap))
    return None if known is None else str(known["account_id"])


def remember(tap: TapSettings, store: Store, account: str) -> None:
    """Keep which account was found, for when FreshBooks does not answer.

    Raises:
        StoreError: if the store cannot be used.
    """
    store.secrets.put(_KIND, _name(tap), {"account_id": account})


def _name(tap: TapSettings) -> str:
    return f"account/{tap.client_id}"[:200]
