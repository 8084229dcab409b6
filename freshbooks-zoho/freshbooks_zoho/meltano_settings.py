"""The settings of a project's plugins, from Meltano's library, in a process of its own.

``meltano config print`` gives the same, in nearly twice the time: it loads all that Meltano can do first. This is a
script for Meltano's own Python; where that is the Python that runs the companion, a fork has half of it loaded already.
The arguments are the environment, empty for none, and the plugins' names; the answer is a JSON object by name, with
null for a plugin that the project does not have. Whatever else is the matter ends in a traceback, also where the
library has changed: whoever asks then asks the command line, which says what is wrong.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection


def read(environment: str, *names: str) -> str:
    """Give the settings, secrets among them, of the project in whose folder the process is; it is to end then."""
    # The process is over before there is garbage worth looking for, which would take a seventh of the time.
    gc.disable()
    with contextlib.redirect_stdout(sys.stderr):
        from meltano.core.db import project_engine  # noqa: PLC0415
        from meltano.core.plugin.error import PluginNotFoundError  # noqa: PLC0415
        from meltano.core.plugin.settings_service import PluginSettingsService  # noqa: PLC0415
        from meltano.core.project import Project  # noqa: PLC0415
        from meltano.core.setting_definition import SettingValueJSONEncoder  # noqa: PLC0415
        from sqlalchemy import inspect  # noqa: PLC0415

        project = Project.find()
        if environment:
            project.activate_environment(environment)
        engine, new_session = project_engine(project)
        # In a new project no run has made Meltano's tables yet.
        if not inspect(engine).has_table("plugin_settings"):
            from meltano.core.migration_service import MigrationService  # noqa: PLC0415

            MigrationService(engine).upgrade(silent=True)
        found: dict[str, dict[str, Any] | None] = dict.fromkeys(names)
        with new_session() as session:
            for name in names:
                with contextlib.suppress(PluginNotFoundError):
                    plugin = project.plugins.find_plugin(name, configurable=True)
                    found[name] = PluginSettingsService(project, plugin).as_dict(
                        extras=False, process=True, session=session, redacted=False
                    )
    return json.dumps(found, cls=SettingValueJSONEncoder)


def may_fork(python: Path) -> bool:
    """Say whether a fork of this process can read them: Meltano's Python runs it, on Linux, without other threads."""
    return sys.platform == "linux" and python.parent == Path(sys.executable).parent and threading.active_count() == 1


def read_in_fork(
    root: Path, variables: Mapping[str, str], environment: str, *names: str, patience: float
) -> str | None:
    """Give what `read` gives in a folder, with these variables; None if it gives nothing within so many seconds."""
    import multiprocessing  # noqa: PLC0415 - a script does without

    forking = multiprocessing.get_context("fork")
    ours, theirs = forking.Pipe(duplex=False)
    process = forking.Process(target=_tell, args=(theirs, root, dict(variables), environment, *names))
    process.start()
    theirs.close()
    try:
        return str(ours.recv()) if ours.poll(patience) else None
    except EOFError:
        return None
    finally:
        process.join(1)
        process.kill()
        process.join()
        ours.close()


def _tell(answer: Connection, root: Path, variables: Mapping[str, str], environment: str, *names: str) -> None:
    # What Meltano says meanwhile is not for whoever reads the companion's output.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.chdir(root)
    os.environ.clear()
    os.environ.update(variables)
    answer.send(read(environment, *names))


if __name__ == "__main__":
    # This folder's modules are not for Meltano.
    sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
    sys.stdout.write(read(*sys.argv[1:]))
