"""What `make` does in a folder that was moved, and what it never removes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("Makefile", "pyproject.toml", "uv.lock")
VENVS = (".venv", ".meltano/extractors/tap-freshbooks/venv")


@pytest.fixture
def folder(tmp_path):
    """A folder in which everything seems to be installed."""
    path = tmp_path / "project"
    path.mkdir()
    for name in NEEDED:
        shutil.copy(ROOT / name, path)
    for venv in VENVS:
        made = path / venv / "bin"
        made.mkdir(parents=True)
        (made / "activate").write_text(f'VIRTUAL_ENV="{path / venv}"\n')
        (made / "python").symlink_to("/bin/true")
    (path / ".venv" / "bin" / ".installed").touch()
    return path


def make(folder, *words, answer=""):
    return subprocess.run(["make", *words], cwd=folder, input=answer, capture_output=True, text=True, check=False)


def test_what_is_in_its_place_is_left_as_it_is(folder):
    done = make(folder, "-n", "plugins").stdout
    assert "venv" not in done.replace(".venv/bin/meltano", "")
    assert "--clean" not in done


def renamed(folder):
    return folder.rename(folder.with_name("renamed"))


def copied(folder):
    return Path(shutil.copytree(folder, folder.with_name("copy"), symlinks=True))


def without_python(folder):
    for venv in VENVS:
        python = folder / venv / "bin" / "python"
        python.unlink()
        python.symlink_to("/nowhere/python3")
    return folder


def test_an_environment_that_is_a_link_is_left_as_it_is(folder):
    elsewhere = (folder / ".venv").rename(folder.with_name("elsewhere"))
    (folder / ".venv").symlink_to(elsewhere)
    assert "rm -rf .venv" not in make(renamed(folder), "-n", "install").stdout


@pytest.mark.parametrize("move", [renamed, copied, without_python])
def test_a_folder_that_was_moved_or_whose_python_is_gone_is_installed_anew(folder, move):
    done = make(move(folder), "-n", "plugins").stdout
    assert "rm -rf .venv\n" in done
    assert "install --clean" in done


def test_clean_leaves_the_connections_and_the_state(folder):
    kept = [folder / ".meltano" / name for name in ("meltano.db", "singer-store/store.db")]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert make(folder, "clean").returncode == 0
    assert all(path.exists() for path in kept)
    assert not any((folder / venv).exists() for venv in VENVS)


@pytest.mark.parametrize(("answer", "there"), [("", True), ("yes\n", True), ("forget\n", False)])
def test_the_connections_are_forgotten_only_when_somebody_says_so(folder, answer, there):
    done = make(folder, "forget", answer=answer)
    assert (folder / ".meltano").exists() is there
    assert (done.returncode == 0) is not there
