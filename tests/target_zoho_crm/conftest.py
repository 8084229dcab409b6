"""Sandboxes, and runs of the target against their Zoho."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.postgres import postgres_server, postgres_url  # noqa: F401
from support.target import Org, client

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose Zoho has the fields and the module that the target needs."""
    with Sandbox() as sandbox:
        Org(sandbox, tmp_path_factory.mktemp("first")).run(("clients", client()))
        yield sandbox


@pytest.fixture
def org(shared_box: Sandbox, tmp_path: Path) -> Org:
    """An organization without records; for tests that leave its set-up as it is."""
    return Org(shared_box, tmp_path).emptied()


@pytest.fixture
def new_org(tmp_path: Path) -> Iterator[Org]:
    """An organization of its own, as a new one is."""
    with Sandbox() as sandbox:
        yield Org(sandbox, tmp_path)
