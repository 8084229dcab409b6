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


class RequestError(ZohoError):
    """Zoho refused a whole request, for a reason of the request's own.

    Attributes:
        status: the HTTP status.
        code: Zoho's code, such as INVALID_MODULE.
        details: Zoho's details as they came; they may hold what was sent and are in no message.
    """

    def __init__(self, message: str, *, status: int, code: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details: Mapping[str, Any] = details or {}


class LostAnswerError(ZohoError):
    """A call that must not be made twice got no answer, so whether it was carried out has to be read back."""
