"""The Meltano project around the companion: where it is, which Meltano runs it, and how its plugins are configured.

Plugins get their settings from Meltano, and a utility gets only its own. For the others' Meltano is asked, so that
meltano.yml, .env, the environment and its database count as they do for a run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from freshbooks_zoho import meltano_settings
from freshbooks_zoho.project_files import about_dotenv, about_environment, unreadable_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT = 120.0
"""Seconds for an answer of Meltano's; it takes one, and many more where nothing is compiled yet."""
SYSTEM_FOLDER_VARIABLE = "MELTANO_SYS_DIR_ROOT"
"""Meltano's variable that says where its folder is, if not in the project."""
_NOT_INHERITED = frozenset({"MELTANO_CLI_LOG_CONFIG", "MELTANO_CLI_LOG_FORMAT", "VIRTUAL_ENV"})
_UNKNOWN = "is not known to Meltano"


class ProjectError(Exception):
    """The Meltano project cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Project:
    """A Meltano project.

    Attributes:
        root: its folder.
        meltano: the executable.
        environment: name of the active environment; None if there is none.
        extractor, loader: names of the plugins that runs are made of.
    """

    root: Path
    meltano: Path
    environment: str | None
    extractor: str = "tap-freshbooks"
    loader: str = "target-zoho-crm"

    @property
    def blocks(self) -> tuple[str, str]:
        """What a run is made of, as ``meltano run`` takes it."""
        return self.extractor, self.loader

    @property
    def run(self) -> str:
        """The command that makes a run, for people."""
        return f"meltano run {self.extractor} {self.loader}"

    def config(self, plugins: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """Give the configuration of plugins, by name; None for one that the project does not have.

        Meltano takes most of a second to load, so ask once.

        Raises:
            ProjectError: if Meltano gives none for another reason.
        """
        names = list(plugins)
        from_library = self._from_library(names)
        return {name: self._from_command_line(name) for name in names} if from_library is None else from_library

    def state(self, state_id: str) -> dict[str, Any]:
        """Give the state that runs of an id have left: bookmarks, for the tap; empty if there is none.

        Raises:
            ProjectError: if Meltano does not give it.
        """
        done = self._run([str(self.meltano), "--log-level=error", "state", "get", state_id])
        if done.returncode or (content := _json_object(done.stdout)) is None:
            raise ProjectError(f"Meltano could not give its state. See for yourself with: meltano state get {state_id}")
        state = content.get("singer_state")
        return state if isinstance(state, dict) else {}

    def _from_library(self, names: list[str]) -> dict[str, Any] | None:
        """Give the configuration of plugins as Meltano's library has it; None where that does not work."""
        if (python := _interpreter(self.meltano)) is None:
            return None
        wanted = [self.environment or "", *names]
        if meltano_settings.may_fork(python):
            answer = meltano_settings.read_in_fork(self.root, variables(os.environ), *wanted, patience=TIMEOUT)
        else:
            done = self._run([str(python), meltano_settings.__file__, *wanted])
            answer = None if done.returncode else done.stdout
        return None if answer is None else _json_object(answer)

    def _from_command_line(self, name: str) -> dict[str, Any] | None:
        """Give the configuration of a plugin as ``meltano config print`` shows it; None if there is no such plugin."""
        environment = f"--environment={self.environment}" if self.environment else "--no-environment"
        command = [str(self.meltano), "--log-level=error", environment, "config", "--unsafe", "print", name]
        done = self._run([*command, "--format=json"])
        content = None if done.returncode else _json_object(done.stdout)
        if content is None and _UNKNOWN not in done.stderr:
            wrong = unreadable_values(self.root, name, read_meltano_yml(self.root), os.environ)
            why = f": {'; '.join(wrong)}" if wrong else _why(done.stderr)
            raise ProjectError(
                f"Meltano could not give the settings of {name}{why}. "
                f"See for yourself with: meltano config print {name}"
            )
        return content

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - a fixed list
                command,
                cwd=self.root,
                env=variables(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except OSError as error:
            raise ProjectError(f"Meltano could not be started ({self.meltano}: {error.strerror}).") from None
        except subprocess.TimeoutExpired:
            raise ProjectError(
                f"Meltano gave no answer within {TIMEOUT:g} s. Try: meltano config print tap-freshbooks"
            ) from None


def _why(failed: str) -> str:
    """Say what a user can mend; Meltano's own words hold the value, and do not name the setting."""
    if "Failed to parse JSON" in failed:
        return ': one that takes an object is no JSON such as {"paid": "Closed Won"}'
    if "invalid literal for int" in failed:
        return ": one that takes a whole number is something else"
    return ""


def _json_object(shown: str) -> dict[str, Any] | None:
    """Read a JSON object; None where it is anything else."""
    try:
        content = json.loads(shown)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def find_project(environment: Mapping[str, str], folder: Path, python: Path = Path(sys.executable)) -> Project | None:
    """Find the project that the process was started in, or below; None if there is none.

    Args:
        environment: variables of the process.
        folder: where it was started.
        python: that runs it; a Meltano beside it is the project's.

    Raises:
        ProjectError: if it has no Meltano, a file of it cannot be read, or it lacks the environment that is named.
    """
    if (root := find_root(environment, folder)) is None:
        return None
    if wrong := about_dotenv(root):
        raise ProjectError(wrong)
    return Project(root, _find_meltano(root, environment, python.parent), _find_environment(root, environment))


def find_root(environment: Mapping[str, str], folder: Path) -> Path | None:
    """Return the folder of the project that the process was started in, or below; None if there is none."""
    given = environment.get("MELTANO_PROJECT_ROOT")
    candidates = [Path(given)] if given else [folder, *folder.parents]
    root = next((candidate for candidate in candidates if (candidate / "meltano.yml").is_file()), None)
    return None if root is None else root.resolve()


def read_meltano_yml(root: Path) -> dict[str, Any]:
    """Give what a project's file says; empty if that is no object.

    Raises:
        ProjectError: if it cannot be read.
    """
    # libyaml, where PyYAML has it, takes a seventh of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load((root / "meltano.yml").read_text("utf-8"), loader)  # noqa: S506 - both are safe
    except (OSError, ValueError, yaml.YAMLError):
        raise ProjectError(f"{root / 'meltano.yml'} cannot be read. See for yourself with: meltano compile") from None
    return content if isinstance(content, dict) else {}


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for Meltano: what this process was given, but for what would change a run."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("MELTANO_RUN_", "MELTANO_UTILIZE_")) and name not in _NOT_INHERITED
    }
    return {**kept, "NO_COLOR": "1"}


