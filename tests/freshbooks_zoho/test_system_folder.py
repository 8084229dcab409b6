"""Runs that keep Meltano's files to themselves share everything else of the project, wherever that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.system_folder import SHARED, separate_folder


def project_at(root):
    (root / ".meltano" / "run").mkdir(parents=True)
    return Project(root, root / "meltano", "dev")


def targets(folder):
    return {name: (folder / name).readlink() for name in SHARED}


def test_all_but_the_files_of_runs_is_shared(tmp_path):
    system = tmp_path / ".meltano"
    own = system / "freshbooks-zoho" / "dev"
    assert separate_folder(project_at(tmp_path), {}) == {"MELTANO_SYS_DIR_ROOT": str(own)}
    assert targets(own) == {name: system / name for name in SHARED}
    assert not (own / "run").exists()


def test_runs_under_two_environments_keep_their_files_apart(tmp_path):
    project = project_at(tmp_path)
    folders = {
        Path(separate_folder(replace(project, environment=name), {})["MELTANO_SYS_DIR_ROOT"])
        for name in ("dev", "prod", "a/b", None)
    }
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {tmp_path / ".meltano" / "freshbooks-zoho"}


def test_where_meltano_keeps_its_folder_elsewhere_that_one_is_shared(tmp_path):
    elsewhere, own = tmp_path / "elsewhere", tmp_path / "own"
    separate_folder(project_at(tmp_path / "project"), {"MELTANO_SYS_DIR_ROOT": str(elsewhere)}, own)

    assert targets(own) == {name: elsewhere / name for name in SHARED}


def test_a_project_that_was_moved_does_not_use_what_it_left_behind(tmp_path):
    separate_folder(project_at(tmp_path / "before"), {})
    moved = (tmp_path / "before").rename(tmp_path / "after")

    separate_folder(Project(moved, moved / "meltano", "dev"), {})
    system = moved / ".meltano"
    assert targets(system / "freshbooks-zoho" / "dev") == {name: system / name for name in SHARED}
