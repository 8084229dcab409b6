"""Users, and whose records they see, as an administrator sets them up."""

from __future__ import annotations

from typing import Any

from sandbox.zoho.crm import Crm
from sandbox.zoho.model import User
from sandbox.zoho.sharing import visible


class People(Crm):
    """Users and the sharing of records."""

    def add_user(self, name: str, email: str, *, manager: str | None = None, profile: str = "Standard") -> str:
        """Add a user and return the id.

        Args:
            name: first and last name.
            email: the address.
            manager: the id of the user above; None is the API's user.
            profile: the name of the profile.
        """
        with self.lock:
            org = self.organization
            user = User(org.next_id(), name, email, manager or org.integration.id, profile)
            org.users_by_id[user.id] = user
            return user.id

    def deactivate_user(self, user_id: str) -> None:
        """Let a user leave: they keep their records and can be given no others."""
        with self.lock:
            self.organization.users_by_id[user_id].active = False

    def set_manager(self, user_id: str, manager: str | None) -> None:
        """Put a user below another one in the hierarchy of roles, or below nobody."""
        with self.lock:
            self.organization.users_by_id[user_id].manager = manager

    def set_private(self, *modules: str) -> None:
        """Share the records of modules with nobody but their owners and those above them."""
        with self.lock:
            self.organization.private |= set(modules)

    def seen_by(self, user_id: str, module: str) -> list[dict[str, Any]]:
        """Return the records of a module that a user sees."""
        with self.lock:
            org = self.organization
            sees = visible(org, module, org.users_by_id[user_id])
            rows = org.tables[module].rows
            return [row for row in self.records(module) if sees is None or sees(rows[row["id"]])]
