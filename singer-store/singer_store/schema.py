"""The tables, their version, and how a store comes into being exactly once."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken
from sqlalchemy import JSON, Column, DateTime, Index, Integer, MetaData, String, Table, Text, inspect, select, update
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import TypeDecorator

from singer_store.database import POSTGRES_SCHEMA
from singer_store.errors import CorruptRowError, NewerSchemaError, WrongKeyError
from singer_store.upgrades import SCHEMA_VERSION, bring_up_to_date

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    from singer_store.database import Database
    from singer_store.keys import Keyring, KeySource

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 120.0


class NaiveTimeError(DontWrapMixin, ValueError):
    """A datetime without a time zone, which could mean any of two dozen moments."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTimeError("The store takes aware datetimes only.")
        return value.astimezone(timezone.utc)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


metadata = MetaData()

meta = Table("meta", metadata, Column("name", String, primary_key=True), Column("value", Text, nullable=False))

tokens = Table(
    "tokens",
    metadata,
    Column("service", String, primary_key=True),
    Column("client_id", String, primary_key=True),
    Column("seed", String, primary_key=True),
    # Encrypted JSON: access token, refresh token, details. Nothing else here is a secret.
    Column("secret", Text, nullable=False),
    Column("issued_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("refreshed_at", UtcDateTime),
    # Name of the machine that did.
    Column("refreshed_on", String(200)),
    # How often the present refresh token was sent without a known answer.
    Column("tries", Integer, nullable=False, default=0),
    Column("connect_again", String),
    Column("blocked_until", UtcDateTime),
    Column("blocked_by", String),
    # What the plugin made of the service's answer, for whoever has to wait.
    Column("blocked_message", Text),
    # Counts the grants stored, so that a late writer never puts an older one over a newer one.
    Column("grant_number", Integer, nullable=False, default=0),
)

pending = Table(
    "pending",
    metadata,
    Column("account", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("object_id", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("waits_for", String),
    Column("attempts", Integer, nullable=False, default=0),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("next_try", UtcDateTime),
    # When the version was read that failed last.
    Column("read_at", UtcDateTime),
    Index("pending_waits_for", "account", "waits_for"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plugin", String, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("outcome", String, nullable=False),
    Column("summary", JSON, nullable=False),
    Index("runs_plugin", "plugin", "id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("name", String(200), primary_key=True),
    # Encrypted JSON.
    Column("secret", Text, nullable=False),
)

written = Table(
    "written",
    metadata,
    Column("account", String(200), primary_key=True),
    Column("stream", String(200), primary_key=True),
    Column("object_id", String(200), primary_key=True),
    Column("record_id", String(200), nullable=False),
    # API names of the fields that the digest is about, with a space between them.
    Column("fields", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    # Id of the object that this one belongs to, such as an invoice's client.
    Column("parent", String(200)),
    Index("written_record", "record_id"),
    Index("written_parent", "account", "stream", "parent"),
)


def open_schema(database: Database, source: KeySource) -> tuple[Keyring, bytes]:
    """Make the tables where there are none, check version and key, and bring an older store up to date.

    Returns:
        The keys, and the salt for the digests of seeds. The salt is kept encrypted, which makes it the key check too.

    Raises:
        NewerSchemaError: When a newer release has written the store.
        WrongKeyError: When the key does not fit, or is gone.
        StoreUnavailableError: When the database cannot be used.
    """
    values = read_meta(database)
    if values is None:
        with database.lock("schema", _LOCK_SECONDS):
            values = read_meta(database)
            if values is None:
                values = _create(database, source.load_or_make())
    version = check_version(values.get("version"), database.name)
    keyring = source.load()
    salt = check_key(keyring, values.get("key_check"), database.name, source.where)
    if version < SCHEMA_VERSION:
        _upgrade(database)
    return keyring, salt


def read_meta(database: Database) -> dict[str, str] | None:
    """Give the rows of `meta`, or None where there is no store yet."""
    with database.read() as connection:
        if not inspect(connection).has_table("meta", schema=None if database.file else POSTGRES_SCHEMA):
            return None
        return {row.name: row.value for row in connection.execute(select(meta))}


def check_version(version: str | None, name: str) -> int:
    """Return the version of a store's schema.

    Raises:
        CorruptRowError: When it is none.
        NewerSchemaError: When this release does not know it.
    """
    if version is None or not version.isdecimal():
        raise CorruptRowError(f"The database {name} has a table meta without a schema version: it is not a store.")
    if int(version) > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"The store {name} has schema version {version}; this release knows up to {SCHEMA_VERSION}. "
            "Upgrade singer-store (and the plugins that use it). Nothing has been changed."
        )
    return int(version)


def check_key(keyring: Keyring, cipher: str | None, name: str, where: str) -> bytes:
    """Decrypt the key check, and give the salt in it.

    Raises:
        WrongKeyError: When the key is another one.
    """
    try:
        return keyring.decrypt(cipher or "")
    except InvalidToken:
        raise WrongKeyError(
            f"The key in {where} does not open the store {name}: it was encrypted with another one. Give the key "
            "the store was made with. Nothing has been changed."
        ) from None


def dump_json(value: dict[str, Any]) -> bytes:
    """Serialize the secret part of a row."""
    return json.dumps(value, separators=(",", ":")).encode()


def _create(database: Database, keyring: Keyring) -> dict[str, str]:
    database.use_wal()
    values = {"version": str(SCHEMA_VERSION), "key_check": keyring.encrypt(secrets.token_bytes(32))}
    with database.write() as connection:
        if not database.file:
            connection.execute(CreateSchema(POSTGRES_SCHEMA, if_not_exists=True))
        metadata.create_all(connection)
        connection.execute(meta.insert(), [{"name": name, "value": value} for name, value in values.items()])
    return values


def _upgrade(database: Database) -> None:
    """Bring an older store up to date, by one of several processes; one that dies half way leaves it as it was."""
    with database.lock("schema", _LOCK_SECONDS), database.write() as connection:
        here = meta.c.name == "version"
        version = int(connection.execute(select(meta.c.value).where(here)).scalar_one())
        if version < SCHEMA_VERSION:
            bring_up_to_date(connection, version, None if database.file else POSTGRES_SCHEMA)
            connection.execute(update(meta).where(here).values(value=str(SCHEMA_VERSION)))
            logger.info("Brought the store from version %s of its schema to %s.", version, SCHEMA_VERSION)
