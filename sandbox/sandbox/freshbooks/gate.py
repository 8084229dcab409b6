"""Who is let through: a good token, a scope that fits, a role that may write.

Source: https://www.freshbooks.com/api/scopes; the bodies of a 403 are not documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.freshbooks.errors import ACCESS_DENIED, ApiError, EventsError
from sandbox.http import Request, Response

if TYPE_CHECKING:
    from sandbox.freshbooks.identity import Business
    from sandbox.freshbooks.oauth import OAuth

_UNAUTHORIZED = (
    "The server could not verify that you are authorized to access the URL requested. "
    "You either supplied the wrong credentials or the token has ended."
)


class RefusedError(Exception):
    """A request that is not let through, with the answer it gets."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with {response.status}")
        self.response = response


def wants_new_errors(request: Request, shape: str) -> bool:
    """Say whether errors are to be written in the newer shape."""
    return shape == "new" or (shape == "by_version" and request.headers.get("api-version") == "alpha")


def unauthenticated() -> Response:
    """Give the 401 of the auth API."""
    return Response(
        401,
        {
            "error": "unauthenticated",
            "error_description": "This action requires authentication to continue.",
        },
    )


def check_token(request: Request, oauth: OAuth, scope: str, family: str) -> None:
    """Check the token of a request.

    Args:
        request: the request.
        oauth: knows the tokens.
        scope: what the request needs, as in ``user:clients:read``.
        family: auth, accounting or events; each has its own errors.

    Raises:
        RefusedError: 401 without a good token, 403 without the scope.
        EventsError: the same for the events API.
        ApiError: the same, where the accounting API is set to its other 401.
    """
    consent = oauth.bearer(request)
    if consent is None:
        if family == "events":
            raise EventsError(401, 401, "invalid_token: The request token failed to authenticate or validate.")
        switches = oauth.world.switches
        if family == "accounting" and switches.accounting_401 != "auth":
            error = ApiError(401, ACCESS_DENIED, _UNAUTHORIZED)
            raise RefusedError(error.new() if switches.accounting_401 == "new" else error.classic())
        raise RefusedError(unauthenticated())
    if scope not in consent.scopes:
        text = f"The token has the scopes {' '.join(consent.scopes)}; this request needs {scope}."
        if family == "events":
            raise EventsError(403, 403, text)
        raise RefusedError(Response(403, {"error": "insufficient_scope", "error_description": text}))


def check_role(request: Request, business: Business) -> None:
    """Let a client of the business read and nothing else.

    Raises:
        ApiError: 403.
    """
    if business.role == "client" and request.method != "GET":
        raise ApiError(403, ACCESS_DENIED, "Permission Denied")
