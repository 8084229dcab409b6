"""Plugins for a real Meltano that do what a test tells them, and keep a diary: runs without FreshBooks and Zoho.

The tap hands on the ids of `record_ids`, or id 1 of clients and a state; the target clears them in the store. What else
they do stands in the file ``orders.json``, which may change while they run.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ACCOUNT = "ZyQ04o"
SCRIPT = """#!{python}
import sys
sys.path[:0] = {path!r}
from support.stub_plugins import {kind}
{kind}({folder!r})
"""


def make_plugins(folder: Path) -> dict[str, Path]:
    """Write the executables; gives them by plugin name, as `make_project` takes them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = [str(Path(__file__).parents[1])]
    plugins = {}
    for name, kind in (("tap-freshbooks", "tap"), ("target-zoho-crm", "target")):
        script = folder / name
        script.write_text(SCRIPT.format(python=sys.executable, path=path, kind=kind, folder=str(folder)))
        script.chmod(0o755)
        plugins[name] = script
    return plugins


class Diary:
    """What the plugins did, and what they are to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def order(self, **orders: Any) -> None:
        """Tell them: `fail` (the tap's exit code), `fail_for` (an id that makes the tap fail), `hold` (the tap waits
        while that is true), `leave` (ids that the target passes over)."""
        draft = self.folder / "orders.tmp"
        draft.write_text(json.dumps(orders))
        draft.replace(self.folder / "orders.json")

    def entries(self, what: str | None = None) -> list[dict[str, Any]]:
        """Give the entries so far, of one kind if said: "began", "ended" (the tap), "wrote" (the target)."""
        file = self.folder / "diary.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [entry for line in lines if what in (None, (entry := json.loads(line))["what"])]


def _orders(folder: str) -> dict[str, Any]:
    file = Path(folder, "orders.json")
    return json.loads(file.read_text()) if file.exists() else {}


def _write(folder: str, what: str, **more: Any) -> None:
    line = json.dumps({"what": what, "pid": os.getpid(), "at": time.time(), **more})
    with Path(folder, "diary.jsonl").open("a") as file:
        file.write(line + "\n")


def _config() -> dict[str, Any]:
    return json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text())


def tap(folder: str) -> None:
    """Be the tap."""
    schema = {"properties": {"account_id": {"type": "string"}, "id": {"type": "integer"}}}
    if "--discover" in sys.argv:
        streams = [
            {
                "tap_stream_id": name,
                "stream": name,
                "schema": schema,
                "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
            }
            for name in ("clients", "invoices", "payments")
        ]
        _say({"streams": streams})
        return
    config = _config()
    state = Path(sys.argv[sys.argv.index("--state") + 1]).read_text() if "--state" in sys.argv else None
    # Text, as Meltano hands it over.
    ids = json.loads(config.get("record_ids") or "null")
    read_at = _now()
    _write(folder, "began", ids=ids, state=state, argv=sys.argv, env=sorted(os.environ))
    while _orders(folder).get("hold"):
        time.sleep(0.02)
    orders = _orders(folder)
    if orders.get("fail") or any(orders.get("fail_for") in numbers for numbers in (ids or {}).values()):
        sys.stderr.write("Traceback: the secret of somebody@example.com\n")
        sys.exit(orders.get("fail", 3))
    for stream, numbers in (ids or {"clients": [1]}).items():
        keys = ["account_id", "id"]
        _say({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys})
        for number in numbers:
            record = {"account_id": config["account_id"], "id": number}
            message = {"type": "RECORD", "stream": stream, "record": record, "time_extracted": read_at}
            _say(message)
    if ids is None:
        _say({"type": "STATE", "value": {"bookmarks": {"clients": {"at": time.time()}}}})
    _write(folder, "ended", ids=ids)


def target(folder: str) -> None:
    """Be the target."""
    from singer_store import open_store

    started, config = _now(), _config()
    read: dict[str, dict[str, str]] = {}
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "RECORD":
            read.setdefault(message["stream"], {})[str(message["record"]["id"])] = message["time_extracted"]
        elif message["type"] == "STATE":
            _say(message["value"])
    left = set(map(str, _orders(folder).get("leave", [])))
    with open_store(config["store_url"], config["store_key"]) as store:
        for stream, moments in read.items():
            kept = {number: at for number, at in moments.items() if number not in left}
            store.pending.clear(ACCOUNT, stream, {number: datetime.fromisoformat(at) for number, at in kept.items()})
        summary = {"total": {"created": sum(map(len, read.values()))}}
        moments = [datetime.fromisoformat(at) for at in (started, _now())]
        store.runs.add("target-zoho-crm", moments[0], moments[1], "ok", summary)
    _write(folder, "wrote", read={stream: sorted(map(int, moments)) for stream, moments in read.items()})


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
