"""A Meltano project of the plugins in this environment: nothing is installed, their executables are as they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXECUTABLES = {name: BIN / name for name in ("tap-freshbooks", "target-zoho-crm")}


def make_project(folder: Path, executables: Mapping[str, Path] = EXECUTABLES, **config: Mapping[str, Any]) -> Path:
    """Write a project with the repository's own plugin definitions; gives its folder.

    Args:
        folder: where; made if it is missing.
        executables: what stands for each plugin.
        config: settings by plugin name, its dashes written as underscores.
    """
    content = yaml.load((ROOT / "meltano.yml").read_text("utf-8"), yaml.CSafeLoader)
    for name in ("jobs", "schedules"):
        content.pop(name, None)
    content["environments"] = [{"name": "dev"}, {"name": "prod"}]
    for plugins in content["plugins"].values():
        for plugin in plugins:
            if plugin["name"] in executables:
                plugin.pop("pip_url", None)
                plugin["executable"] = str(executables[plugin["name"]])
            plugin["config"] = {**plugin.get("config", {}), **config.get(plugin["name"].replace("-", "_"), {})}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meltano.yml").write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), "utf-8")
    return folder


def plugin_settings(box: Any, store_url: str, store_key: str) -> dict[str, dict[str, Any]]:
    """Give what makes the plugins work with the sandbox, as `make_project` takes it, with a fresh consent of both."""
    store = {"store_url": store_url, "store_key": store_key}
    books, zoho = box.freshbooks, box.zoho
    return {
        "tap_freshbooks": {
            **store,
            "client_id": books.app.client_id,
            "client_secret": books.app.client_secret,
            "redirect_uri": books.app.redirect_uri,
            "refresh_token": books.grant(),
            "api_url": books.url,
            "auth_url": books.url,
        },
        "target_zoho_crm": {
            **store,
            "client_id": zoho.app.client_id,
            "client_secret": zoho.app.client_secret,
            "refresh_token": zoho.grant(),
            "accounts_url": zoho.accounts_url,
        },
    }
