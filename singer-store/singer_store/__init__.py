"""What Singer plugins lack: a durable place for rotating tokens and for records to retry."""

from __future__ import annotations

from singer_store import oauth
from singer_store.authorizer import Authorizer
from singer_store.broker import Broker
from singer_store.errors import (
    ClientRefusedError,
    ConnectAgainError,
    CorruptRowError,
    InsecureFileError,
    NewerSchemaError,
    RefreshNotSent,
    RefreshRefused,
    RefreshUnanswered,
    RefreshUnavailableError,
    StoreError,
    StoreUnavailableError,
    TokenError,
    WrongKeyError,
)
from singer_store.leases import Lease, Leases
from singer_store.meltano_folder import close_to_others
from singer_store.pending import SET_ASIDE, Pending, PendingObject, Tally
from singer_store.runs import Run, Runs
from singer_store.secrets import Secrets
from singer_store.store import Store, open_store
from singer_store.tokens import AccessToken, Connection, Grant
from singer_store.written import WrittenRecord, WrittenRecords

__all__ = [
    "SET_ASIDE",
    "AccessToken",
    "Authorizer",
    "Broker",
    "ClientRefusedError",
    "ConnectAgainError",
    "Connection",
    "CorruptRowError",
    "Grant",
    "InsecureFileError",
    "Lease",
    "Leases",
    "NewerSchemaError",
    "Pending",
    "PendingObject",
    "RefreshNotSent",
    "RefreshRefused",
    "RefreshUnanswered",
    "RefreshUnavailableError",
    "Run",
    "Runs",
    "Secrets",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "Tally",
    "TokenError",
    "WrittenRecord",
    "WrittenRecords",
    "WrongKeyError",
    "close_to_others",
    "oauth",
    "open_store",
]
