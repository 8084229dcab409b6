"""What is to be done for one record: a decision about what FreshBooks says and what Zoho holds, made without a network.

`plan` gives an action; `writing` carries it out, and a dry run prints it instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from target_zoho_crm.mapping.values import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_zoho_crm.mapping.metadata import Field

EASTERN = ZoneInfo("America/New_York")
"""FreshBooks writes `updated` as US/Eastern wall time, without saying which of autumn's two hours from one to two it
means (https://www.freshbooks.com/api/dates); the tap takes the first."""

Values = dict[str, Any]
"""Fitted values by API name."""


@dataclass(frozen=True)
class Rejection:
    """Why a record was not written.

    Attributes:
        code: Zoho's code, or one of this target's own.
        field: API name of the field that it is about; empty where it is about none.
        expected: what would have been taken.
        message: Zoho's own words, which may quote a value of the record.
        others: the record's further errors, where Zoho named several.
        related: API names of the other fields that the error has to do with.
        record: Zoho's id of the record that has the value already, where it has to be unique.
    """

    code: str
    field: str = ""
    expected: str = ""
    message: str = ""
    others: tuple[Rejection, ...] = ()
    related: tuple[str, ...] = ()
    record: str = ""

    @property
    def errors(self) -> tuple[Rejection, ...]:
        """All errors of the record, each alone."""
        return (replace(self, others=()), *self.others)

    @property
    def cause(self) -> str:
        """Code and field: what rejections have in common that one thing has caused."""
        return self.code + (f" in {self.field}" if self.field else "")

    @property
    def words(self) -> str:
        """Zoho's own words about all errors, each of several with its code and field."""
        if not self.others:
            return self.message
        return "; ".join(one.cause + (f": {one.message}" if one.message else "") for one in self.errors)

    def __str__(self) -> str:
        """Return the reason in one line: code, field and expectation of each error, and what more Zoho says."""
        return "; ".join(_in_one_line(one) for one in self.errors)


def _in_one_line(one: Rejection) -> str:
    wanted = f", expected: {one.expected}" if one.expected else ""
    said = f" (“{one.message}”)" if says_more(one.code, one.message) else ""
    return f"{one.cause}{wanted}{said}"


_NOTHING_MORE = frozenset(
    {
        "duplicate data",
        "internal server error",
        "invalid data",
        "limit exceeded",
        "multiple errors in the request",
        "permission denied",
        "record is locked",
        "required field not found",
    }
)
"""Messages that Zoho has for a code, whatever the reason."""


def says_more(code: str, message: str) -> bool:
    """Return whether Zoho's message says more than its code does."""
    said = message.strip(" .!").casefold()
    return bool(said) and said not in _NOTHING_MORE and said != code.replace("_", " ").casefold()


@dataclass(frozen=True)
class Desired:
    """What FreshBooks says about one record."""

    key: str
    """Its FreshBooks ID."""
    values: Values
    once: Values = field(default_factory=dict)
    """Values for a new record only."""
    updated: datetime | None = None
    """When it was changed in FreshBooks, as far as that is known."""
    deleted: bool = False


@dataclass(frozen=True)
class Create:
    """Make a new record."""

    key: str
    values: Values


@dataclass(frozen=True)
class Update:
    """Change the record `id`; only what differs is in `changes`, and what it replaces in `held`."""

    key: str
    id: str
    changes: Values
    held: Values


@dataclass(frozen=True)
class Link:
    """Write a FreshBooks ID, and what else differs, into a record that had none."""

    key: str
    id: str
    changes: Values
    held: Values


@dataclass(frozen=True)
class Delete:
    """Delete the record `id`."""

    key: str
    id: str


@dataclass(frozen=True)
class Skip:
    """Write nothing: Zoho holds the same ("unchanged") or something newer ("older")."""

    key: str
    reason: Literal["unchanged", "older"]
    id: str | None = None


@dataclass(frozen=True)
class Wait:
    """Write nothing yet: `reason` is "ambiguous" (these `candidates`) or "parent" (`waits_for`)."""

    key: str
    reason: Literal["ambiguous", "parent"]
    waits_for: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reject:
    """Write nothing: the record cannot be written as it is."""

    key: str
    error: Rejection


Action = Create | Update | Link | Delete | Skip | Wait | Reject


def plan(
    desired: Desired,
    held: Mapping[str, Any] | None,
    fields: Mapping[str, Field],
    *,
    held_updated: datetime | None = None,
    linking: bool = False,
) -> Action:
    """Decide what is to be done for a record.

    Args:
        desired: what FreshBooks says.
        held: what Zoho holds, with its `id`; None for nothing.
        fields: the module's fields by API name.
        held_updated: FreshBooks Updated of what Zoho holds.
        linking: whether the record in Zoho does not yet carry the FreshBooks ID.
    """
    if held is None:
        return Create(desired.key, {**{k: v for k, v in desired.values.items() if v is not None}, **desired.once})
    record_id = str(held["id"])
    if not linking and is_older(desired.updated, held_updated):
        return Skip(desired.key, "older", record_id)
    restricted = {name: value for name, value in desired.values.items() if fields[name].restricted}
    changes = {
        name: value
        for name, value in desired.values.items()
        if name not in restricted and not same(fields[name], value, held.get(name))
    }
    if not changes:
        return Skip(desired.key, "unchanged", record_id)
    # What reads as empty whatever it holds is no reason to write, and goes along with what is.
    changes |= restricted
    action = Link if linking else Update
    return action(desired.key, record_id, changes, {name: held.get(name) for name in changes})


def plan_deletion(key: str, held: Mapping[str, Any] | None) -> Delete | Skip:
    """Decide what is to be done for a record deleted in FreshBooks, where the setting asks to delete it in Zoho too."""
    return Skip(key, "unchanged") if held is None else Delete(key, str(held["id"]))


def is_older(incoming: datetime | None, held: datetime | None) -> bool:
    """Return whether what comes in is certainly older than what is held.

    Within the hour that autumn repeats the order cannot be told, so nothing there is older than anything else there.

    Args:
        incoming: aware; None is not known, and nothing is older than that.
        held: the same.
    """
    if incoming is None or held is None or incoming >= held:
        return False
    return not (held - incoming < timedelta(hours=1) and _repeated(incoming) and _repeated(held))


def _repeated(moment: datetime) -> bool:
    """Return whether a moment's wall time in the US East comes twice."""
    local = moment.astimezone(EASTERN)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
