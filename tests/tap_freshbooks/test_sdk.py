"""The SDK's own tests of a tap, over the sandbox."""

from __future__ import annotations

import atexit
import tempfile
from datetime import timedelta
from pathlib import Path

from singer_sdk.testing import get_tap_test_class
from support.tap import TapRunner

from sandbox import Sandbox
from tap_freshbooks.tap import TapFreshBooks

# The SDK makes a tap when tests are collected, so the sandbox runs from then on.
BOX = Sandbox()
FOLDER = tempfile.TemporaryDirectory(prefix="tap-freshbooks-")
atexit.register(FOLDER.cleanup)
atexit.register(BOX.stop)
with BOX.freshbooks.at(BOX.clock.now() - timedelta(days=3)):
    _client = BOX.freshbooks.create_client(organization="Larch and Sons")
    _invoice = BOX.freshbooks.create_invoice(_client["id"], [{"name": "Planks", "qty": 2, "unit_cost": "10.00"}])
    BOX.freshbooks.send_invoice(_invoice["id"])
    BOX.freshbooks.create_payment(_invoice["id"], "5.00")

TestTapFreshBooks = get_tap_test_class(TapFreshBooks, config=TapRunner(BOX, Path(FOLDER.name)).config)
