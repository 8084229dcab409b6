"""Each plugin installs with plain pip from the folders, without the other one, Meltano or uv."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ("tap-freshbooks", "target-zoho-crm")
UNREACHABLE = ("NewConnectionError", "NameResolutionError", "Temporary failure in name resolution", "ProxyError")

pytestmark = pytest.mark.timeout(400)


def run(*command, cwd=None):
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an empty environment."""
    folder = tmp_path_factory.mktemp("venv")
    assert run(sys.executable, "-m", "venv", "--without-pip", folder).returncode == 0
    return folder / "bin" / "python"


def pip(python, *arguments):
    options = ("--python", python, "--disable-pip-version-check", "--quiet")
    done = run(sys.executable, "-m", "pip", *options, *arguments, cwd=ROOT)
    if any(text in done.stderr for text in UNREACHABLE) and not os.environ.get("CI"):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("plugin", "folders"),
    [
        ("tap-freshbooks", ["./tap-freshbooks"]),
        ("target-zoho-crm", ["./singer-store", "./target-zoho-crm"]),
    ],
)
def test_a_plugin_installs_by_itself_and_says_what_it_is(python, plugin, folders):
    """In one environment after the other, so that what both need is fetched once."""
    pip(python, "install", "--no-compile", *folders)
    pip(python, "check")
    about = run(python.parent / plugin, "--about", "--format=json")
    assert json.loads(about.stdout)["name"] == plugin
    assert [name for name in PLUGINS if (python.parent / name).exists()] == [plugin]
    pip(python, "uninstall", "--yes", plugin, "singer-store")
