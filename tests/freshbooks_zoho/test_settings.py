"""Settings from the environment and from Meltano, and one clear sentence for each that cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.meltano_project import BIN, ROOT, make_project

from freshbooks_zoho.project import Project, ProjectError, find_project
from freshbooks_zoho.settings import SettingError, from_environment, load, read

PROJECT = Project(Path("/project"), Path("/bin/meltano"), "dev")
TAP = {"client_id": "tap", "client_secret": "tap secret", "redirect_uri": "https://example.com/back"}
TARGET = {"client_id": "target", "client_secret": "target secret"}


FORKING = """
import json, os, sys
from pathlib import Path
from freshbooks_zoho.meltano_settings import may_fork, read_in_fork

assert may_fork(Path(sys.executable))
asked = os.environ, "dev", *sys.argv[1:]
found, nothing = (read_in_fork(folder, *asked, patience=100) for folder in (Path.cwd(), Path("/")))
print(json.dumps([json.loads(found), nothing]))
"""
"""A process without threads asks a fork of itself: in the project, and where there is none."""


def settings(tap=None, target=None, **own):
    return read(PROJECT, own=own, tap={**TAP, **(tap or {})}, target={**TARGET, **(target or {})})


def test_defaults():
    found = settings()

    assert (found.host, found.port, found.admin_host, found.admin_port) == ("127.0.0.1", 8080, "127.0.0.1", 8081)
    assert (found.poll_interval, found.debounce, found.public_url) == (900, 2, None)
    assert found.restore_fields
    assert found.restore_deleted


def test_values_come_as_text_or_typed():
    found = settings(
        port="9000", admin_port=9001, debounce="0.5", restore_fields="False", public_url="https://a.example/"
    )

    assert (found.port, found.admin_port, found.debounce, found.restore_fields) == (9000, 9001, 0.5, False)
    assert found.public_url == "https://a.example"


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"port": "http"}, "port is not a port"),
        ({"admin_port": 70000}, "admin_port is not a port"),
        ({"poll_interval": "often"}, "poll_interval is not a number of seconds"),
        ({"poll_interval": 0}, "between 1 and 86400"),
        ({"debounce": "-1"}, "debounce is not"),
        ({"debounce": "nan"}, "debounce is not"),
        ({"restore_deleted": "maybe"}, "restore_deleted is neither true nor false"),
        ({"public_url": "http://hooks.example.com"}, "must begin with https://"),
        ({"public_url": "hooks.example.com"}, "plain URL"),
        ({"public_url": "https://me:secret@hooks.example.com"}, "plain URL"),
    ],
)
def test_a_bad_setting_is_named_in_a_sentence(own, says):
    with pytest.raises(SettingError, match=says) as raised:
        settings(**own)
    assert "secret" not in str(raised.value)


def test_the_plugins_settings_are_checked_too():
    with pytest.raises(SettingError, match="tap-freshbooks: The setting client_id is missing"):
        settings(tap={"client_id": ""})
    with pytest.raises(SettingError, match="target-zoho-crm: The setting create_fields"):
        settings(target={"create_fields": "perhaps"})


def test_all_three_have_to_work_with_one_store():
    shared = {"store_url": "sqlite:////s/store.db", "store_key": "k"}
    assert settings(shared, shared).store_url == "sqlite:////s/store.db"
    assert settings(shared, shared, **shared).store_key == "k"

    with pytest.raises(SettingError, match="store_url differs") as raised:
        settings(shared, {**shared, "store_url": "postgresql://u:password@h/d"})
    assert "password" not in str(raised.value)
    with pytest.raises(SettingError, match="store_key differs"):
        settings(shared, shared, store_key="another")


def test_without_a_setting_it_is_the_store_that_the_projects_plugins_use():
    assert settings().store_url == f"sqlite:///{PROJECT.root}/.meltano/singer-store/store.db"


def test_where_meltanos_folder_is_elsewhere_the_store_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(tmp_path))
    assert settings().store_url == f"sqlite:///{tmp_path}/singer-store/store.db"


def test_nothing_secret_is_shown():
    shown = repr(
        settings({"store_url": "the url", "store_key": "the key"}, {"store_url": "the url", "store_key": "the key"})
    )

    assert not [secret for secret in ("tap secret", "target secret", "the url", "the key") if secret in shown]


def test_a_variable_of_the_environment_counts_more_than_the_file():
    variables = {"TAP_FRESHBOOKS_CLIENT_ID": "theirs", "TAP_FRESHBOOKS_ACCOUNT_ID": "", "OTHER": "x"}

    assert from_environment("tap-freshbooks", variables, {"client_id": "mine", "account_id": "A"}) == {
        "client_id": "theirs",
        "account_id": "A",
    }


def test_without_a_project_the_sentence_says_where_to_go(tmp_path):
    with pytest.raises(ProjectError, match=r"run this in the folder with meltano.yml"):
        load({"PATH": os.environ["PATH"]}, tmp_path)


def test_a_project_without_meltano_is_named(tmp_path):
    (tmp_path / "meltano.yml").write_text("{}")

    with pytest.raises(ProjectError, match="There is no meltano"):
        find_project({"PATH": str(tmp_path)}, tmp_path, tmp_path / "python")


def test_meltano_is_looked_for_beside_the_python_that_runs_this_first(tmp_path):
    (tmp_path / "meltano.yml").write_text("{}")
    elsewhere, beside = tmp_path / "elsewhere" / "meltano", tmp_path / "bin" / "meltano"
    for script in (elsewhere, beside):
        script.parent.mkdir()
        script.touch(mode=0o755)
    # As Meltano leaves it, and a copy of the folder takes it along.
    (tmp_path / ".meltano" / "run").mkdir(parents=True)
    (tmp_path / ".meltano" / "run" / "bin").symlink_to(elsewhere)

    assert find_project({}, tmp_path, tmp_path / "bin" / "python").meltano == beside
    assert find_project({}, tmp_path, tmp_path / "nowhere" / "python").meltano == elsewhere


def test_the_project_is_found_from_below_and_its_environment_is_the_one_that_runs_have(tmp_path):
    (tmp_path / "meltano.yml").write_text("default_environment: dev")
    (tmp_path / "below").mkdir()
    path = {"PATH": str(BIN)}

    assert find_project(path, tmp_path / "below") == Project(tmp_path, BIN / "meltano", "dev")
    assert find_project({**path, "MELTANO_ENVIRONMENT": "prod"}, tmp_path).environment == "prod"
    assert find_project({**path, "MELTANO_PROJECT_ROOT": str(tmp_path)}, Path("/")).root == tmp_path


def test_bare_in_the_project_the_settings_are_those_that_meltano_gives(tmp_path):
    root = make_project(
        tmp_path / "project",
        tap_freshbooks={**TAP, "client_secret": "$FROM_DOT_ENV", "store_key": "k"},
        target_zoho_crm={**TARGET, "store_key": "k"},
    )
    content = yaml.safe_load((root / "meltano.yml").read_text())
    tap = {"name": "tap-freshbooks", "config": {"account_id": "of dev"}}
    content["environments"] = [{"name": "dev", "config": {"plugins": {"extractors": [tap]}}}]
    utility = {"name": "freshbooks-zoho", "namespace": "freshbooks_zoho", "executable": "freshbooks-zoho"}
    utility |= {
        "settings": [{"name": "port", "kind": "integer", "value": 8080}, {"name": "debounce"}],
        "config": {"port": 9},
    }
    content["plugins"]["utilities"] = [utility]
    (root / "meltano.yml").write_text(yaml.safe_dump(content))
    (root / ".env").write_text("FROM_DOT_ENV=the secret\nFRESHBOOKS_ZOHO_DEBOUNCE=3\nTARGET_ZOHO_CRM_PIPELINE=Sales\n")
    variables = {"PATH": str(BIN)}

    found = load({**variables, "FRESHBOOKS_ZOHO_POLL_INTERVAL": "60"}, root)
    assert (found.tap.client_secret, found.tap.account_id, found.store_key) == ("the secret", "of dev", "k")
    assert (found.target.client_id, found.target.pipeline) == ("target", "Sales")
    assert (found.port, found.debounce, found.poll_interval) == (9, 3, 60)


def test_the_library_gives_what_the_command_line_shows(tmp_path, monkeypatch):
    """Of a program that starts Meltano it is not known where the library is."""
    monkeypatch.setenv("PATH", str(BIN), prepend=os.pathsep)
    monkeypatch.setenv("TARGET_ZOHO_CRM_MAX_PARALLEL_REQUESTS", "7")
    program = tmp_path / "meltano"
    program.write_text(f'#!/bin/sh\nexec {BIN}/meltano "$@"\n')
    program.chmod(0o755)
    root = make_project(tmp_path / "project", tap_freshbooks=TAP, target_zoho_crm={**TARGET, "stage_map.paid": "Won"})
    (root / ".env").write_text("TAP_FRESHBOOKS_DRY_RUN=true\n")
    stored = [BIN / "meltano", "config", "set", "--store=db", "tap-freshbooks", "account_id", "A"]
    subprocess.run(stored, cwd=root, capture_output=True, check=True)

    names = ["tap-freshbooks", "none-of-it", "target-zoho-crm"]
    library, command_line = (Project(root, meltano, "dev") for meltano in (BIN / "meltano", program))
    found = library._from_library(names)
    assert found is not None
    assert command_line._from_library(names) is None
    assert command_line.config(names) == found
    forking = subprocess.run([sys.executable, "-c", FORKING, *names], cwd=root, capture_output=True, check=True)
    assert json.loads(forking.stdout) == [found, None]
    tap, nothing, target = found.values()
    assert nothing is None
    assert {name: tap[name] for name in ("client_id", "account_id", "dry_run")} == {
        "client_id": "tap",
        "account_id": "A",
        "dry_run": True,
    }
    assert (target["client_id"], target["max_parallel_requests"]) == ("target", 7)


def test_a_meltano_that_does_not_answer_is_said_with_the_command_to_try(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(BIN), prepend=os.pathsep)
    (tmp_path / "meltano.yml").write_text("plugins: nonsense")

    with pytest.raises(ProjectError, match="See for yourself with: meltano config print tap-freshbooks"):
        Project(tmp_path, BIN / "meltano", None).config(["tap-freshbooks"])
    with pytest.raises(ProjectError, match="See for yourself with: meltano state get dev:one"):
        Project(tmp_path, BIN / "meltano", None).state("dev:one")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("STREAM_MAPS={secret", "is something else, but takes a JSON object"),
        ("MAX_PARALLEL_REQUESTS=secret", "is something else, but takes a whole number"),
        ("MAX_PARALLEL_REQUESTS=", "is empty, but takes a whole number"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_setting_that_meltano_cannot_read_is_named_with_its_place_and_without_its_value(
    tmp_path, monkeypatch, wrong, says, place
):
    monkeypatch.setenv("PATH", str(BIN), prepend=os.pathsep)
    variable, _, value = f"TARGET_ZOHO_CRM_{wrong}".partition("=")
    root = make_project(tmp_path / "project", tap_freshbooks=TAP, target_zoho_crm=TARGET)
    if place == ".env":
        (root / ".env").write_text(f"{variable}='{value}'\n")
    else:
        monkeypatch.setenv(variable, value)
    with pytest.raises(ProjectError, match=says) as raised:
        Project(root, BIN / "meltano", "dev").config(["target-zoho-crm"])
    assert "settings of target-zoho-crm" in str(raised.value)
    assert f"{variable} in {root / '.env' if place == '.env' else 'the environment'}" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("TAP_FRESHBOOKS_CLIENT_ID=a\n".encode("utf-16"), "is not plain UTF-8"),
        ("TAP_FRESHBOOKS_CLIENT_ID=a\n".encode("utf-8-sig"), "without a mark"),
        ("A=1\nTAP_FRESHBOOKS_USER_AGENT=Müller\n".encode("latin-1"), r"in line 2 \(TAP_FRESHBOOKS_USER_AGENT\)"),
    ],
    ids=["UTF-16", "UTF-8 with a mark", "Latin-1"],
)
def test_a_dotenv_file_that_is_not_utf_8_is_named_with_what_to_do(tmp_path, content, says):
    root = make_project(tmp_path)
    (root / ".env").write_bytes(content)
    with pytest.raises(ProjectError, match=says) as raised:
        find_project({"PATH": str(BIN)}, root)
    assert str(root / ".env") in str(raised.value)
    assert "save it as UTF-8" in str(raised.value)


def test_an_environment_that_meltano_yml_lacks_is_named_with_those_that_it_has(tmp_path):
    root = make_project(tmp_path)
    with pytest.raises(ProjectError, match="MELTANO_ENVIRONMENT names the environment prd") as raised:
        find_project({"PATH": str(BIN), "MELTANO_ENVIRONMENT": "prd"}, root)
    assert "it has dev, prod." in str(raised.value)


def test_blanks_at_the_ends_of_a_setting_are_taken_off():
    found = settings(tap={"client_secret": "tap secret \n"}, target={"client_secret": " target secret "})

    assert (found.tap.client_secret, found.target.client_secret) == ("tap secret", "target secret")


def test_in_the_repositorys_own_sandbox_environment_all_three_work_with_one_store(tmp_path, monkeypatch):
    variables = {
        "MELTANO_ENVIRONMENT": "sandbox",
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        **{f"TAP_FRESHBOOKS_{name.upper()}": value for name, value in TAP.items()},
        **{f"TARGET_ZOHO_CRM_{name.upper()}": value for name, value in TARGET.items()},
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = load(variables, ROOT)
    assert found.store_url == f"sqlite:///{ROOT}/.sandbox/store.db"
    assert (found.port, found.debounce, found.restore_fields, found.public_url) == (8080, 2, True, None)


def test_the_command_says_one_sentence_and_no_more(tmp_path):
    command = [sys.executable, "-m", "freshbooks_zoho.cli", "serve"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: There is no Meltano project here")
    assert len(done.stderr.splitlines()) == 1
