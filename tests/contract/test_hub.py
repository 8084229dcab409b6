"""The Meltano Hub's definitions are those of meltano.yml, keep the Hub's rules, and can be added to any project."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.guide import commands

ROOT = Path(__file__).parents[2]
HUB = ROOT / "docs" / "hub"
BIN = Path(sys.executable).parent
FILES = sorted(HUB.glob("*/*/*.yml"))

# https://github.com/meltano/hub/tree/main/schemas/plugin_definitions
REQUIRED = {"name", "namespace", "variant"}
ALLOWED = REQUIRED | {
    "pip_url", "executable", "repo", "ext_repo", "label", "description", "docs", "logo_url", "hidden", "python",
    "settings", "settings_group_validation", "commands", "capabilities", "metadata", "schema", "select", "dialect",
    "target_schema", "requires", "maintenance_status", "quality", "domain_url", "keywords", "definition", "next_steps",
    "settings_preamble", "usage", "prereq", "supported_python_versions", "log_parser",
}  # fmt: skip
SETTING = {
    "name", "aliases", "label", "value", "placeholder", "kind", "description", "tooltip", "documentation", "env",
    "value_processor", "options", "hidden", "sensitive",
}  # fmt: skip
KINDS = {
    "oauth", "date_iso8601", "file", "email", "integer", "options", "object", "array", "boolean", "string", "decimal",
}  # fmt: skip


def generator():
    spec = importlib.util.spec_from_file_location("generate", HUB / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_what_the_generator_writes():
    generate = generator()
    written = {path: path.read_text() for path in FILES}
    assert written == {path: generate.render(content) for path, content in generate.definitions().items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_definition_keeps_the_hubs_rules(path):
    content = yaml.safe_load(path.read_text())
    singer = path.parts[-3] != "utilities"
    assert path.relative_to(HUB).parts[1:] == (content["name"], f"{content['variant']}.yml")
    assert REQUIRED | ({"quality"} if singer else set()) <= content.keys() <= ALLOWED
    for setting in content["settings"]:
        assert {"name", "label", "kind", "description"} <= setting.keys() <= SETTING
        assert setting["kind"] in KINDS
    secret = ("token", "secret", "password", "store_key", "store_url")
    secrets = {one["name"] for one in content["settings"] if one["name"].endswith(secret)}
    assert {one["name"] for one in content["settings"] if one.get("sensitive")} == secrets


@pytest.fixture
def project(tmp_path):
    """An empty project beside this one."""
    (tmp_path / "freshbooks-zoho").symlink_to(ROOT)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "meltano.yml").write_text("send_anonymous_usage_stats: false\ncli: {disable_version_check: true}\n")
    return folder


def run(project, command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MELTANO_")}
    environment["PATH"] = f"{BIN}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_the_definitions_can_be_added_to_an_empty_project(project):
    for path in FILES:
        kind = {"extractors": "extractor", "loaders": "loader", "utilities": "utility"}[path.parts[-3]]
        run(project, f"meltano add --no-install --plugin-type {kind} --from-ref {path} {path.parent.name}")
    added = yaml.safe_load((project / "meltano.yml").read_text())["plugins"]
    assert {plugin["name"] for plugins in added.values() for plugin in plugins} == {path.parent.name for path in FILES}


@pytest.mark.timeout(300)
def test_a_plugin_is_added_and_installed_as_the_readme_says(project):
    for command in commands((HUB / "README.md").read_text("utf-8")):
        if command.startswith("meltano "):
            run(project, command)
    assert "tap-freshbooks v" in run(project, "meltano invoke tap-freshbooks --version")
