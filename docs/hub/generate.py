"""Writes the Meltano Hub's definitions of the plugins out of meltano.yml: `python docs/hub/generate.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "meltano.yml"
VARIANT = "freshbooks-zoho"
SUPPORTED = ["3.10", "3.11", "3.12", "3.13", "3.14"]
INTERNAL = frozenset({"record_ids", "api_url", "auth_url"})
"""Settings that nobody changes by hand: they are hidden in the Hub."""

_COMMON = {
    "variant": VARIANT,
    "maintenance_status": "active",
    "supported_python_versions": SUPPORTED,
}
_SINGER = {**_COMMON, "quality": "unknown", "keywords": ["meltano_sdk"], "log_parser": "singer-sdk"}
METADATA: dict[str, dict[str, Any]] = {
    "tap-freshbooks": {
        **_SINGER,
        "description": "Accounting and invoicing for small businesses",
        "domain_url": "https://www.freshbooks.com/api/start",
        "logo_url": "/assets/logos/extractors/freshbooks.svg",
    },
    "target-zoho-crm": {
        **_SINGER,
        "description": "Customer relationship management",
        "domain_url": "https://www.zoho.com/crm/developer/docs/api/v8/",
        "logo_url": "/assets/logos/extractors/zoho-crm.png",
    },
    "freshbooks-zoho": {
        **_COMMON,
        "description": "Keeps Zoho CRM in step with FreshBooks: webhooks in, Meltano runs out, within seconds",
        "domain_url": "https://www.freshbooks.com/api/webhooks",
    },
}
"""What the Hub has to know besides."""


def definitions() -> dict[Path, dict[str, Any]]:
    """Give each definition and the file it goes to, as the Hub lays them out."""
    plugins = yaml.safe_load(PROJECT.read_text("utf-8"))["plugins"]
    return {
        HERE / kind / plugin["name"] / f"{VARIANT}.yml": definition(plugin)
        for kind, some in plugins.items()
        for plugin in some
    }


def definition(plugin: dict[str, Any]) -> dict[str, Any]:
    """Turn a plugin of the project into the Hub's form: installed by its name from the index."""
    settings = [
        {**setting, "hidden": True} if setting["name"] in INTERNAL else setting for setting in plugin["settings"]
    ]
    known = {**plugin, **METADATA[plugin["name"]], "pip_url": plugin["name"], "settings": settings}
    return dict(sorted(known.items()))


def render(content: dict[str, Any]) -> str:
    """Write a definition."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def main() -> None:
    """Write all definitions."""
    for path, content in definitions().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(content), "utf-8")


if __name__ == "__main__":
    main()