def system_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """Give where Meltano keeps a project's plugins, its database, and the files of runs under way."""
    return root / (environment.get(SYSTEM_FOLDER_VARIABLE) or ".meltano")


def variable(plugin: str, setting: str) -> str:
    """Return Meltano's name for a setting's environment variable."""
    return f"{plugin}_{setting}".upper().replace("-", "_")


def _find_meltano(root: Path, environment: Mapping[str, str], beside: Path) -> Path:
    if (installed := beside / "meltano").exists():
        # In a copy of a project's folder, the link is still to the Meltano of the other one.
        return installed
    # Meltano leaves a link to itself for plugins that want to call it.
    link = system_folder(root, environment) / "run" / "bin"
    if link.exists():
        return link.resolve()
    found = shutil.which("meltano", path=environment.get("PATH"))
    if found is None:
        raise ProjectError(f"There is no meltano for the project {root}: install Meltano, or put its folder into PATH.")
    return Path(found)


def _interpreter(meltano: Path) -> Path | None:
    """Give the Python in the first line of Meltano's executable; None where there is none, or more than that."""
    try:
        with meltano.open("rb") as script:
            first = script.readline(1000).decode(errors="replace").strip()
    except OSError:
        return None
    python = Path(first.removeprefix("#!"))
    return python if first.startswith("#!") and python.name.startswith("python") and python.is_file() else None


def _find_environment(root: Path, environment: Mapping[str, str]) -> str | None:
    # `meltano config` passes over the default environment, `meltano run` does not: so it is named here.
    content = read_meltano_yml(root)
    given_by = "MELTANO_ENVIRONMENT" if "MELTANO_ENVIRONMENT" in environment else "default_environment"
    name = {**content, **environment}.get(given_by)
    name = str(name).strip() or None if name is not None else None
    if wrong := about_environment(name, given_by, content):
        raise ProjectError(wrong)
    return name
