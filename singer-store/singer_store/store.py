"""The store: opened once by a plugin, and closed at its end."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from singer_store import rotation
from singer_store.broker import Broker
from singer_store.database import Database, parse_url
from singer_store.keys import KeySource
from singer_store.leases import Leases
from singer_store.location import default_key_file, default_store
from singer_store.pending import Pending
from singer_store.runs import Runs
from singer_store.schema import open_schema
from singer_store.secrets import Secrets
from singer_store.tokens import TokenRows, seed_digest
from singer_store.written import WrittenRecords

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from singer_store.keys import Keyring
    from singer_store.tokens import Connection, Grant


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Store:
    """Tokens, objects still to sync, the history of runs, and more. Thread-safe. Made by `open_store`.

    Attributes:
        pending: The objects still to sync.
        runs: The history of runs.
        leases: One holder at a time.
        secrets: Small encrypted documents.
        written: What was written last into each record of the destination.
    """

    pending: Pending
    runs: Runs
    leases: Leases
    secrets: Secrets
    written: WrittenRecords
    _database: Database = field(repr=False)
    _keyring: Keyring = field(repr=False)
    _source: KeySource = field(repr=False)
    _salt: bytes = field(repr=False)
    _clock: Callable[[], datetime] = field(repr=False)

    def broker(  # noqa: PLR0913 - all that a connection is
        self,
        *,
        service: str,
        client_id: str,
        seed: str | None,
        refresh: Callable[[str, Mapping[str, str]], Grant],
        rotates: bool,
        hint: str = Broker.hint,
    ) -> Broker:
        """Give the broker of one connection.

        Args:
            service: Its name ("freshbooks", "zoho").
            client_id: The OAuth client; tokens belong to it.
            seed: The refresh token from the plugin's settings. It is used when it has not been seen before.
            refresh: Makes one POST with the refresh token it is given, beside the details of the grant that brought it
                (none for a seed). Returns the grant, or raises `RefreshRefused`, `ClientRefusedError`,
                `RefreshUnavailableError` or `RefreshNotSent`; anything else counts as sent without an answer.
                `oauth.post_form` keeps to that.
            rotates: Whether each refresh token can be used only once.
            hint: A sentence that says how to connect again, for whoever has to.
        """
        seed = (seed or "").strip() or None
        return Broker(
            service=service,
            client_id=client_id,
            seed=seed,
            digest=seed_digest(self._salt, seed),
            refresh=refresh,
            rotates=rotates,
            rows=TokenRows(self._database, self._keyring),
            database=self._database,
            clock=self._clock,
            hint=hint,
        )

    def connection(self, *, service: str, client_id: str, seed: str | None) -> Connection | None:
        """Give what is known of a connection, without its tokens and without asking the service.

        Args:
            service: As for `broker`.
            client_id: As for `broker`.
            seed: As for `broker`.

        Returns:
            None where there has been no token yet.
        """
        digest = seed_digest(self._salt, (seed or "").strip() or None)
        return TokenRows(self._database, self._keyring).connection(service, client_id, digest, self._clock())

    def lock(self, name: str, *, timeout: float) -> AbstractContextManager[None]:
        """Hold a lock across threads, processes and machines; it dies with its holder.

        Args:
            name: What it is about.
            timeout: Seconds to wait for it.

        Raises:
            StoreUnavailableError: On entering, when another holder did not let go in time.
        """
        return self._database.lock(name, timeout)

    def add_key(self) -> None:
        """Put a fresh key in front of those in the key file, for `rotate_keys` to move to.

        Other processes notice by themselves.

        Raises:
            StoreError: When the keys come from the setting `store_key`: then the new one belongs there, in front.
        """
        self._source.add()
        self._keyring.reload()

    def rotate_keys(self) -> int:
        """Re-encrypt everything under the first key, while other processes go on (they need to know that key too).

        Returns:
            How many values were re-encrypted; 0 when all were already.

        Raises:
            CorruptRowError: When a value cannot be decrypted with any key.
        """
        return rotation.rotate(self._database, self._keyring)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(
    store_url: str | None = None, store_key: str | None = None, *, clock: Callable[[], datetime] = _now
) -> Store:
    """Open the store, making it if there is none.

    Args:
        store_url: SQLAlchemy URL (``sqlite:///…`` or ``postgresql+psycopg://…``). Default: a SQLite file below
            ``$MELTANO_PROJECT_ROOT/.meltano/singer-store`` (below ``$MELTANO_SYS_DIR_ROOT``, where that is set), or
            below the user's state folder outside a project.
        store_key: Comma-separated Fernet keys: the first encrypts, all decrypt. Default: a key file in the user's
            config folder, made with the first store.
        clock: Gives the time, aware.

    Raises:
        WrongKeyError: When the store was encrypted with another key, or the key is malformed or gone.
        NewerSchemaError: When the store was written by a newer release.
        InsecureFileError: When the store or the key file is open to other users.
        StoreUnavailableError: When the URL is malformed or the database cannot be used.
    """
    database = Database(parse_url(store_url) if store_url else default_store(os.environ))
    try:
        source = KeySource(store_key or None, default_key_file())
        keyring, salt = open_schema(database, source)
    except BaseException:
        database.close()
        raise
    return Store(
        pending=Pending(database),
        runs=Runs(database),
        leases=Leases(database),
        secrets=Secrets(database, keyring),
        written=WrittenRecords(database, salt),
        _database=database,
        _keyring=keyring,
        _source=source,
        _salt=salt,
        _clock=clock,
    )
