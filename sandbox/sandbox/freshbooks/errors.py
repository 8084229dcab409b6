"""Errors of the accounting API and of the events API, in every shape in which FreshBooks writes them.

Source: https://www.freshbooks.com/api/errors and the official SDKs' tests.
"""

from __future__ import annotations

from typing import Any

from sandbox.http import Response

REQUIRED = 1001
ACCESS_DENIED = 1003
INVALID_VALUE = 1004
PARSE = 1005
DELETED = 1011
UNKNOWN = 1012
BAD_PER_PAGE = 1013
BAD_PAGE = 1014
NOT_A_NUMBER = 1015
FILTER_DATE = 1023
FILTER_NUMBER = 1024
FILTER_BOOLEAN = 1032
FILTER_LIST = 1034
FILTER_SCALAR = 1037
WRITE_DENIED = 1038
INACTIVE = 1042
NAMELESS_CLIENT = 7012

_RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 422: 3, 429: 8, 500: 13, 503: 14}


class ApiError(Exception):
    """A refusal by the accounting API.

    Args:
        status: HTTP status.
        errno: FreshBooks' own number of the error.
        message: what FreshBooks says.
        subject: field, kind of object and value that the refusal is about.
    """

    def __init__(self, status: int, errno: int, message: str, **subject: object) -> None:
        super().__init__(f"{status}, errno {errno}: {message}")
        self.status = status
        self.errno = errno
        self.message = message
        self.subject = {key: str(subject.get(key, "")) for key in ("field", "object", "value")}

    def classic(self) -> Response:
        """Give the shape with a list under ``response.errors``."""
        error = {"errno": self.errno, "message": self.message, **self.subject}
        return Response(self.status, {"response": {"errors": [dict(sorted(error.items()))]}})

    def new(self) -> Response:
        """Give the shape of ``google.rpc.Status``, which newer versions of the API answer with."""
        return Response(
            self.status,
            {
                "code": _RPC_CODES.get(self.status, 2),
                "message": f"Request failed with status_code: {self.status}",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": str(self.errno),
                        "domain": "accounting.api.freshbooks.com",
                        "metadata": {
                            "object": self.subject["object"],
                            "message": self.message,
                            "value": self.subject["value"],
                            "field": self.subject["field"],
                        },
                    }
                ],
            },
        )


class EventsError(Exception):
    """A refusal by the events API: HTTP status, errno, message and details."""

    def __init__(self, status: int, errno: int, message: str, details: list[str] | None = None) -> None:
        super().__init__(f"{status}, errno {errno}: {message}")
        self.status = status
        body: dict[str, Any] = {"errno": errno, "message": message}
        if details is not None:
            body["details"] = details
        self.body = body

    def response(self) -> Response:
        """Give the answer."""
        return Response(self.status, self.body, content_type="application/vnd.api+json")


def not_found(kind: str, field: str, value: object) -> ApiError:
    """Give the error for a record that does not exist; `kind` is client, invoice or payment."""
    message = f"{kind.capitalize()} not found."
    return ApiError(404, UNKNOWN, message, field=field, object=kind, value=value)


def required(kind: str, field: str) -> ApiError:
    """Give the error for a field that was left out."""
    return ApiError(422, REQUIRED, f"Required field not provided: {field}", field=field, object=kind)


def invalid(kind: str, field: str, value: object) -> ApiError:
    """Give the error for a value that does not fit its field."""
    return ApiError(422, INVALID_VALUE, f"Invalid value for {field}", field=field, object=kind, value=value)
