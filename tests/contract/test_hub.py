"""The Meltano Hub's definitions are those of meltano.yml, keep the Hub's rules, and can be added to any project."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.timeout(300)
def test_the_definitions_can_be_added_to_an_empty_project(tmp_path):
    (tmp_path / "meltano.yml").write_text("send_anonymous_usage_stats: false\ncli: {disable_version_check: true}\n")

    def meltano(*arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MELTANO_")}
        done = subprocess.run(
            [str(BIN / "meltano"), "--log-level=error", *map(str, arguments)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for path in FILES:
        kind = {"extractors": "extractor", "loaders": "loader", "utilities": "utility"}[path.parts[-3]]
        meltano("add", "--no-install", "--plugin-type", kind, "--from-ref", path, path.parent.name)
    added = yaml.safe_load((tmp_path / "meltano.yml").read_text())["plugins"]
    assert {plugin["name"] for plugins in added.values() for plugin in plugins} == {path.parent.name for path in FILES}

    # Installing is pip's matter (see test_pip); here the executables are those of this environment.
    content = yaml.safe_load((tmp_path / "meltano.yml").read_text())
    for plugins in content["plugins"].values():
        for plugin in plugins:
            del plugin["pip_url"]
            plugin["executable"] = str(BIN / plugin["executable"])
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(content))
    assert "tap-freshbooks v" in meltano("invoke", "tap-freshbooks", "--version")
