"""Lookups: other records and users, named by id ("Insert Records", lookup fields)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.errors import error
from sandbox.zoho.values import WrongValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.zoho.model import Field
    from sandbox.zoho.organization import Organization

    Create = Callable[[str], str]


class WrongLookupError(Exception):
    """A lookup that points nowhere; `body` is Zoho's error."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["code"])
        self.body = body


def resolve(  # noqa: PLR0913
    org: Organization, field: Field, value: Any, path: str, *, external: str | None, create_account: Create | None
) -> Any:
    """Return the id of the record or user that a lookup names.

    Args:
        org: the organization.
        field: the lookup.
        value: what was sent.
        path: JSON path of the record.
        external: the other module's external id field, if the lookup is given by it (header X-EXTERNAL).
        create_account: makes an account of a name; None where lookups by name are refused.

    Raises:
        WrongValueError: if the value is no object.
        WrongLookupError: if it names nothing.
    """
    if field.data_type not in ("lookup", "ownerlookup"):
        return value
    if not isinstance(value, dict):
        raise WrongValueError(expected_data_type="jsonobject")
    here = f"{path}.{field.api_name}"
    if external is not None and field.lookup is not None:
        return _by_external_id(org, field.lookup, external, value, here)
    given = value.get("id")
    if given is None:
        name = value.get("name")
        if create_account is not None and field.lookup == "Accounts" and isinstance(name, str) and name:
            found = org.tables["Accounts"].find("Account_Name", name)
            return found[0] if found else create_account(name)
        raise WrongLookupError(error("MANDATORY_NOT_FOUND", {"api_name": "id", "json_path": f"{here}.id"}))
    target = str(given) if isinstance(given, (str, int)) else ""
    if field.lookup is None:
        known = target in org.users_by_id and org.users_by_id[target].active
    else:
        known = target in org.tables[field.lookup].rows
    if not known:
        api_name = field.api_name if org.switches.lookup_error_names == "field" else "id"
        details = {"api_name": api_name, "json_path": f"{here}.id"}
        raise WrongLookupError(error("INVALID_DATA", details, "the id given seems to be invalid"))
    return target


def _by_external_id(org: Organization, module: str, external: str, value: dict[str, Any], here: str) -> str:
    given = value.get(external)
    ids = org.tables[module].find(external, given) if isinstance(given, str) else ()
    if not ids:
        details = {"api_name": external, "json_path": f"{here}.{external}"}
        message = "The external ID of the lookup field or the Price Book is incorrect"
        raise WrongLookupError(error("INVALID_DATA", details, message))
    return ids[0]
