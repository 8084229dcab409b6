"""What can stop a run: one sentence each, saying what happened and what to do about it.

No message carries a token, a record's values or a person's data: only paths, ids, field names, statuses and codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ZohoError(Exception):
    """Something about Zoho CRM that stops the run; the state is kept."""


class ConfigurationError(ZohoError):
    """A setting, or the organization's set-up, has to be changed first."""


class AuthenticationError(ZohoError):
    """Zoho accepts neither the credentials nor the tokens made from them."""


class ScopeError(ZohoError):
    """The consent that was given lacks a scope."""


class PermissionDeniedError(ZohoError):
    """The Zoho user who gave the consent lacks a permission in the CRM."""


class QuotaError(ZohoError):
    """The organization's API credits, or its calls at a time, are used up."""


class UnavailableError(ZohoError):
    """Zoho, or the way to it, failed again and again."""


class ServerFaultError(UnavailableError):
    """Zoho answered a call with an error of its own (500): it is down, or one of the records broke it.

    Attributes:
        status: the HTTP status.
        code: Zoho's code, such as INTERNAL_ERROR; empty where there was none.
        words: Zoho's own words; they are in no message, for they may quote what was sent.
    """

    def __init__(self, message: str, *, status: int, code: str = "", words: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.words = words


class RequestError(ZohoError):
    """Zoho refused a whole request.

    Attributes:
        status: the HTTP status.
        code: Zoho's code, such as INVALID_MODULE.
        details: Zoho's details as they came; they may hold what was sent and are in no message.
        words: Zoho's own words; they are in the message only where they are about the request, not about a record.
        about_request: whether the reason is the caller's or the request's, whatever records were sent.
    """

    def __init__(  # noqa: PLR0913 - what a refusal says
        self,
        message: str,
        *,
        status: int,
        code: str,
        details: Mapping[str, Any] | None = None,
        words: str = "",
        about_request: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details: Mapping[str, Any] = details or {}
        self.words = words
        self.about_request = about_request


class AllRefusedError(ZohoError):
    """Zoho refused every record of a batch for one and the same reason."""


class LostAnswerError(ZohoError):
    """A call that must not be made twice got no answer, so whether it was carried out has to be read back.

    Attributes:
        fault: the answer that Zoho gave instead, where it was a 500.
    """

    def __init__(self, message: str, *, fault: ServerFaultError | None = None) -> None:
        super().__init__(message)
        self.fault = fault
