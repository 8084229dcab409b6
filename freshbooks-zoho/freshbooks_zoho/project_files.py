"""What a person gets wrong in a project's files and variables, said by name: Meltano answers with a traceback."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KINDS = {
    "integer": "a whole number",
    "object": 'a JSON object such as {"paid": "Closed Won"}',
}
"""What a setting of Meltano's kind takes."""
_NAME = re.compile(rb"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)


def about_dotenv(root: Path) -> str | None:
    """Return what is wrong with the encoding of a project's .env, a sentence; None if nothing is, or there is none."""
    file = root / ".env"
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{file} cannot be read ({error.strerror})."
    if content.startswith(_MARKS) or b"\0" in content:
        return f"{file} is not plain UTF-8 (Windows' editors write such files): save it as UTF-8 without a mark (BOM)."
    try:
        content.decode()
    except UnicodeDecodeError as error:
        before, number = content[: error.start], content[: error.start].count(b"\n") + 1
        # Only a name is repeated: what else stands there may be a secret.
        named = _NAME.match(before.rpartition(b"\n")[2])
        variable = f" ({named[1].decode()})" if named else ""
        return f"{file} is not UTF-8 in line {number}{variable}: save it as UTF-8."
    return None


def about_environment(name: str | None, given_by: str, content: Mapping[str, Any]) -> str | None:
    """Return a sentence if meltano.yml has no such environment.

    Args:
        name: of the environment; None for no environment at all.
        given_by: what says so.
        content: of meltano.yml. Where it includes other files, those may have the environment.
    """
    declared = [str(each.get("name")) for each in content.get("environments") or () if isinstance(each, dict)]
    if name is None or not declared or name in declared or content.get("include_paths"):
        return None
    return f"{given_by} names the environment {name}, which meltano.yml does not have: it has {', '.join(declared)}."


def unreadable_values(root: Path, plugin: str, content: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Return a sentence, without the value, for each variable of a plugin that Meltano cannot read.

    Args:
        root: the project's folder, whose .env counts less than the environment.
        plugin: its name.
        content: of meltano.yml.
        environment: variables of the process.
    """
    from freshbooks_zoho.project import variable  # noqa: PLC0415 - that module works with this one

    settings = list(_settings(root, plugin, content))
    found = []
    for where, variables in (("the environment", environment), (str(root / ".env"), dotenv_values(root / ".env"))):
        for name, kind in settings:
            value = variables.get(variable(plugin, name))
            if value is not None and not _fits(kind, value):
                state = "something else" if value.strip() else "empty"
                found.append(f"{variable(plugin, name)} in {where} is {state}, but takes {_KINDS[kind]}")
    return found


def _settings(root: Path, plugin: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and kind of a plugin's settings that are more than a text, as meltano.yml or a lock file has them."""
    plugins = content.get("plugins")
    kinds = plugins.values() if isinstance(plugins, dict) else ()
    declared = {each.get("name"): each for some in kinds for each in some or () if isinstance(each, dict)}
    definitions = [declared.get(plugin) or {}]
    while (parent := declared.get(definitions[-1].get("inherit_from"))) is not None:
        definitions.append(parent)
    for lock in (root / "plugins").glob(f"*/{definitions[-1].get('name')}--*.lock"):
        definitions.append(json.loads(lock.read_text("utf-8")))  # noqa: PERF401 - the list is gone along above
    for definition in definitions:
        for setting in definition.get("settings") or ():
            if setting.get("kind") in _KINDS:
                yield setting["name"], setting["kind"]


def _fits(kind: str, value: str) -> bool:
    try:
        content = json.loads(value) if kind == "object" else int(value)
    except ValueError:
        return False
    return kind != "object" or isinstance(content, dict)
