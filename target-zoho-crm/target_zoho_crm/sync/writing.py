"""Actions carried out: at most a hundred records a call, several calls at a time, every record's answer looked at.

Where each rule comes from: the CRM API's pages "Upsert Records", "Insert Records", "Update Records", "Delete Records"
and "Status Codes". Whatever the HTTP status (200, 201, 207 and even 400 come with results), `data` holds one result
for each record, in the order in which they were sent. What is answered otherwise is narrowed down, see `narrowing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from target_zoho_crm.api.answers import refusal
from target_zoho_crm.api.coql import equals_any, select
from target_zoho_crm.errors import LostAnswerError, RequestError, UnavailableError
from target_zoho_crm.sync.narrowing import Health, Narrowing
from target_zoho_crm.sync.outcomes import Outcome, Outcomes, Written
from target_zoho_crm.sync.planning import Action, Create, Delete, Link, Rejection, Update
from target_zoho_crm.sync.refusals import read_rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_zoho_crm.api.client import ZohoClient
    from target_zoho_crm.mapping.layout import Destination
    from target_zoho_crm.sync.storage import Storage

__all__ = ["LATER", "RECORDS_A_CALL", "WRONG_RECORD", "Outcome", "Outcomes", "Writer", "Written"]

RECORDS_A_CALL = 100
LATER = frozenset({"RECORD_LOCKED", "INTERNAL_ERROR", "CANNOT_PROCESS", "SERVER_ERROR"})
"""Codes of a record that may be written a moment later."""
INSERTS = 3
WRONG_RECORD = "WRONG_RECORD"
"""Code of our own: the record was written into another one than its own."""
COMPOUND = "Address"
"""How a field ends that has others as its parts: ``Billing_Address`` has ``Billing_City`` and others."""


@dataclass
class _Row:
    """A record on its way; `values` are what is sent, without those in `left_out`."""

    action: Create | Update | Link | Delete
    values: dict[str, Any]
    left_out: dict[str, Rejection] = field(default_factory=dict)
    retried: bool = False
    landed: Written | None = None

    @property
    def key(self) -> str:
        return self.action.key


_Send = Callable[[Sequence[_Row], "int | None"], list[Outcome]]
"""Makes one call for rows, and returns what became of each; the second argument is how many 500s are enough."""


class _Call(NamedTuple):
    """A call that writes."""

    method: str
    path: str
    body: Any = None
    params: Mapping[str, str | int] | None = None


class Writer:
    """Writes to one module.

    Args:
        client: the organization's API.
        destination: the module, its key and the fields whose refused value may be left out.
        workflows: whether Zoho's workflows, approvals, blueprints and cadences run for these writes.
        storage: whether there is room for new records; None to find that out for every call.
    """

    def __init__(
        self, client: ZohoClient, destination: Destination, *, workflows: bool, storage: Storage | None = None
    ) -> None:
        self._client = client
        self._to = destination
        self._workflows = workflows
        self._storage = storage
        self._health = Health(client)

    def carry_out(self, actions: Iterable[Action]) -> dict[str, Outcome]:
        """Write what the actions say; return what became of each, by FreshBooks ID; others are passed over.

        Raises:
            ZohoError: if a whole call fails; what other calls wrote is written.
        """
        return self.begin(actions)()

    def begin(self, actions: Iterable[Action]) -> Outcomes:
        """Begin to write, the first actions while the others are planned."""
        results = self._client.start(lambda job: self._settle(*job), self._jobs(actions))
        return lambda: {key: outcome for some in results() for key, outcome in some.items()}

    def _jobs(self, actions: Iterable[Action]) -> Iterator[tuple[_Send, list[_Row]]]:
        """Yield the rows of one call after the other, each as soon as its last action is there."""
        waiting: dict[_Send, list[_Row]] = {self._upsert: [], self._insert: [], self._update: [], self._delete: []}
        for action in actions:
            if isinstance(action, Create):
                # An upsert would take the record that has the value of another unique field, whosever it is.
                takes_others = not self._to.key_unique or not self._to.unique.isdisjoint(action.values)
                send, row = self._insert if takes_others else self._upsert, _Row(action, dict(action.values))
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
        """Send rows, and those again that may be taken at another time or without some of their values."""
        if self._storage is not None and isinstance(rows[0].action, Create):
            send = self._storage.guard(send)
        narrowing = Narrowing(send, self._health)
        outcomes: dict[str, Outcome] = {}
        waiting = rows
        while waiting and narrowing.has_calls_left:
            outcomes.update(narrowing.settle(waiting))
            again = []
            for row in waiting:
                outcome = outcomes[row.key]
                if not isinstance(outcome, Rejection) or not self._worth_another(row, outcome):
                    continue
                if row.values.keys() == {"id"} and not isinstance(row.action, Delete):
                    outcomes[row.key] = Written(str(row.values["id"]), "unchanged")
                else:
                    again.append(row)
            waiting = again
        found = {row.key: _in_the_end(row, outcomes[row.key]) for row in rows}
        self._complete(rows, found)
        return found

    def _complete(self, rows: Sequence[_Row], outcomes: dict[str, Outcome]) -> None:
        """Write once more what the layout of new records does not show: Zoho may have passed it over.

        It says nowhere whether a record that names its layout keeps such values when it is made; an update, which
        names none, writes them. Without its FreshBooks ID the record would be made twice.
        """
        again = []
        for row in rows:
            outcome, names = outcomes[row.key], self._to.hidden & row.values.keys()
            if names and isinstance(outcome, Written) and outcome.how == "created":
                again.append(_Row(row.action, {"id": outcome.id, **{name: row.values[name] for name in names}}))
        answers = Narrowing(self._update, self._health).settle(again) if again else {}
        for row in again:
            outcome, answer = outcomes[row.key], answers[row.key]
            if isinstance(outcome, Written) and isinstance(answer, Rejection):
                refused = dict.fromkeys(row.values.keys() - {"id"}, answer)
                outcomes[row.key] = replace(outcome, left_out={**outcome.left_out, **refused})

    def _worth_another(self, row: _Row, rejection: Rejection) -> bool:
        """Return whether a row is to be sent again, made ready for it."""
        if rejection.code == WRONG_RECORD:
            return False
        if rejection.code in LATER and not row.retried:
            row.retried = True
            return True
        refused: dict[str, Rejection] = {}
        for error in rejection.errors:
            names = self._dispensable(row, error)
            if not names:
                return False
            refused.update(dict.fromkeys(names, error))
        row.left_out.update(refused)
        row.values = {name: value for name, value in row.values.items() if name not in refused}
        return True

    def _dispensable(self, row: _Row, error: Rejection) -> list[str]:
        """Return the fields of a row that an error is about, if the record can do without them."""
        if held := self._held_by_a_process(row, error):
            return held
        named = [error.field] if error.field in row.values else [error.field, *error.related]
        for name in named:
            if name.endswith(COMPOUND) and name not in row.values:
                parts = [one for one in row.values if one.startswith(name.removesuffix(COMPOUND))]
            else:
                parts = [name] if name in row.values else []
            if parts and (self._to.delicate.issuperset(parts) or self._keeps_its_own(row, error, parts)):
                return parts
        return []

    def _held_by_a_process(self, row: _Row, error: Rejection) -> list[str]:
        """Return what a record keeps as it is where a process in Zoho, such as a blueprint, says how it goes on."""
        is_held = error.field in self._to.process or (error.code == "RECORD_IN_BLUEPRINT" and not error.field)
        if not is_held or not isinstance(row.action, (Update, Link)):
            return []
        return [name for name in row.values if name in self._to.process]

    def _keeps_its_own(self, row: _Row, error: Rejection, names: Sequence[str]) -> bool:
        """Whether a record that is there already keeps what it has in a unique field, for another has the new value."""
        return error.code == "DUPLICATE_DATA" and isinstance(row.action, Update) and self._to.unique.issuperset(names)

    def _quiet(self, *, of_upsert: bool = False) -> dict[str, Any]:
        """Return what keeps a write from setting anything off: an upsert says of cadences at which action."""
        if self._workflows:
            return {}
        actions = [{"action": action} for action in ("insert", "update")] if of_upsert else [{}]
        return {"trigger": [], "skip_feature_execution": [{"name": "cadences", **action} for action in actions]}

    def _upsert(self, rows: Sequence[_Row], faults: int | None) -> list[Outcome]:
        key = self._to.key
        body = {"data": [row.values for row in rows], "duplicate_check_fields": [key], **self._quiet(of_upsert=True)}
        call = _Call("POST", f"{self._to.module}/upsert", body)
        return [self._upserted(result) for result in self._results(call, len(rows), faults)]

    def _upserted(self, result: Mapping[str, Any]) -> Outcome:
        """Look at the answer to one record of an upsert.

        Zoho also compares unique fields that were not asked for, so a record that it updates may be another one. What
        it inserts is new, whatever `duplicate_field` says.
        """
        action, found_by = result.get("action"), result.get("duplicate_field")
        outcome = _outcome(result, "updated" if action == "update" else "created")
        if isinstance(outcome, Rejection) or action == "insert" or not found_by or found_by == self._to.key:
            return outcome
        return Rejection(
            WRONG_RECORD,
            str(found_by),
            f"a record found by {self._to.key}",
            f"It was written into the record {outcome.id}, which Zoho found by {found_by} instead of {self._to.key}: "
            "put that record right by hand, and take the value of that unique field out of one of the two.",
        )

    def _insert(self, rows: Sequence[_Row], faults: int | None) -> list[Outcome]:
        """Insert records whose key Zoho does not keep unique; after a lost answer, look what is there already."""
        left = [row for row in rows if row.landed is None]
        refused: dict[str, Outcome] = {}
        for attempt in range(INSERTS):
            if not left:
                break
            body = {"data": [row.values for row in left], **self._quiet()}
            try:
                results = self._results(_Call("POST", self._to.module, body), len(left), faults)
            except LostAnswerError as lost:
                self._look(left)
                left = [row for row in left if row.landed is None]
                if left and (lost.fault is not None or attempt == INSERTS - 1):
                    raise (lost.fault or lost) from None
                continue
            refused = {row.key: _outcome(one, "created") for row, one in zip(left, results, strict=True)}
            self._look([row for row in left if self._is_there(refused[row.key])])
            break
        return [row.landed or refused[row.key] for row in rows]

    def _is_there(self, outcome: Outcome) -> bool:
        """Whether a record was refused because another process has just made it."""
        return isinstance(outcome, Rejection) and (outcome.code, outcome.field) == ("DUPLICATE_DATA", self._to.key)

    def _look(self, rows: Sequence[_Row]) -> None:
        """Note which of the rows are in Zoho."""
        if not rows:
            return
        key = self._to.key
        keys = [row.key for row in rows]
        found = self._client.query(select(("id", key), self._to.module, equals_any(key, keys)))
        ids = {str(row[key]): str(row["id"]) for row in found}
        for row in rows:
            row.landed = Written(ids[row.key], "created") if row.key in ids else None

    def _update(self, rows: Sequence[_Row], faults: int | None) -> list[Outcome]:
        body = {"data": [row.values for row in rows], **self._quiet()}
        results = self._results(_Call("PUT", self._to.module, body), len(rows), faults)
        return [
            _outcome(one, "linked" if isinstance(row.action, Link) else "updated")
            for row, one in zip(rows, results, strict=True)
        ]

    def _delete(self, rows: Sequence[_Row], faults: int | None) -> list[Outcome]:
        params = {"ids": ",".join(row.values["id"] for row in rows)}
        if not self._workflows:
            params["wf_trigger"] = "false"
        call = _Call("DELETE", self._to.module, params=params)
        return [_outcome(one, "deleted") for one in self._results(call, len(rows), faults)]

    def _results(self, call: _Call, number: int, faults: int | None) -> Sequence[Mapping[str, Any]]:
        """Make a call for so many records; return a result for each.

        A refusal of the request may come in the form of results, as one item however many records there are.

        Raises:
            RequestError: if that is what came.
            PermissionDeniedError: if that is what came, for want of a permission.
            UnavailableError: if there are fewer results than records for no reason.
        """
        answer = self._client.request(call.method, call.path, json=call.body, params=call.params, faults=faults)
        found = answer.body.get("data") if isinstance(answer.body, dict) else None
        results = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        errors = [one for one in results if one.get("status") == "error" and one.get("code")]
        if errors == results and (len(errors) == 1 or 0 < len(errors) < number):
            refused = refusal(call.method, call.path, answer.status, errors[0])
            of_a_record = isinstance(refused, RequestError) and not refused.about_request
            if len(errors) < number or not of_a_record:
                raise refused
        if len(results) != number:
            raise UnavailableError(
                f"Zoho answered {call.method} {call.path} without a result for each of its {number} records; run again "
                "later, nothing will be written twice."
            )
        return results


def _outcome(result: Mapping[str, Any], how: str) -> Outcome:
    details = result.get("details") or {}
    if result.get("status") == "success" and details.get("id"):
        return Written(str(details["id"]), how)
    return read_rejection(result)


def _in_the_end(row: _Row, outcome: Outcome) -> Outcome:
    """Return the outcome of a row with what was left out of it; one that is not there any more is as good as deleted.

    A record that Zoho does not take without a value either was not taken for the reason that the value was refused.
    """
    if isinstance(outcome, Written):
        return replace(outcome, left_out=row.left_out)
    if isinstance(row.action, Delete) and outcome.code == "INVALID_DATA":
        return Written(row.action.id, "deleted")
    return row.left_out.get(outcome.field, outcome)
