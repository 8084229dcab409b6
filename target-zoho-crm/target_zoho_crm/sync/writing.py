"""Actions carried out: at most a hundred records a call, several calls at a time, every record's answer looked at.

Where each rule comes from: the CRM API's pages "Upsert Records", "Insert Records", "Update Records", "Delete Records"
and "Status Codes". Whatever the HTTP status (200, 201, 207 and even 400 come with results), `data` holds one result
for each record, in the order in which they were sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_zoho_crm.api.coql import equals_any, select
from target_zoho_crm.errors import LostAnswerError, UnavailableError
from target_zoho_crm.sync.planning import Action, Create, Delete, Link, Rejection, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Destination

RECORDS_A_CALL = 100
LATER = frozenset({"RECORD_LOCKED", "INTERNAL_ERROR", "CANNOT_PROCESS", "SERVER_ERROR"})
"""Codes of a record that may be written a moment later."""
ROUNDS = 4
INSERTS = 3

logger = logging.getLogger("target-zoho-crm")


@dataclass(frozen=True)
class Written:
    """A record that is in Zoho as it should be.

    Attributes:
        id: its id in Zoho.
        how: created, updated, linked or deleted.
        left_out: API names of the values that Zoho did not take and that were left out.
    """

    id: str
    how: str
    left_out: tuple[str, ...] = ()


Outcome = Written | Rejection
Outcomes = Callable[[], dict[str, Outcome]]
"""Waits for what became of each record that is being written, by FreshBooks ID."""


@dataclass
class _Row:
    """A record on its way."""

    action: Create | Update | Link | Delete
    values: dict[str, Any]
    left_out: list[str] = field(default_factory=list)
    retried: bool = False


_Send = Callable[[Sequence[_Row]], list[Outcome]]
"""Makes one call for rows, and gives what became of each."""


class Writer:
    """Writes to one module.

    Args:
        client: the organization's API.
        destination: the module, its key and the fields whose refused value may be left out.
        workflows: whether Zoho's workflows, approvals and blueprints run for these writes.
    """

    def __init__(self, client: ZohoClient, destination: Destination, *, workflows: bool) -> None:
        self._client = client
        self._to = destination
        self._trigger: dict[str, Any] = {} if workflows else {"trigger": []}

    def carry_out(self, actions: Iterable[Action]) -> dict[str, Outcome]:
        """Write what the actions say, and give what became of each, by FreshBooks ID; others are passed over.

        Raises:
            ZohoError: if a whole call fails; what other calls wrote is written.
        """
        return self.begin(actions)()

    def begin(self, actions: Iterable[Action]) -> Outcomes:
        """Begin to write, the first actions while the others are planned."""
        results = self._client.start(lambda job: self._settle(*job), self._jobs(actions))
        return lambda: {key: outcome for some in results() for key, outcome in some.items()}

    def _jobs(self, actions: Iterable[Action]) -> Iterator[tuple[_Send, list[_Row]]]:
        """Give the rows of one call after the other, each as soon as its last action is there."""
        create = self._upsert if self._to.key_unique else self._insert
        waiting: dict[_Send, list[_Row]] = {create: [], self._update: [], self._delete: []}
        for action in actions:
            if isinstance(action, Create):
                send, row = create, _Row(action, dict(action.values))
            elif isinstance(action, (Update, Link)):
                send, row = self._update, _Row(action, {**action.changes, "id": action.id})
            elif isinstance(action, Delete):
                send, row = self._delete, _Row(action, {"id": action.id})
            else:
                continue
            waiting[send].append(row)
            if len(waiting[send]) == RECORDS_A_CALL:
                yield send, waiting[send]
                waiting[send] = []
        yield from ((send, rows) for send, rows in waiting.items() if rows)

    def _settle(self, send: _Send, rows: Sequence[_Row]) -> dict[str, Outcome]:
        """Send rows, and those again that may be taken at the second time."""
        outcomes: dict[str, Outcome] = {}
        for _ in range(ROUNDS):
            again = []
            for row, outcome in zip(rows, send(rows), strict=True):
                outcomes[row.action.key] = outcome
                if isinstance(outcome, Written):
                    outcomes[row.action.key] = Written(outcome.id, outcome.how, tuple(row.left_out))
                elif self._worth_another(row, outcome):
                    again.append(row)
            if not again:
                break
            rows = again
        return outcomes

    def _worth_another(self, row: _Row, rejection: Rejection) -> bool:
        if rejection.code in LATER and not row.retried:
            row.retried = True
            return True
        refused = rejection.field
        if rejection.code == "INVALID_DATA" and refused in self._to.delicate and row.values.get(refused):
            row.left_out.append(refused)
            row.values = {name: value for name, value in row.values.items() if name != refused}
            return True
        return False

    def _upsert(self, rows: Sequence[_Row]) -> list[Outcome]:
        key = self._to.key
        body = {"data": [row.values for row in rows], "duplicate_check_fields": [key], **self._trigger}
        results = self._results("POST", f"{self._to.module}/upsert", body, rows)
        return [self._upserted(row, result) for row, result in zip(rows, results, strict=True)]

    def _upserted(self, row: _Row, result: Mapping[str, Any]) -> Outcome:
        """Look at the answer to one record of an upsert.

        Zoho also compares unique fields that were not asked for, so the record it found may be another one.
        """
        outcome = _outcome(result, "updated" if result.get("action") == "update" else "created")
        found_by = result.get("duplicate_field")
        if isinstance(outcome, Rejection) or not found_by or found_by == self._to.key:
            return outcome
        logger.error(
            "%s %s was written into the record %s, which Zoho found by %s instead of %s: put that record right by "
            "hand, and take the value of that unique field out of one of the two.",
            self._to.stream, row.action.key, outcome.id, found_by, self._to.key,
        )  # fmt: skip
        return Rejection("WRONG_RECORD", str(found_by), f"a record found by {self._to.key}")

    def _insert(self, rows: Sequence[_Row]) -> list[Outcome]:
        """Insert records whose key Zoho does not keep unique; after a lost answer, look what is there already."""
        found: dict[str, Outcome] = {}
        left = list(rows)
        for attempt in range(INSERTS):
            body = {"data": [row.values for row in left], **self._trigger}
            try:
                results = self._results("POST", self._to.module, body, left)
            except LostAnswerError:
                if attempt == INSERTS - 1:
                    raise
                found.update(self._present([row.action.key for row in left]))
                left = [row for row in left if row.action.key not in found]
                if left:
                    continue
                results = []
            found.update({row.action.key: _outcome(one, "created") for row, one in zip(left, results, strict=True)})
            break
        return [found[row.action.key] for row in rows]

    def _present(self, keys: Sequence[str]) -> dict[str, Outcome]:
        key = self._to.key
        rows = self._client.query(select(("id", key), self._to.module, equals_any(key, keys)))
        return {str(row[key]): Written(str(row["id"]), "created") for row in rows}

    def _update(self, rows: Sequence[_Row]) -> list[Outcome]:
        body = {"data": [row.values for row in rows], **self._trigger}
        results = self._results("PUT", self._to.module, body, rows)
        return [
            _outcome(one, "linked" if isinstance(row.action, Link) else "updated")
            for row, one in zip(rows, results, strict=True)
        ]

    def _delete(self, rows: Sequence[_Row]) -> list[Outcome]:
        """Delete records by id; one that is not there any more is as good as deleted."""
        params = {"ids": ",".join(row.values["id"] for row in rows)}
        if self._trigger:
            params["wf_trigger"] = "false"
        results = self._results("DELETE", self._to.module, None, rows, params)
        gone = [_outcome(one, "deleted") for one in results]
        return [
            Written(str(row.values["id"]), "deleted")
            if isinstance(outcome, Written) or outcome.code == "INVALID_DATA"
            else outcome
            for row, outcome in zip(rows, gone, strict=True)
        ]

    def _results(
        self, method: str, path: str, body: Any, rows: Sequence[_Row], params: Mapping[str, str | int] | None = None
    ) -> list[Mapping[str, Any]]:
        answer = self._client.request(method, path, json=body, params=params)
        results = answer.body.get("data") if isinstance(answer.body, dict) else None
        if not isinstance(results, list) or len(results) != len(rows):
            raise UnavailableError(
                f"Zoho answered {method} {path} without a result for each of its {len(rows)} records; run again later, "
                "nothing will be written twice."
            )
        return results


def _outcome(result: Mapping[str, Any], how: str) -> Outcome:
    details = result.get("details") or {}
    if result.get("status") == "success" and details.get("id"):
        return Written(str(details["id"]), how)
    return read_rejection(result)


EXPECTATIONS = ("expected_data_type", "maximum_length", "minimum_length", "mapped_field", "regex", "limit")


def read_rejection(result: Mapping[str, Any]) -> Rejection:
    """Give the reason in a record's result: code, field, and what Zoho expects; nothing of what was sent."""
    details = result.get("details") or {}
    several = details.get("errors")
    if isinstance(several, list) and several and isinstance(several[0], dict):
        return read_rejection(several[0])
    expected = [f"{name} {details[name]}" for name in EXPECTATIONS if name in details]
    if isinstance(details.get("supported_values"), list):
        expected.append("one of " + ", ".join(str(value) for value in details["supported_values"][:20]))
    if result.get("code") == "MANDATORY_NOT_FOUND":
        expected.append("a value")
    elif result.get("code") == "DUPLICATE_DATA":
        other = (details.get("duplicate_record") or {}).get("id") or details.get("id")
        expected.append(f"a value that record {other} does not have" if other else "a value that no other record has")
    return Rejection(
        code=str(result.get("code") or "UNKNOWN"),
        field=str(details.get("api_name") or ""),
        expected=", ".join(expected),
        message=str(result.get("message") or ""),
    )
