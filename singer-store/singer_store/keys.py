"""Fernet keys: from the setting `store_key`, or from a key file made once in the user's config folder."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from singer_store.errors import StoreError, WrongKeyError
from singer_store.files import check_folder, check_private, make_private_folder, replace, write_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)


def parse_keys(text: str, where: str) -> list[str]:
    """Split comma-separated (or one a line) Fernet keys and check each.

    Args:
        text: The keys; the first encrypts, all decrypt.
        where: Where they come from, for the error.

    Raises:
        WrongKeyError: When there is none or one is malformed; the message never holds the key.
    """
    keys = [key for key in re.split(r"[,\s]+", text) if key]
    if not keys:
        raise WrongKeyError(f"{where} holds no key. Put a Fernet key (44 characters of URL-safe base64) there.")
    for number, key in enumerate(keys, start=1):
        if not _is_fernet_key(key):
            raise WrongKeyError(
                f"Key {number} of {len(keys)} in {where} is not a Fernet key: that is 32 random bytes in URL-safe "
                "base64, 44 characters."
            )
    return keys


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


class Keyring:
    """Encrypts with the first key, decrypts with any of them."""

    def __init__(self, keys: Sequence[str], source: Callable[[], Sequence[str]] | None = None) -> None:
        self._source = source
        self._use(keys)

    def _use(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)
        self._first = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, plain: bytes) -> str:
        """Encrypt under the first key."""
        return self._first.encrypt(plain).decode()

    def decrypt(self, cipher: str) -> bytes:
        """Decrypt under whichever key fits; a key file is read anew once, for another process may have added a key.

        Raises:
            InvalidToken: When none fits.
        """
        try:
            return self._all.decrypt(cipher.encode())
        except InvalidToken:
            if not self.reload():
                raise
            return self._all.decrypt(cipher.encode())

    def reload(self) -> bool:
        """Read the key file anew, if the keys come from one; tells whether it holds other keys than before."""
        if self._source is None or (fresh := list(self._source())) == self._keys:
            return False
        self._use(fresh)
        return True

    def under_first_key(self, cipher: str) -> bool:
        """Tell whether a value is encrypted under the first key already."""
        try:
            self._first.decrypt(cipher.encode())
        except InvalidToken:
            return False
        return True


@dataclass(frozen=True)
class KeySource:
    """Where the keys come from: the setting if there is one, else the key file."""

    setting: str | None
    file: Path

    @property
    def where(self) -> str:
        """Name the source, for messages."""
        return 'the setting "store_key"' if self.setting else f"the key file {self.file}"

    def load(self) -> Keyring:
        """Give the keys of a store that exists already; no key is ever made here.

        Raises:
            WrongKeyError: When the key file is gone or malformed.
            InsecureFileError: When others may read it.
        """
        if self.setting:
            return Keyring(parse_keys(self.setting, self.where))
        return Keyring(self._read(), source=self._read)

    def load_or_make(self) -> Keyring:
        """Give the keys for a new store, making the key file where there is neither setting nor file."""
        if not self.setting and not self.file.exists():
            try:
                make_private_folder(self.file.parent)
                made = write_once(self.file, Fernet.generate_key().decode() + "\n")
            except OSError as error:
                raise StoreError(
                    f"The store needs a key, and the key file {self.file} cannot be made: {error.strerror}. Give a "
                    'Fernet key in the setting "store_key".'
                ) from None
            if made:
                logger.info("Made a new key for the store in %s. Keep a copy of it apart from the store.", self.file)
        return self.load()

    def add(self) -> None:
        """Put a fresh key in front of the key file's, so that `Store.rotate_keys` has one to move to.

        Raises:
            StoreError: When the keys come from the setting: then the new one belongs there, in front.
        """
        if self.setting:
            raise StoreError(
                'The store\'s keys come from the setting "store_key": put a new key in front of the old one there '
                "(new,old), then rotate."
            )
        keys = [Fernet.generate_key().decode(), *self._read()]
        replace(self.file, "\n".join(keys) + "\n")
        logger.info("Added a new key to %s.", self.file)

    def _read(self) -> list[str]:
        check_folder(self.file.parent, "The key file's folder")
        check_private(self.file, "The key file")
        try:
            text = self.file.read_text("ascii")
        except FileNotFoundError:
            raise WrongKeyError(
                f"The store exists, but its key file {self.file} is not here. Put it there from your copy, or from "
                'the machine that made the store, or give its key in the setting "store_key". No new key can open it.'
            ) from None
        except OSError as error:
            raise StoreError(f"The key file {self.file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise WrongKeyError(f"{self.where} is not a text file with Fernet keys.") from None
        return parse_keys(text, self.where)
