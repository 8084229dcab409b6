"""The companion's settings: its own, and the tap's and the target's, all from one Meltano project."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freshbooks_zoho.network import wrong_variable
from freshbooks_zoho.project import Project, ProjectError, find_project, variable
from freshbooks_zoho.setting_table import DEFAULTS
from singer_store.location import default_store
from tap_freshbooks.errors import SettingError as TapSettingError
from tap_freshbooks.settings import Settings as TapSettings
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.settings import Settings as TargetSettings
from target_zoho_crm.settings import read_settings as read_target_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN, TAP, TARGET = "freshbooks-zoho", "tap-freshbooks", "target-zoho-crm"
"""What the packages are called; plugins of a project may have inherited another name (`Project.extractor`)."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingError(Exception):
    """A setting that cannot be used; the text names it and says what it should be."""


@dataclass(frozen=True)
class Settings:
    """Everything the companion works with; the repr leaves out what is secret.

    Attributes:
        tap: as tap-freshbooks has them.
        target: as target-zoho-crm has them.
        project: the Meltano project that runs are made in.
        public_url: where webhooks reach this service; None: it works by polling alone.
        host, port: where webhooks are listened for.
        admin_host, admin_port: where metrics and the status page are.
        admin_password: that both ask for; None: they are for this machine only.
        poll_interval: seconds between ordinary runs.
        debounce: seconds without an event before the events become a run.
        restore_fields: whether FreshBooks' value is put back where someone changed it in Zoho.
        restore_deleted: whether a synced record that someone deleted in Zoho is written again.
        store_url, store_key: of the store that all three share.
    """

    tap: TapSettings
    target: TargetSettings
    project: Project
    public_url: str | None
    host: str
    port: int
    admin_host: str
    admin_port: int
    admin_password: str | None = field(repr=False)
    poll_interval: float
    debounce: float
    restore_fields: bool
    restore_deleted: bool
    store_url: str | None = field(repr=False)
    store_key: str | None = field(repr=False)


@dataclass(frozen=True)
class Configs:
    """What Meltano and the environment say, before any of it is checked; secrets among it.

    Attributes:
        project: the Meltano project.
        own, tap, target: the configuration of the companion, of tap-freshbooks and of target-zoho-crm.
    """

    project: Project
    own: Mapping[str, Any] = field(repr=False)
    tap: Mapping[str, Any] = field(repr=False)
    target: Mapping[str, Any] = field(repr=False)

    @property
    def public_url(self) -> str | None:
        """Where webhooks reach this service.

        Raises:
            SettingError: if it cannot be used.
        """
        return _public_url(_text(self.own, "public_url"))

    @property
    def store_url(self) -> str:
        """Of the store that all three share.

        Raises:
            SettingError: if they do not agree on it.
        """
        return _store_url(self.project, self.own, self.tap, self.target)

    @property
    def store_key(self) -> str | None:
        """Of the store that all three share.

        Raises:
            SettingError: if they do not agree on it.
        """
        return _shared("store_key", self.own, self.tap, self.target)


