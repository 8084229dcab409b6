"""The OAuth clients' credentials: what is missing is asked for, and kept in the project's .env, where Meltano looks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values, set_key

from freshbooks_zoho.project import variable
from freshbooks_zoho.settings import SettingError
from singer_store.files import make_private_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freshbooks_zoho.onboarding.dialogue import Dialogue
    from freshbooks_zoho.project import Project


def plain(text: str) -> str:
    """Take a value that means the same to a shell, to python-dotenv and to Meltano, which all replace variables.

    Raises:
        ValueError: if it does not.
    """
    text = text.strip()
    if not text or not all("!" <= letter <= "~" for letter in text) or set("$'\"\\`") & set(text):
        raise ValueError("That is not what the page shows: it is made of letters, digits and a few signs.")
    return text


def redirect_uri(text: str) -> str:
    """Take an address that FreshBooks accepts as a way back.

    Raises:
        ValueError: if it is none.
    """
    text = plain(text)
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("It has to begin with https:// and must have no query.")
    return text


@dataclass(frozen=True)
class Credential:
    """One setting that cannot be done without.

    Attributes:
        setting: its name.
        label: what it is called where one reads it.
        hidden: whether it is secret.
        read: takes what was typed in.
        default: is offered.
    """

    setting: str
    label: str
    hidden: bool = False
    read: Callable[[str], str] = plain
    default: str | None = None


CLIENT = (Credential("client_id", "Client ID"), Credential("client_secret", "Client secret", hidden=True))


def complete(  # noqa: PLR0913
    project: Project,
    plugin: str,
    config: Mapping[str, Any],
    needed: Sequence[Credential],
    dialogue: Dialogue | None,
    *,
    intro: Sequence[str] = (),
) -> dict[str, Any]:
    """Give a plugin's configuration with its credentials.

    Args:
        project: whose .env takes what is typed in.
        plugin: its name.
        config: what is set.
        needed: the credentials.
        dialogue: with whoever knows them; None where nobody can be asked.
        intro: what to say before asking.

    Raises:
        SettingError: if nobody can be asked; names the variables.
    """
    missing = [one for one in needed if config.get(one.setting) in (None, "")]
    if missing and dialogue is None:
        names = " and ".join(variable(plugin, one.setting) for one in missing)
        raise SettingError(
            f"{plugin} lacks {', '.join(one.setting for one in missing)}: set {names} in {project.root / '.env'} or in "
            "the environment."
        )
    found = {}
    if missing and dialogue is not None:
        for line in intro:
            dialogue.say(line)
        for one in missing:
            found[one.setting] = dialogue.ask(one.label, one.read, hidden=one.hidden, default=one.default)
        save(project, {variable(plugin, name): value for name, value in found.items()})
        dialogue.say(f"Kept in {project.root / '.env'}, which only you can read.", "quiet")
    return {**config, **found}


def save(project: Project, values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> list[str]:
    """Write variables into the project's .env, which nobody else may read from then on.

    Returns:
        The names of those that the environment sets to something else, so that they will not count.

    Raises:
        SettingError: if the file cannot be written, or would not say what was meant.
    """
    file = (project.root / ".env").resolve()
    before = _read(file)
    try:
        make_private_file(file)
        file.chmod(0o600)
        for name, value in values.items():
            set_key(file, name, value)
    except OSError as error:
        raise SettingError(f"{file} cannot be written ({error.strerror}).") from None
    after = _read(file)
    if wrong := [name for name, value in values.items() if after.get(name) != value]:
        raise SettingError(f"{file} does not give {', '.join(wrong)} back as written: set it there by hand.")
    # What Meltano started has the values of .env in its environment, too.
    return [name for name, value in values.items() if environment.get(name) not in (None, "", value, before.get(name))]


def _read(file: Path) -> dict[str, str | None]:
    return dict(dotenv_values(file)) if file.exists() else {}
