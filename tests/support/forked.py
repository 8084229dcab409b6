"""Programs of Python's, forked from a process that has them loaded: a process of their own without the second before.

That process has no threads, so that it is safe to fork, whatever threads the tests have.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.context import ForkServerProcess

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(
    [
        *("singer_store", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "pytest", "support.store_processes"),
        *("tap_freshbooks.tap", "target_zoho_crm.target"),
    ]
)


def start(
    module: str,
    *arguments: str,
    cwd: Path,
    stdin: str = os.devnull,
    stdout: str,
    stderr: str,
    env: Mapping[str, str] = os.environ,
) -> ForkServerProcess:
    """Do what ``python -m module`` does, with files for the three streams; gives the process."""
    process = context.Process(target=_be, args=(module, arguments, str(cwd), dict(env), (stdin, stdout, stderr)))
    process.start()
    return process


def run(
    module: str, *arguments: str, cwd: Path, env: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Do what ``python -m module`` does, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = (Path(folder, name) for name in ("stdout", "stderr"))
        code = end(start(module, *arguments, cwd=cwd, stdout=str(out), stderr=str(err), env=env))
        return subprocess.CompletedProcess([module, *arguments], code, out.read_text("utf-8"), err.read_text("utf-8"))


def end(process: ForkServerProcess, patience: float = 60) -> int:
    """Wait for a process to end; gives its exit code."""
    process.join(patience)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
        raise TimeoutError("The process did not end.")
    process.close()
    return code


def _be(module: str, arguments: Sequence[str], folder: str, env: Mapping[str, str], streams: Sequence[str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, (path, flags) in enumerate(zip(streams, (os.O_RDONLY, written, written), strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    # multiprocessing has given it another.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
