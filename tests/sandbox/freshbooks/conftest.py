from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.freshbooks import NOON, Api

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.freshbooks import FreshBooks


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox whose clock stands at noon in New York."""
    with Sandbox() as box:
        box.clock.freeze(NOON)
        yield box


@pytest.fixture
def books(box: Sandbox) -> FreshBooks:
    return box.freshbooks


@pytest.fixture
def api(box: Sandbox) -> Iterator[Api]:
    api = Api(box)
    yield api
    api.close()