def load(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """Collect the settings: a variable in the environment first, then what Meltano says.

    Args:
        environment: variables such as FRESHBOOKS_ZOHO_PORT and TAP_FRESHBOOKS_CLIENT_ID.
        folder: where to look for the project, upwards.

    Raises:
        SettingError: naming the setting that is missing or cannot be used.
        ProjectError: if there is no project, or Meltano does not answer.
    """
    configs = collect(environment, folder)
    return read(configs.project, own=configs.own, tap=configs.tap, target=configs.target)


def collect(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Configs:
    """Collect the settings as `load` does, without checking them: some may still be missing.

    Raises:
        SettingError: naming a variable of the environment with which no service can be reached.
        ProjectError: if there is no project, or Meltano does not answer.
    """
    if wrong := wrong_variable(environment):
        raise SettingError(wrong)
    project = find_project(environment, folder or Path.cwd())
    if project is None:
        raise ProjectError(
            "There is no Meltano project here: run this in the folder with meltano.yml (or below it), or set "
            "MELTANO_PROJECT_ROOT."
        )
    # Launched by Meltano, the companion has been told its own settings already.
    asks_for_own = "MELTANO_UTILIZE_PORT" not in environment
    own = from_environment(PLUGIN, environment)
    names = _blocks(own)
    found = project.config([*names, PLUGIN] if asks_for_own else names)
    own = from_environment(PLUGIN, environment, found.get(PLUGIN))
    if _blocks(own) != names:
        # Meltano takes long to ask, so the usual names are asked for before it is known that they are others.
        names = _blocks(own)
        found = project.config(names)
    for name in names:
        if found[name] is None:
            raise ProjectError(f"The project {project.root} has no plugin {name}: add it to meltano.yml.")
    extractor, loader = names
    return Configs(
        replace(project, extractor=extractor, loader=loader),
        own=own,
        tap=from_environment(extractor, environment, found[extractor]),
        target=from_environment(loader, environment, found[loader]),
    )


def _blocks(own: Mapping[str, Any]) -> list[str]:
    """Return the names of the plugins that the companion runs, and whose settings it reads."""
    return [_text(own, name) or str(DEFAULTS[name]) for name in ("extractor", "loader")]


def from_environment(
    plugin: str, environment: Mapping[str, str], config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give a plugin's configuration with Meltano's variables for it (``TAP_FRESHBOOKS_CLIENT_ID``) over it."""
    prefix = variable(plugin, "")
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix) and value
    }
    return {**(config or {}), **given}


def read(project: Project, *, own: Mapping[str, Any], tap: Mapping[str, Any], target: Mapping[str, Any]) -> Settings:
    """Check and type the settings.

    Raises:
        SettingError: naming the setting that is missing or cannot be used.
    """
    try:
        # What one run is to read is decided for each run.
        tap_settings = TapSettings.from_config({**tap, "record_ids": None})
    except TapSettingError as error:
        raise SettingError(f"{project.extractor}: {error}") from None
    try:
        target_settings = read_target_settings(target)
    except ConfigurationError as error:
        raise SettingError(f"{project.loader}: {error}") from None
    own = {**DEFAULTS, **{name: value for name, value in own.items() if _text(own, name) is not None}}
    return Settings(
        tap=tap_settings,
        target=target_settings,
        project=project,
        public_url=_public_url(_text(own, "public_url")),
        host=str(own["host"]).strip(),
        port=_port(own, "port"),
        admin_host=str(own["admin_host"]).strip(),
        admin_port=_port(own, "admin_port"),
        admin_password=_text(own, "admin_password"),
        poll_interval=_seconds(own, "poll_interval", at_least=1),
        debounce=_seconds(own, "debounce", at_least=0),
        restore_fields=_flag(own, "restore_fields"),
        restore_deleted=_flag(own, "restore_deleted"),
        store_url=_store_url(project, own, tap, target),
        store_key=_shared("store_key", own, tap, target),
    )


def _store_url(project: Project, own: Mapping[str, Any], tap: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Give the store of the project's plugins, also where the companion was started without Meltano."""
    given = _shared("store_url", own, tap, target)
    return given or str(default_store({**os.environ, "MELTANO_PROJECT_ROOT": str(project.root)}))


def _shared(name: str, own: Mapping[str, Any], tap: Mapping[str, Any], target: Mapping[str, Any]) -> str | None:
    """Give a setting that the three have to agree on; the companion takes over what the others say."""
    texts = {_text(tap, name), _text(target, name)}
    if _text(own, name):
        texts.add(_text(own, name))
    if len(texts) > 1:
        raise SettingError(
            f"The setting {name} differs between {TAP}, {TARGET} and {PLUGIN}: they work with one store, so give it "
            "the same value in all three."
        )
    return texts.pop()


def _text(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    return str(value).strip() or None if value is not None else None


def _public_url(text: str | None) -> str | None:
    """Check the base of the webhooks' URLs; both services send to https only, a sandbox on this machine to http."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise SettingError("The setting public_url is not a URL.") from None
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise SettingError("The setting public_url must be a plain URL such as https://sync.example.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SettingError("The setting public_url must begin with https:// (http:// only on this machine).")
    return text.rstrip("/")


def _port(config: Mapping[str, Any], name: str) -> int:
    text = str(config[name]).strip()
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:  # noqa: PLR2004
        raise SettingError(f"The setting {name} is not a port (1 to 65535).")
    return int(text)


def _seconds(config: Mapping[str, Any], name: str, *, at_least: float) -> float:
    try:
        seconds = float(config[name])
    except (TypeError, ValueError):
        seconds = float("nan")
    if not at_least <= seconds <= 86400:  # noqa: PLR2004
        raise SettingError(f"The setting {name} is not a number of seconds between {at_least:g} and 86400 (a day).")
    return seconds


def _flag(config: Mapping[str, Any], name: str) -> bool:
    text = str(config[name]).strip().lower()
    if text not in {"true", "false"}:
        raise SettingError(f"The setting {name} is neither true nor false.")
    return text == "true"
