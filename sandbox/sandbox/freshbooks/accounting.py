"""The accounting API over HTTP: lists, records and changes of clients, invoices and payments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.freshbooks import errors
from sandbox.freshbooks.errors import ApiError
from sandbox.freshbooks.gate import RefusedError, check_role, check_token, wants_new_errors
from sandbox.freshbooks.query import Page, matching
from sandbox.http import BadRequestError, Request, Response, route

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.freshbooks.collection import Collection
    from sandbox.freshbooks.identity import Business
    from sandbox.freshbooks.oauth import OAuth

_FAMILIES = {"clients": "users", "invoices": "invoices", "payments": "payments"}
_LIST = "/accounting/account/{account}/{family}/{kind}"
_ONE = _LIST + "/{number}"


@dataclass
class Interruption:
    """Something that happens right after a page of a list was answered."""

    callback: Callable[[], Any]
    kind: str | None
    after: int
    times: int | None
    matching: Callable[[Request], bool] | None

    def fits(self, request: Request, kind: str, page: int) -> bool:
        """Say whether this is the list request after which it happens."""
        return (
            self.times != 0
            and self.kind in (None, kind)
            and self.after == page
            and (self.matching is None or self.matching(request))
        )


class Accounting:
    """The handlers of ``/accounting/account/...``."""

    def __init__(self, businesses: dict[str, Business], oauth: OAuth) -> None:
        self._businesses = businesses
        self._oauth = oauth
        self._switches = oauth.world.switches
        self.interruptions: list[Interruption] = []

    @route("GET", _LIST)
    def list(self, request: Request, account: str, family: str, kind: str) -> Response:
        """Answer a page of a list."""

        def answer(collection: Collection[Any], business: Business) -> Response:
            page = Page.of(request.query)
            ids = collection.counted(matching(collection, request.query))
            includes = _includes(request, collection)
            hidden = business.role == "client" and self._switches.unreadable_rows
            shown = [] if hidden else [number for number in page.cut(ids) if number not in collection.hidden]
            found = [collection.rows[number] for number in shown]
            today = collection.books.today()
            rows = [collection.text(record, includes, today) for record in found]
            return Response(200, list_body(kind, rows, page, len(ids)))

        response = self._answer(request, account, family, kind, answer)
        if response.status == 200:  # noqa: PLR2004
            self._interrupt(request, kind)
        return response

    @route("GET", _ONE)
    def get(self, request: Request, account: str, family: str, kind: str, number: str) -> Response:
        """Answer one record, deleted or not."""

        def answer(collection: Collection[Any], _: Business) -> Response:
            return _one(request, collection, collection.read(_id(collection, number)))

        return self._answer(request, account, family, kind, answer)

    @route("POST", _LIST)
    def create(self, request: Request, account: str, family: str, kind: str) -> Response:
        """Make a record."""

        def answer(collection: Collection[Any], _: Business) -> Response:
            return _one(request, collection, collection.create(_data(request, collection)))

        return self._answer(request, account, family, kind, answer)

    @route("PUT", _ONE)
    def update(self, request: Request, account: str, family: str, kind: str, number: str) -> Response:
        """Change a record."""

        def answer(collection: Collection[Any], _: Business) -> Response:
            return _one(request, collection, collection.update(_id(collection, number), _data(request, collection)))

        return self._answer(request, account, family, kind, answer)

    @route("DELETE", "/accounting/account/{account}/invoices/invoices/{number}")
    def delete(self, request: Request, account: str, number: str) -> Response:
        """Delete an invoice; the other kinds are deleted by a PUT alone."""

        def answer(collection: Collection[Any], _: Business) -> Response:
            collection.update(_id(collection, number), {"vis_state": 1})
            return Response(200, {"response": {}})

        return self._answer(request, account, "invoices", "invoices", answer)

    def _answer(
        self,
        request: Request,
        account: str,
        family: str,
        kind: str,
        answer: Callable[[Collection[Any], Business], Response],
    ) -> Response:
        if _FAMILIES.get(kind) != family:
            return Response(404, {"message": "Requested resource could not be found."})
        right = "read" if request.method == "GET" else "write"
        try:
            check_token(request, self._oauth, f"user:{kind}:{right}", "accounting")
            business, collection = self._find(account, kind)
            if kind in self._switches.refused_with_200:
                text = f"You do not have access to {kind}."
                return Response(200, {"response": {"errors": [{"errno": errors.ACCESS_DENIED, "message": text}]}})
            check_role(request, business)
            return answer(collection, business)
        except RefusedError as refused:
            return refused.response
        except ApiError as error:
            return error.new() if wants_new_errors(request, self._switches.error_shape) else error.classic()

    def _find(self, account: str, kind: str) -> tuple[Business, Collection[Any]]:
        business = self._businesses.get(account)
        collection = business.books.collection(kind) if business and business.books else None
        if business is None or collection is None:
            raise ApiError(404, errors.UNKNOWN, "Account not found.", object="account", value=account)
        if business.is_inactive:
            raise ApiError(self._switches.inactive_status, errors.INACTIVE, "Account is inactive.")
        return business, collection

    def _interrupt(self, request: Request, kind: str) -> None:
        page = Page.of(request.query).number
        for interruption in [each for each in self.interruptions if each.fits(request, kind, page)]:
            if interruption.times is not None:
                interruption.times -= 1
            interruption.callback()


def list_body(key: str, rows: list[bytes], page: Page, total: int) -> bytes:
    """Write the answer of a list: keys in alphabetical order, rows as they are."""
    values = {
        key: b"[" + b",".join(rows) + b"]",
        "page": str(page.number).encode(),
        "pages": str(page.pages(total)).encode(),
        "per_page": str(page.size).encode(),
        "total": str(total).encode(),
    }
    members = b",".join(b'"%s":%s' % (name.encode(), value) for name, value in sorted(values.items()))
    return b'{"response":{"result":{' + members + b"}}}"


def _one(request: Request, collection: Collection[Any], record: Any) -> Response:
    text = collection.text(record, _includes(request, collection))
    return Response(200, b'{"response":{"result":{"%s":%s}}}' % (collection.single.encode(), text))


def _includes(request: Request, collection: Collection[Any]) -> frozenset[str]:
    return collection.includes.intersection(request.params("include[]"))


def _id(collection: Collection[Any], number: str) -> int:
    if not number.isdigit():
        raise errors.not_found(collection.single, "id", number)
    return int(number)


def _data(request: Request, collection: Collection[Any]) -> dict[str, Any]:
    """Read the body of a change: ``{"client": {...}}``."""
    try:
        data = request.json()[collection.single]
    except (BadRequestError, KeyError, TypeError) as error:
        raise ApiError(400, errors.PARSE, f"The body is no JSON object with the key {collection.single}.") from error
    if not isinstance(data, dict):
        raise ApiError(400, errors.PARSE, f"{collection.single} is no JSON object.")
    return data
