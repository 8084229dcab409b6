"""This machine: settings, Meltano and its plugins, files, the store, the clock."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from freshbooks_zoho.admin.wording import span
from freshbooks_zoho.checks.examination import Finding, bad, ok, warning
from freshbooks_zoho.project import ProjectError, read_meltano_yml, system_folder, variables
from freshbooks_zoho.settings import PLUGIN, SettingError
from singer_store.database import parse_url
from singer_store.location import default_key_file
from singer_store.meltano_folder import is_open_to_others, private_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freshbooks_zoho.checks.subject import Subject

SLOW_CLOCK, WRONG_CLOCK = timedelta(seconds=30), timedelta(minutes=5)
OLDEST_MELTANO = 4
SET_CLOCK = "sudo timedatectl set-ntp true"
HANG = {
    "cli.disable_version_check": ("MELTANO_CLI_DISABLE_VERSION_CHECK", True, "looks for a new version"),
    "send_anonymous_usage_stats": ("MELTANO_SEND_ANONYMOUS_USAGE_STATS", False, "sends usage statistics"),
}
"""Meltano's settings that let each run wait for a network that is not there: variable, good value, what it does."""
_TRUE = {"true", "1", "yes", "on", "t", "y"}


def settings(subject: Subject) -> Finding:
    """Are all settings there, and do they make sense together?"""
    found = subject.settings
    extractor, loader = found.project.blocks
    if found.target.dry_run or found.tap.dry_run:
        name = loader if found.target.dry_run else extractor
        return warning(
            f"The setting dry_run of {name} is true: runs write nothing.", f"meltano config unset {name} dry_run"
        )
    if found.tap.start_date is not None and found.tap.start_date > subject.clock():
        return bad(
            "The setting start_date is in the future: nothing could ever be read.",
            f"meltano config unset {extractor} start_date",
        )
    return ok(f"The settings of {extractor}, {loader} and {PLUGIN} are complete and agree.")


def meltano(subject: Subject) -> Finding:
    """Is Meltano new enough, and are its plugins installed in the version of this command?"""
    project = subject.project
    found = _version_of([str(project.meltano), "--version"])
    if found is None or int(found.split(".")[0]) < OLDEST_MELTANO:
        return bad(
            f"Meltano {found or 'does not start'}; this needs version {OLDEST_MELTANO} or later.",
            f"pip install --upgrade 'meltano>={OLDEST_MELTANO}'",
        )
    ours, blocks = version(PLUGIN), _blocks(subject)
    commands = _plugins(project.root, subject.environment, blocks)
    versions = {name: _version_of(command) for name, command in commands}
    missing = [name for name in blocks if versions.get(name) is None]
    if missing:
        return bad(f"{' and '.join(missing)} cannot be started: not installed?", "meltano install")
    others = [f"{name} {number}" for name, number in versions.items() if number != ours]
    if others:
        return bad(
            f"Versions differ: {', '.join(others)}, {PLUGIN} {ours}; they belong together.", "meltano install --clean"
        )
    return ok(f"Meltano {found}; {', '.join(blocks)} and {PLUGIN} {ours}.")


def _blocks(subject: Subject) -> tuple[str, str]:
    """Return the names of the plugins that are run, the usual ones where the settings cannot be read."""
    try:
        return subject.settings.project.blocks
    except (ProjectError, SettingError):
        return subject.project.blocks


