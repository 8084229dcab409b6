"""A client of the sandbox's Zoho, as the target makes it, with waits short enough for tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from singer_store import open_store
from target_zoho_crm.api.auth import refresher
from target_zoho_crm.api.client import Retries, ZohoClient
from target_zoho_crm.mapping.metadata import Choice, Field
from target_zoho_crm.org.model import Module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox import Sandbox
    from singer_store import Broker

FAST = Retries(attempts=4, first_wait=0.01, longest_wait=2.0, total=60.0, connect_timeout=5.0, read_timeout=5.0)
KEY = Fernet.generate_key().decode()


@contextmanager
def broker_of(
    box: Sandbox, folder: Path, *, refresh_token: str | None = None, client_secret: str | None = None, scopes=None
) -> Iterator[Broker]:
    """The token broker of a fresh consent, or of a given refresh token."""
    app = box.zoho.app
    with open_store(f"sqlite:///{folder}/store.db", KEY, clock=box.clock.now) as store:
        yield store.broker(
            service="zoho",
            client_id=app.client_id,
            seed=refresh_token or box.zoho.grant(scopes),
            refresh=refresher(app.client_id, client_secret or app.client_secret, box.zoho.accounts_url),
            rotates=False,
        )


@contextmanager
def client_of(
    box: Sandbox, folder: Path, *, max_parallel: int = 25, retries: Retries = FAST, **consent
) -> Iterator[ZohoClient]:
    """A client with a store of its own."""
    with (
        broker_of(box, folder, **consent) as broker,
        ZohoClient(broker, max_parallel=max_parallel, user_agent="target-zoho-crm/test", retries=retries) as client,
    ):
        yield client


def field(label: str, data_type: str = "text", **known) -> Field:
    """A field as Zoho would describe it, its API name and its id made of its label."""
    name = label.replace(" ", "_")
    return Field(name, label, data_type, **{"id": f"id of {name}", **known})


def choices(*names: str, **kinds: str) -> tuple[Choice, ...]:
    """Choices that are displayed under these names; of stages, their kinds by name."""
    return tuple(Choice(name, name, kinds.get(name, "")) for name in names)


def module(name: str, *fields: Field, **known) -> Module:
    """A module with these fields."""
    return Module(name, name, {one.api_name: one for one in fields}, **{"id": f"id of {name}", **known})
