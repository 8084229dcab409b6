"""The tap piped into the target in this process, and what a command of the companion works with over the same store."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack, contextmanager, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from rich.console import Console as Terminal

from freshbooks_zoho import settings as settings_
from freshbooks_zoho.commands.session import Session
from freshbooks_zoho.console import Console
from freshbooks_zoho.project import Project
from sandbox.firm import load_firm
from support.meltano_project import plugin_settings
from tap_freshbooks.tap import TapFreshBooks
from target_zoho_crm.target import TargetZohoCRM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshbooks_zoho.console import Report
    from sandbox import Sandbox


STORE_KEY = Fernet.generate_key().decode()


class Pipeline:
    """A sandbox, connected; settings may be added per plugin (`tap`, `target`)."""

    def __init__(self, box: Sandbox, folder: Path, **config: dict[str, Any]) -> None:
        self.box = box
        connected = plugin_settings(box, f"sqlite:///{folder}/store.db", STORE_KEY)
        self.tap = {**connected["tap_freshbooks"], **config.get("tap", {})}
        self.target = {**connected["target_zoho_crm"], **config.get("target", {})}
        self._project = Project(folder, Path("meltano"), None)
        self._state: dict[str, Any] | None = None

    def run(self, *, changes: bool = False, **tap: Any) -> None:
        """Sync: everything, or what changed since the last run, or what settings of the tap say."""
        written = io.StringIO()
        target = TargetZohoCRM(config=self.target)
        with redirect_stdout(written):
            TapFreshBooks(config=self.tap | tap, state=self._state if changes else None).sync_all()
        messages = [json.loads(line) for line in written.getvalue().splitlines()]
        self._state = next((one["value"] for one in reversed(messages) if one["type"] == "STATE"), self._state)
        with redirect_stdout(io.StringIO()):
            target.listen(io.StringIO(written.getvalue()))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """What a command works with."""
        with ExitStack() as stack:
            yield Session(settings_.read(self._project, own={}, tap=self.tap, target=self.target), stack)


@pytest.fixture
def firm(box: Sandbox, tmp_path: Path) -> Pipeline:
    """The firm's books, synced to an organization with two currencies."""
    load_firm(box)
    box.zoho.enable_multi_currency({"EUR": Decimal("0.92")})
    pipeline = Pipeline(box, tmp_path)
    pipeline.run()
    return pipeline


def shown(report: Report) -> str:
    """Give what a person sees of a report."""
    out = io.StringIO()
    report.show(Console(Terminal(file=out, width=200)))
    return out.getvalue()
