"""Writes the tables of settings, fields and stages into the documents: `.venv/bin/python docs/tables.py`.

A table stands between ``<!-- table: name -->`` and ``<!-- end of table -->``. It comes from where the code has it, so
that no document says something else; a test tells when one does.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from target_zoho_crm.api.scopes import SCOPES
from target_zoho_crm.mapping.stages import DELETED, STAGES, UNKNOWN
from target_zoho_crm.mapping.tables import ONCE, OURS, SHARED, TABLES, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "mapping.md", ROOT / "target-zoho-crm" / "README.md")
# The SDK's own settings, which every Singer plugin has.
OF_THE_SDK = frozenset({"stream_maps", "stream_map_config", "faker_config", "add_record_metadata", "load_method",
                        "batch_size_rows"})  # fmt: skip
_BLOCK = re.compile(r"(<!-- table: ([^>]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_WHOSE = {
    OURS: "FreshBooks'",
    SHARED: "both: empty in FreshBooks leaves it",
    ONCE: "only in a new record",
}


def settings(plugin: str, *, whole: bool) -> str:
    """Give a plugin's settings; those of the SDK only in the whole table, and there whole descriptions."""
    rows = []
    for setting in _plugin(plugin)["settings"]:
        name = setting["name"]
        if name in OF_THE_SDK or name.startswith("flattening_"):
            continue
        text = setting["description"] if whole else _first_sentence(setting["description"])
        rows.append([f"`{name}`", _default(setting), text])
    return table(["Setting", "Default", "What it is"], rows)


def fields(stream: str, *, whole: bool) -> str:
    """Give the mapping of a stream; in the compact table an address is one line."""
    rows: list[list[str]] = []
    if whole:
        for row in TABLES[stream]:
            new = row.ours if row.zoho is None else None
            rows.append([_field(row), row.source, _kind(new), _WHOSE.get(row.owner, row.owner)])
        return table(["Field in Zoho", "From FreshBooks", "Created as", "Whose"], rows)
    for block, some in groupby(TABLES[stream], key=lambda row: row.block):
        lines = list(some)
        if block is None:
            rows += [[_field(row), row.source] for row in lines]
        else:
            rows.append([block.capitalize(), ", ".join(row.source for row in lines)])
    return table(["Field in Zoho", "From FreshBooks"], rows)


def stages() -> str:
    """Give the stages with their statuses."""
    by_stage: dict[str, list[str]] = {}
    words = {DELETED: "deleted in FreshBooks", UNKNOWN: "any status that is not here (counted)"}
    for status, stage in STAGES.items():
        by_stage.setdefault(stage, []).append(words.get(status, f"`{status}`"))
    return table(
        ["Stage of the deal", "Status in FreshBooks"], [[s, ", ".join(found)] for s, found in by_stage.items()]
    )


def scopes() -> str:
    """Give what the consent to Zoho has to cover."""
    return "```\n" + "".join(f"{scope}\n" for scope in dict.fromkeys(SCOPES)) + "```\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")


TABLE: dict[str, Callable[[], str]] = {
    "stages": stages,
    "scopes": scopes,
    **{
        f"{kind} {name}{suffix}": lambda make=make, name=name, whole=whole: make(name, whole=whole)  # type: ignore[misc]
        for kind, make, names in (
            ("settings", settings, ("tap-freshbooks", "target-zoho-crm", "freshbooks-zoho")),
            ("fields", fields, tuple(TABLES)),
        )
        for name in names
        for suffix, whole in (("", False), (", whole", True))
    },
}
"""What writes each table, by its name in a document."""


def fill(text: str) -> str:
    """Put the tables into a document.

    Raises:
        KeyError: if it names one that there is not.
    """
    return _BLOCK.sub(lambda match: match[1] + TABLE[match[2]]() + match[3], text)


def _plugin(name: str) -> dict[str, Any]:
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]
    return next(plugin for some in plugins.values() for plugin in some if plugin["name"] == name)


def _default(setting: dict[str, Any]) -> str:
    value = setting.get("value")
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.]) (?=[A-Z{])", text, maxsplit=1)[0]


def _field(row: Row) -> str:
    return f"`{row.zoho}`" if row.zoho else row.label


def _kind(spec: Any) -> str:
    return "" if spec is None else spec.data_type + (", unique" if spec.unique else "")


def main() -> None:
    """Fill all documents."""
    for path in DOCUMENTS:
        path.write_text(fill(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
