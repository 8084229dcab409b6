"""Callbacks (webhooks): subscriptions, the handshake that proves a receiver, and what is sent to it.

Source: https://www.freshbooks.com/api/webhooks.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from sandbox.deliveries import Delivery
from sandbox.freshbooks.accounting import list_body
from sandbox.freshbooks.errors import ApiError, EventsError
from sandbox.freshbooks.gate import check_role, check_token
from sandbox.freshbooks.identity import IDENTITY_ID
from sandbox.freshbooks.query import Page
from sandbox.freshbooks.signature import HEADER, signature
from sandbox.freshbooks.times import iso_z
from sandbox.http import BadRequestError, Request, Response, dump, route

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.deliveries import Deliveries
    from sandbox.freshbooks.identity import Business
    from sandbox.freshbooks.oauth import OAuth

_SCOPES = {
    "bill": "bills",
    "bill_vendor": "bill_vendors",
    "category": "expenses",
    "client": "clients",
    "credit_note": "credit_notes",
    "estimate": "estimates",
    "expense": "expenses",
    "invoice": "invoices",
    "item": "billable_items",
    "payment": "payments",
    "project": "projects",
    "recurring": "invoices",
    "service": "billable_items",
    "tax": "taxes",
    "time_entry": "time_entries",
}
"""Nouns that can be subscribed to, with the object whose read scope that takes."""
_ACTIONS = {"create", "update", "delete"}
_MAILED = {"estimate", "invoice"}
_LIST = "/events/account/{account}/events/callbacks"
_ONE = _LIST + "/{number}"
_SEMANTICS = "The request was well-formed but was unable to be followed due to semantic errors."


@dataclass(eq=False)
class Callback:
    """A subscription."""

    id: int
    business: Business
    event: str
    uri: str
    verifier: str
    updated_at: datetime
    verified: bool = False
    failures: int = 0
    """Deliveries lost in a row."""

    def row(self) -> dict[str, Any]:
        """Write it as the API does: the verifier is not told."""
        return {
            "callbackid": self.id,
            "event": self.event,
            "updated_at": iso_z(self.updated_at),
            "uri": self.uri,
            "verified": self.verified,
        }


class Events:
    """The handlers of ``/events/account/...``, and the sender of deliveries."""

    def __init__(self, businesses: dict[str, Business], oauth: OAuth, deliveries: Deliveries) -> None:
        self._businesses = businesses
        self._oauth = oauth
        self._world = oauth.world
        self._deliveries = deliveries
        self.callbacks: dict[int, Callback] = {}
        self._world.listeners.append(self._changed)

    @route("GET", _LIST)
    def list(self, request: Request, account: str) -> Response:
        """List the callbacks of an account; ``search[event]`` takes a noun for all of its actions too."""

        def answer(business: Business) -> Response:
            wanted = request.param("search[event]")
            found = [
                callback
                for callback in self.callbacks.values()
                if callback.business is business and wanted in (None, callback.event, callback.event.partition(".")[0])
            ]
            page = Page.of(request.query)
            rows = [dump(found[number].row()) for number in page.cut(range(len(found)))]
            return _answered(list_body("callbacks", rows, page, len(found)))

        return self._answer(request, account, answer)

    @route("GET", _ONE)
    def get(self, request: Request, account: str, number: str) -> Response:
        """Answer one callback."""
        return self._answer(request, account, lambda business: _one(self._find(business, number)))

    @route("POST", _LIST)
    def create(self, request: Request, account: str) -> Response:
        """Subscribe, and send the handshake."""

        def answer(business: Business) -> Response:
            data = _data(request)
            event, uri = str(data.get("event", "")), str(data.get("uri", ""))
            self._check(request, event, uri)
            callback = Callback(
                self._world.next_id("callbacks"), business, event, uri, _new_verifier(), self._world.now()
            )
            self.callbacks[callback.id] = callback
            self._shake_hands(callback)
            return _one(callback)

        return self._answer(request, account, answer)

    @route("PUT", _ONE)
    def update(self, request: Request, account: str, number: str) -> Response:
        """Verify a callback, ask for its handshake again, or change it."""

        def answer(business: Business) -> Response:
            callback, data = self._find(business, number), _data(request)
            if "verifier" in data:
                if data["verifier"] != callback.verifier:
                    raise EventsError(400, 422, _SEMANTICS, ["verifier: Value error, Incorrect verifier."])
                callback.verified, callback.failures = True, 0
            elif data.get("resend"):
                if self._world.switches.resend_renews_verifier:
                    callback.verifier, callback.verified = _new_verifier(), False
                self._shake_hands(callback)
            else:
                event, uri = str(data.get("event", callback.event)), str(data.get("uri", callback.uri))
                self._check(request, event, uri)
                moved = uri != callback.uri
                callback.event, callback.uri = event, uri
                if moved and self._world.switches.edit_needs_verification:
                    callback.verified = False
                    self._shake_hands(callback)
            callback.updated_at = self._world.now()
            return _one(callback)

        return self._answer(request, account, answer)

    @route("DELETE", _ONE)
    def delete(self, request: Request, account: str, number: str) -> Response:
        """End a subscription."""

        def answer(business: Business) -> Response:
            del self.callbacks[self._find(business, number).id]
            return Response(204)

        return self._answer(request, account, answer)

    def _answer(self, request: Request, account: str, answer: Callable[[Business], Response]) -> Response:
        try:
            check_token(request, self._oauth, "user:profile:read", "events")
            business = self._businesses.get(account)
            if business is None:
                raise _unknown()
            check_role(request, business)
            return answer(business)
        except EventsError as error:
            return error.response()
        except ApiError as error:
            return EventsError(error.status, error.errno, error.message).response()

    def _check(self, request: Request, event: str, uri: str) -> None:
        noun, _, action = event.partition(".")
        known = noun in _SCOPES and (
            event == noun or action in _ACTIONS or (action == "sendByEmail" and noun in _MAILED)
        )
        details = [] if known else ["event: Value error, Unrecognized event."]
        parts = urlsplit(uri)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            details.append("uri: Input should be a valid URL, relative URL without a base")
        if details:
            raise EventsError(400, 422, _SEMANTICS, details)
        check_token(request, self._oauth, f"user:{_SCOPES[noun]}:read", "events")

    def _find(self, business: Business, number: str) -> Callback:
        callback = self.callbacks.get(int(number)) if number.isdigit() else None
        if callback is None or callback.business is not business:
            raise _unknown()
        return callback

    def _changed(self, account_id: str, event: str, object_id: int) -> None:
        """Tell all that subscribed to an event or to its noun."""
        for callback in self.callbacks.values():
            wanted = callback.event in (event, event.partition(".")[0])
            if wanted and callback.verified and callback.business.account_id == account_id:
                self._send(callback, self._fields(callback, event, object_id), self._counted(callback))

    def _counted(self, callback: Callback) -> Callable[[bool], None]:
        """Switch a callback off when too many of its deliveries are lost in a row."""

        def outcome(taken: bool) -> None:  # noqa: FBT001 - as Deliveries calls it
            callback.failures = 0 if taken else callback.failures + 1
            if callback.failures >= self._world.switches.disable_after:
                callback.verified = False

        return outcome

    def _shake_hands(self, callback: Callback) -> None:
        fields = self._fields(callback, "callback.verify", callback.id) | {"verifier": callback.verifier}
        self._send(callback, {name: fields[name] for name in self._world.switches.handshake_fields})

    def _send(
        self, callback: Callback, fields: dict[str, object], outcome: Callable[[bool], None] | None = None
    ) -> None:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            HEADER: signature(callback.verifier, fields),
        }
        delivery = Delivery("freshbooks", callback.uri, urlencode(fields).encode(), headers)
        self._deliveries.send(delivery, outcome)

    @staticmethod
    def _fields(callback: Callback, name: str, object_id: int) -> dict[str, object]:
        return {
            "name": name,
            "object_id": object_id,
            "account_id": callback.business.account_id,
            "business_id": callback.business.id,
            "identity_id": IDENTITY_ID,
            "user_id": 1,
        }


def _new_verifier() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(33))


def _unknown() -> EventsError:
    return EventsError(404, 404, "Requested resource could not be found.")


def _one(callback: Callback) -> Response:
    return _answered({"response": {"result": {"callback": callback.row()}}})


def _answered(body: Any) -> Response:
    return Response(200, body, content_type="application/vnd.api+json")


def _data(request: Request) -> dict[str, Any]:
    try:
        data = request.json()["callback"]
    except (BadRequestError, KeyError, TypeError) as error:
        raise EventsError(400, 422, _SEMANTICS, ["callback: Field required"]) from error
    if not isinstance(data, dict):
        raise EventsError(400, 422, _SEMANTICS, ["callback: Input should be a valid object"])
    return data
