"""Scopes: what a token may do ("OAuth Scopes")."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ALL = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.users.READ",
    "ZohoSearch.securesearch.READ",
)
"""Everything this sandbox asks for."""

_STANDARD = frozenset({"leads", "accounts", "contacts", "deals"})


def split(text: str) -> frozenset[str]:
    """Read a list of scopes, separated by commas or spaces."""
    return frozenset(text.replace(",", " ").split())


def allowed(granted: Collection[str], group: str, name: str | None, operations: Collection[str]) -> bool:
    """Return whether scopes allow an operation.

    Args:
        granted: the scopes of the token.
        group: ``modules``, ``settings``, ``notifications``, ``coql``, ``org`` or ``users``.
        name: a module's API name, or the part of the settings; None for groups without parts.
        operations: READ, CREATE, UPDATE, WRITE, DELETE: any of them will do, and ALL always does.
    """
    have = {scope.lower() for scope in granted}
    accepted = [operation.lower() for operation in operations] + ["all"]
    parts = [""]
    if name is not None:
        part = name.lower()
        parts.append(f".{part if group != 'modules' or part in _STANDARD else 'custom'}")
    return any(f"zohocrm.{group}{part}.{operation}" in have for part in parts for operation in accepted)
