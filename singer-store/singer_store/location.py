"""Where the store and its key are, unless the settings say so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

_APP = "singer-store"


def default_store(environment: Mapping[str, str]) -> URL:
    """Give the URL of the Meltano project's store; outside a project, of the user's."""
    root = environment.get("MELTANO_PROJECT_ROOT")
    folder = Path(root) / ".meltano" / _APP if root else platformdirs.user_state_path(_APP, appauthor=False)
    return URL.create("sqlite", database=str(folder / "store.db"))


def default_key_file() -> Path:
    """Give the path of the user's key file, which is in another place than any store."""
    return platformdirs.user_config_path(_APP, appauthor=False) / "store.key"
