"""The Meltano project around the companion: where it is, which Meltano runs it, and how its plugins are configured.

Plugins get their settings from Meltano, and a utility gets only its own. The others' are asked for with
``meltano config print``, which is Meltano's own reading of meltano.yml, .env, the environment and its database.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from freshbooks_zoho import meltano_answers

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
    """

    root: Path
    meltano: Path
    environment: str | None

    def config(self, plugins: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """Give the configuration of plugins, by name; None for one that the project does not have.

        The answer takes Meltano about a second, so ask once.

        Raises:
            ProjectError: if Meltano gives none for another reason.
        """
        names = list(plugins)
        environment = f"--environment={self.environment}" if self.environment else "--no-environment"
        start, end = ["--log-level=error", environment, "config", "--unsafe", "print"], ["--format=json"]
        answers = self._ask([[*start, name, *end] for name in names])
        found: dict[str, dict[str, Any] | None] = {}
        for name, answer in zip(names, answers, strict=True):
            found[name] = answer.content
            if answer.content is None and _UNKNOWN not in answer.failed:
                raise ProjectError(
                    f"Meltano could not give the settings of {name}{_why(answer.failed)}. "
                    f"See for yourself with: meltano config print {name}"
                )
        return found

    def state(self, state_id: str) -> dict[str, Any]:
        """Give the state that runs of an id have left: bookmarks, for the tap; empty if there is none.

        Raises:
            ProjectError: if Meltano does not give it.
        """
        (answer,) = self._ask([["--log-level=error", "state", "get", state_id]])
        if answer.content is None:
            raise ProjectError(f"Meltano could not give its state. See for yourself with: meltano state get {state_id}")
        state = answer.content.get("singer_state")
        return state if isinstance(state, dict) else {}

    def _ask(self, questions: list[list[str]]) -> list[_Answer]:
        """Put questions to Meltano, to one interpreter if it is clear which is Meltano's."""
        if (python := _interpreter(self.meltano)) is not None:
            done = self._run([str(python), meltano_answers.__file__, json.dumps(questions)])
            with contextlib.suppress(ValueError):
                return [_Answer(one.get("shown", ""), one.get("failed", "")) for one in json.loads(done.stdout)]
        asked = [self._run([str(self.meltano), *question]) for question in questions]
        return [_Answer("" if done.returncode else done.stdout, done.stderr) for done in asked]

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


@dataclass(frozen=True)
class _Answer:
    """What a command of Meltano's has shown, and why it failed."""

    shown: str = field(repr=False)
    failed: str = field(repr=False)

    @property
    def content(self) -> dict[str, Any] | None:
        """The JSON object that was shown; None if there was none."""
        try:
            content = json.loads(self.shown)
        except ValueError:
            return None
        return content if isinstance(content, dict) else None


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


def system_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """Give where Meltano keeps a project's plugins, its database, and the files of runs under way."""
    return Path(environment.get(SYSTEM_FOLDER_VARIABLE) or root / ".meltano")


def _find_meltano(root: Path, environment: Mapping[str, str]) -> Path:
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
    if "MELTANO_ENVIRONMENT" in environment:
        return environment["MELTANO_ENVIRONMENT"] or None
    try:
        content = yaml.safe_load((root / "meltano.yml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        raise ProjectError(f"{root / 'meltano.yml'} cannot be read. See for yourself with: meltano compile") from None
    name = content.get("default_environment") if isinstance(content, dict) else None
    return str(name) if name else None
