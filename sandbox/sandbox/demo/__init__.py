"""The demonstration: a firm's books in FreshBooks, a CRM that salespeople use, and Meltano between them.

Everything is real but the two services: Meltano runs the published plugins against the sandbox over HTTP.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sandbox import Sandbox
from sandbox.demo.books import change_things, set_the_scene
from sandbox.demo.live import show_live
from sandbox.demo.past_due import show_past_due
from sandbox.demo.programs import JOB, run_job, variables
from sandbox.demo.telling import Teller


def main() -> int:
    """Run the demonstration from the root of the project; gives the exit code."""
    folder = Path(".sandbox", "demo").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    teller = Teller()
    with Sandbox() as box:
        teller.act("Two services on this machine, nothing leaves it")
        unclear = set_the_scene(box, teller)
        settings = variables(box, folder)
        teller.act(f"First run: meltano run {' '.join(JOB)}")
        teller.show(*run_job(settings))
        teller.act("Live: meltano invoke freshbooks-zoho serve")
        show_live(box, settings, folder, teller)
        teller.act("Without it, three weeks later")
        change_things(box, unclear, teller)
        teller.act("Another run: only what differs is written")
        box.server.forget_calls()
        before = len(box.zoho.writes)
        teller.show(*run_job(settings), f"Zoho counts {len(box.zoho.writes) - before} records written in this run.")
        teller.act("Past due, asked of Zoho CRM with one query, beside FreshBooks' own total")
        right = show_past_due(box, teller)
    shutil.rmtree(folder)
    if not right:
        sys.stderr.write("Zoho's totals are not FreshBooks': this should never happen.\n")
    return 0 if right else 1
