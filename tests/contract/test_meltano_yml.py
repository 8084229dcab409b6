"""meltano.yml says of each setting what the plugin itself says, and Meltano shows none of the secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
import yaml

from freshbooks_zoho.cli import main
from freshbooks_zoho.project import Project
from freshbooks_zoho.setting_table import OWN
from freshbooks_zoho.settings import Settings
from target_zoho_crm.settings import read_settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text())
[UTILITY] = PROJECT["plugins"]["utilities"]
EXTRA_FIELDS = {"invoices": {"P.O. No.": "po_number", "PO": "po_number"}, "clients": {"VAT": "vat_number"}}
PLUGINS = {plugin["name"]: plugin for kind in ("extractors", "loaders") for plugin in PROJECT["plugins"][kind]}


@cache
def about(plugin):
    done = subprocess.run([str(BIN / plugin), "--about", "--format=json"], capture_output=True, check=True)
    return json.loads(done.stdout)


def kind_of(name, setting):
    """What Meltano is told: a string where an object may be JSON text, so that the plugin reads it, not Meltano.

    Meltano's own reading of an object ends in a traceback where it is malformed, and loses keys with a dot in them.
    """
    declared = [setting.get("type", []), *(one["type"] for one in setting.get("anyOf", []))]
    types = [one for types in declared for one in ([types] if isinstance(types, str) else types)]
    if {"object", "string"} <= set(types):
        return "string"
    if "enum" in setting:
        return "options"
    if name == "start_date":
        return "date_iso8601"
    return next((kind for kind in ("object", "boolean", "integer") if kind in types), "string")


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_settings_are_those_of_about(plugin):
    described = about(plugin)["settings"]["properties"]
    declared = {setting["name"]: setting for setting in PLUGINS[plugin]["settings"]}
    assert list(declared) == list(described)
    for name, setting in described.items():
        assert declared[name] == {
            "name": name,
            "label": setting.get("title") or name.replace("_", " ").capitalize(),
            "kind": kind_of(name, setting),
            "description": " ".join(setting["description"].split()),
            **({"sensitive": True} if setting.get("secret") else {}),
            **({"value": setting["default"]} if setting.get("default") is not None else {}),
            **(
                {"options": [{"label": value, "value": value} for value in setting["enum"] if value is not None]}
                if "enum" in setting
                else {}
            ),
        }


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_capabilities_are_those_of_about(plugin):
    assert sorted(PLUGINS[plugin]["capabilities"]) == sorted(about(plugin)["capabilities"])


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_required_settings_are_the_group(plugin):
    assert PLUGINS[plugin]["settings_group_validation"] == [about(plugin)["settings"]["required"]]


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_what_holds_a_secret_is_sensitive(plugin):
    secrets = {"client_secret", "refresh_token", "store_key", "store_url"}
    assert {s["name"] for s in PLUGINS[plugin]["settings"] if s.get("sensitive")} == secrets


def test_the_companions_settings_are_those_of_its_code():
    # The names of the plugins that it runs are the project's matter.
    of_the_project = {"extractor", "loader"}
    assert of_the_project < {one.name for one in fields(Project)}
    own = [setting.name for setting in OWN if setting.name not in of_the_project]
    assert own == [one.name for one in fields(Settings)[3:]]
    assert {setting.name for setting in OWN if setting.sensitive} == {
        one.name for one in fields(Settings) if not one.repr
    }
    declared = []
    for setting in OWN:
        said = {"name": setting.name, "label": setting.label, "kind": setting.kind, "description": setting.description}
        said |= {"sensitive": True} if setting.sensitive else {}
        declared.append(said if setting.value is None else {**said, "value": setting.value})
    assert UTILITY["settings"] == declared


def test_the_companions_commands_are_those_it_has():
    assert {name: command["args"] for name, command in UTILITY["commands"].items()} == {n: n for n in main.commands}
    assert all(command["description"] for command in UTILITY["commands"].values())


@pytest.mark.parametrize("kind", ["extractors", "loaders", "utilities"])
def test_a_plugin_is_installed_from_this_folder_with_what_it_depends_on(kind):
    for plugin in PROJECT["plugins"][kind]:
        folders = plugin["pip_url"].split("-e ./")[1:]
        assert all((ROOT / folder.strip() / "pyproject.toml").is_file() for folder in folders)
        assert folders[-1] == plugin["name"] == plugin["executable"]
        assert plugin["namespace"] == plugin["name"].replace("-", "_")


def test_the_job_and_its_schedule():
    assert PROJECT["jobs"] == [{"name": "sync", "tasks": ["tap-freshbooks target-zoho-crm"]}]
    assert {schedule["job"] for schedule in PROJECT["schedules"]} == {"sync"}
    assert [environment["name"] for environment in PROJECT["environments"]] == ["sandbox", "dev", "prod"]


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        ({}, {"TARGET_ZOHO_CRM_EXTRA_FIELDS": json.dumps(EXTRA_FIELDS)}),
        ({"extra_fields": json.dumps(EXTRA_FIELDS)}, {}),
        ({"extra_fields": {"invoices": {"PO": "po_number"}}}, {}),
        ({"extra_fields": EXTRA_FIELDS}, {}),
        ({"extra_fields": json.dumps({"clients": {}})}, {"TARGET_ZOHO_CRM_EXTRA_FIELDS": json.dumps(EXTRA_FIELDS)}),
    ],
    ids=["environment", "text", "object", "object with dots", "environment over text"],
)
def test_an_object_reaches_the_plugin_whole_whichever_way_it_is_set(config, environment, tmp_path, monkeypatch):
    """Meltano takes a dot in a name for the start of an object within."""
    target = {**PLUGINS["target-zoho-crm"], "config": {"client_id": "id", "client_secret": "secret", **config}}
    project = {"environments": [{"name": "dev"}], "plugins": {"loaders": [target]}}
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Project(tmp_path, BIN / "meltano", "dev").config(["target-zoho-crm"])["target-zoho-crm"]
    wanted = config["extra_fields"] if config and not environment else EXTRA_FIELDS
    wanted = json.loads(wanted) if isinstance(wanted, str) else wanted
    assert read_settings(found).extra_fields == wanted


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_meltano_config_list_shows_no_secret(plugin, tmp_path):
    prefix = plugin.upper().replace("-", "_")
    canaries = {
        f"{prefix}_CLIENT_SECRET": "canary-client-secret",
        f"{prefix}_REFRESH_TOKEN": "canary-refresh-token",
        f"{prefix}_STORE_KEY": "canary-store-key",
        f"{prefix}_STORE_URL": "postgresql+psycopg://user:canary-password@localhost/store",
    }
    done = subprocess.run(
        [str(BIN / "meltano"), "config", "list", plugin],
        cwd=ROOT,
        env={**os.environ, **canaries, "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "client_secret" in done.stdout
    assert "canary" not in done.stdout + done.stderr