def _plugins(root: Path, environment: Mapping[str, str], blocks: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Return name and command of the plugins: from Meltano's folder, or where meltano.yml says they are.

    One that inherits is installed with the one that it inherits from, unless it says from where itself.
    """
    content = read_meltano_yml(root).get("plugins") or {}
    for kind, block in zip(("extractors", "loaders"), blocks, strict=True):
        declared = {str(plugin.get("name")): plugin for plugin in content.get(kind) or ()}
        plugin, name = declared.get(block), block
        while plugin is not None and not plugin.get("pip_url") and plugin.get("inherit_from") in declared:
            name = plugin["inherit_from"]
            plugin = declared[name]
        if plugin is not None:
            executable = str(plugin.get("executable") or name)
            installed = system_folder(root, environment) / kind / name / "venv" / "bin" / executable
            found = str(installed) if plugin.get("pip_url") else shutil.which(executable, path=environment.get("PATH"))
            if found and Path(found).exists():
                yield block, [found, "--version"]


def _version_of(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed list
            command, env=variables(os.environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv?(\d+\.\d+[^\s,]*)", done.stdout.decode(errors="replace"))
    return found[1] if found and done.returncode == 0 else None


def network_at_start(subject: Subject) -> Finding:
    """Does Meltano ask the network at each start, so that runs hang where there is none?"""
    root = subject.project.root
    content = read_meltano_yml(root)
    given = {**{name: value for name, value in dotenv_values(root / ".env").items() if value}, **subject.environment}
    asking = {
        setting: what
        for setting, (variable, good, what) in HANG.items()
        if _flag(given.get(variable, _at(content, setting))) is not good
    }
    if not asking:
        return ok("Meltano asks nobody at its start.")
    commands = "; ".join(f"meltano config set meltano {name} {str(HANG[name][1]).lower()}" for name in asking)
    return warning(
        f"Meltano {' and '.join(asking.values())} at each start; where the network does not answer, each run waits for "
        "up to a minute.",
        commands,
    )


def _at(content: Any, setting: str) -> Any:
    for name in setting.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _flag(value: Any) -> bool | None:
    return None if value is None else str(value).lower() in _TRUE


def private_files(subject: Subject) -> Finding:
    """May only their owner read the files with secrets?"""
    found = subject.settings
    files = [subject.project.root / ".env"]
    if not found.store_key:
        files.append(default_key_file())
    if (database := store_file(found.store_url)) is not None:
        files += [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]
    there = [file for file in files if file.exists()]
    # During a run, and after one that was killed, it holds the settings of the plugins.
    folders = [path for path in private_paths(subject.project.root, subject.environment) if path.exists()]
    is_open = [path for path in (*there, *folders) if is_open_to_others(path)]
    if is_open:
        named = ", ".join(f"{path} ({stat.S_IMODE(path.stat().st_mode):04o})" for path in is_open)
        return bad(f"Other users of this machine may read {named}.", f"chmod go= {' '.join(map(str, is_open))}")
    if not there:
        return ok("There is no file with secrets.")
    return ok(f"Only their owner may read {', '.join(file.name for file in there)}.")


def store_file(store_url: str | None) -> Path | None:
    """Give the file of a store; None for a database server."""
    url = parse_url(store_url or "")
    return Path(url.database or "") if url.drivername.startswith("sqlite") else None


def store(subject: Subject) -> Finding:
    """Can the store be opened with the key at hand?"""
    found = subject.settings
    file = store_file(found.store_url)
    if file is not None and not file.exists():
        seeds = found.tap.refresh_token and found.target.refresh_token
        return bad("There is no store yet.", found.project.run if seeds else f"{PLUGIN} connect freshbooks")
    _ = subject.store
    where = f"the file {file}" if file is not None else "the database server"
    return ok(f"The store in {where} opens, with its key.")


def clock(subject: Subject) -> Finding:
    """Is this machine's clock right, by those of the services?"""
    if not subject.clocks:
        return warning("Neither service told its time.")
    service, ahead = max(subject.clocks.items(), key=lambda one: abs(one[1]))
    if abs(ahead) < SLOW_CLOCK:
        return ok(f"The clock agrees with {' and '.join(subject.clocks)}.")
    how = "behind" if ahead > timedelta() else "ahead of"
    sentence = f"This machine's clock is {span(abs(ahead))} {how} that of {service}."
    return (bad if abs(ahead) >= WRONG_CLOCK else warning)(sentence, SET_CLOCK)
