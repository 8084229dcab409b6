"""Lets ``pip install ./<this folder>`` take the workspace's own packages from beside it.

They share a repository and are not looked up in an index when a folder is installed by hand. A release
(``python -m build``, ``uv build``) and an editable install carry the plain version requirement.
"""

import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SiblingDependencies(BuildHookInterface):
    """Turns a requirement into a direct reference to the folder beside this one, where there is such a folder."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Act only while pip builds this folder in order to install it (pip sets PIP_BUILD_TRACKER)."""
        if version == "editable" or "PIP_BUILD_TRACKER" not in os.environ:
            return
        core = self.metadata.core
        for text, requirement in core.dependencies_complex.items():
            folder = Path(self.root).parent / requirement.name
            if (folder / "pyproject.toml").is_file():
                core.dependencies.remove(text)
                build_data["dependencies"].append(f"{requirement.name} @ {folder.as_uri()}")
