"""A run's command line, its environment, its log, and the leash it is on."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import is_alive
from support.serving import eventually

from freshbooks_zoho.project import Project
from freshbooks_zoho.runs import leash
from freshbooks_zoho.runs.meltano_run import RECORD_IDS, Log, command, environment

PROJECT = Project(Path("/project"), Path("/bin/meltano"), "dev")
RUN_ID = uuid.UUID(int=7)


def test_the_command_line_is_the_same_for_every_run_of_a_kind():
    start = ["/bin/meltano", "--log-format=json", "--log-level=info", "run", "--no-install", "--run-id", str(RUN_ID)]
    blocks = ["tap-freshbooks", "target-zoho-crm"]

    assert command(PROJECT, "changes", RUN_ID) == [*start, *blocks]
    assert command(PROJECT, "objects", RUN_ID) == [*start, "--no-state-update", "--refresh-catalog", *blocks]
    assert command(PROJECT, "sweep", RUN_ID) == [*start, "--full-refresh", *blocks]
    assert command(PROJECT, "changes", RUN_ID, force=True) == [*start, "--force", *blocks]
    plan = command(PROJECT, "sweep", RUN_ID, suffix="plan")
    assert plan == [*start, "--full-refresh", "--state-id-suffix", "plan", *blocks]


def test_a_run_for_objects_is_told_their_ids_and_nothing_else():
    variables = environment({"PATH": "/bin"}, PROJECT, {"invoices": ["17", "18"], "clients": ["3"]})

    assert json.loads(variables[RECORD_IDS]) == {"invoices": [17, 18], "clients": [3]}
    assert variables.keys() == {"PATH", RECORD_IDS, "MELTANO_PROJECT_ROOT", "NO_COLOR"}


def test_the_ids_of_five_hundred_objects_keep_the_environment_small():
    ids = {"invoices": [str(10**9 + number) for number in range(500)]}

    assert len(environment({}, PROJECT, ids)[RECORD_IDS]) < 8000


def test_an_ordinary_run_reads_what_changed_whatever_the_environment_says():
    given_variables = {RECORD_IDS: '{"clients": [1]}', "MELTANO_RUN_FULL_REFRESH": "1", "MELTANO_ENVIRONMENT": "prod"}

    assert environment(given_variables, PROJECT, {}).keys() == {
        "MELTANO_ENVIRONMENT",
        "MELTANO_PROJECT_ROOT",
        "NO_COLOR",
    }


@given(st.text(min_size=1).filter(lambda text: not (text.isascii() and text.isdecimal() and len(text) <= 18)))
def test_nothing_but_digits_gets_into_the_environment(text):
    with pytest.raises(ValueError, match="digits"):
        environment({}, PROJECT, {"invoices": [text]})
    with pytest.raises(ValueError, match="digits"):
        environment({}, PROJECT, {text: ["1"]})


def line(event, level="info", **more):
    return json.dumps({"event": event, "level": level, **more}).encode()


def plugin_line(event, level="info", name="target-zoho-crm"):
    return line(event, level, name=name, plugin_logger=name)


def test_a_plugins_warnings_are_passed_on_and_its_errors_are_the_reason():
    log = Log()

    assert log.read(plugin_line("invoices 17 was rejected", "warning")) == (
        logging.WARNING,
        "target-zoho-crm: invoices 17 was rejected",
    )
    assert log.read(plugin_line("total: 1 created"))[0] == logging.DEBUG
    log.read(plugin_line("Zoho refused GET org.", "critical"))
    log.read(line("Block run completed", "error", success=False, err="Loader failed", exit_codes={"loaders": 1}))
    outcome = log.outcome(1, 2.5)
    assert (outcome.status, outcome.reason) == ("failed", "the loader failed; Zoho refused GET org.")


def test_what_a_plugin_writes_without_logging_it_is_never_repeated():
    log = Log()

    assert log.read(line("KeyError: 'somebody@example.com'", name="tap-freshbooks", stdio="stderr")) is None
    assert log.read(line("KeyError: 'somebody@example.com'", "error", name="tap-freshbooks", stdio="stderr")) is None
    assert "example" not in log.outcome(1, 1.0).reason


@given(st.binary())
def test_lines_that_are_no_log_do_no_harm(noise):
    assert Log().read(noise) is None


BUSY = (
    "Another 'dev:tap-freshbooks-to-target-zoho-crm' pipeline is already running which started at 2026-11-23 "
    "09:39:42.334413+00:00. Wait until 2026-11-23 09:44:45.502547+00:00 when the job will be automatically cancelled "
    "if stale, or ignore this check using the '--force' option."
)


def test_meltanos_refusal_is_told_from_a_failure():
    log = Log()
    log.read(line("Block run completed", "error", success=False, err=BUSY, exit_codes={}))
    outcome = log.outcome(1, 0.1)

    assert outcome.status == "busy"
    assert outcome.busy_until.isoformat() == "2026-11-23T09:44:45.502547+00:00"


LEASHED = [sys.executable, "-I", "-S", leash.__file__]
STUBBORN = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
child.wait()
"""


def start(code):
    command_line = [*LEASHED, sys.executable, "-c", code]
    return subprocess.Popen(command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(3)", 3), ("pass", 0)])
def test_a_leashed_program_ends_as_it_likes(code, expected):
    with start(code) as program:
        assert program.wait(30) == expected


def test_a_leashed_program_that_is_told_to_stop_can_do_so_in_peace():
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print(flush=True); time.sleep(600)"
    with start(code) as program:
        program.stdout.readline()
        program.stdin.write(b"stop\n")
        program.stdin.flush()
        assert program.wait(30) == 7


def test_when_its_time_is_up_the_whole_group_is_killed():
    with start(STUBBORN) as program:
        pids = program.stdout.readline().split()
        program.stdin.write(b"0.1\n")
        program.stdin.flush()
        assert program.wait(30) == -signal.SIGKILL
        assert not any(is_alive(pid.decode()) for pid in pids)


def test_nothing_outlives_the_one_who_started_it_by_more_than_two_seconds():
    """The holder of the leash is killed just after it has said that the program may go on for ten minutes."""
    holder_code = f"""
import subprocess, sys, time
command_line = {[*LEASHED, sys.executable, "-c", STUBBORN]!r}
leash = subprocess.Popen(command_line, stdin=subprocess.PIPE, start_new_session=True)
leash.stdin.write(b"600\\n")
leash.stdin.flush()
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", holder_code], stdout=subprocess.PIPE) as holder:
        pids = holder.stdout.readline().split()
        holder.kill()
        eventually(lambda: not any(is_alive(pid.decode()) for pid in pids), 2)
        # The pipe ends when the last process that has it is gone.
        assert holder.stdout.read() == b""


def test_signals_to_the_group_are_not_for_the_leash_to_obey():
    async def interrupted():
        process = await asyncio.create_subprocess_exec(
            *LEASHED, sys.executable, "-c", "print(flush=True); import time; time.sleep(600)",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        await process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
        process.stdin.write(b"stop\n")
        code = await asyncio.wait_for(process.wait(), 30)
        process.stdin.close()
        return code

    assert asyncio.run(interrupted()) == 128 + signal.SIGTERM
