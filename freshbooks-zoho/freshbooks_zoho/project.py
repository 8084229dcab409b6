"""The Meltano project around the companion: where it is, which Meltano runs it, and how its plugins are configured.

Plugins get their settings from Meltano, and a utility gets only its own. The others' are asked for with
``meltano config print``, which is Meltano's own reading of meltano.yml, .env, the environment and its database.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT = 120.0
"""Seconds for one question to Meltano; it takes two, and many more where nothing is compiled yet."""
_NOT_INHERITED = frozenset({"MELTANO_CLI_LOG_CONFIG", "MELTANO_CLI_LOG_FORMAT", "VIRTUAL_ENV"})


_UNKNOWN = b"is not known to Meltano"


class ProjectError(Exception):
    """The Meltano project cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Project:
    """A Meltano project.

    Attributes:
        root: its folder.
        meltano: the executable.
        environment: name of the active environment; None if there is none.
    """

    root: Path
    meltano: Path
    environment: str | None

    def config(self, plugins: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """Give the configuration of plugins, by name; None for one that the project does not have.

        Each answer takes Meltano about two seconds, so ask once.

        Raises:
            ProjectError: if Meltano gives none for another reason.
        """
        names = list(plugins)
        with ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(self._ask, names))
        # In a new project they all want to make Meltano's database; what failed for that is asked again by itself.
        return {
            name: self._read(name, done if _is_usable(done) else self._ask(name))
            for name, done in zip(names, answers, strict=True)
        }

    def state(self, state_id: str) -> dict[str, Any]:
        """Give the state that runs of an id have left: bookmarks, for the tap; empty if there is none.

        Raises:
            ProjectError: if Meltano does not give it.
        """
        command = [str(self.meltano), "--log-level=error", "state", "get", state_id]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed list
                command,
                cwd=self.root,
                env=variables(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
            found = json.loads(done.stdout) if done.returncode == 0 else None
        except (OSError, subprocess.TimeoutExpired, ValueError):
            found = None
        if not isinstance(found, dict):
            raise ProjectError(f"Meltano could not give its state. See for yourself with: meltano state get {state_id}")
        state = found.get("singer_state")
        return state if isinstance(state, dict) else {}

    def _ask(self, plugin: str) -> subprocess.CompletedProcess[bytes]:
        environment = [f"--environment={self.environment}"] if self.environment else ["--no-environment"]
        command = [str(self.meltano), "--log-level=error", *environment, "config", "--unsafe", "print", plugin]
        try:
            return subprocess.run(  # noqa: S603 - a fixed list
                [*command, "--format=json"],
                cwd=self.root,
                env=variables(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProjectError(f"Meltano could not be asked for the settings of {plugin} ({error.args[0]}).") from None

    @staticmethod
    def _read(plugin: str, done: subprocess.CompletedProcess[bytes]) -> dict[str, Any] | None:
        if done.returncode and _UNKNOWN in done.stderr:
            return None
        try:
            config = json.loads(done.stdout)
        except ValueError:
            config = None
        if done.returncode or not isinstance(config, dict):
            raise ProjectError(
                f"Meltano could not give the settings of {plugin}. See for yourself with: meltano config print {plugin}"
            )
        return config


def _is_usable(done: subprocess.CompletedProcess[bytes]) -> bool:
    return not done.returncode or _UNKNOWN in done.stderr


def find_project(environment: Mapping[str, str], folder: Path) -> Project | None:
    """Find the project that the process was started in, or below; None if there is none.

    Raises:
        ProjectError: if it has no Meltano, or its file cannot be read.
    """
    given = environment.get("MELTANO_PROJECT_ROOT")
    candidates = [Path(given)] if given else [folder, *folder.parents]
    root = next((one for one in candidates if (one / "meltano.yml").is_file()), None)
    if root is None:
        return None
    return Project(root.resolve(), _find_meltano(root, environment), _find_environment(root, environment))


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for Meltano: what this process was given, but for what would change a run."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("MELTANO_RUN_", "MELTANO_UTILIZE_")) and name not in _NOT_INHERITED
    }
    return {**kept, "NO_COLOR": "1"}


def _find_meltano(root: Path, environment: Mapping[str, str]) -> Path:
    # Meltano leaves a link to itself for plugins that want to call it.
    link = root / ".meltano" / "run" / "bin"
    if link.exists():
        return link.resolve()
    found = shutil.which("meltano", path=environment.get("PATH"))
    if found is None:
        raise ProjectError(f"There is no meltano for the project {root}: install Meltano, or put its folder into PATH.")
    return Path(found)


def _find_environment(root: Path, environment: Mapping[str, str]) -> str | None:
    # `meltano config` passes over the default environment, `meltano run` does not: so it is named here.
    if "MELTANO_ENVIRONMENT" in environment:
        return environment["MELTANO_ENVIRONMENT"] or None
    try:
        content = yaml.safe_load((root / "meltano.yml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        raise ProjectError(f"{root / 'meltano.yml'} cannot be read. See for yourself with: meltano compile") from None
    name = content.get("default_environment") if isinstance(content, dict) else None
    return str(name) if name else None
