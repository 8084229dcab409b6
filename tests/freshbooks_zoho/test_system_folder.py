"""Runs that keep Meltano's files to themselves share everything else of the project, wherever that is."""

from __future__ import annotations

from freshbooks_zoho.project import Project
from freshbooks_zoho.runs.system_folder import SHARED, separate_folder


def project_at(root):
    (root / ".meltano" / "run").mkdir(parents=True)
    return Project(root, root / "meltano", "dev")


def targets(folder):
    return {name: (folder / name).readlink() for name in SHARED}


def test_all_but_the_files_of_runs_is_shared(tmp_path):
    system = tmp_path / ".meltano"
    assert separate_folder(project_at(tmp_path), {}) == {"MELTANO_SYS_DIR_ROOT": str(system / "freshbooks-zoho")}
    assert targets(system / "freshbooks-zoho") == {name: system / name for name in SHARED}
    assert not (system / "freshbooks-zoho" / "run").exists()


def test_where_meltano_keeps_its_folder_elsewhere_that_one_is_shared(tmp_path):
    elsewhere, own = tmp_path / "elsewhere", tmp_path / "own"
    separate_folder(project_at(tmp_path / "project"), {"MELTANO_SYS_DIR_ROOT": str(elsewhere)}, own)

    assert targets(own) == {name: elsewhere / name for name in SHARED}


def test_a_project_that_was_moved_does_not_use_what_it_left_behind(tmp_path):
    separate_folder(project_at(tmp_path / "before"), {})
    moved = (tmp_path / "before").rename(tmp_path / "after")

    separate_folder(Project(moved, moved / "meltano", "dev"), {})
    system = moved / ".meltano"
    assert targets(system / "freshbooks-zoho") == {name: system / name for name in SHARED}
