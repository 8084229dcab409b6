"""The settings of a project's plugins, from Meltano's library: a script, run by Meltano's own Python.

``meltano config print`` gives the same, in nearly twice the time: it loads all that Meltano can do first. The arguments
are the environment, empty for none, and the plugins' names; stdout is a JSON object by name, with null for a plugin
that the project does not have. Whatever else is the matter ends in a traceback, also where the library has changed:
whoever asks then asks the command line, which says what is wrong.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from pathlib import Path
from typing import Any


def main(environment: str, *names: str) -> None:
    """Show the settings, secrets among them."""
    # It is over before there is garbage worth looking for, which would take a seventh of the time.
    gc.disable()
    # This folder's modules are not for Meltano.
    sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
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
    json.dump(found, sys.stdout, cls=SettingValueJSONEncoder)


if __name__ == "__main__":
    main(*sys.argv[1:])
