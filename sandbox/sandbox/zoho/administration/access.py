"""Who may do what, and which records are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.zoho.crm import Crm
from sandbox.zoho.errors import ApiError
from sandbox.zoho.errors import error as _error
from sandbox.zoho.permissions import CUSTOMIZE, named
from sandbox.zoho.refusals import Refusal
from sandbox.zoho.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Access(Crm):
    """Permissions and refusals."""

    def forbid(self, action: str, module: str | None = None) -> None:
        """Take a permission from the user of the API, who is then told NO_PERMISSION.

        Args:
            action: ``view``, ``create``, ``edit`` or ``delete`` with a module; ``customize`` (fields, modules) without.
            module: the module.
        """
        self.organization.forbidden.add(CUSTOMIZE if module is None else named(action, module))

    def permit(self) -> None:
        """Restore every permission."""
        self.organization.forbidden.clear()

    def refuse(
        self,
        module: str,
        error: str | dict[str, Any] = "RECORD_LOCKED",
        *,
        when: Callable[[dict[str, Any]], bool] | dict[str, Any] | None = None,
        answered: str = "row",
        status: int | None = None,
    ) -> None:
        """Refuse records that the API sends, whatever they hold, until `allow`.

        Args:
            module: the module.
            error: Zoho's code, or a whole error with code, details and message.
            when: which records: a predicate of what was sent, or field values; None is all.
            answered: ``row``: an error in the record's place. Else nothing of the call is written: ``flat`` answers it
                by one error with the record's `json_path` (none with status 500, which is how Zoho breaks), ``unnamed``
                by the same without a path, ``one_item`` by ``{"data": [error]}``, however many records there are.
            status: HTTP status of an answer to the whole call; None is 400.

        Raises:
            ValueError: if `answered` is none of these.
        """
        body = _error(error) if isinstance(error, str) else {**_error(error["code"]), **error}

        def chosen(row: dict[str, Any]) -> bool:
            if callable(when):
                return when(row)
            return all(row.get(name) == value for name, value in (when or {}).items())

        refusal = Refusal(module, body, chosen, answered, status or 400)
        with self.lock:
            self._writer.refusals.append(refusal)

    def refuse_calls(self, code: str, message: str, status: int = 403) -> None:
        """Refuse every call of the API until `allow`, as with a locked subscription or a rule about addresses."""
        self.organization.closed = ApiError(status, code, {}, message)

    def limit_records(self, records: int, shape: str = "row") -> None:
        """Let the API make new records until there are so many in the organization, until `allow`.

        Args:
            records: how many there may be.
            shape: how the others are refused: ``row`` (an error in the record's place), or with nothing of the call
                written ``flat`` or ``one_item``.

        Raises:
            ValueError: if `shape` is none of these.
        """
        self._writer.room = Room(records, shape)

    def allow(self) -> None:
        """End every refusal of records and of calls."""
        with self.lock:
            self._writer.refusals.clear()
            self._writer.room = self.organization.closed = None

    def hold_in_blueprint(self, module: str, record_id: str, field: str) -> None:
        """Let a blueprint hold a field of a record: the API's updates that name it are refused, until `release`."""
        with self.lock:
            self._writer.holds.blueprints.setdefault((module, record_id), set()).add(field)

    def lock_record(self, module: str, record_id: str, except_fields: Iterable[str] = ()) -> None:
        """Lock a record by a rule: the API's updates that name other fields than these are refused, until `release`."""
        with self.lock:
            self._writer.holds.locks[module, record_id] = frozenset(except_fields)

    def release(self, module: str, record_id: str) -> None:
        """End what holds a record."""
        with self.lock:
            self._writer.holds.blueprints.pop((module, record_id), None)
            self._writer.holds.locks.pop((module, record_id), None)
