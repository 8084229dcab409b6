"""FreshBooks records as the tap writes them, and runs of the target that read them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from singer_store import open_store
from target_zoho_crm.errors import ZohoError
from target_zoho_crm.org.memory import Memory
from target_zoho_crm.settings import read_settings
from target_zoho_crm.target import TargetZohoCRM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox import Sandbox
    from singer_store import Store

ACCOUNT = "ZyQ04o"
STREAMS = ("clients", "invoices", "payments")
READ_AT = "2026-07-01T12:00:00+00:00"
STORE_KEY = Fernet.generate_key().decode()


def usd(amount: str, code: str = "USD") -> dict[str, str]:
    return {"amount": amount, "code": code}


def client(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A FreshBooks client in the tap's form."""
    return {
        "account_id": ACCOUNT, "id": number, "organization": f"Client {number}", "fname": "", "lname": "",
        "email": f"client{number}@example.com", "bus_phone": "", "mob_phone": "", "home_phone": None, "fax": "",
        "p_street": "", "p_street2": "", "p_city": "", "p_province": "", "p_code": "", "p_country": "",
        "s_street": "", "s_street2": "", "s_city": "", "s_province": "", "s_code": "", "s_country": "",
        "currency_code": "USD", "outstanding_balance": [], "overdue_balance": [], "vis_state": 0,
        "updated": "2026-06-29T16:48:49+00:00", **changes,
    }  # fmt: skip


def line(name: str = "Design", unit: str = "100.00", **changes: Any) -> dict[str, Any]:
    """A line of an invoice."""
    return {
        "lineid": 1, "name": name, "description": "", "qty": "1", "unit_cost": usd(unit), "amount": usd(unit),
        "taxName1": "", "taxAmount1": "0", "taxName2": "", "taxAmount2": "0", **changes,
    }  # fmt: skip


def invoice(number: int = 1, customer: int = 1, **changes: Any) -> dict[str, Any]:
    """A FreshBooks invoice in the tap's form."""
    return {
        "account_id": ACCOUNT, "id": number, "invoice_number": f"{number:07}", "customerid": customer,
        "organization": f"Client {customer}", "current_organization": f"Client {customer}", "fname": "", "lname": "",
        "amount": usd("100.00"), "paid": usd("0.00"), "outstanding": usd("100.00"), "currency_code": "USD",
        "v3_status": "sent", "payment_status": "unpaid", "create_date": "2026-06-01", "due_date": "2026-07-01",
        "date_paid": None, "lines": [line()], "street": "", "street2": "", "city": "", "province": "", "code": "",
        "country": "", "vis_state": 0, "updated": "2026-06-29T16:50:00+00:00", **changes,
    }  # fmt: skip


def payment(number: int = 1, invoiceid: int = 1, **changes: Any) -> dict[str, Any]:
    """A FreshBooks payment in the tap's form."""
    return {
        "account_id": ACCOUNT, "id": number, "invoiceid": invoiceid, "clientid": 1, "amount": usd("40.00"),
        "date": "2026-06-20", "type": "Cash", "gateway": None, "vis_state": 0,
        "updated": "2026-06-29T16:51:00+00:00", **changes,
    }  # fmt: skip


def messages(
    *records: tuple[str, dict[str, Any]], read_at: str | None = READ_AT, state: Any = None
) -> list[dict[str, Any]]:
    """Singer messages: the schemas of the streams that occur, the records in their order, and a state.

    Args:
        records: stream and record.
        read_at: when the tap read them; None for each as soon as it was updated.
        state: of the STATE message at the end.
    """
    seen: list[dict[str, Any]] = []
    announced = set()
    for stream, record in records:
        if stream not in announced:
            announced.add(stream)
            seen.append(schema(stream, record))
        read = read_at or record["updated"]
        seen.append({"type": "RECORD", "stream": stream, "record": record, "time_extracted": read})
    return [*seen, {"type": "STATE", "value": state or {"bookmarks": {"clients": {"x": 1}}}}]


