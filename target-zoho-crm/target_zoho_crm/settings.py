"""The target's settings, checked and typed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from target_zoho_crm.api.auth import DEFAULT_ACCOUNTS_URL
from target_zoho_crm.errors import ConfigurationError
from target_zoho_crm.mapping.tables import TABLES

PAYMENTS_MODULE = "FreshBooks Payments"
NO_MODULE = "none"
"""As `payments_module`: no module for payments, only their roll-up on the deals."""
DEFAULT_PARALLEL = 10
"""Zoho's limit for the calls that this target makes most (COQL, writes of more than ten records), in every edition:
https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html"""


@dataclass(frozen=True)
class Settings:
    """See `TargetZohoCRM.config_jsonschema` for what each one is."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    accounts_url: str = DEFAULT_ACCOUNTS_URL
    store_url: str | None = field(default=None, repr=False)
    store_key: str | None = field(default=None, repr=False)
    create_fields: bool = True
    invoices_module: str = "Deals"
    payments_module: str | None = None
    pipeline: str | None = None
    stage_map: Mapping[str, str] = field(default_factory=dict)
    extra_fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    owner: str | None = None
    delete: bool = False
    workflows: bool = False
    dry_run: bool = False
    plan_file: str | None = None
    max_parallel_requests: int = DEFAULT_PARALLEL
    modules: Mapping[str, str] = field(default_factory=dict)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read the settings from Singer's configuration; objects may be JSON in a string, as the environment has them.

    Raises:
        ConfigurationError: naming the setting and what it should be.
    """
    deleted_records = _text(config, "deleted_records") or "mark"
    if deleted_records not in {"mark", "delete"}:
        raise ConfigurationError("The setting deleted_records is neither mark nor delete.")
    return Settings(
        client_id=_needed(config, "client_id"),
        client_secret=_needed(config, "client_secret"),
        refresh_token=_text(config, "refresh_token"),
        accounts_url=_text(config, "accounts_url") or DEFAULT_ACCOUNTS_URL,
        store_url=_text(config, "store_url"),
        store_key=_text(config, "store_key"),
        create_fields=_flag(config, "create_fields", default=True),
        invoices_module=_text(config, "invoices_module") or "Deals",
        payments_module=_text(config, "payments_module"),
        pipeline=_text(config, "pipeline"),
        stage_map=_texts(_object(config, "stage_map"), "stage_map"),
        extra_fields=_extra_fields(_object(config, "extra_fields")),
        owner=_text(config, "owner"),
        delete=deleted_records == "delete",
        workflows=_flag(config, "workflows", default=False),
        dry_run=read_dry_run(config),
        plan_file=_text(config, "plan_file"),
        max_parallel_requests=_positive(config, "max_parallel_requests", DEFAULT_PARALLEL),
        modules=read_modules(config),
    )


def read_dry_run(config: Mapping[str, Any]) -> bool:
    """Read the setting `dry_run`.

    Raises:
        ConfigurationError: if it is something else.
    """
    return _flag(config, "dry_run", default=False)


def read_modules(config: Mapping[str, Any]) -> Mapping[str, str]:
    """Read the setting `modules`: stream, named like a Zoho module → API name of its key field.

    Raises:
        ConfigurationError: if it is something else.
    """
    return _texts(_object(config, "modules"), "modules")


def _text(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    return str(value).strip() or None if value is not None else None


def _needed(config: Mapping[str, Any], name: str) -> str:
    value = _text(config, name)
    if value is None:
        raise ConfigurationError(
            f"The setting {name} is missing: it is shown in Zoho's API console (api-console.zoho.com)."
        )
    return value


def _flag(config: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = config.get(name)
    if value is None or value == "":
        return default
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise ConfigurationError(f"The setting {name} is neither true nor false.")


def _positive(config: Mapping[str, Any], name: str, default: int) -> int:
    value = _text(config, name)
    if value is None:
        return default
    if not value.isdigit() or int(value) < 1:
        raise ConfigurationError(f"The setting {name} is not a whole number above 0.")
    return int(value)


def _object(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name)
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ConfigurationError(f"The setting {name} is not valid JSON: {_where(error)}.") from None
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'The setting {name} is not an object such as {{"name": "value"}}.')
    return value


def _where(error: ValueError) -> str:
    return f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "unreadable"


def _texts(value: Mapping[str, Any], name: str) -> dict[str, str]:
    wrong = next((key for key, text in value.items() if not isinstance(text, str) or not text.strip()), None)
    if wrong is not None:
        raise ConfigurationError(f"In the setting {name}, {wrong} has no text as its value.")
    return {key: text.strip() for key, text in value.items()}


def _extra_fields(value: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    for stream, fields in value.items():
        if stream not in TABLES:
            raise ConfigurationError(f"In the setting extra_fields, {stream} is none of {', '.join(TABLES)}.")
        if not isinstance(fields, Mapping):
            raise ConfigurationError(
                f"In the setting extra_fields, {stream} is not an object such as "
                '{"Zoho field": "FreshBooks property"}.'
            )
    return {stream: _texts(dict(_dotted(fields)), f"extra_fields, {stream}") for stream, fields in value.items()}


def _dotted(fields: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """Give labels as people wrote them: of "P.O. Number" in meltano.yml, Meltano makes an object within an object."""
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{start}{name}.")
        else:
            yield start + name, value
