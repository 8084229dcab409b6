"""What holds a secret is for its owner alone: during a run and after a kill, whatever umask the machine has."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from support.companion import free_port
from support.meltano_project import BIN, ROOT, make_project
from support.processes import is_alive, kill_group
from support.serving import eventually

from freshbooks_zoho.secret_files import is_left_over, sweep, sweep_plans

CANARY = "canary-7f3a9c-secret"
NOBODY = 65534
SECRETS = ("CLIENT_SECRET", "REFRESH_TOKEN")
RUN = "run tap-freshbooks target-zoho-crm"
FOLDER = "/srv/freshbooks-zoho"

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")


class Project:
    """A project in a folder that everybody may enter, whose FreshBooks never answers: a run goes on until its end."""

    def __init__(self, folder, silent, umask):
        self.root = make_project(folder / "project")
        self.silent, self.umask = silent, umask
        self.root.chmod(0o755)
        (self.root / ".venv").mkdir()
        (self.root / ".venv" / "bin").symlink_to(BIN)

    @property
    def environment(self):
        url = f"http://127.0.0.1:{self.silent.getsockname()[1]}"
        store = {"STORE_URL": f"sqlite:///{self.root}/store.db", "STORE_KEY": Fernet.generate_key().decode()}
        given = {
            **{f"TAP_FRESHBOOKS_{name}": value for name, value in store.items()},
            **{f"TARGET_ZOHO_CRM_{name}": value for name, value in store.items()},
            **{f"{plugin}_{name}": CANARY for plugin in ("TAP_FRESHBOOKS", "TARGET_ZOHO_CRM") for name in SECRETS},
            "TAP_FRESHBOOKS_CLIENT_ID": "id",
            "TARGET_ZOHO_CRM_CLIENT_ID": "id",
            "TAP_FRESHBOOKS_REDIRECT_URI": "https://localhost/callback",
            "TAP_FRESHBOOKS_ACCOUNT_ID": "ZyQ04o",
            "TAP_FRESHBOOKS_API_URL": url,
            "FRESHBOOKS_ZOHO_PORT": str(free_port()),
            "FRESHBOOKS_ZOHO_ADMIN_PORT": str(free_port()),
        }
        return {**os.environ, **given, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def start(self, command):
        """Start a shell command in a process group of its own."""
        return subprocess.Popen(
            ["/bin/sh", "-c", command.replace(FOLDER, str(self.root))],
            cwd=self.root,
            env=self.environment,
            umask=self.umask,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def settings_files(self):
        return [file for file in self.root.glob(".meltano/**/*.config.json") if CANARY in file.read_text()]

    def under_way(self):
        """Whether both plugins have been given their settings, and the tap waits for FreshBooks."""
        return len(self.settings_files()) == 2 and self.reads()

    def reads(self):
        """Whether the tap runs, beyond its discovery."""
        commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if is_alive(path.parent.name))
        catalog = str(self.root / ".meltano").encode()
        return any(b"--catalog" in command and catalog in command for command in commands)


@pytest.fixture
def silent():
    """Takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening


@pytest.fixture
def folder():
    """A folder that another user can enter, where pytest's own is closed."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


class AnotherUser:
    """Looks for the secret in all files of the project, over and over, as far as they may be read."""

    def __init__(self, project):
        self._root, self._found = project.root, project.root / "found.log"

    def __enter__(self):
        loop = f"while :; do grep -rlsF {CANARY} {self._root}; sleep 0.01; done"
        with self._found.open("wb") as found:
            self._process = subprocess.Popen(["/bin/sh", "-c", loop], stdout=found, user=NOBODY, group=NOBODY, cwd="/")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    @property
    def found(self):
        return sorted(set(self._found.read_text().splitlines()))


def cron_line():
    return re.search(r"^\*/15 \* \* \* \* (.+)$", (ROOT / "docs" / "schedules.md").read_text(), re.MULTILINE)[1]


def unit():
    """Command and umask of the unit that makes a run."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(ROOT / "docs" / "examples" / "freshbooks-zoho-sync.service")
    return parser["Service"]["ExecStart"], int(parser["Service"]["UMask"], 8)


WAYS = {
    "a bare run with umask 022": (f"exec meltano {RUN}", 0o022),
    "a bare run with umask 000": (f"exec meltano {RUN}", 0o000),
    "serve": ("exec freshbooks-zoho serve", 0o000),
    "the cron line": (cron_line().replace("run sync", RUN), 0o022),
    "the unit of a run": (unit()[0].replace("run sync", RUN), unit()[1]),
}
SETS_UP = {"a bare run with umask 022", "a bare run with umask 000"}
"""Where a command of the companion comes first; `make plugins` does the same."""


@only_root
@pytest.mark.parametrize("way", WAYS)
def test_no_other_user_reads_a_secret_during_a_run_or_after_it_was_killed(way, folder, silent):
    command, umask = WAYS[way]
    project = Project(folder, silent, umask)
    if way in SETS_UP:
        assert project.start("exec freshbooks-zoho keys --help").wait() == 0
    with AnotherUser(project) as other:
        process = project.start(command)
        eventually(project.under_way)
        kill_group(process)
        eventually(lambda: not project.reads())
        assert len(project.settings_files()) == 2, "a kill leaves them"
        time.sleep(0.1)
        assert other.found == []


@only_root
def test_a_plugin_closes_the_folder_of_a_project_that_nobody_has_set_up(folder, silent):
    project = Project(folder, silent, 0o000)
    process = project.start(f"exec meltano {RUN}")
    eventually(project.under_way)
    with AnotherUser(project) as other:
        time.sleep(0.3)
        kill_group(process)
        time.sleep(0.3)
        assert other.found == []


def test_the_next_command_removes_what_a_killed_run_has_left_and_nothing_of_one_that_lives(folder, silent):
    project = Project(folder, silent, 0o022)
    process = project.start(f"exec meltano {RUN}")
    eventually(project.under_way)

    sweep(project.root, project.root / ".meltano")
    assert len(project.settings_files()) == 2
    kill_group(process)
    eventually(lambda: not is_alive(process.pid))
    assert project.start("exec freshbooks-zoho keys --help").wait() == 0
    assert project.settings_files() == []


def test_what_a_killed_plan_has_left_is_removed_after_a_day(tmp_path):
    plan, another = tmp_path / "freshbooks-zoho-plan-abc", tmp_path / "freshbooks-zoho-other"
    for folder in (plan, another):
        folder.mkdir()
        (folder / "plan.jsonl").touch()
    written = plan.stat().st_mtime

    sweep_plans(tmp_path, written + 3600)
    assert plan.exists()
    sweep_plans(tmp_path, written + 25 * 3600)
    assert (plan.exists(), another.exists()) == (False, True)


def test_where_processes_cannot_be_seen_what_is_older_than_any_run_is_left_over():
    day = 24 * 3600.0
    assert is_left_over(0.0, None, day + 1)
    assert not is_left_over(0.0, None, day - 1)


def test_what_was_written_before_every_living_run_began_is_left_over():
    assert is_left_over(99.0, [], 100.0)
    assert is_left_over(10.0, [20.0, 30.0], 100.0)
    assert not is_left_over(25.0, [20.0, 30.0], 100.0)
