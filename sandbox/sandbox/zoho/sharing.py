"""Who sees whose records: private ones are seen by their owner and those above (Zoho's help, data sharing)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.model import User
    from sandbox.zoho.organization import Organization
    from sandbox.zoho.table import Record


def visible(org: Organization, module: str, user: User) -> Callable[[Record], bool] | None:
    """Return the test whether a user sees a record of a module; None where everybody sees all of them."""
    if module not in org.private:
        return None
    owners = _and_those_below(org, user)
    return lambda row: row["Owner"] in owners


def _and_those_below(org: Organization, user: User) -> set[str]:
    found, level = set[str](), {user.id}
    while level:
        found |= level
        level = {each.id for each in org.users_by_id.values() if each.manager in level} - found
    return found
