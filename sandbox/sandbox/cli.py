"""The command ``sandbox``: the emulated services as processes of their own."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox
from sandbox.control import describe
from sandbox.demo import main as run_demo
from sandbox.firm import load_firm
from sandbox.settings import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 8471


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="sandbox", description="FreshBooks and Zoho CRM, emulated over HTTP.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_serve(commands)
    _add_env(commands)
    demo = commands.add_parser("demo", help="show the whole job on a small firm's books (in the project's folder)")
    demo.set_defaults(run=lambda _: run_demo())
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


def _add_serve(commands: Any) -> None:
    parser = commands.add_parser("serve", help="serve both until SIGTERM or SIGINT")
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"of FreshBooks; Zoho's US and EU are on the next two ({PORT}); 0: any"
    )
    parser.add_argument("--firm", action="store_true", help="begin with the books of a small firm")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="added to every call")
    parser.add_argument("--ready-file", type=Path, metavar="PATH", help="write the description there, as JSON")
    parser.add_argument("--json", action="store_true", help="print the description as one line of JSON")
    parser.set_defaults(run=serve)


def _add_env(commands: Any) -> None:
    parser = commands.add_parser("env", help="print settings of the plugins for a sandbox that runs, with fresh tokens")
    parser.add_argument("--url", default=f"http://127.0.0.1:{PORT}", help="of its FreshBooks")
    parser.add_argument("--data-centre", choices=("us", "eu"), default="us", help="of Zoho")
    parser.set_defaults(run=print_environment)


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal asks for the end."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    first = options.port
    ports = (first, first + 1, first + 2) if first else (0, 0, 0)
    try:
        box = Sandbox(latency=options.latency, ports=ports)
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen on ports {ports}: {error.strerror}. Choose another --port.\n")
        return 1
    with box:
        if options.firm:
            load_firm(box)
        description = describe(box)
        sys.stdout.write(json.dumps(description) + "\n" if options.json else _readable(description))
        sys.stdout.flush()
        if options.ready_file:
            _write_whole(options.ready_file, json.dumps(description))
        ended.wait()
    return 0


def print_environment(options: argparse.Namespace) -> int:
    """Print ``export NAME=value`` lines, for ``eval "$(sandbox env)"``."""
    try:
        description = _call("GET", f"{options.url}/_sandbox")
        grants = _call("POST", f"{options.url}/_sandbox/grants")
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"No sandbox answers at {options.url} ({error}). Start one with: sandbox serve\n")
        return 1
    for name, value in environment(description, grants, options.data_centre).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def _call(method: str, url: str) -> Any:
    if not url.startswith(("http://", "https://")):
        raise urllib.error.URLError("not an http address")
    request = urllib.request.Request(url, method=method)  # noqa: S310 - the scheme was looked at
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def _readable(description: dict[str, Any]) -> str:
    books, zoho = description["freshbooks"], description["zoho"]
    return (
        "The sandbox is ready.\n"
        f"  FreshBooks  {books['url']}  account {books['account_id']}\n"
        f"  Zoho US     {zoho['accounts_urls']['us']}\n"
        f"  Zoho EU     {zoho['accounts_urls']['eu']}\n"
        f"  Control     {books['url']}/_sandbox\n"
        f'Settings for the plugins: eval "$(sandbox env --url {books["url"]})"\n'
    )


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is either not there or complete."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - the same thing
