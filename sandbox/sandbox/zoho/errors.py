"""What Zoho CRM answers when it refuses: whole requests (`ApiError`) and single records (`RowError`)."""

from __future__ import annotations

from typing import Any

MESSAGES = {
    "ALREADY_MODIFIED": "record has been already modified",
    "AUTHENTICATION_FAILURE": "Authentication failed",
    "DUPLICATE_DATA": "duplicate data",
    "INTERNAL_ERROR": "Internal Server Error",
    "INVALID_DATA": "invalid data",
    "INVALID_MODULE": "the module name given seems to be invalid",
    "INVALID_REQUEST_METHOD": "The http request method type is not a valid one",
    "INVALID_TOKEN": "invalid oauth token",
    "INVALID_URL_PATTERN": "Please check if the URL trying to access is a correct one",
    "LIMIT_EXCEEDED": "limit exceeded",
    "LIMIT_REACHED": "limit reached",
    "MANDATORY_NOT_FOUND": "required field not found",
    "MULTIPLE_OR_MULTI_ERRORS": "Multiple errors in the request",
    "NOT_APPROVED": "record is not approved",
    "NOT_SUPPORTED": "feature not supported",
    "NO_PERMISSION": "permission denied",
    "OAUTH_SCOPE_MISMATCH": "Unauthorized",
    "RECORD_LOCKED": "record is locked",
    "REQUIRED_PARAM_MISSING": "One of the expected parameter is missing",
}


def error(code: str, details: dict[str, Any] | None = None, message: str | None = None) -> dict[str, Any]:
    """Return Zoho's envelope of one error."""
    return {
        "code": code,
        "details": details or {},
        "message": message if message is not None else MESSAGES.get(code, code.lower().replace("_", " ")),
        "status": "error",
    }


class ApiError(Exception):
    """A whole request refused."""

    def __init__(
        self,
        status: int,
        code: str,
        details: dict[str, Any] | None = None,
        message: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.body: Any = error(code, details, message)


class RowError(Exception):
    """One record, field or module of a request refused."""

    def __init__(self, code: str, details: dict[str, Any] | None = None, message: str | None = None) -> None:
        self.body = error(code, details, message)
        super().__init__(f"{code} {self.body['details']}")

    @property
    def code(self) -> str:
        """Zoho's code."""
        return str(self.body["code"])
