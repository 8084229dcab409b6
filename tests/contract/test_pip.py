"""Each plugin installs with plain pip from the folders, without the other one, Meltano or uv."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.guide import commands

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


def of_readme(package):
    """Give the pip commands of a package's README, as arguments."""
    return [
        shlex.split(command)[1:]
        for command in commands((ROOT / package / "README.md").read_text("utf-8"))
        if command.startswith("pip install ")
    ]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_installs_by_itself_and_says_what_it_is(python, plugin):
    """In one environment after the other, so that what both need is fetched once."""
    (arguments,) = of_readme(plugin)
    assert arguments == ["install", f"./{plugin}"]
    pip(python, *arguments, "--no-compile")
    pip(python, "check")
    about = run(python.parent / plugin, "--about", "--format=json")
    assert json.loads(about.stdout)["name"] == plugin
    assert [name for name in PLUGINS if (python.parent / name).exists()] == [plugin]
    pip(python, "uninstall", "--yes", plugin, "singer-store")


def test_the_store_installs_as_its_readme_says(python):
    for arguments in of_readme("singer-store"):
        pip(python, *arguments, "--no-compile")
    assert run(python, "-c", "import singer_store, psycopg").returncode == 0
