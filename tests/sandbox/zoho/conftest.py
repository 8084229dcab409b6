from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.zoho_api import ZohoApi

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(box: Sandbox) -> Iterator[ZohoApi]:
    caller = ZohoApi(box)
    yield caller
    caller.close()
