"""Where the store and its key are, unless the settings say so."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_APP = "singer-store"


def default_store(environment: Mapping[str, str]) -> URL:
    """Return the URL of the Meltano project's store; outside a project, of the user's.

    It is beside Meltano's own database, so that whoever keeps the one keeps the other, too: in MELTANO_SYS_DIR_ROOT,
    which Meltano sets for its plugins. Before, it was always in the project: one that is there is used.
    """
    root = environment.get("MELTANO_PROJECT_ROOT")
    if not root:
        return _url(platformdirs.user_state_path(_APP, appauthor=False))
    beside = Path(root) / (environment.get("MELTANO_SYS_DIR_ROOT") or ".meltano") / _APP
    before = Path(root) / ".meltano" / _APP
    if not (beside / "store.db").exists() and (before / "store.db").exists():
        logger.warning(
            "The store is in %s, and Meltano's database elsewhere. Move that folder to %s while nothing runs.",
            before,
            beside,
        )
        return _url(before)
    return _url(beside)


def _url(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / "store.db"))


def default_key_file() -> Path:
    """Return the path of the user's key file, which is in another place than any store."""
    return platformdirs.user_config_path(_APP, appauthor=False) / "store.key"