def schema(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    properties = {name: {} for name in record}
    if "updated" in properties:
        properties["updated"] = {"type": ["string", "null"], "format": "date-time"}
    keys = ["account_id", "id"] if "account_id" in record else []
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": keys}


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another process brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@dataclass
class Result:
    """What a run of the target said."""

    stdout: str
    stderr: str = ""
    error: Exception | None = None
    returncode: int | None = None
    log: list[str] = field(default_factory=list)

    @property
    def states(self) -> list[Any]:
        return [json.loads(text) for text in self.stdout.splitlines()]


class Org:
    """A sandbox's Zoho and a store, with runs of the target against them."""

    def __init__(self, box: Sandbox, folder: Path, **config: Any) -> None:
        self.box = box
        self.folder = folder
        self._grant: str | None = None
        self._before = len(box.calls())
        self.config = config

    def emptied(self) -> Org:
        """Delete all records, end all faults, forget what calls cost; what a killed target has sent is waited for."""
        self.box.faults.clear()
        self.box.server.wait_idle()
        self.box.zoho.allow()
        self.box.zoho.credits_used = 0
        for module in self.box.zoho.organization.modules:
            for row in self.box.zoho.records(module):
                self.box.zoho.delete(module, row["id"])
        return self

    def calls(self) -> list[Any]:
        """The calls to Zoho since this object was made, oldest first."""
        return [call for call in self.box.calls()[self._before :] if call.path.startswith("/crm/")]

    def settings(self, **config: Any) -> dict[str, Any]:
        if self._grant is None:
            self._grant = self.box.zoho.grant()
        return {
            "client_id": self.box.zoho.app.client_id,
            "client_secret": self.box.zoho.app.client_secret,
            "refresh_token": self._grant,
            "accounts_url": self.box.zoho.accounts_url,
            "store_url": f"sqlite:///{self.folder}/store.db",
            "store_key": STORE_KEY,
            **self.config,
            **config,
        }

    def run(self, *records: tuple[str, dict[str, Any]], read_at: str | None = READ_AT, **config: Any) -> Result:
        """Run the target on these records; a known error is given, not raised."""
        return self.feed(messages(*records, read_at=read_at), **config)

    def feed(self, sent: Iterable[dict[str, Any]], **config: Any) -> Result:
        """Run the target on Singer messages."""
        target = TargetZohoCRM(config=self.settings(**config))
        out = io.StringIO()
        error: Exception | None = None
        with redirect_stdout(out):
            try:
                target.listen(io.StringIO("".join(json.dumps(one) + "\n" for one in sent)))
            except ZohoError as raised:
                error = raised
                target.finish(failed=True)
        return Result(out.getvalue(), error=error)

    def process(self, sent: Iterable[dict[str, Any]], **config: Any) -> Result:
        """Run the target as a process of its own."""
        with self.started(**config) as process:
            out, err = process.communicate("".join(json.dumps(one) + "\n" for one in sent), timeout=60)
        return Result(out, err, returncode=process.returncode)

    @contextmanager
    def started(self, **config: Any) -> Iterator[subprocess.Popen[str]]:
        """Start the target as a process."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.settings(**config)))
        command = [sys.executable, "-m", "target_zoho_crm", "--config", str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store the runs use."""
        settings = self.settings()
        with open_store(settings["store_url"], settings["store_key"]) as store:
            yield store

    def a_day_later(self) -> None:
        """Let what is remembered of the organization be too old to count."""
        with self.store() as store:
            Memory.of(store, read_settings(self.settings())).forget_survey()

    def pending(self) -> dict[tuple[str, str], Any]:
        """The objects still to sync, by stream and id."""
        with self.store() as store:
            return {(row.stream, row.object_id): row for row in store.pending.all()}

    def records(self, module: str) -> list[dict[str, Any]]:
        return self.box.zoho.records(module) if module in self.box.zoho.organization.modules else []

    def one(self, module: str, key: str | None = None) -> dict[str, Any]:
        """The one record of a module, or the one with a FreshBooks ID."""
        found = [row for row in self.records(module) if key is None or row.get("FreshBooks_ID") == key]
        assert len(found) == 1, f"{len(found)} records"
        return found[0]

    def writes(self) -> list[Any]:
        """Those of the calls that wrote records."""
        quiet = ("settings", "coql")
        return [call for call in self.calls() if call.method != "GET" and not any(part in call.path for part in quiet)]

    def reads(self) -> list[Any]:
        """Those of the calls that read records."""
        return [call for call in self.calls() if call.path.endswith("/coql")]
