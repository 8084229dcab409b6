"""The records of the emulated FreshBooks, as tests make and read them: the HTTP API's own code, without HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks.bulk import Loader
from sandbox.freshbooks.errors import ACCESS_DENIED, ApiError
from sandbox.freshbooks.service import Service

if TYPE_CHECKING:
    from sandbox.freshbooks.books import Books
    from sandbox.freshbooks.collection import Collection


class Data(Service):
    """The service with its records.

    Records are given and taken by the API's own field names, and are found by their id whatever account they are in.
    What the API would refuse raises `ApiError`.
    """

    account_id: str
    """The account of the first business."""

    def create_client(self, *, account: str | None = None, **fields: Any) -> dict[str, Any]:
        """Make a client; at least one of fname, lname, organization and email is needed."""
        return self._create("clients", account, fields)

    def create_invoice(
        self, customerid: int, lines: list[dict[str, Any]] | None = None, *, account: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Make an invoice, a draft unless ``action_mark_as_sent=True``; `create_date` is today unless given."""
        with self.lock:
            account = account or self._account_of("clients", customerid)
            today = self._books(account).today()
            return self._create(
                "invoices",
                account,
                {"customerid": customerid, "create_date": today, "lines": lines or []} | fields,
            )

    def create_payment(
        self,
        invoiceid: int,
        amount: object,
        date: date | str | None = None,
        type: str = "Check",  # noqa: A002 - the field's name
        *,
        account: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Pay an invoice, today unless a date is given."""
        with self.lock:
            account = account or self._account_of("invoices", invoiceid)
            paid_on = date or self._books(account).today()
            values = {"invoiceid": invoiceid, "amount": amount, "date": paid_on, "type": type}
            return self._create("payments", account, values | fields)

    def prepay(
        self,
        clientid: int,
        amount: object,
        date: date | str | None = None,
        type: str = "Cash",  # noqa: A002 - the field's name
        **fields: Any,
    ) -> dict[str, Any]:
        """Take money of a client that pays no invoice: a row of the payments with a `creditid` and no `invoiceid`."""
        with self.lock:
            account = self._account_of("clients", clientid)
            paid_on = date or self._books(account).today()
            values = {"clientid": clientid, "amount": amount, "date": paid_on, "type": type}
            return self._create("payments", account, values | fields)

    def turn_into_credit(self, number: int) -> dict[str, Any]:
        """Take a payment from its invoice and leave the money with the client; return the row that it is now."""
        with self.lock:
            payments = self._books(self._account_of("payments", number)).payments
            return payments.row(payments.turn_into_credit(number))

    def update_client(self, number: int, **fields: Any) -> dict[str, Any]:
        """Change a client."""
        return self._update("clients", number, fields)

    def update_invoice(self, number: int, **fields: Any) -> dict[str, Any]:
        """Change an invoice; `lines` replaces all of them."""
        return self._update("invoices", number, fields)

    def update_payment(self, number: int, **fields: Any) -> dict[str, Any]:
        """Change a payment."""
        return self._update("payments", number, fields)

    def send_invoice(self, number: int) -> dict[str, Any]:
        """Mark an invoice as sent."""
        return self._update("invoices", number, {"action_mark_as_sent": True})

    def view_invoice(self, number: int) -> dict[str, Any]:
        """Let the client look at an invoice that was sent."""
        with self.lock:
            invoices = self._books(self._account_of("invoices", number)).invoices
            invoices.view(invoices.get(number))
            return self.record("invoices", number)

    def dispute_invoice(self, number: int) -> dict[str, Any]:
        """Let the client dispute an invoice."""
        return self._update("invoices", number, {"status": 0})

    def delete_client(self, number: int) -> dict[str, Any]:
        """Delete a client; its invoices and payments stay."""
        return self._update("clients", number, {"vis_state": 1})

    def delete_invoice(self, number: int) -> dict[str, Any]:
        """Delete an invoice; its payments stay."""
        return self._update("invoices", number, {"vis_state": 1})

    def delete_payment(self, number: int) -> dict[str, Any]:
        """Delete a payment; its invoice is unpaid again."""
        return self._update("payments", number, {"vis_state": 1})

    def archive(self, stream: str, number: int) -> dict[str, Any]:
        """Archive a record (``archive("clients", 1)``)."""
        return self._update(stream, number, {"vis_state": 2})

    def undelete(self, stream: str, number: int) -> dict[str, Any]:
        """Restore a deleted or archived record."""
        return self._update(stream, number, {"vis_state": 0})

    def force(self, stream: str, number: int, **shown: Any) -> None:
        """Show a record with these values, whatever the rules say (``v3_status="autopaid"``); it is not updated."""
        with self.lock:
            collection = self._collection(stream, self._account_of(stream, number))
            record = collection.get(number)
            record.forced = {**(record.forced or {}), **shown}
            collection.changed(record)

    def refuse(self, stream: str, number: int, status: int = 403, errno: int = ACCESS_DENIED) -> None:
        """Answer a GET of this record with an error from now on; lists go on showing it.

        Args:
            stream: clients, invoices or payments.
            number: the record's id.
            status: 200 sends the error under a good status.
            errno: of https://www.freshbooks.com/api/errors.
        """
        with self.lock:
            collection = self._collection(stream, self._account_of(stream, number))
            collection.refused[number] = ApiError(
                status, errno, "Not given.", object=collection.single, field="id", value=number
            )

    def hide(self, stream: str, number: int, *, counted: bool = True) -> None:
        """Leave a record out of lists, as FreshBooks does where the role may not see it, and refuse its GET with 403.

        Args:
            stream: clients, invoices or payments.
            number: the record's id.
            counted: whether the `total` of a list goes on counting it.
        """
        with self.lock:
            self._collection(stream, self._account_of(stream, number)).hidden[number] = counted
            self.refuse(stream, number)

    def reveal(self, stream: str, number: int) -> None:
        """End what `refuse` and `hide` began."""
        with self.lock:
            collection = self._collection(stream, self._account_of(stream, number))
            collection.hidden.pop(number, None)
            collection.refused.pop(number, None)

    def record(self, stream: str, number: int, *includes: str) -> dict[str, Any]:
        """Give a record as a GET would (``record("invoices", 1, "lines")``).

        Raises:
            ApiError: 404 if there is none.
        """
        with self.lock:
            collection = self._collection(stream, self._account_of(stream, number))
            return collection.row(collection.get(number), includes)

    def records(self, stream: str, *includes: str, account: str | None = None) -> list[dict[str, Any]]:
        """Give all records of an account, deleted ones too, oldest first."""
        with self.lock:
            collection = self._collection(stream, account)
            return [collection.row(record, includes) for record in collection.rows.values()]

    def load(  # noqa: PLR0913
        self,
        *,
        clients: int = 0,
        invoices: int = 0,
        payments: int = 0,
        days: int = 365,
        gone: int = 0,
        account: str | None = None,
    ) -> None:
        """Add many records at once, dated over so many days up to now, so many per cent gone; no events are sent.

        Raises:
            ValueError: if the numbers do not go together.
        """
        with self.lock:
            Loader(self._books(account), days).load(clients, invoices, payments, gone=gone)

    @property
    def accounts(self) -> list[str]:
        """The accounts of all businesses that have one."""
        return list(self._by_account)

    def counts(self, account: str | None = None) -> dict[str, int]:
        """Give how many records of each kind an account has, deleted ones too."""
        with self.lock:
            return {kind: len(self._collection(kind, account).rows) for kind in ("clients", "invoices", "payments")}

    def outstanding(self, account: str | None = None) -> dict[str, Decimal]:
        """Give what clients owe, per currency, as FreshBooks reports it: without drafts and deleted invoices."""
        with self.lock:
            return self._books(account).owed(past_due=False)

    def past_due(self, account: str | None = None) -> dict[str, Decimal]:
        """Give how much of it is past due today, per currency."""
        with self.lock:
            return self._books(account).owed(past_due=True)

    def _create(self, kind: str, account: str | None, fields: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            collection = self._collection(kind, account)
            return collection.row(collection.create(_plain(fields)))

    def _update(self, kind: str, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            collection = self._collection(kind, self._account_of(kind, number))
            return collection.row(collection.update(number, _plain(fields)))

    def _books(self, account: str | None) -> Books:
        books = self._by_account[account or self.account_id].books
        if books is None:
            raise KeyError(account)
        return books

    def _collection(self, kind: str, account: str | None) -> Collection[Any]:
        collection = self._books(account).collection(kind)
        if collection is None:
            raise KeyError(kind)
        return collection

    def _account_of(self, kind: str, number: int) -> str:
        """Give the account that a record is in; the first one if there is no such record."""
        for account in self._by_account:
            if number in self._collection(kind, account).rows:
                return account
        return self.account_id


def _plain(value: Any) -> Any:
    """Write dates and decimals as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, (date, Decimal)) else value
