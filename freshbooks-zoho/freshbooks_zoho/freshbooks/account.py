"""Which FreshBooks account is synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freshbooks_zoho.settings import SettingError
from tap_freshbooks.account import businesses, choose
from tap_freshbooks.errors import FreshBooksError
from tap_freshbooks.errors import SettingError as TapSettingError

if TYPE_CHECKING:
    from freshbooks_zoho.settings import Settings
    from singer_store import Store
    from tap_freshbooks.client import FreshBooksClient

_KIND = "companion"


def find_account(settings: Settings, store: Store, client: FreshBooksClient) -> str:
    """Give the FreshBooks account to sync: the setting's, else the user's only one, else (no answer) the last known.

    Raises:
        SettingError: if the user has several accounts and the setting names none.
        FreshBooksError: if FreshBooks does not answer and none is known.
        StoreError: if there is no token to be had.
    """
    if settings.tap.account_id:
        return settings.tap.account_id
    name = f"account/{settings.tap.client_id}"[:200]
    try:
        account = choose(businesses(client.me().payload), None).account_id
    except TapSettingError as error:
        raise SettingError(str(error)) from None
    except FreshBooksError:
        known = store.secrets.get(_KIND, name)
        if known is None:
            raise
        return str(known["account_id"])
    store.secrets.put(_KIND, name, {"account_id": account})
    return account
