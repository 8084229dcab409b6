"""A system folder of their own (Meltano's ``.meltano``) for runs that may be under way beside others.

What Meltano writes for a plugin's run (catalog, state, settings) it writes to one place for each plugin, and removes it
at the end: of two runs at once one finds the other's files, or none (https://github.com/meltano/meltano/issues/8763).
That place is in the system folder; everything else there, such as plugins and database, is shared by links.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from freshbooks_zoho.project import SYSTEM_FOLDER_VARIABLE, system_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freshbooks_zoho.project import Project

NAME = "freshbooks-zoho"
SHARED = ("extractors", "loaders", "utilities", "meltano.db", "singer-store")
"""What a run without state needs; the store is beside Meltano's database, unless the settings say otherwise."""


def separate_folder(project: Project, environment: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """Make a system folder for runs of one kind, of which one is under way at a time and none reads or writes state.

    Args:
        project: whose runs they are.
        environment: of this process.
        folder: where; within the project's own, one for each environment, if not said.

    Returns:
        The variables that make a run use it.

    Raises:
        OSError: if it cannot be made.
    """
    origin = system_folder(project.root, environment).absolute()
    # Runs under two environments may be under way at once, in two services.
    folder = folder or origin / NAME / quote(project.environment or "none", safe="")
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        link, target = folder / name, str(origin / name)
        # The project may have been moved since.
        if not link.is_symlink() or os.readlink(link) != target:  # noqa: PTH115 - the text is compared
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return {SYSTEM_FOLDER_VARIABLE: str(folder)}
