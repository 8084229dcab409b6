"""Scopes: what a consent covers, and what a call needs (the page "Scopes" of the CRM API)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = (
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.modules.deals.ALL",
    "ZohoCRM.modules.contacts.READ",
    "ZohoCRM.modules.custom.ALL",
    "ZohoCRM.settings.fields.ALL",
    "ZohoCRM.settings.modules.ALL",
    "ZohoCRM.settings.layouts.READ",
    "ZohoCRM.settings.pipeline.READ",
    "ZohoCRM.settings.pipeline.CREATE",
    "ZohoCRM.settings.currencies.READ",
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.users.READ",
)
"""What the consent has to cover, for the target, for `freshbooks-zoho setup` and for notifications."""

OPERATIONS = ("READ", "CREATE", "UPDATE", "DELETE")
_IMPLIED = {"all": {"read", "create", "update", "delete"}, "write": {"create", "update"}}
_STANDARD = {"Accounts": "accounts", "Deals": "deals", "Contacts": "contacts"}


def module_scopes(module: str, operations: Iterable[str]) -> tuple[str, ...]:
    """Name the scopes of operations on a module's records.

    Args:
        module: its API name.
        operations: of `OPERATIONS`.
    """
    return tuple(f"ZohoCRM.modules.{_STANDARD.get(module, 'custom')}.{operation}" for operation in operations)


def missing_scopes(granted: str | None, needed: Iterable[str] = SCOPES) -> tuple[str, ...]:
    """Give what a consent does not cover, of what is needed; nothing where it is not known what it covers.

    WRITE is CREATE and UPDATE (the pages "Upsert Records" and "Update Records"), and ALL is every operation.

    Args:
        granted: the scopes of a token, as the token endpoint writes them.
        needed: names of scopes.
    """
    if granted is None:
        return ()
    given = [_taken_apart(one) for one in granted.replace(",", " ").split()]
    return tuple(one for one in dict.fromkeys(needed) if not _covered(_taken_apart(one), given))


def _taken_apart(scope: str) -> tuple[str, str, set[str]]:
    """Give a scope's group, the part of it ("" is all of it), and the operations."""
    names = scope.lower().split(".")
    return ".".join(names[:2]), ".".join(names[2:-1]), _IMPLIED.get(names[-1], {names[-1]})


def _covered(needed: tuple[str, str, set[str]], given: Iterable[tuple[str, str, set[str]]]) -> bool:
    group, part, operations = needed
    held = [had for of_group, of_part, had in given if of_group == group and of_part in {"", part}]
    return operations <= set().union(*held)


def scope_of(method: str, path: str) -> str:
    """Give the scope that a call needs (the page "Scopes")."""
    first, _, rest = path.partition("/")
    if path == "coql":
        return "ZohoCRM.coql.READ"
    if first == "org":
        return "ZohoCRM.settings.currencies.READ" if rest == "currencies" else "ZohoCRM.org.READ"
    if first == "users":
        return "ZohoCRM.users.READ"
    if first == "actions":
        return "ZohoCRM.notifications.ALL"
    operation = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "DELETE": "DELETE"}[method]
    if first == "settings":
        return f"ZohoCRM.settings.{rest.partition('/')[0]}.{operation}"
    return f"ZohoCRM.modules.{first}.{operation} (ZohoCRM.modules.custom.{operation} for a module of your own)"
